"""What may a browser do with our answers, and how much may a caller send? Two pure ASGI middlewares.

Pages loosen the default policy for themselves (`addon.web.render`); everything else keeps it.
"""

from collections.abc import Mapping
from types import MappingProxyType

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES = 1024 * 1024

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",  # the address of a page holds its token
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache, no-store",
}
STRICT_TRANSPORT = "max-age=31536000; includeSubDomains"


class SecurityHeaders:
    """Sets HEADERS where the answer does not say otherwise; `is_https`: our public address is one of HTTPS."""

    def __init__(self, app: ASGIApp, *, is_https: bool) -> None:
        self.app = app
        self.headers = {**HEADERS, **({"Strict-Transport-Security": STRICT_TRANSPORT} if is_https else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    present.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers)


class BodyLimit:
    """Refuses a body of more than `max_bytes` with HTTPException 413, by its announced length or as it streams in.

    `larger`: the limits of paths that take more.

    Starlette 1.10 has a limit of its own, but answers an announced length as plain text.
    """

    def __init__(
        self, app: ASGIApp, *, max_bytes: int = MAX_BODY_BYTES, larger: Mapping[str, int] = MappingProxyType({})
    ) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.larger = larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        max_bytes = self.larger.get(scope["path"], self.max_bytes)
        too_long = _is_too_long(Headers(scope=scope).get("content-length", ""), max_bytes)
        received_bytes = 0

        async def receive_limited() -> Message:
            nonlocal received_bytes
            if too_long:
                raise _refusal(max_bytes)
            message = await receive()
            received_bytes += len(message.get("body", b""))
            if received_bytes > max_bytes:
                raise _refusal(max_bytes)
            return message

        await self.app(scope, receive_limited, send)


def _is_too_long(announced: str, max_bytes: int) -> bool:
    digits = announced.lstrip("0")
    if not digits.isascii() or not digits.isdigit():
        return False  # the server's to refuse; what comes in is counted all the same
    # Python reads no number of thousands of digits.
    return len(digits) > len(str(max_bytes)) or int(digits) > max_bytes


def _refusal(max_bytes: int) -> HTTPException:
    return HTTPException(413, f"The body is longer than {max_bytes} bytes.")
