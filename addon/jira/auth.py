"""How is a call to a tenant's Jira signed? An `httpx.Auth` for each door; so far Connect's.

Source: Atlassian, "Understanding JWT for Connect apps": the app's own token carries the hash of the very request.
"""

from collections.abc import Callable, Generator
from datetime import datetime

import httpx

from lifecycle import qsh, tokens
from lifecycle.tenant import ClientKey
from lifecycle.vault import Secret


class ConnectAuth(httpx.Auth):
    """Signs requests to one tenant with its shared secret; refuses to sign for any other origin."""

    def __init__(
        self, *, addon_key: str, client_key: ClientKey, secret: Secret, base_url: str, clock: Callable[[], datetime]
    ) -> None:
        self._addon_key = addon_key
        self._client_key = client_key
        self._secret = secret
        self._origin = _origin(httpx.URL(base_url))
        self._clock = clock

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if _origin(request.url) != self._origin:
            raise ValueError("a token for one site must never be sent to another")
        path = request.url.raw_path.decode().partition("?")[0]
        token = tokens.issue_app_token(
            secret=self._secret,
            addon_key=self._addon_key,
            client_key=self._client_key,
            qsh=qsh.hash_request(request.method, path, request.url.query.decode()),
            now=self._clock(),
        )
        request.headers["Authorization"] = f"JWT {token}"
        yield request


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    # httpx leaves out a port that the scheme means anyway, on both sides.
    return url.scheme, url.host, url.port
