"""The parts of the page of the company rules that htmx asks for: the rules, what they would change, the issues.

As all fragments (`addon.web.fragments`), but for Jira administrators alone.
"""

from http import HTTPStatus

from starlette.responses import Response
from starlette.routing import BaseRoute

from addon.storage import issue_state, rule_work
from addon.web import api_rules, body, forms_settings, notices, render, texts, views_rules
from addon.web.auth import Right, Visit, api
from addon.web.deps import WebDeps

ROOT = "/api/fragments/rules"
CHANGED = "crm:rules-changed"
SHARED = "crm:shared"


def routes(deps: WebDeps) -> list[BaseRoute]:
    fragments = (
        (ROOT, {"PUT": switch_rule}),
        (f"{ROOT}/trial", {"GET": show_work, "POST": begin_preview}),
        (f"{ROOT}/trial/changes", {"GET": show_changes}),
        (f"{ROOT}/trial/apply", {"POST": apply_preview}),
        (f"{ROOT}/trial/undo", {"POST": undo_rules}),
        (f"{ROOT}/issues", {"GET": show_issues}),
        (f"{ROOT}/share", {"PUT": set_share}),
    )
    return [api(path, endpoints, right=Right.ADMIN, deps=deps) for path, endpoints in fragments]


async def switch_rule(visit: Visit) -> Response:
    wanted = api_rules.read_wanted(forms_settings.switch_body(await body.read_form(visit.request)))
    async with visit.tenant() as scope:
        await api_rules.change(scope, wanted)
        focus: views_rules.Focus = "byOrganization" if wanted.by_organization is not None else "byDomain"
        view = await views_rules.rules_view(scope, focus=focus)
    return render.fragment("rules_switches.html", view, headers={"HX-Trigger": CHANGED})


async def show_work(visit: Visit) -> Response:
    """`rest`: whoever asks shows for what reason the rules cannot be asked: 204 where that is still so."""
    query = body.Query(visit.request)
    shown = query.text("rest")
    query.check()
    async with visit.tenant() as scope:
        view = await views_rules.work_view(scope)
    if shown is not None and shown == view["rest"]:
        return Response(status_code=HTTPStatus.NO_CONTENT)
    return render.fragment("rule_work.html", view)


async def begin_preview(visit: Visit) -> Response:
    async with visit.tenant() as scope:
        await rule_work.preview(scope, enqueue=visit.deps.enqueue, now=visit.now())
    return await _work(visit, has_begun=True)


async def show_changes(visit: Visit) -> Response:
    """The rows that follow."""
    query = body.Query(visit.request)
    cursor = query.cursor()
    query.check()
    async with visit.tenant() as scope:
        view = await views_rules.change_rows(scope, cursor=cursor)
    return render.fragment("rule_change_rows.html", view)


async def apply_preview(visit: Visit) -> Response:
    number = api_rules.read_number(dict(await body.read_form(visit.request)))
    async with visit.tenant() as scope:
        await rule_work.apply(scope, number, enqueue=visit.deps.enqueue, now=visit.now())
    return await _work(visit, has_begun=True)


async def undo_rules(visit: Visit) -> Response:
    number = api_rules.read_number(dict(await body.read_form(visit.request)))
    async with visit.tenant() as scope:
        await rule_work.undo(scope, number, enqueue=visit.deps.enqueue, now=visit.now())
    return await _work(visit, has_begun=True)


async def show_issues(visit: Visit) -> Response:
    """What a page asks for again and again, with what it shows already: 204 where that is still so."""
    query = body.Query(visit.request)
    digest = query.text("digest")
    query.check()
    async with visit.tenant() as scope:
        status = await issue_state.status(scope)
        view = await views_rules.issues_view(scope, status, ledger=visit.deps.ledger, now=visit.now())
    if digest == view["digest"]:
        return Response(status_code=HTTPStatus.NO_CONTENT)
    return render.fragment("issue_status.html", view)


async def set_share(visit: Visit) -> Response:
    wanted = api_rules.read_wanted(forms_settings.share_body(await body.read_form(visit.request)))
    async with visit.tenant() as scope:
        await api_rules.change(scope, wanted)
        status = await issue_state.status(scope)
        view = await views_rules.share_view(scope, status, ledger=visit.deps.ledger, now=visit.now(), is_saved=True)
    headers = notices.say(texts.gettext("Share saved"), tell=SHARED)
    return render.fragment("issue_share.html", view, headers=headers)


async def _work(visit: Visit, *, has_begun: bool = False) -> Response:
    async with visit.tenant() as scope:
        view = await views_rules.work_view(scope, has_begun=has_begun)
    return render.fragment("rule_work.html", view)
