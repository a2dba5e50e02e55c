"""What happens on a site while a call is on its way to it, without a race: the call waits until it has happened."""

from collections.abc import Awaitable, Callable

import httpx


class Meanwhile(httpx.AsyncBaseTransport):
    """Something happens while the first call of a path is on its way to a site."""

    def __init__(
        self, way: httpx.AsyncBaseTransport, origin: str, path: str, happens: Callable[[], Awaitable[object]]
    ) -> None:
        self.way = way
        self.call = f"{origin}{path}"
        self.happens = happens
        self.has_happened = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not self.has_happened and str(request.url).startswith(self.call):
            self.has_happened = True
            await self.happens()
        return await self.way.handle_async_request(request)
