"""The import of contacts as parts of a page: choose a file, say what its columns mean, read what is wrong, have it written.

What a person is at, and its result, are shown again when they come back. The calls are those of `addon.web.api_import`.
"""

from starlette.responses import Response
from starlette.routing import BaseRoute

from addon.crm import columns, spreadsheet
from addon.errors import FieldProblem, Invalid
from addon.storage import import_check, import_file, import_record, imports, searching
from addon.storage.database import TenantScope
from addon.storage.import_header import Header
from addon.storage.import_record import Import
from addon.web import api_import, body, encodings, forms, notices, render, texts, views
from addon.web.auth import Right, Visit, api
from addon.web.deps import WebDeps

ROOT = "/api/fragments/import"
MAX_PROBLEMS = 50


def routes(deps: WebDeps) -> list[BaseRoute]:
    one = f"{ROOT}/{{id}}"
    return [
        api(ROOT, {"GET": show, "POST": begin}, right=Right.CRM, deps=deps),
        api(one, {"GET": show_state, "PUT": check, "DELETE": cancel}, right=Right.CRM, deps=deps),
        api(f"{one}/mapping", {"GET": show_mapping}, right=Right.CRM, deps=deps),
        api(f"{one}/problems", {"GET": show_problems}, right=Right.CRM, deps=deps),
        api(f"{one}/start", {"POST": start}, right=Right.CRM, deps=deps),
    ]


async def show(visit: Visit) -> Response:
    async with visit.tenant() as scope:
        found = await imports.newest_of(scope, api_import.person(visit), now=visit.now())
        view = {"import": None, **_upload()} if found is None else await _state(scope, found)
    return render.fragment("import.html", view)


async def begin(visit: Visit) -> Response:
    made, header = await api_import.keep(visit)
    return render.fragment("import_state.html", _mapping(made, header) | {"is_answer": True})


async def show_state(visit: Visit) -> Response:
    """Asked again and again while something is done, and by who wants to name the columns anew."""
    async with visit.tenant() as scope:
        view = await _state(scope, await imports.fetch(scope, body.path_id(visit.request), now=visit.now()))
    return render.fragment("import_state.html", view)


async def show_mapping(visit: Visit) -> Response:
    """What the file would say in another character set, or cut by another character. Changes nothing."""
    query = body.Query(visit.request)
    encoding, delimiter = query.text("encoding"), visit.request.query_params.get("delimiter") or None
    query.check()
    problems = [
        FieldProblem(field=name, problem="is none that can be chosen")
        for name, value, known in (
            ("encoding", encoding, spreadsheet.ENCODINGS),
            ("delimiter", delimiter, spreadsheet.DELIMITERS),
        )
        if value is not None and value not in known
    ]
    if problems:
        raise Invalid(problems)
    async with visit.tenant() as scope:
        found = await imports.fetch(scope, body.path_id(visit.request), now=visit.now())
        if found.state not in import_record.CHANGEABLE:
            raise imports.settled(found)
        header = await imports.header_of(scope, found, encoding=encoding, delimiter=delimiter)
    return render.fragment("import_mapping.html", _mapping(found, header))


async def check(visit: Visit) -> Response:
    import_id = body.path_id(visit.request)
    meaning = api_import.read_meaning(forms.import_body(await body.read_form(visit.request)))
    async with visit.tenant() as scope:
        view = await _state(scope, await api_import.check_as(visit, scope, import_id, meaning))
    return render.fragment("import_state.html", view | {"is_answer": True})


async def start(visit: Visit) -> Response:
    async with visit.tenant() as scope:
        import_id = body.path_id(visit.request)
        found = await imports.start(scope, import_id, enqueue=visit.deps.enqueue, now=visit.now())
        view = await _state(scope, found)
    return render.fragment("import_state.html", view | {"is_answer": True})


async def cancel(visit: Visit) -> Response:
    """Back to the contacts; what was written before it was stopped is among them."""
    async with visit.tenant() as scope:
        await imports.cancel(scope, body.path_id(visit.request), now=visit.now())
        view = await views.contact_list(scope, searching.Search())
    return render.fragment("contact_list.html", view, headers=notices.say(texts.gettext("Import cancelled")))


async def show_problems(visit: Visit) -> Response:
    query = body.Query(visit.request)
    cursor = query.cursor()
    query.check()
    async with visit.tenant() as scope:
        found = await imports.fetch(scope, body.path_id(visit.request), now=visit.now())
        view = await _problems(scope, found, cursor)
    return render.fragment("import_problem_rows.html", view)


def _upload() -> views.View:
    """What the form for a file needs, which stands below a result, too."""
    return {"encodings": encodings.choices(), "max_bytes": import_file.MAX_FILE_BYTES}


async def _state(scope: TenantScope, found: Import) -> views.View:
    if found.state == "mapping":
        return _mapping(found, await imports.header_of(scope, found))
    problems = await _problems(scope, found, None) if found.problems else {}
    return {"import": found, "is_answer": False, **problems, **_upload()}


def _mapping(found: Import, header: Header) -> views.View:
    is_as_kept = list(header.columns) == list(found.columns)
    return {
        "import": found,
        "header": header,
        "targets": found.targets if is_as_kept else columns.guess(header.columns),
        "attribute": columns.ATTRIBUTE,
        **_upload(),
        "is_answer": False,
    }


async def _problems(scope: TenantScope, found: Import, cursor: str | None) -> views.View:
    page = await import_check.problems_of(scope, found.import_id, cursor=cursor, limit=MAX_PROBLEMS)
    problems = [(problem, api_import.column_of(problem, found)) for problem in page.items]
    return {"import": found, "problems": problems, "more_problems": page.next_cursor, "is_first_page": cursor is None}
