"""The preview as JSON and CSV (D12): begin one, see how far it is, list what it found. Decides nothing itself."""

from collections.abc import AsyncIterator
from http import HTTPStatus

from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute

from addon.errors import NotFound
from addon.storage import keyset, preview
from addon.storage.preview import Line, Preview
from addon.sync.preview import OUTCOMES, Outcome
from addon.web import body, shape, sheet
from addon.web.auth import Right, Visit, api
from addon.web.deps import WebDeps

COLUMNS = ("accountId", "displayName", "kind", "active", "email", "emailState", "contactId", "contactName")


def routes(deps: WebDeps) -> list[BaseRoute]:
    path = "/api/sync/preview"
    return [
        api(path, {"GET": get_preview, "POST": begin_preview}, right=Right.ADMIN, deps=deps),
        api(f"{path}/{{list}}", {"GET": list_accounts}, right=Right.ADMIN, deps=deps),
    ]


async def begin_preview(visit: Visit) -> Response:
    async with visit.tenant() as scope:
        await preview.begin(scope, enqueue=visit.deps.enqueue, now=visit.now())
        made = await preview.read(scope, now=visit.now())
    return JSONResponse(write_preview(made), HTTPStatus.ACCEPTED, headers={"Location": "/api/sync/preview"})


async def get_preview(visit: Visit) -> Response:
    async with visit.tenant() as scope:
        made = await preview.read(scope, now=visit.now())
    return JSONResponse(write_preview(made))


async def list_accounts(visit: Visit) -> Response:
    """As JSON one page; as CSV all of them, read page by page."""
    outcome = next((known for known in OUTCOMES if known == visit.request.path_params["list"]), None)
    if outcome is None:
        raise NotFound("There is no such list.")
    query = body.Query(visit.request)
    cursor, limit = query.cursor(), query.limit()
    query.check()
    async with visit.tenant() as scope:
        found = await preview.page(scope, outcome, cursor=cursor, limit=limit, now=visit.now())
    if not sheet.is_wanted(visit.request):
        answer: Response = shape.page(found, write_line)
    else:
        answer = StreamingResponse(
            _write_sheet(visit, outcome),
            media_type=sheet.MEDIA_TYPE,
            headers={"Content-Disposition": f'attachment; filename="preview-{outcome}.csv"'},
        )
    answer.headers["Vary"] = "Accept"
    return answer


async def _write_sheet(visit: Visit, outcome: Outcome) -> AsyncIterator[str]:
    yield sheet.header(COLUMNS)
    cursor: str | None = None
    while True:
        async with visit.tenant() as scope:
            found = await preview.page(scope, outcome, cursor=cursor, limit=keyset.MAX_LIMIT, now=visit.now())
        for line in found.items:
            written = write_line(line) | {"active": "true" if line.active else "false"}
            contact = written["contact"] or {}
            cells = written | {"contactId": contact.get("id"), "contactName": contact.get("name")}
            yield sheet.line([cells[column] for column in COLUMNS])
        cursor = found.next_cursor
        if cursor is None:
            return


def write_preview(made: Preview) -> shape.Json:
    return {"state": made.state, **{outcome: made.counts.get(outcome, 0) for outcome in OUTCOMES}}


def write_line(line: Line) -> shape.Json:
    contact = None if line.contact_id is None else {"id": str(line.contact_id), "name": line.contact_name}
    return {
        "accountId": line.account_id,
        "displayName": line.display_name,
        "kind": line.kind,
        "active": line.active,
        "email": line.email,
        "emailState": line.email_state,
        "contact": contact,
    }
