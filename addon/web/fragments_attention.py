"""The part of the settings page about *Needs attention*: what waits for a decision, and the decision."""

from starlette.responses import Response
from starlette.routing import BaseRoute

from addon.storage import choice
from addon.web import api_attention, body, forms_settings, marks, notices, render, texts, views_settings
from addon.web.auth import Right, Visit, api
from addon.web.deps import WebDeps

ROOT = "/api/fragments/sync/attention"


def routes(deps: WebDeps) -> list[BaseRoute]:
    return [
        api(ROOT, {"GET": show_items}, right=Right.ADMIN, deps=deps),
        api(f"{ROOT}/{{id}}", {"POST": decide}, right=Right.ADMIN, deps=deps),
    ]


async def show_items(visit: Visit) -> Response:
    """The list from its beginning, or the items that follow in it."""
    query = body.Query(visit.request)
    cursor = query.cursor()
    query.check()
    async with visit.tenant() as scope:
        view = await views_settings.attention_view(scope, cursor=cursor)
    return render.fragment("sync_attention.html" if cursor is None else "attention_items.html", view)


async def decide(visit: Visit) -> Response:
    attention_id = body.path_id(visit.request)
    said = api_attention.read_choice(forms_settings.attention_body(await body.read_form(visit.request)))
    async with visit.tenant() as scope:
        await choice.carry_out(scope, attention_id, said, enqueue=visit.deps.enqueue, now=visit.now())
        await marks.follow(visit, scope)
        view = await views_settings.attention_view(scope, cursor=None, focus="attention")
    done = {
        "link": texts.gettext("Linked"),
        "create": texts.gettext("New contact created"),
        "dismiss": texts.gettext("Dismissed; it comes back only if something else is found"),
        "confirm": texts.gettext("Each account is looked up once more, then unlinked"),
    }[said.action]
    if said.company_id is not None and said.action == "link":
        done = texts.gettext("Company chosen")
    return render.fragment("sync_attention.html", view, headers=notices.say(done))
