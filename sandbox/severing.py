"""How does a connection break in the middle of an answer? A response that promises a whole body and gives half of it."""

import httpx
from starlette import responses, types


class ConnectionSevered(httpx.RemoteProtocolError):
    """What a client meets. In one process it comes straight out of the transport; a server must end the socket for it."""


class SeveredResponse(responses.Response):
    """The first half of another response."""

    def __init__(self, whole: responses.Response) -> None:
        super().__init__(whole.body, whole.status_code)
        self.raw_headers = whole.raw_headers

    async def __call__(self, _: types.Scope, __: types.Receive, send: types.Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        half = bytes(self.body[: len(self.body) // 2])
        await send({"type": "http.response.body", "body": half, "more_body": True})
        raise ConnectionSevered("peer closed connection without sending complete message body")


def end_quietly(inner: types.ASGIApp) -> types.ASGIApp:
    """For real sockets: an answer that ends early makes the server close the connection, without an error's long report."""

    async def app(scope: types.Scope, receive: types.Receive, send: types.Send) -> None:
        try:
            await inner(scope, receive, send)
        except ConnectionSevered:
            return

    return app
