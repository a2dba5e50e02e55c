"""How many requests a second does a server answer, and how long does each take? A client that costs next to nothing.

Plain HTTP/1.1 over some connections that stay open, each sending its next request when the last one was answered.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx

END_OF_HEAD = b"\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a server took."""

    seconds: float
    latencies_s: Sequence[float]

    @property
    def per_second(self) -> float:
        return len(self.latencies_s) / self.seconds


def build_request(method: str, url: str, *, headers: dict[str, str] | None = None, body: bytes = b"") -> bytes:
    at = httpx.URL(url)
    lines = [
        f"{method} {at.raw_path.decode('ascii')} HTTP/1.1",
        f"Host: {at.netloc.decode('ascii')}",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in (headers or {}).items()),
    ]
    return "\r\n".join(lines).encode("ascii") + END_OF_HEAD + body


async def run(origin: str, make: Callable[[int], bytes], *, connections: int, seconds: float) -> Load:
    """`make` gives the request of each number. Raises RuntimeError for an answer that is not 2xx."""
    at = httpx.URL(origin)
    latencies: list[float] = []
    numbers = iter(range(1_000_000_000))
    started = time.perf_counter()

    async def send_on() -> None:
        reader, writer = await asyncio.open_connection(at.host, at.port)
        try:
            while (begun := time.perf_counter()) - started < seconds:
                writer.write(make(next(numbers)))
                await _read_answer(reader)
                latencies.append(time.perf_counter() - begun)
        finally:
            writer.close()

    await asyncio.gather(*(send_on() for _ in range(connections)))
    return Load(seconds=time.perf_counter() - started, latencies_s=latencies)


async def run_all(origin: str, requests: Sequence[bytes]) -> Sequence[float]:
    """Every request, one after the other; how long each took."""
    latencies: list[float] = []
    at = httpx.URL(origin)
    reader, writer = await asyncio.open_connection(at.host, at.port)
    try:
        for request in requests:
            begun = time.perf_counter()
            writer.write(request)
            await _read_answer(reader)
            latencies.append(time.perf_counter() - begun)
    finally:
        writer.close()
    return latencies


async def _read_answer(reader: asyncio.StreamReader) -> None:
    head = (await reader.readuntil(END_OF_HEAD)).decode("latin-1")
    status, *fields = head.split("\r\n")
    length = next((int(each.partition(":")[2]) for each in fields if each.lower().startswith("content-length:")), 0)
    body = await reader.readexactly(length)
    if status.split()[1][0] != "2":
        raise RuntimeError(f"{status}: {body[:300]!r}")
