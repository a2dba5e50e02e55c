"""The company rules as JSON: which are on, what they would change, and having that applied or undone (C2, C3).

Decides nothing itself. The list of changes can be had as CSV, too.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute

from addon.crm import draft
from addon.crm.company import CompanyRef
from addon.errors import FieldProblem, Invalid
from addon.storage import company_rules, issue_state, keyset, rule_work
from addon.storage.database import TenantScope
from addon.storage.rule_work import RuleChange
from addon.web import body, shape, sheet
from addon.web.auth import Right, Visit, api
from addon.web.deps import WebDeps

ROOT = "/api/company-rules"
FLAGS = ("byOrganization", "byDomain")
SHARE = "issueSharePercent"
MAX_PERCENT = 100
COLUMNS = (
    "contactId",
    "contactName",
    "email",
    "beforeCompany",
    "beforeBy",
    "afterCompany",
    "afterBy",
    "isTie",
    "state",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be set; None stays as it is."""

    by_organization: bool | None
    by_domain: bool | None
    share_percent: int | None


def routes(deps: WebDeps) -> list[BaseRoute]:
    calls = (
        (ROOT, {"GET": get_rules, "PUT": put_rules}),
        (f"{ROOT}/preview", {"GET": get_preview, "POST": begin_preview}),
        (f"{ROOT}/preview/changes", {"GET": list_changes}),
        (f"{ROOT}/apply", {"POST": apply_preview}),
        (f"{ROOT}/undo", {"POST": undo_rules}),
    )
    return [api(path, endpoints, right=Right.ADMIN, deps=deps) for path, endpoints in calls]


async def get_rules(visit: Visit) -> Response:
    async with visit.tenant() as scope:
        return JSONResponse(await _read_rules(scope))


async def put_rules(visit: Visit) -> Response:
    wanted = read_wanted(await body.read_json(visit.request))
    async with visit.tenant() as scope:
        await change(scope, wanted)
        return JSONResponse(await _read_rules(scope))


async def change(scope: TenantScope, wanted: Wanted) -> None:
    """Set what is wanted, by the API and by the page alike."""
    if (wanted.by_organization, wanted.by_domain) != (None, None):
        # First, since it takes the lock that all work on companies takes first.
        await rule_work.forget_preview(scope)
        await company_rules.change(scope, by_organization=wanted.by_organization, by_domain=wanted.by_domain)
    if wanted.share_percent is not None:
        await issue_state.set_share(scope, wanted.share_percent)


async def get_preview(visit: Visit) -> Response:
    async with visit.tenant() as scope:
        return JSONResponse(await _read_work(scope))


async def begin_preview(visit: Visit) -> Response:
    async with visit.tenant() as scope:
        await rule_work.preview(scope, enqueue=visit.deps.enqueue, now=visit.now())
        return await _accepted(scope)


async def apply_preview(visit: Visit) -> Response:
    number = read_number(await body.read_json(visit.request))
    async with visit.tenant() as scope:
        await rule_work.apply(scope, number, enqueue=visit.deps.enqueue, now=visit.now())
        return await _accepted(scope)


async def undo_rules(visit: Visit) -> Response:
    number = read_number(await body.read_json(visit.request))
    async with visit.tenant() as scope:
        await rule_work.undo(scope, number, enqueue=visit.deps.enqueue, now=visit.now())
        return await _accepted(scope)


async def list_changes(visit: Visit) -> Response:
    """As JSON one page; as CSV all of them, read page by page."""
    query = body.Query(visit.request)
    cursor, limit = query.cursor(), query.limit()
    query.check()
    async with visit.tenant() as scope:
        found = await rule_work.changes(scope, cursor=cursor, limit=limit)
    if not sheet.is_wanted(visit.request):
        answer: Response = shape.page(found, write_change)
    else:
        answer = StreamingResponse(
            _write_sheet(visit),
            media_type=sheet.MEDIA_TYPE,
            headers={"Content-Disposition": 'attachment; filename="company-changes.csv"'},
        )
    answer.headers["Vary"] = "Accept"
    return answer


