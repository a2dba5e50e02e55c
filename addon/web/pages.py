"""The pages as Jira puts them into a frame: the whole document, rendered on the server at first paint."""

from starlette.responses import Response
from starlette.routing import BaseRoute

from addon.crm.contact import ContactId
from addon.errors import NotFound
from addon.storage import companies
from addon.web import auth, body, cards, freshness, render, views, views_issue, views_rules, views_settings
from addon.web.auth import Right, Visit, page
from addon.web.deps import WebDeps


def routes(deps: WebDeps) -> list[BaseRoute]:
    return [
        page("/pages/settings", show_settings, right=Right.ADMIN, deps=deps),
        page("/pages/company-rules", show_company_rules, right=Right.ADMIN, deps=deps),
        page("/pages/contacts", show_contacts, right=Right.CRM, deps=deps),
        page("/pages/contacts/{id}", show_contact, right=Right.CRM, deps=deps),
        page("/pages/companies", show_companies, right=Right.CRM, deps=deps),
        page("/pages/issue-context", show_issue, right=Right.SITE, deps=deps),
    ]


async def show_settings(visit: Visit) -> Response:
    async with visit.tenant() as scope:
        view = await views_settings.page(scope, ledger=visit.deps.ledger, now=visit.now())
    return _document(visit, "settings.html", view)


async def show_company_rules(visit: Visit) -> Response:
    async with visit.tenant() as scope:
        view = await views_rules.page(scope, ledger=visit.deps.ledger, now=visit.now())
    return _document(visit, "company_rules.html", view)


async def show_contacts(visit: Visit) -> Response:
    """The list, or the contact that the page's address names: how a page of Jira opens one."""
    query = body.Query(visit.request)
    wanted = query.row_id("contact")
    query.check()
    if wanted is not None:
        return await _show_contact(visit, ContactId(wanted))
    async with visit.tenant() as scope:
        view = await views.contact_list(scope)
        view["renewing"] = await freshness.renew(visit, scope, view["contacts"])
    return _document(visit, "contacts.html", view)


async def show_contact(visit: Visit) -> Response:
    return await _show_contact(visit, ContactId(body.path_id(visit.request)))


async def _show_contact(visit: Visit, contact_id: ContactId) -> Response:
    may_merge = await auth.may(visit.caller, Right.ADMIN, deps=visit.deps)
    async with visit.tenant() as scope:
        view = await cards.contact_card(scope, contact_id, may_merge=may_merge)
    return _document(visit, "contact.html", view)


async def show_companies(visit: Visit) -> Response:
    async with visit.tenant() as scope:
        view = await cards.company_list(scope, companies.Search())
    return _document(visit, "companies.html", view)


async def show_issue(visit: Visit) -> Response:
    """The token is bound to the address, so the issue in it is the one that Jira shows this person."""
    query = body.Query(visit.request)
    issue_id = query.row_id("issue")
    query.check()
    if issue_id is None:
        raise NotFound("There is no such issue.")
    return _document(visit, "issue.html", await views_issue.panel(visit, issue_id))


def _document(visit: Visit, template: str, view: views.View) -> Response:
    return render.page(
        visit.request,
        template,
        view,
        tenant=visit.caller.tenant,
        host_script_url=visit.deps.host_script_url,
    )
