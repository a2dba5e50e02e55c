"""How is one call to a tenant's Jira made, and what does its answer mean? Foreign errors become ours here.

Knows no operation: those are in `directory` and `permissions`. Retries nothing: `retry` decides, jobs carry it out.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from addon.jira import errors, limits, metrics
from addon.jira.budget import Price
from addon.jira.throttle import Gate

TIMEOUT = httpx.Timeout(30, connect=5)  # seconds; Jira itself gives up on a user list after 10

TASK = re.compile(r"/rest/api/(?:3|2|latest)/task/([A-Za-z0-9_-]{1,100})")

HALF = re.compile(rb"\\u[dD][89a-fA-F]")
# Of a surrogate pair, or what looks like it.

Params = Mapping[str, str | int | bool | Sequence[str]]
Answer = TypeVar("Answer")
Reader = Callable[[str, httpx.Response], Answer]
"""Raises JiraError for an answer that does not hold what was asked for. It is given the operation's name."""


class JiraClient:
    """Calls to one tenant's site, each through `gate`, which knows what they cost so far."""

    def __init__(self, *, http: httpx.AsyncClient, base_url: str, auth: httpx.Auth, gate: Gate) -> None:
        self._http = http
        self._base_url = base_url
        self._auth = auth
        self._gate = gate

    @property
    def points(self) -> int:
        """API points spent so far, on calls that failed too."""
        return self._gate.points

    async def get(
        self,
        path: str,
        answer: TypeAdapter[Answer],
        params: Params,
        *,
        price: Price[Answer],
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer of a GET. Raises JiraError."""
        request = self._http.build_request(
            "GET", self._base_url + path, params=dict(params), headers=headers, timeout=TIMEOUT
        )
        return await self._send(request, _reader(answer), price)

    async def post(
        self, path: str, answer: TypeAdapter[Answer], body: Mapping[str, object], *, price: Price[Answer]
    ) -> Answer:
        """The answer of a POST. Raises JiraError."""
        request = self._http.build_request("POST", self._base_url + path, json=body, timeout=TIMEOUT)
        return await self._send(request, _reader(answer), price)

    async def write(
        self, method: str, path: str, body: object = None, *, price: Price[None], headers: Mapping[str, str]
    ) -> None:
        """A call whose answer says no more than that it was carried out. Raises JiraError."""
        request = self._http.build_request(method, self._base_url + path, json=body, headers=headers, timeout=TIMEOUT)
        await self._send(request, _read_success, price)

    async def start(
        self, method: str, path: str, body: object, *, price: Price[str], headers: Mapping[str, str]
    ) -> str:
        """The id of the task that carries a call out. Jira names it by a redirection, which is not followed.

        Raises JiraError.
        """
        request = self._http.build_request(method, self._base_url + path, json=body, headers=headers, timeout=TIMEOUT)
        return await self._send(request, _read_task, price)

    async def _send(self, request: httpx.Request, read: Reader[Answer], price: Price[Answer]) -> Answer:
        endpoint = limits.endpoint(request.method, request.url.path)
        async with self._gate.call(endpoint, most=price.most) as bill:
            try:
                found = await self._exchange(request, endpoint, read)
            except errors.JiraError as error:
                if isinstance(error, errors.Corrupt):
                    bill.points = price.most  # Jira found what it was asked for, and charges for it
                metrics.CALLS.labels(outcome=type(error).__name__.lower()).inc()
                raise
            bill.points = price.of(found)
            metrics.CALLS.labels(outcome="answered").inc()
            return found

    async def _exchange(self, request: httpx.Request, endpoint: str, read: Reader[Answer]) -> Answer:
        operation = f"{request.method} {request.url.path}"
        try:
            response = await self._http.send(request, auth=self._auth)
        except httpx.TransportError as exc:
            raise errors.Unreachable(f"{operation}: {type(exc).__name__}") from exc
        except httpx.DecodingError as exc:
            raise errors.Corrupt(f"{operation}: the answer cannot be unpacked") from exc
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            refusal = limits.read(response.headers)
            raise await self._gate.refuse(endpoint, refusal, f"{operation}: {response.status_code}")
        return read(operation, response)


def _reader(answer: TypeAdapter[Answer]) -> Reader[Answer]:
    """Reads a body as Jira's documents describe it."""

    def read(operation: str, response: httpx.Response) -> Answer:
        _raise_for_status(operation, response)
        try:
            return answer.validate_json(_whole(response.content))
        except ValidationError as exc:
            # Without the cause's text: it repeats the answer, and so people's names.
            raise errors.Corrupt(
                f"{operation}: {exc.error_count()} parts of the answer are not as documented"
            ) from None

    return read


def _whole(body: bytes) -> bytes:
    """The same JSON, where half of a character, which no reader of JSON has to take, is a question mark: one text that was
    cut there must not make a whole page unreadable.
    """
    if not HALF.search(body):
        return body
    try:
        return json.dumps(json.loads(body), ensure_ascii=False).encode(errors="replace")
    except (ValueError, RecursionError):
        return body


def _read_success(operation: str, response: httpx.Response) -> None:
    _raise_for_status(operation, response)


def _read_task(operation: str, response: httpx.Response) -> str:
    """From a 303 that leads to a task of the same site; whatever else it leads to is none of ours."""
    if response.status_code != HTTPStatus.SEE_OTHER:
        _raise_for_status(operation, response)
        raise errors.Corrupt(f"{operation}: {response.status_code} where a task should be named")
    try:
        target = response.request.url.join(response.headers.get("Location", ""))
    except httpx.InvalidURL:
        raise errors.Corrupt(f"{operation}: the task's address cannot be read") from None
    here = response.request.url
    found = TASK.fullmatch(target.path)
    if found is None or (target.scheme, target.host, target.port) != (here.scheme, here.host, here.port):
        raise errors.Corrupt(f"{operation}: leads to something else than a task of the site")
    return found[1]


def _raise_for_status(operation: str, response: httpx.Response) -> None:
    status = response.status_code
    message = f"{operation}: {status}"
    if status == HTTPStatus.UNAUTHORIZED:
        raise errors.Unauthorized(message)
    if status == HTTPStatus.FORBIDDEN:
        raise errors.Forbidden(message)
    # 408 and 409 are how Jira says that a list took too long (409: GET /users, "takes longer than 10 seconds").
    if response.is_server_error or status in {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT}:
        raise errors.Troubled(message)
    if not response.is_success:
        raise errors.Rejected(message, status)
