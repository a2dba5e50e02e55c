"""The panel of an issue, as htmx asks for it again: after a person has said which company the reporter is of.

The rules and templates are those of the JSON API and of the first paint (docs/decisions/0005-html-fragments.md).
"""

from collections.abc import Mapping
from dataclasses import replace

from starlette.responses import Response
from starlette.routing import BaseRoute

from addon.crm import draft
from addon.crm.company import CompanyId
from addon.errors import FieldProblem, Invalid, StaleVersion
from addon.storage import companies, sync_state
from addon.storage.database import TenantScope
from addon.web import api_issues, body, notices, render, reporter, texts, views_issue
from addon.web.auth import Right, Visit, api
from addon.web.deps import WebDeps

ROOT = "/api/fragments/issues"
COMPANY, NEW_NAME = "company", "newCompany"


def routes(deps: WebDeps) -> list[BaseRoute]:
    return [
        api(f"{ROOT}/choices", {"GET": company_choices}, right=Right.CRM, deps=deps),
        api(f"{ROOT}/{{id}}/company", {"PATCH": set_company}, right=Right.CRM, deps=deps),
    ]


async def company_choices(visit: Visit) -> Response:
    query = body.Query(visit.request)
    text, selected = query.text("company-query") or "", query.text(COMPANY) or views_issue.NOBODY
    query.check()
    async with visit.tenant() as scope:
        view = await views_issue.choices(scope, query=text, selected=selected)
    return render.fragment("issue_company_options.html", view)


async def set_company(visit: Visit) -> Response:
    """A form that was overtaken comes back: by another edit with what was chosen, by another reporter without it."""
    fields = dict(await body.read_form(visit.request))
    issue_id = await api_issues.seen_issue(visit)
    contact = api_issues.contact_of(await reporter.look(visit, issue_id))
    if fields.get("contact") != str(contact.contact_id):
        return await _overtaken(visit, issue_id, None)  # what was chosen was meant for somebody else
    try:
        async with visit.tenant() as scope:
            await api_issues.carry_out(visit, scope, contact, await _read(visit, scope, fields))
    except StaleVersion:
        typed = views_issue.Typed(choice=fields.get(COMPANY, ""), new_name=fields.get(NEW_NAME, ""))
        return await _overtaken(visit, issue_id, typed)
    if fields.get(COMPANY) == views_issue.RULES:
        said = texts.gettext("The rules choose the company now. Jira shows it on the issue within a minute.")
    else:
        said = texts.gettext("Company saved. Jira shows it on the issue within a minute.")
    return render.fragment("issue_panel.html", await views_issue.panel(visit, issue_id), headers=notices.say(said))


async def _overtaken(visit: Visit, issue_id: int, typed: views_issue.Typed | None) -> Response:
    view = await views_issue.panel(visit, issue_id, is_overtaken=True, typed=typed)
    return render.fragment("issue_panel.html", view)


async def _read(visit: Visit, scope: TenantScope, fields: Mapping[str, str]) -> api_issues.Word:
    """What the form says; a company that is new is made. Raises Invalid, by the names of the form's fields."""
    wanted = fields.get(COMPANY)
    if wanted == views_issue.NEW:
        wanted = str(await _named(visit, scope, fields.get(NEW_NAME, "")))
    said: dict[str, object] = {"contactId": fields.get("contact"), "version": draft.read_id(fields.get("version"))}
    if wanted is not None:
        said["companyId"] = wanted or None
    try:
        return api_issues.read_word(said)
    except Invalid as error:
        problems = [replace(each, field=COMPANY) if each.field == "companyId" else each for each in error.problems]
        raise Invalid(problems) from error


async def _named(visit: Visit, scope: TenantScope, name: str) -> CompanyId:
    """The company of this name; none is made twice. Raises Invalid."""
    reading = draft.read_new_company({"name": name})
    if reading.problems:
        raise Invalid([replace(each, field=NEW_NAME) for each in reading.problems])
    # Two people who say the same name at once would each find none: the second waits for the first.
    await sync_state.lock_switch(scope)
    match await companies.named(scope, name):
        case []:
            return (await companies.create(scope, reading, now=visit.now())).company_id
        case [there]:
            return there.company_id
        case _:
            raise Invalid([FieldProblem(field=NEW_NAME, problem="is the name of several companies; choose one above")])
