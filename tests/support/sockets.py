"""Apps on real sockets, for tests in which processes or browsers talk to them."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx
import uvicorn
from starlette.types import ASGIApp

GRACE_S = 2

PORTS = range(20_000, 32_000)
# Below those that the system gives away by itself, and above those of well-known services.


def listen(host: str) -> tuple[socket.socket, int]:
    """A socket that queues connections from now on, so that nobody has to wait for the server behind it; and its port."""
    listening = socket.create_server((host, 0))
    # asyncio (3.11) does this for sockets of its own only; without it every answer waits 40 ms for a delayed ACK.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening, listening.getsockname()[1]


def a_free_port() -> int:
    """A port of 127.0.0.1 for a process that listens by itself. The system gives it to no outgoing connection meanwhile."""
    while True:
        port = random.choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


@asynccontextmanager
async def serving(app: ASGIApp, sockets: Sequence[socket.socket]) -> AsyncIterator[None]:
    """Serve `app` on listening sockets for as long as the block runs."""
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=GRACE_S))
    task = asyncio.create_task(server.serve(sockets=list(sockets)))
    try:
        yield
    finally:
        server.should_exit = True
        await task
        for listening in sockets:
            listening.close()


class LateTransport(httpx.AsyncBaseTransport):
    """Leads to an app that is made after the client which calls it, where each needs the other."""

    target: httpx.AsyncBaseTransport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self.target.handle_async_request(request)
