"""The parts of the settings page about the preview (D12): begin it, watch it, look at its lists."""

from starlette.responses import Response
from starlette.routing import BaseRoute

from addon.errors import NotFound
from addon.storage import preview, sync_state
from addon.sync.preview import OUTCOMES
from addon.web import body, render, texts, views_settings
from addon.web.auth import Right, Visit, api
from addon.web.deps import WebDeps

ROOT = "/api/fragments/sync/preview"
LINES_SHOWN = 20
PREVIEWED = "crm:previewed"


def routes(deps: WebDeps) -> list[BaseRoute]:
    return [
        api(ROOT, {"GET": show_preview, "POST": begin_preview}, right=Right.ADMIN, deps=deps),
        api(f"{ROOT}/{{list}}", {"GET": show_list}, right=Right.ADMIN, deps=deps),
    ]


async def show_preview(visit: Visit) -> Response:
    async with visit.tenant() as scope:
        view = await views_settings.preview_view(scope, await sync_state.read(scope, is_exact=False), now=visit.now())
    # It is asked for again and again until it has ended.
    headers = {} if view["preview"].state == "running" else {"HX-Trigger": PREVIEWED}
    return render.fragment("sync_preview.html", view, headers=headers)


async def begin_preview(visit: Visit) -> Response:
    async with visit.tenant() as scope:
        await preview.begin(scope, enqueue=visit.deps.enqueue, now=visit.now())
        view = await views_settings.preview_view(scope, await sync_state.read(scope, is_exact=False), now=visit.now())
    return render.fragment("sync_preview.html", view)


async def show_list(visit: Visit) -> Response:
    """The table of one outcome, or the rows that follow in it."""
    outcome = next((known for known in OUTCOMES if known == visit.request.path_params["list"]), None)
    if outcome is None:
        raise NotFound(texts.gettext("There is no such list."))
    query = body.Query(visit.request)
    cursor = query.cursor()
    query.check()
    async with visit.tenant() as scope:
        found = await preview.page(scope, outcome, cursor=cursor, limit=LINES_SHOWN, now=visit.now())
    view = {"outcome": outcome, "lines": found.items, "more": found.next_cursor, "is_first": cursor is None}
    return render.fragment("preview_list.html" if cursor is None else "preview_rows.html", view)
