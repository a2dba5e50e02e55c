"""The part of the settings page about the filters (D11): the form, and how many people its choices would leave."""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from addon.errors import Invalid
from addon.storage import estimate, sync_state
from addon.sync.filters import NO_FILTERS
from addon.sync.scope import Scope
from addon.web import api_sync, body, forms_settings, fragments_settings, notices, render, texts
from addon.web.api_sync import Wanted
from addon.web.auth import Right, Visit, api
from addon.web.deps import WebDeps

ROOT = "/api/fragments/sync/filters"


def routes(deps: WebDeps) -> list[BaseRoute]:
    return [
        api(ROOT, {"PUT": set_filters}, right=Right.ADMIN, deps=deps),
        api(f"{ROOT}/estimate", {"GET": show_estimate}, right=Right.ADMIN, deps=deps),
    ]


async def set_filters(visit: Visit) -> Response:
    """While the sync is on this begins a run, so all of the page changes."""
    wanted = _read(await body.read_form(visit.request))
    async with visit.tenant() as scope:
        status = await api_sync.apply(visit, scope, wanted)
    said = texts.gettext("Filters saved; a run applies them") if status.enabled else texts.gettext("Filters saved")
    return await fragments_settings.body_of_page(visit, focus="filters", headers=notices.say(said))


async def show_estimate(visit: Visit) -> Response:
    """For the choices in the form as it is, saved or not."""
    wanted = _read(_query(visit.request))
    filters = wanted.filters or NO_FILTERS
    async with visit.tenant() as scope:
        status = await sync_state.read(scope, is_exact=False)
        present = Scope(include_inactive=status.include_inactive, filters=status.filters)
        meant = Scope(include_inactive=bool(wanted.include_inactive), filters=filters)
        found = await estimate.count(scope, meant, present, is_on=status.enabled, now=visit.now())
    view = {"estimate": found, "is_on": status.enabled, "is_changed": meant != present}
    return render.fragment("filters_estimate.html", view)


def _query(request: Request) -> list[tuple[str, str]]:
    return request.query_params.multi_items()


def _read(fields: forms_settings.Fields) -> Wanted:
    """Raises Invalid by the names of the form's fields."""
    try:
        return api_sync.read_settings(forms_settings.filters_body(fields))
    except Invalid as refused:
        problems = [replace(each, field=each.field.removeprefix("filters.")) for each in refused.problems]
        raise Invalid(problems) from refused