async def _write_sheet(visit: Visit) -> AsyncIterator[str]:
    yield sheet.header(COLUMNS)
    cursor: str | None = None
    while True:
        async with visit.tenant() as scope:
            found = await rule_work.changes(scope, cursor=cursor, limit=keyset.MAX_LIMIT)
        yield "".join(_write_line(change) for change in found.items)
        cursor = found.next_cursor
        if cursor is None:
            return


def _write_line(change: RuleChange) -> str:
    before, after = change.before, change.after
    cells = write_change(change) | {
        "beforeCompany": None if before is None else before.name,
        "afterCompany": None if after is None else after.name,
        "isTie": "true" if change.is_tie else "false",
    }
    return sheet.line([cells[column] for column in COLUMNS])


def read_wanted(sent: Mapping[str, object]) -> Wanted:
    """Raises Invalid with everything that is wrong."""
    known = (*FLAGS, SHARE)
    problems = [FieldProblem(field=field, problem="is not a setting") for field in sent if field not in known]
    flags: dict[str, bool | None] = {}
    for field in FLAGS:
        value = sent.get(field)
        flags[field] = value if isinstance(value, bool) else None
        if value is not None and not isinstance(value, bool):
            problems.append(FieldProblem(field=field, problem="must be true or false"))
    share = sent.get(SHARE)
    percent = share if isinstance(share, int) and not isinstance(share, bool) and 0 <= share <= MAX_PERCENT else None
    if share is not None and percent is None:
        problems.append(FieldProblem(field=SHARE, problem=f"must be a whole number from 0 to {MAX_PERCENT}"))
    if problems:
        raise Invalid(problems)
    return Wanted(by_organization=flags["byOrganization"], by_domain=flags["byDomain"], share_percent=percent)


def read_number(sent: Mapping[str, object]) -> int:
    """Which preview is meant, so that nobody applies one that they have not seen. Raises Invalid."""
    problems = [FieldProblem(field=name, problem="is not known here") for name in sent if name != "id"]
    number = draft.read_id(sent.get("id"))
    if number is None:
        problems.append(FieldProblem(field="id", problem="must be the id of a preview"))
    if problems or number is None:
        raise Invalid(problems)
    return number


def write_change(change: RuleChange) -> shape.Json:
    return {
        "contactId": str(change.contact_id),
        "contactName": change.contact_name,
        "email": change.email,
        "before": _write_ref(change.before),
        "beforeBy": change.before_by,
        "after": _write_ref(change.after),
        "afterBy": change.after_by,
        "isTie": change.is_tie,
        "state": change.state,
    }


def _write_ref(ref: CompanyRef | None) -> shape.Json | None:
    return None if ref is None else shape.company_ref(ref)


async def _read_rules(scope: TenantScope) -> shape.Json:
    rules, issues = await company_rules.read(scope), await issue_state.status(scope)
    return {"byOrganization": rules.by_organization, "byDomain": rules.by_domain, SHARE: issues.share_percent}


async def _accepted(scope: TenantScope) -> Response:
    headers = {"Location": f"{ROOT}/preview"}
    return JSONResponse(await _read_work(scope), HTTPStatus.ACCEPTED, headers=headers)


async def _read_work(scope: TenantScope) -> shape.Json:
    """The newest preview, whatever became of it; all zero where there is none."""
    work, counts = await rule_work.read(scope), await rule_work.counts(scope)
    return {
        "id": None if work is None else str(work.number),
        "state": "none" if work is None else work.state,
        "checked": 0 if work is None else work.checked,
        "total": 0 if work is None else work.total,
        "changes": 0 if work is None else work.changes,
        "byOrganization": counts.by_organization,
        "byDomain": counts.by_domain,
        "emptied": counts.emptied,
        "ties": 0 if work is None else work.ties,
        "applied": 0 if work is None else work.applied,
        "undone": 0 if work is None else work.undone,
        "leftAlone": 0 if work is None else work.left_alone,
        "startedAt": None if work is None else shape.moment(work.started_at),
        "finishedAt": None if work is None or work.finished_at is None else shape.moment(work.finished_at),
    }
