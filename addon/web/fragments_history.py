"""The part of the settings page about past runs: what each changed (D16), and taking the latest back (D17)."""

from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import BaseRoute

from addon.storage import history, sync_state, undo
from addon.sync.people import Cause
from addon.web import body, fragments_settings, notices, render, texts, views_settings
from addon.web.auth import Right, Visit, api
from addon.web.deps import WebDeps

ROOT = "/api/fragments/sync/history"
CHANGES_SHOWN = 20
UNDONE = "crm:undone"
FIELDS = ("contact", "name", "email", "syncedJiraUser")  # what the sync changes


def routes(deps: WebDeps) -> list[BaseRoute]:
    fragments = (
        (ROOT, {"GET": show_runs}),
        (f"{ROOT}/{{id}}/changes", {"GET": show_changes}),
        (f"{ROOT}/{{id}}/undo", {"POST": undo_run}),
    )
    return [api(path, endpoints, right=Right.ADMIN, deps=deps) for path, endpoints in fragments]


async def show_runs(visit: Visit) -> Response:
    """The list from its newest run, or the rows of older ones. `undoing`: whoever asks shows an undo that goes on."""
    query = body.Query(visit.request)
    before, is_undoing = query.row_id("before"), query.flag("undoing")
    query.check()
    async with visit.tenant() as scope:
        view = await views_settings.history_view(scope, await sync_state.read(scope, is_exact=False), before=before)
    undone = view["undo"]
    has_ended = is_undoing and undone is not None and undone.state != "running"
    headers = {"HX-Trigger": UNDONE} if has_ended else {}
    return render.fragment("sync_history.html" if before is None else "run_rows.html", view, headers=headers)


async def show_changes(visit: Visit) -> Response:
    """The changes of a run with their filters, or the rows that follow."""
    run_id = body.path_id(visit.request)
    query = body.Query(visit.request)
    cursor, is_opened = query.cursor(), query.flag("opened")
    which = history.Which(field=query.text("field"), cause=query.text("cause"))
    query.check()
    async with visit.tenant() as scope:
        run = await sync_state.run(scope, run_id)
        found = await history.of_run(scope, run_id, which=which, cursor=cursor, limit=CHANGES_SHOWN)
    chosen = {name: value for name, value in (("field", which.field), ("cause", which.cause)) if value}
    view = {
        "run": run,
        "changes": found.items,
        "fields": FIELDS,
        "causes": list(Cause),
        "goes_on": cursor is not None,
        "which": which,
        "is_opened": bool(is_opened),
        "query": urlencode(chosen),
        "more": None if found.next_cursor is None else urlencode({**chosen, "cursor": found.next_cursor}),
    }
    return render.fragment("run_changes.html" if cursor is None else "change_rows.html", view)


async def undo_run(visit: Visit) -> Response:
    """Turns the sync off, so all of the page changes."""
    async with visit.tenant() as scope:
        await undo.begin(scope, body.path_id(visit.request), enqueue=visit.deps.enqueue, now=visit.now())
    said = texts.gettext("The run is being undone, and syncing is turned off")
    return await fragments_settings.body_of_page(visit, focus="history", headers=notices.say(said))
