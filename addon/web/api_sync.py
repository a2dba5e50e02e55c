"""The sync as JSON: its switch, its runs, and what each run changed (as CSV too). Decides nothing about the sync."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute

from addon.crm import access
from addon.crm.contact import ContactId
from addon.errors import FieldProblem, Invalid
from addon.storage import access as crm_access
from addon.storage import history, keyset, sync_state, undo
from addon.storage.database import TenantScope
from addon.storage.sync_state import SyncStatus
from addon.sync import filters as sync_filters
from addon.sync.filters import Filters
from addon.web import body, shape, sheet
from addon.web.auth import Right, Visit, api
from addon.web.deps import WebDeps

RUNS = "runs"  # the list, for its cursors
FIELDS = ("enabled", "includeInactive", "filters", access.FIELD)


def routes(deps: WebDeps) -> list[BaseRoute]:
    runs = "/api/sync/runs"
    return [
        api("/api/sync", {"GET": get_sync, "PUT": put_sync}, right=Right.ADMIN, deps=deps),
        api(runs, {"GET": list_runs, "POST": start_run}, right=Right.ADMIN, deps=deps),
        api(f"{runs}/{{id}}", {"GET": get_run}, right=Right.ADMIN, deps=deps),
        api(f"{runs}/{{id}}/undo", {"POST": undo_run}, right=Right.ADMIN, deps=deps),
        api(f"{runs}/{{id}}/changes", {"GET": list_changes}, right=Right.ADMIN, deps=deps),
    ]


async def get_sync(visit: Visit) -> Response:
    async with visit.tenant() as scope:
        status = await sync_state.read(scope)
    return JSONResponse(shape.sync(status))


async def put_sync(visit: Visit) -> Response:
    wanted = read_settings(await body.read_json(visit.request))
    async with visit.tenant() as scope:
        status = await apply(visit, scope, wanted)
    return JSONResponse(shape.sync(status))


async def apply(visit: Visit, scope: TenantScope, wanted: "Wanted") -> SyncStatus:
    """Set what is wanted, by the API and by the page alike."""
    if wanted.crm_groups is not None:
        await crm_access.set_groups(scope, wanted.crm_groups)
    return await sync_state.switch(
        scope,
        enabled=wanted.enabled,
        include_inactive=wanted.include_inactive,
        filters=wanted.filters,
        enqueue=visit.deps.enqueue,
        now=visit.now(),
    )


async def start_run(visit: Visit) -> Response:
    async with visit.tenant() as scope:
        begun = await sync_state.request_run(scope, trigger="person", enqueue=visit.deps.enqueue, now=visit.now())
    location = f"/api/sync/runs/{begun.id}"
    return JSONResponse(shape.run(begun), HTTPStatus.ACCEPTED, headers={"Location": location})


async def list_runs(visit: Visit) -> Response:
    cursor, limit = _read_place(visit)
    before = None if cursor is None else keyset.read_id_cursor(RUNS, cursor)
    async with visit.tenant() as scope:
        found = await sync_state.runs(scope, before=before, limit=limit + 1)
    shown = found[:limit]
    next_cursor = keyset.write_id_cursor(RUNS, shown[-1].id) if len(found) > limit else None
    return shape.page(keyset.Page(items=shown, next_cursor=next_cursor), shape.run)


async def get_run(visit: Visit) -> Response:
    async with visit.tenant() as scope:
        found = await sync_state.run(scope, body.path_id(visit.request))
    return JSONResponse(shape.run(found))


async def undo_run(visit: Visit) -> Response:
    """202 with the sync as it is then: off, or the next run would do the same again."""
    async with visit.tenant() as scope:
        status = await undo.begin(scope, body.path_id(visit.request), enqueue=visit.deps.enqueue, now=visit.now())
    return JSONResponse(shape.sync(status), HTTPStatus.ACCEPTED)


async def list_changes(visit: Visit) -> Response:
    """As JSON one page; as CSV all of them. The CSV is read page by page, so that no run is too long for it."""
    run_id = body.path_id(visit.request)
    query = body.Query(visit.request)
    cursor, limit, contact_id = query.cursor(), query.limit(), query.row_id("contactId")
    which = history.Which(
        field=query.text("field"),
        cause=query.text("cause"),
        contact_id=None if contact_id is None else ContactId(contact_id),
    )
    query.check()
    async with visit.tenant() as scope:
        await sync_state.run(scope, run_id)
        found = await history.of_run(scope, run_id, which=which, cursor=cursor, limit=limit)
    if not sheet.is_wanted(visit.request):
        answer: Response = shape.page(found, shape.change)
    else:
        answer = StreamingResponse(
            _write_sheet(visit, run_id, which),
            media_type=sheet.MEDIA_TYPE,
            headers={"Content-Disposition": f'attachment; filename="run-{run_id}-changes.csv"'},
        )
    answer.headers["Vary"] = "Accept"
    return answer


async def _write_sheet(visit: Visit, run_id: int, which: history.Which) -> AsyncIterator[str]:
    yield sheet.header(sheet.CHANGE_COLUMNS)
    cursor: str | None = None
    while True:
        async with visit.tenant() as scope:
            found = await history.of_run(scope, run_id, which=which, cursor=cursor, limit=keyset.MAX_LIMIT)
        yield "".join(sheet.change(made) for made in found.items)
        cursor = found.next_cursor
        if cursor is None:
            return


def _read_place(visit: Visit) -> tuple[str | None, int]:
    query = body.Query(visit.request)
    cursor, limit = query.cursor(), query.limit()
    query.check()
    return cursor, limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be set; None stays as it is."""

    enabled: bool | None
    include_inactive: bool | None
    filters: Filters | None
    crm_groups: Sequence[str] | None


def read_settings(sent: Mapping[str, object]) -> Wanted:
    """Raises Invalid with everything that is wrong. `filters.activeOnly` is `includeInactive` in other words."""
    problems = [FieldProblem(field=field, problem="is not a setting") for field in sent if field not in FIELDS]
    enabled = _read_flag(sent, "enabled", problems)
    include_inactive = _read_flag(sent, "includeInactive", problems)
    filters = None
    if sent.get("filters") is not None:
        reading = sync_filters.read(sent["filters"])
        problems.extend(reading.problems)
        filters = reading.filters
        if reading.active_only is not None:
            if include_inactive is reading.active_only:
                problems.append(FieldProblem(field="filters.activeOnly", problem="contradicts includeInactive"))
            include_inactive = not reading.active_only
    crm_groups = None
    if sent.get(access.FIELD) is not None:
        groups = access.read(sent[access.FIELD])
        problems.extend(groups.problems)
        crm_groups = groups.groups
    if problems:
        raise Invalid(problems)
    return Wanted(enabled=enabled, include_inactive=include_inactive, filters=filters, crm_groups=crm_groups)


def _read_flag(sent: Mapping[str, object], field: str, problems: list[FieldProblem]) -> bool | None:
    value = sent.get(field)
    if value is None or isinstance(value, bool):
        return value
    problems.append(FieldProblem(field=field, problem="must be true or false"))
    return None
