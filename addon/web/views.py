"""What does the list of contacts show? Reads it from storage, for the first paint and for every later swap alike.

Renders nothing and changes nothing. A list's filters, order and place travel with its links, so that the way back from a
contact leads to where it was opened.
"""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from addon.crm.company import CompanyId
from addon.crm.contact import ContactId
from addon.storage import companies, keyset, searching
from addon.storage.database import TenantScope
from addon.web import cards

REACH = (keyset.DEFAULT_LIMIT, 200, 1000)
# How many rows are shown at once to come back to a contact: as few as hold it. Who went further starts at the top again.

View = dict[str, Any]


async def contact_list(
    scope: TenantScope, wanted: searching.Search | None = None, *, place: ContactId | None = None
) -> View:
    """The whole list, from its beginning. `place`: the contact that the person comes back from."""
    wanted = wanted or searching.Search()
    view = await contact_rows(scope, wanted)
    for limit in REACH[1:] if place is not None else ():
        if view["more"] is None or _has(view, place):
            break
        view = await contact_rows(scope, replace(wanted, limit=limit))
    if place is not None and not _has(view, place):
        view, place = await contact_rows(scope, wanted), None
    return view | {"place": place} | await company_choices(scope, query="", chosen=wanted.company_id)


async def contact_rows(scope: TenantScope, wanted: searching.Search) -> View:
    """The rows of a search, or those that follow in it. `count`: None for rows that follow."""
    if wanted.cursor is None:
        found, count = await searching.search_and_count(scope, wanted)
    else:
        found, count = await searching.search(scope, wanted), None
    return {
        "contacts": found.items,
        "search": wanted,
        "count": count,
        "way": way(wanted),
        "place": None,
        "renewing": [],
        "more": _more(wanted, found.next_cursor),
    }


async def company_choices(scope: TenantScope, *, query: str, chosen: CompanyId | None) -> View:
    """The companies that the list's filter offers; the chosen one, unless it was deleted meanwhile, is among them."""
    ref = None if chosen is None else await companies.find_ref(scope, chosen)
    return {"choices": await cards.company_choices(scope, query=query, chosen=ref), "chosen": chosen}


def way(wanted: searching.Search) -> str:
    """The search as the end of a query string, as far as it is not the usual one; empty, or begins with its `&`."""
    parameters = {
        "query": wanted.query,
        "linked": None if wanted.linked is None else str(wanted.linked).lower(),
        "companyId": wanted.company_id,
        "attention": "true" if wanted.attention else None,
        "sort": None if wanted.sort == keyset.BY_NAME else wanted.sort.name,
    }
    written = urlencode({name: value for name, value in parameters.items() if value is not None})
    return f"&{written}" if written else ""


def _has(view: View, place: ContactId | None) -> bool:
    return any(contact.contact_id == place for contact in view["contacts"])


def _more(wanted: searching.Search, next_cursor: str | None) -> str | None:
    """The query string of the next rows; None at the end."""
    if next_cursor is None:
        return None
    return urlencode({"cursor": next_cursor}) + way(wanted)
