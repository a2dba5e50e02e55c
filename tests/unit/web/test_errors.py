"""One rendering for every error, and no leak of what was not meant to be told."""

from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from addon import errors as addon_errors
from addon.errors import FieldProblem
from addon.jira.errors import Unreachable
from addon.web import errors
from addon.web.errors import Boundary
from lifecycle import errors as lifecycle_errors
from tests.integration.web import contract

SECRET = "ada@example.com"


async def answer_to(error: Exception, path: str = "/api/x") -> httpx.Response:
    async def fail(_request: Request) -> Response:
        raise error

    app = Starlette(routes=[Route(path, fail)], middleware=[Middleware(Boundary)], exception_handlers=errors.HANDLERS)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        return await client.get(path)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (addon_errors.NotAllowed("x"), 403, "not-allowed"),
        (addon_errors.NotFound("x"), 404, "not-found"),
        (addon_errors.ReadOnlyAttribute(["name"]), 409, "read-only-attribute"),
        (addon_errors.ContactSynced("x"), 409, "contact-synced"),
        (addon_errors.StaleVersion("x"), 409, "stale-version"),
        (addon_errors.Invalid([FieldProblem(field="name", problem="x")]), 422, "invalid"),
        (addon_errors.Busy("x"), 503, "busy"),
        (lifecycle_errors.BadSignature("x"), 401, "not-authenticated"),
        (lifecycle_errors.WrongQsh("x"), 401, "not-authenticated"),
        (lifecycle_errors.MalformedBody("x"), 400, "invalid"),
        (lifecycle_errors.BodyTooLarge("x"), 413, "invalid"),
        (lifecycle_errors.InvalidFields([]), 422, "invalid"),
        (lifecycle_errors.KeysUnreachable("x"), 503, "busy"),
        (lifecycle_errors.SecretUnreadable("x"), 503, "busy"),
        (HTTPException(404), 404, "not-found"),
        (HTTPException(405), 405, "invalid"),
        (HTTPException(415), 415, "invalid"),
        (Unreachable("x"), 503, "busy"),
        (ConnectionRefusedError(), 503, "busy"),
        (TimeoutError(), 503, "busy"),
        (asyncpg.TooManyConnectionsError("x"), 503, "busy"),
        (asyncpg.AdminShutdownError("x"), 503, "busy"),
        (asyncpg.DeadlockDetectedError("x"), 503, "busy"),
        (asyncpg.ReadOnlySQLTransactionError("x"), 503, "busy"),
        (asyncpg.NotNullViolationError("x"), 500, "internal"),
        (ValueError("x"), 500, "internal"),
    ],
)
async def test_each_error_has_its_status_and_code(error: Exception, status: int, code: str) -> None:
    answer = await answer_to(error)
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert {"type", "title", "detail"} <= set(problem)
    assert ("retry-after" in answer.headers) is (status == 503)
    contract.check(answer)


async def test_refusals_of_every_cause_look_the_same() -> None:
    causes = [cause("why") for cause in lifecycle_errors.Refused.__subclasses__()]
    assert len({(await answer_to(cause)).content for cause in causes}) == 1


async def test_unexpected_error_tells_nobody_its_text() -> None:
    with structlog.testing.capture_logs() as lines:
        answer = await answer_to(ValueError(SECRET))
    assert SECRET not in answer.text
    (line,) = lines
    assert SECRET not in str(line)
    assert (line["error"], line["log_level"], line["path"]) == ("builtins.ValueError", "error", "/api/x")
    assert line["where"].startswith(f"{__name__}:")


async def test_pages_get_a_page_that_escapes_the_text() -> None:
    answer = await answer_to(addon_errors.NotFound("<b>"), "/pages/x")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "&lt;b&gt;" in answer.text
    assert (await answer_to(ValueError(SECRET), "/pages/x")).status_code == 500
    assert (await answer_to(ValueError(), "/pagesx")).headers["content-type"] == "application/problem+json"


async def test_answer_that_breaks_off_is_not_ended_as_if_whole() -> None:
    async def text() -> AsyncIterator[str]:
        yield "a"
        raise ValueError(SECRET)

    async def stream(_request: Request) -> Response:
        return StreamingResponse(text())

    app = Starlette(routes=[Route("/api/x", stream)], middleware=[Middleware(Boundary)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        with pytest.raises(ConnectionAbortedError) as caught:
            await client.get("/api/x")
    assert SECRET not in str(caught.value)
