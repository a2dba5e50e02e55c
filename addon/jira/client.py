"""How is one call to a tenant's Jira made, and what does its answer mean? Foreign errors become ours here.

Knows no operation: those are in `directory` and `permissions`. Retries nothing: `retry` decides, jobs carry it out.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from addon.jira import errors

LONGEST_RETRY_AFTER = timedelta(hours=1)  # every quota of Atlassian's is whole again at the next hour

TIMEOUT = httpx.Timeout(30, connect=5)  # seconds; Jira itself gives up on a user list after 10

Params = Mapping[str, str | int | bool | Sequence[str]]
Answer = TypeVar("Answer")


class JiraClient:
    """Calls to one tenant's site. `points` is what they cost so far; who knows what was returned adds to it."""

    def __init__(self, *, http: httpx.AsyncClient, base_url: str, auth: httpx.Auth) -> None:
        self._http = http
        self._base_url = base_url
        self._auth = auth
        self.points = 0

    async def get(
        self, path: str, answer: TypeAdapter[Answer], params: Params, *, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """The answer of a GET. Raises JiraError."""
        request = self._http.build_request(
            "GET", self._base_url + path, params=dict(params), headers=headers, timeout=TIMEOUT
        )
        return await self._send(request, answer)

    async def post(self, path: str, answer: TypeAdapter[Answer], body: Mapping[str, object]) -> Answer:
        """The answer of a POST. Raises JiraError."""
        request = self._http.build_request("POST", self._base_url + path, json=body, timeout=TIMEOUT)
        return await self._send(request, answer)

    async def _send(self, request: httpx.Request, answer: TypeAdapter[Answer]) -> Answer:
        operation = f"{request.method} {request.url.path}"
        try:
            response = await self._http.send(request, auth=self._auth)
        except httpx.TransportError as exc:
            raise errors.Unreachable(f"{operation}: {type(exc).__name__}") from exc
        except httpx.DecodingError as exc:
            raise errors.Corrupt(f"{operation}: the answer cannot be unpacked") from exc
        _raise_for_status(operation, response)
        try:
            return answer.validate_json(response.content)
        except ValidationError as exc:
            # Without the cause's text: it repeats the answer, and so people's names.
            raise errors.Corrupt(
                f"{operation}: {exc.error_count()} parts of the answer are not as documented"
            ) from None


def _raise_for_status(operation: str, response: httpx.Response) -> None:
    status = response.status_code
    message = f"{operation}: {status}"
    if status == HTTPStatus.UNAUTHORIZED:
        raise errors.Unauthorized(message)
    if status == HTTPStatus.FORBIDDEN:
        raise errors.Forbidden(message)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise errors.Throttled(message, retry_after(response.headers.get("Retry-After")))
    # 408 and 409 are how Jira says that a list took too long (409: GET /users, "takes longer than 10 seconds").
    if response.is_server_error or status in {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT}:
        raise errors.Troubled(message)
    if not response.is_success:
        raise errors.Rejected(message, status)


def retry_after(value: str | None) -> timedelta:
    """The seconds of a Retry-After header, at most LONGEST_RETRY_AFTER; zero where there is none or it is a date, which
    Jira never sends.
    """
    if value is None or not value.isdecimal():
        return timedelta()
    # Nine digits are more than the limit already, and no number of digits breaks `timedelta`.
    return min(timedelta(seconds=int(value[:9])), LONGEST_RETRY_AFTER)
