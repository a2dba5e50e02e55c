"""What does the caller see when something went wrong? One rendering for every error of ours, Starlette's and Python's.

`application/problem+json` (RFC 9457) everywhere but under PAGES, where a person looks at a small page instead. Decides
nothing: status, code and text are facts of the error. Never shows or logs the text of an unexpected exception, which
may hold personal data.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import asyncpg
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from addon.errors import ApiError, Busy, Invalid, NotFound, ReadOnlyAttribute
from addon.jira.errors import JiraError
from addon.web import render, texts
from lifecycle.errors import BadBody, InvalidFields, LifecycleError, Refused

PAGES = "/pages"
RETRY_AFTER_S = 5
PASSING = (401, 429, 500, 503)  # the page, loaded again with a new token, may work

OUTAGES = (
    JiraError,
    OSError,  # no connection to the database, it broke, or it took too long
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,  # shut down or restarted
    asyncpg.ReadOnlySQLTransactionError,  # for as long as its successor is not reached
    asyncpg.TransactionRollbackError,  # a deadlock or a serialization conflict: the same request may work
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An error as RFC 9457 writes it; `more` are members of our own."""

    status: int
    code: str
    title: str
    detail: str
    more: Mapping[str, object]

    def as_json(self) -> dict[str, object]:
        return {
            "type": f"urn:crm-sync:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            **self.more,
        }


class ProblemResponse(JSONResponse):
    media_type = "application/problem+json"

    def render(self, content: Any) -> bytes:
        # A refused field may be named by half a surrogate pair, which no encoding can carry.
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def describe(error: Exception) -> Problem:
    """The facts of an error that its caller may know."""
    match error:
        case ApiError():
            return Problem(
                status=error.status,
                code=error.code,
                title=texts.gettext(error.title),
                detail=texts.gettext(error.detail),
                more=_members(error),
            )
        case LifecycleError():
            return Problem(
                status=error.status,
                code=error.code,
                title=texts.gettext(error.title),
                detail=_hint(error),
                more=_members(error),
            )
        case HTTPException(status_code=404):
            return describe(NotFound("There is nothing at this address."))
        case HTTPException():
            title = HTTPStatus(error.status_code).phrase
            return Problem(status=error.status_code, code="invalid", title=title, detail=error.detail, more={})
        case _ if isinstance(error, OUTAGES):
            return describe(Busy("The service cannot answer at the moment. Try again in a few seconds."))
        case _:
            return Problem(
                status=500,
                code="internal",
                title=texts.gettext("Something went wrong"),
                detail=texts.gettext(
                    "The error is ours and was noted. Load what you see again before you repeat your change."
                ),
                more={},
            )


def respond(request: Request, error: Exception) -> Response:
    """The answer to a request that failed."""
    problem = describe(error)
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    if problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "JWT"
    path = request.url.path
    if path == PAGES or path.startswith(f"{PAGES}/"):
        is_passing = problem.status in PASSING
        return render.error_page(
            request, problem.title, problem.detail, status=problem.status, is_passing=is_passing, headers=headers
        )
    return ProblemResponse(problem.as_json(), status_code=problem.status, headers=headers)


REFUSALS = (HTTPException, ApiError, LifecycleError)
"""The errors that are raised on purpose."""

HANDLERS: Mapping[type[Exception], Callable[[Request, Exception], Response]] = dict.fromkeys(REFUSALS, respond)
"""For Starlette."""


class Boundary:
    """Answers what nobody expected with a plain 500, or 503 in an outage, and leaves one line without any content.

    Starlette's own boundary raises the exception again for the server to print, with the values in its message.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def note_start(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, note_start)
        except Exception as error:  # noqa: BLE001 - the last line of defence; it swallows nothing silently
            structlog.get_logger().error("request failed", **_summary(scope, error))
            if started:
                raise ConnectionAbortedError("the answer broke off; see the line before") from None
            await respond(Request(scope), error)(scope, receive, send)


def _summary(scope: Scope, error: Exception) -> dict[str, object]:
    """Where it happened and to whom, without the message or any value."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f"{place.tb_frame.f_globals.get('__name__')}:{place.tb_lineno}" if place is not None else None
    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    summary = {"error": kind, "where": where, "method": scope["method"], "path": scope["path"]}
    tenant = scope.get("state", {}).get("tenant")  # from `auth.Door`, whose own binding has ended by now
    return summary if tenant is None else {**summary, "tenant_id": str(tenant.tenant_id)}


def _members(error: ApiError | LifecycleError) -> Mapping[str, object]:
    match error:
        case Invalid() | InvalidFields():
            return {
                "errors": [{"field": item.field, "problem": texts.gettext(item.problem)} for item in error.problems]
            }
        case ReadOnlyAttribute():
            return {"attributes": list(error.attributes)}
        case _:
            return {}


def _hint(error: LifecycleError) -> str:
    """What a person can do about it; the same for every refusal, and nothing about its cause."""
    match error:
        case Refused():
            return texts.gettext("Reload the page in Jira and try again.")
        case BadBody():
            return f"{texts.gettext(error.title)}."
        case _:
            return texts.gettext("Try again in a few seconds.")
