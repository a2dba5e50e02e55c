"""Bodies that announce too much, or send more than they announced."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from addon.web import errors
from addon.web.headers import BodyLimit


async def count(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def ignore(_request: Request) -> Response:
    return PlainTextResponse("unread")


async def send(path: str, content: bytes | AsyncIterator[bytes], headers: dict[str, str]) -> httpx.Response:
    app = Starlette(
        routes=[Route("/count", count, methods=["POST"]), Route("/ignore", ignore, methods=["POST"])],
        middleware=[Middleware(BodyLimit, max_bytes=10)],
        exception_handlers=errors.HANDLERS,
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        return await client.post(path, content=content, headers=headers)


async def chunks(size: int) -> AsyncIterator[bytes]:
    for _ in range(size):
        yield b"x"


@pytest.mark.parametrize("size", [0, 1, 10])
async def test_body_within_the_limit_is_read(size: int) -> None:
    assert (await send("/count", b"x" * size, {})).text == str(size)
    assert (await send("/count", chunks(size), {})).text == str(size)


async def test_body_beyond_the_limit_is_413_announced_or_not() -> None:
    for content in (b"x" * 11, chunks(11)):
        answer = await send("/count", content, {})
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("announced", ["11", "9" * 5000])
async def test_body_that_announces_too_much_is_not_read(announced: str) -> None:
    assert (await send("/count", b"x", {"Content-Length": announced})).status_code == 413


@pytest.mark.parametrize("announced", ["0000000010", "ten", "-11", ""])
async def test_odd_announcement_does_not_count(announced: str) -> None:
    assert (await send("/count", b"x", {"Content-Length": announced})).text == "1"


async def test_body_that_nobody_reads_harms_nobody() -> None:
    assert (await send("/ignore", b"x" * 11, {})).text == "unread"
