"""Parts of pages that htmx asks for: the same storage, rules and templates as the JSON API and the first paint.

They live under /api, since only a token of the person and tenant is at hand in a loaded page
(docs/decisions/0005-html-fragments.md). Errors are problem+json, as everywhere under /api; the page's script shows them.
"""

import json

from starlette.responses import Response
from starlette.routing import BaseRoute

from addon.crm import draft
from addon.crm.company import CompanyId
from addon.crm.contact import ContactId
from addon.storage import companies, contacts, sync_state
from addon.web import api_companies, api_contacts, api_sync, body, forms, freshness, render, views
from addon.web.auth import Right, Visit, api
from addon.web.deps import WebDeps

ROOT = "/api/fragments"


def routes(deps: WebDeps) -> list[BaseRoute]:
    people, firms, sync = f"{ROOT}/contacts", f"{ROOT}/companies", f"{ROOT}/sync"
    crm = (
        (people, {"GET": contact_list, "POST": create_contact}),
        (f"{people}/rows", {"GET": contact_rows}),
        (f"{people}/new", {"GET": new_contact}),
        (f"{people}/{{id}}", {"GET": contact_card, "PATCH": edit_contact, "DELETE": delete_contact}),
        (firms, {"GET": company_list, "POST": create_company}),
        (f"{firms}/rows", {"GET": company_rows}),
        (f"{firms}/choices", {"GET": company_choices}),
        (f"{firms}/new", {"GET": new_company}),
        (f"{firms}/{{id}}", {"GET": company_card, "PATCH": edit_company, "DELETE": delete_company}),
    )
    admin = (
        (sync, {"PUT": switch_sync}),
        (f"{sync}/status", {"GET": sync_status}),
        (f"{sync}/runs", {"POST": start_run}),
    )
    return [
        *(api(path, endpoints, right=Right.CRM, deps=deps) for path, endpoints in crm),
        *(api(path, endpoints, right=Right.ADMIN, deps=deps) for path, endpoints in admin),
    ]


async def contact_list(visit: Visit) -> Response:
    async with visit.tenant() as scope:
        view = await views.contact_list(scope, contacts.Search())
        await freshness.renew(visit, scope, view["contacts"])
    return render.fragment("contact_list.html", view)


async def contact_rows(visit: Visit) -> Response:
    """The table of a search, or the rows that follow in it."""
    wanted = api_contacts.read_search(visit)
    async with visit.tenant() as scope:
        view = await views.contact_list(scope, wanted)
        await freshness.renew(visit, scope, view["contacts"])
    return render.fragment("contact_table.html" if wanted.cursor is None else "contact_rows.html", view)


async def new_contact(visit: Visit) -> Response:
    async with visit.tenant() as scope:
        view = await views.new_contact(scope)
    return render.fragment("contact_new.html", view)


async def create_contact(visit: Visit) -> Response:
    reading = draft.read_new_contact(forms.contact_body(await body.read_form(visit.request)))
    async with visit.tenant() as scope:
        made = await contacts.create(scope, reading, now=visit.now())
        view = await views.contact_card(scope, made.contact_id)
    return render.fragment("contact_card.html", view, headers=_notice("Contact created"))


async def contact_card(visit: Visit) -> Response:
    async with visit.tenant() as scope:
        view = await views.contact_card(scope, ContactId(body.path_id(visit.request)))
    return render.fragment("contact_card.html", view)


async def edit_contact(visit: Visit) -> Response:
    contact_id = ContactId(body.path_id(visit.request))
    reading = draft.read_contact_edit(forms.contact_body(await body.read_form(visit.request)))
    async with visit.tenant() as scope:
        await contacts.edit(scope, contact_id, reading, now=visit.now())
        view = await views.contact_card(scope, contact_id)
    return render.fragment("contact_card.html", view, headers=_notice("Contact saved"))


async def delete_contact(visit: Visit) -> Response:
    async with visit.tenant() as scope:
        await contacts.delete(scope, ContactId(body.path_id(visit.request)))
        view = await views.contact_list(scope, contacts.Search())
    return render.fragment("contact_list.html", view, headers=_notice("Contact deleted"))


async def company_list(visit: Visit) -> Response:
    async with visit.tenant() as scope:
        view = await views.company_list(scope, companies.Search())
    return render.fragment("company_list.html", view)


async def company_rows(visit: Visit) -> Response:
    """The table of a search, or the rows that follow in it."""
    wanted = api_companies.read_search(visit)
    async with visit.tenant() as scope:
        view = await views.company_list(scope, wanted)
    return render.fragment("company_table.html" if wanted.cursor is None else "company_rows.html", view)


async def company_choices(visit: Visit) -> Response:
    """The options of a contact form's company, for where there are too many to list."""
    query = body.Query(visit.request)
    text = query.text("company-query") or ""
    query.check()
    async with visit.tenant() as scope:
        choices = await views.company_choices(scope, query=text, present=None)
    return render.fragment("company_options.html", {"choices": choices, "chosen": None})


async def new_company(_visit: Visit) -> Response:
    return render.fragment("company_card.html", views.new_company())


async def create_company(visit: Visit) -> Response:
    reading = draft.read_new_company(forms.company_body(await body.read_form(visit.request)))
    async with visit.tenant() as scope:
        await companies.create(scope, reading, now=visit.now())
        view = await views.company_list(scope, companies.Search())
    return render.fragment("company_list.html", view, headers=_notice("Company created"))


async def company_card(visit: Visit) -> Response:
    async with visit.tenant() as scope:
        view = await views.company_card(scope, CompanyId(body.path_id(visit.request)))
    return render.fragment("company_card.html", view)


async def edit_company(visit: Visit) -> Response:
    company_id = CompanyId(body.path_id(visit.request))
    reading = draft.read_company_edit(forms.company_body(await body.read_form(visit.request)))
    async with visit.tenant() as scope:
        await companies.edit(scope, company_id, reading, now=visit.now())
        view = await views.company_list(scope, companies.Search())
    return render.fragment("company_list.html", view, headers=_notice("Company saved"))


async def delete_company(visit: Visit) -> Response:
    async with visit.tenant() as scope:
        await companies.delete(scope, CompanyId(body.path_id(visit.request)), now=visit.now())
        view = await views.company_list(scope, companies.Search())
    return render.fragment("company_list.html", view, headers=_notice("Company deleted"))


async def switch_sync(visit: Visit) -> Response:
    wanted = api_sync.read_settings(forms.sync_body(await body.read_form(visit.request)))
    async with visit.tenant() as scope:
        await sync_state.switch(
            scope,
            enabled=wanted.enabled,
            include_inactive=wanted.include_inactive,
            enqueue=visit.deps.enqueue,
            now=visit.now(),
        )
        view = await views.sync_panel(scope, ledger=visit.deps.ledger, now=visit.now())
    return render.fragment("sync_panel.html", view)


async def sync_status(visit: Visit) -> Response:
    async with visit.tenant() as scope:
        view = await views.sync_panel(scope, ledger=visit.deps.ledger, now=visit.now())
    return render.fragment("sync_status.html", view)


async def start_run(visit: Visit) -> Response:
    async with visit.tenant() as scope:
        await sync_state.request_run(scope, trigger="person", enqueue=visit.deps.enqueue, now=visit.now())
        view = await views.sync_panel(scope, ledger=visit.deps.ledger, now=visit.now())
    return render.fragment("sync_status.html", view)


def _notice(text: str) -> dict[str, str]:
    """Makes the page's script say so to everyone, screen readers included."""
    return {"HX-Trigger": json.dumps({"crm:notice": text})}
