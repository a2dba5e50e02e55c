"""The import of contacts as JSON: bring a file, say what its columns mean, see what is wrong, have it written.

    POST /api/import/contacts                a form with the part `file` → 201 Import, in the state `mapping`
    GET /api/import/contacts/{id}            how far it is
    PUT /api/import/contacts/{id}            {targets, existing?, encoding?, delimiter?}: what it means → 202, checks it
    GET /api/import/contacts/{id}/problems   what is wrong, by row; as CSV too
    POST /api/import/contacts/{id}/start     202: writes what has passed its check
    DELETE /api/import/contacts/{id}         204: forgets it, or stops the writing

Design: docs/decisions/0015-import.md. Rules are `addon.crm`'s, states and SQL storage's.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute

from addon.crm import columns
from addon.crm.incoming import EXISTING, Existing
from addon.crm.spreadsheet import DELIMITERS, ENCODINGS
from addon.errors import FieldProblem, Invalid
from addon.storage import import_check, import_header, import_record, imports, keyset
from addon.storage.database import TenantScope
from addon.storage.import_check import Problem
from addon.storage.import_header import Header
from addon.storage.import_record import Import
from addon.web import body, shape, sheet, upload
from addon.web.auth import Right, Visit, api
from addon.web.deps import WebDeps
from addon.web.upload import Upload
from lifecycle.tenant import AccountId

FIELDS = ("targets", "existing", "encoding", "delimiter")
PROBLEM_COLUMNS = ("row", "field", "problem")


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a person says of a file. None: as it is."""

    targets: list[str] | None
    existing: Existing | None
    encoding: str | None
    delimiter: str | None


def routes(deps: WebDeps) -> list[BaseRoute]:
    many, one = "/api/import/contacts", "/api/import/contacts/{id}"
    return [
        api(many, {"POST": begin}, right=Right.CRM, deps=deps),
        api(one, {"GET": get, "PUT": check, "DELETE": cancel}, right=Right.CRM, deps=deps),
        api(f"{one}/problems", {"GET": list_problems}, right=Right.CRM, deps=deps),
        api(f"{one}/start", {"POST": start}, right=Right.CRM, deps=deps),
    ]


async def begin(visit: Visit) -> Response:
    made, header = await keep(visit)
    location = f"/api/import/contacts/{made.import_id}"
    return JSONResponse(write_import(made, header), HTTPStatus.CREATED, headers={"Location": location})


async def keep(visit: Visit) -> tuple[Import, Header]:
    """Store what was sent. Raises Invalid for what is no sheet."""
    async with upload.receive(visit.request) as brought:
        header = await _read_header(brought)
        async with visit.tenant() as scope:
            made = await imports.begin(
                scope,
                brought.pieces(),
                file_name=brought.name[-imports.MAX_FILE_NAME_LENGTH :],
                file_bytes=brought.size,
                header=header,
                account_id=person(visit),
                now=visit.now(),
            )
    return made, header


async def _read_header(brought: Upload) -> Header:
    encoding = brought.fields.get("encoding") or None
    if encoding is not None and encoding not in ENCODINGS:
        raise Invalid([FieldProblem(field="encoding", problem=f"must be one of {', '.join(ENCODINGS)}")])
    head = await brought.head(import_header.HEAD_BYTES)
    return import_header.read(head, encoding=encoding, delimiter=None, is_whole=len(head) == brought.size)


def person(visit: Visit) -> AccountId:
    """Who brings files: only people have a right to."""
    account_id = visit.caller.account_id
    if account_id is None:
        raise LookupError("somebody without an account passed a door for people")
    return account_id


async def get(visit: Visit) -> Response:
    async with visit.tenant() as scope:
        found = await imports.fetch(scope, body.path_id(visit.request), now=visit.now())
        header = await header_of(scope, found)
    return JSONResponse(write_import(found, header))


async def header_of(scope: TenantScope, found: Import) -> Header | None:
    """With samples, as long as there is a file and somebody may say what it means."""
    return await imports.header_of(scope, found) if found.state in import_record.CHANGEABLE else None


async def check(visit: Visit) -> Response:
    import_id = body.path_id(visit.request)
    meaning = read_meaning(await body.read_json(visit.request))
    async with visit.tenant() as scope:
        checked = await check_as(visit, scope, import_id, meaning)
    return JSONResponse(write_import(checked, None), HTTPStatus.ACCEPTED)


async def check_as(visit: Visit, scope: TenantScope, import_id: int, meaning: Meaning) -> Import:
    """Raises NotFound, Invalid."""
    found = await imports.fetch(scope, import_id, now=visit.now())
    if found.state not in import_record.CHANGEABLE:
        raise imports.settled(found)
    header = await imports.header_of(scope, found, encoding=meaning.encoding, delimiter=meaning.delimiter)
    return await imports.check(
        scope,
        import_id,
        header,
        targets=found.targets if meaning.targets is None else meaning.targets,
        existing=meaning.existing or found.existing,
        enqueue=visit.deps.enqueue,
        now=visit.now(),
    )


