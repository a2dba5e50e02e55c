"""Parts of pages that htmx asks for: the same storage, rules and templates as the JSON API and the first paint.

They live under /api, since only a token of the person and tenant is at hand in a loaded page
(docs/decisions/0005-html-fragments.md). Errors are problem+json, as everywhere under /api; the page's script shows them.
"""

from starlette.responses import Response
from starlette.routing import BaseRoute

from addon.crm.company import CompanyId
from addon.crm.contact import ContactId
from addon.storage import contacts
from addon.web import api_contacts, body, freshness, render, views
from addon.web.auth import Right, Visit, api
from addon.web.deps import WebDeps

ROOT = "/api/fragments"

RENEWAL_DELAYS_S = (1, 1, 2, 3, 5, 8, 13)
# A reading takes a second or two; a site that makes us wait longer than these together is looked at again on the next visit.


def routes(deps: WebDeps) -> list[BaseRoute]:
    people = f"{ROOT}/contacts"
    crm = (
        (people, {"GET": contact_list}),
        (f"{people}/rows", {"GET": contact_rows}),
        (f"{people}/renewed", {"GET": renewed_contacts}),
        (f"{people}/companies", {"GET": company_choices}),
    )
    return [api(path, endpoints, right=Right.CRM, deps=deps) for path, endpoints in crm]


async def contact_list(visit: Visit) -> Response:
    """From the beginning, or as far as the contact that the person comes back from."""
    wanted = api_contacts.read_search(visit)
    query = body.Query(visit.request)
    place = query.row_id("place")
    query.check()
    async with visit.tenant() as scope:
        view = await views.contact_list(scope, wanted, place=None if place is None else ContactId(place))
        view["renewing"] = await freshness.renew(visit, scope, view["contacts"])
    return render.fragment("contact_list.html", view)


async def contact_rows(visit: Visit) -> Response:
    """The table of a search, or the rows that follow in it."""
    wanted = api_contacts.read_search(visit)
    async with visit.tenant() as scope:
        view = await views.contact_rows(scope, wanted)
        view["renewing"] = await freshness.renew(visit, scope, view["contacts"])
    return render.fragment("contact_table.html" if wanted.cursor is None else "contact_rows.html", view)


async def renewed_contacts(visit: Visit) -> Response:
    """What is fresh now of some contacts that a list shows: the cells alone, each put in its place. Then the rest is
    waited for, a few times (S14).
    """
    query = body.Query(visit.request)
    ids, turn = query.row_ids("ids"), query.row_id("turn") or 0
    query.check()
    async with visit.tenant() as scope:
        shown = await contacts.fetch_some(scope, [ContactId(row_id) for row_id in ids])
        waiting = await freshness.renew(visit, scope, shown)
    fresh = [contact for contact in shown if contact.contact_id not in waiting]
    delay_s = RENEWAL_DELAYS_S[turn] if turn < len(RENEWAL_DELAYS_S) else None
    view = {"contacts": fresh, "renewing": waiting if delay_s else [], "turn": turn + 1, "delay_s": delay_s}
    return render.fragment("contact_renewed.html", view)


async def company_choices(visit: Visit) -> Response:
    """The options of the list's filter by company."""
    query = body.Query(visit.request)
    text, chosen = query.text("find-company") or "", query.row_id("companyId")
    query.check()
    async with visit.tenant() as scope:
        view = await views.company_choices(scope, query=text, chosen=None if chosen is None else CompanyId(chosen))
    return render.fragment("contact_companies.html", view)
