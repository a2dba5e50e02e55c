"""The parts of the settings page that show and change the sync as a whole: its switch, its status, who may see contacts.

As all fragments (`addon.web.fragments`), but for Jira administrators alone.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from starlette.responses import Response
from starlette.routing import BaseRoute

from addon.errors import NotFound
from addon.jira.names import GROUPS_SHOWN
from addon.storage import estimate, names, sync_state
from addon.storage.database import TenantScope
from addon.sync.filters import ListKind, Named, PlaceKind
from addon.web import api_sync, body, forms_settings, notices, render, texts, views_settings
from addon.web.auth import Right, Visit, api
from addon.web.deps import WebDeps
from addon.web.views_settings import Focus, View

ROOT = "/api/fragments/sync"
CHOICES_SHOWN = GROUPS_SHOWN
RUN_ENDED = "crm:run-ended"
SWITCHED = "crm:switched"


def routes(deps: WebDeps) -> list[BaseRoute]:
    fragments = (
        (ROOT, {"GET": show_page, "PUT": switch_sync}),
        (f"{ROOT}/status", {"GET": show_status}),
        (f"{ROOT}/runs", {"POST": start_run}),
        (f"{ROOT}/access", {"PUT": set_access}),
        (f"{ROOT}/choices/{{field}}", {"GET": show_choices}),
    )
    return [api(path, endpoints, right=Right.ADMIN, deps=deps) for path, endpoints in fragments]


async def show_page(visit: Visit) -> Response:
    return await body_of_page(visit, focus=None)


async def body_of_page(visit: Visit, *, focus: Focus | None, headers: Mapping[str, str] | None = None) -> Response:
    """The whole page below its title, for what changes all of it. `focus`: where reading goes on."""
    async with visit.tenant() as scope:
        view = await views_settings.page(scope, ledger=visit.deps.ledger, now=visit.now(), focus=focus)
    return render.fragment("settings_body.html", view, headers=headers)


async def switch_sync(visit: Visit) -> Response:
    wanted = api_sync.read_settings(forms_settings.switch_body(await body.read_form(visit.request)))
    async with visit.tenant() as scope:
        await api_sync.apply(visit, scope, wanted)
    return await body_of_page(visit, focus="switch")


async def show_status(visit: Visit) -> Response:
    """What a page asks for again and again, with what it shows already: 204 where that is still so.

    The other parts of the page are told when a run has ended meanwhile, or somebody else has turned the sync on or off.
    """
    query = body.Query(visit.request)
    shown, digest, counts = query.text("shown"), query.text("digest"), query.text("counts")
    enabled = query.flag("enabled")
    query.check()
    view = await _status(visit, shown, is_exact=counts == "exact")
    is_still = view["sync"].run is None
    if is_still and digest == view["digest"]:
        return Response(status_code=HTTPStatus.NO_CONTENT)
    headers = {}
    if enabled is not None and enabled != view["sync"].enabled:
        headers = {"HX-Trigger": SWITCHED}
    elif is_still and view["has_changed"]:
        headers = {"HX-Trigger": RUN_ENDED}
    return render.fragment("sync_status.html", view, headers=headers)


async def start_run(visit: Visit) -> Response:
    async with visit.tenant() as scope:
        await sync_state.request_run(scope, trigger="person", enqueue=visit.deps.enqueue, now=visit.now())
    return render.fragment("sync_status.html", await _status(visit, None))


async def set_access(visit: Visit) -> Response:
    wanted = api_sync.read_settings(forms_settings.access_body(await body.read_form(visit.request)))
    async with visit.tenant() as scope:
        status = await api_sync.apply(visit, scope, wanted)
        view = await views_settings.access_view(scope, status, focus="access")
    return render.fragment("sync_access.html", view, headers=notices.say(texts.gettext("Saved who may see contacts")))


async def show_choices(visit: Visit) -> Response:
    """What may be picked: the chosen ones first, then what fits the search."""
    field = visit.request.path_params["field"]
    kind = forms_settings.PICKED.get(field)
    if kind is None:
        raise NotFound(texts.gettext("There is nothing to choose."))
    query = body.Query(visit.request)
    text, picked = query.text(f"search-{field}") or "", query.texts(field)
    query.check()
    if kind == "groups":
        view = await _groups(visit, text, picked)
    else:
        view = await _places(visit, kind, text, picked)
    return render.fragment("sync_choices.html", {"field": field, "kind": kind, **view})


async def _groups(visit: Visit, text: str, picked: Sequence[str]) -> View:
    # Jira is asked before any transaction begins.
    found = await visit.deps.names.search_groups(visit.caller.tenant.tenant_id, text)
    async with visit.tenant() as scope:
        await names.keep(scope, "groups", found.groups)
        return await _choices(scope, "groups", picked, found.groups, total=found.total, reading="done")


async def _places(visit: Visit, kind: ListKind, text: str, picked: Sequence[str]) -> View:
    async with visit.tenant() as scope:
        await names.refresh(scope, enqueue=visit.deps.enqueue, now=visit.now())
        found = await names.search(scope, kind, text, limit=CHOICES_SHOWN)
        return await _choices(scope, kind, picked, found.places, total=found.total, reading=found.state)


async def _choices(
    scope: TenantScope,
    kind: PlaceKind,
    picked: Sequence[str],
    found: Sequence[Named],
    *,
    total: int,
    reading: names.State,
) -> View:
    return {
        "picked": await names.of(scope, kind, picked),
        "found": [place for place in found if place.id not in picked],
        "more": max(total - len(found), 0),
        "reading": reading,
        "sizes": await estimate.sizes(scope, kind),
    }


async def _status(visit: Visit, shown: str | None, *, is_exact: bool = False) -> View:
    async with visit.tenant() as scope:
        status = await sync_state.read(scope, is_exact=is_exact)
        return await views_settings.status_view(scope, status, ledger=visit.deps.ledger, now=visit.now(), shown=shown)