async def start(visit: Visit) -> Response:
    async with visit.tenant() as scope:
        started = await imports.start(scope, body.path_id(visit.request), enqueue=visit.deps.enqueue, now=visit.now())
    return JSONResponse(write_import(started, None), HTTPStatus.ACCEPTED)


async def cancel(visit: Visit) -> Response:
    async with visit.tenant() as scope:
        await imports.cancel(scope, body.path_id(visit.request), now=visit.now())
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def list_problems(visit: Visit) -> Response:
    """As JSON one page; as CSV all of them, read page by page."""
    import_id = body.path_id(visit.request)
    query = body.Query(visit.request)
    cursor, limit = query.cursor(), query.limit()
    query.check()
    async with visit.tenant() as scope:
        found = await imports.fetch(scope, import_id, now=visit.now())
        page = await import_check.problems_of(scope, import_id, cursor=cursor, limit=limit)
    if not sheet.is_wanted(visit.request):
        answer: Response = shape.page(page, lambda problem: write_problem(problem, found))
    else:
        answer = StreamingResponse(
            _write_sheet(visit, found),
            media_type=sheet.MEDIA_TYPE,
            headers={"Content-Disposition": 'attachment; filename="import-problems.csv"'},
        )
    answer.headers["Vary"] = "Accept"
    return answer


async def _write_sheet(visit: Visit, found: Import) -> AsyncIterator[str]:
    yield sheet.header(PROBLEM_COLUMNS)
    cursor: str | None = None
    while True:
        async with visit.tenant() as scope:
            page = await import_check.problems_of(scope, found.import_id, cursor=cursor, limit=keyset.MAX_LIMIT)
        for problem in page.items:
            yield sheet.line([str(problem.row_no), column_of(problem, found), problem.problem])
        cursor = page.next_cursor
        if cursor is None:
            return


def read_meaning(sent: Mapping[str, object]) -> Meaning:
    """Raises Invalid."""
    problems = [FieldProblem(field=name, problem="is not known here") for name in sent if name not in FIELDS]
    targets = sent.get("targets")
    if targets is not None and not (
        isinstance(targets, list) and all(each is None or isinstance(each, str) for each in targets)
    ):
        problems.append(
            FieldProblem(field="targets", problem="must be a list of texts, with null for what is left out")
        )
    existing = next((known for known in EXISTING if known == sent.get("existing")), None)
    for name, known in (("existing", EXISTING), ("encoding", ENCODINGS), ("delimiter", DELIMITERS)):
        if sent.get(name) is not None and sent[name] not in known:
            problems.append(FieldProblem(field=name, problem=f"must be one of {', '.join(map(repr, known))}"))
    if problems:
        raise Invalid(problems)
    return Meaning(
        targets=[each or columns.LEFT_OUT for each in targets] if isinstance(targets, list) else None,
        existing=existing,
        encoding=_text(sent, "encoding"),
        delimiter=_text(sent, "delimiter"),
    )


def _text(sent: Mapping[str, object], name: str) -> str | None:
    value = sent.get(name)
    return value if isinstance(value, str) else None


def write_import(found: Import, header: Header | None) -> shape.Json:
    """Without a header, no samples."""
    samples = header.samples if header is not None else [[] for _ in found.columns]
    return {
        "id": str(found.import_id),
        "state": found.shown_state,
        "progress": found.progress,
        "fileName": found.file_name,
        "bytes": found.file_bytes,
        "encoding": found.encoding,
        "delimiter": found.delimiter,
        "existing": found.existing,
        "columns": [
            {"name": name, "target": target or None, "samples": list(some)}
            for name, target, some in zip(found.columns, found.targets, samples, strict=True)
        ],
        "rows": found.rows_read,
        "problems": found.problems,
        "toCreate": found.to_create,
        "toUpdate": found.to_update,
        "toSkip": found.to_skip,
        "newCompanies": found.new_companies,
        "created": found.created,
        "updated": found.updated,
        "skipped": found.skipped,
        "leftOut": found.left_out,
        "error": found.error,
        "createdAt": shape.moment(found.created_at),
        "finishedAt": None if found.finished_at is None else shape.moment(found.finished_at),
    }


def write_problem(problem: Problem, found: Import) -> shape.Json:
    return {"row": problem.row_no, "field": column_of(problem, found), "problem": problem.problem}


def column_of(problem: Problem, found: Import) -> str:
    """As the file names it; '' where the problem is the row's."""
    target = problem.field if problem.field in found.targets else problem.field.partition(".")[0]
    return found.columns[found.targets.index(target)] if target and target in found.targets else problem.field
