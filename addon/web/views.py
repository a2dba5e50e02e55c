"""What does a page or fragment show? Reads it from storage, for the first paint and for every later swap alike.

Renders nothing and changes nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from addon.crm.company import CompanyId, CompanyRef
from addon.crm.contact import Contact, ContactId
from addon.storage import companies, contacts, history, probe_state, sync_state
from addon.storage.database import TenantScope
from addon.storage.ledger import Ledger

MAX_CHOICES = 100
MAX_RUNS = 10
MAX_CHANGES = 50

View = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """The companies that a form offers. `is_cut`: there are more; the form offers to search for them."""

    companies: list[CompanyRef]
    is_cut: bool


async def sync_panel(scope: TenantScope, *, ledger: Ledger, now: datetime) -> View:
    return {
        "sync": await sync_state.read(scope),
        "runs": await sync_state.runs(scope, before=None, limit=MAX_RUNS),
        "budget": await ledger.hour(scope, now=now),
        "freshness": await probe_state.freshness(scope),
    }


async def contact_list(scope: TenantScope, wanted: contacts.Search) -> View:
    found = await contacts.search(scope, wanted)
    is_filtered = bool(wanted.query or wanted.company_id) or wanted.linked is not None
    return {
        "contacts": found.items,
        "search": wanted,
        "is_filtered": is_filtered,
        "more": _more_contacts(wanted, found.next_cursor),
    }


async def new_contact(scope: TenantScope) -> View:
    return {"contact": None, "choices": await company_choices(scope, query="", present=None)}


async def contact_card(scope: TenantScope, contact_id: ContactId) -> View:
    """Raises NotFound."""
    found = await contacts.fetch(scope, contact_id)
    changes = await history.of_contact(scope, contact_id, cursor=None, limit=MAX_CHANGES)
    return {
        "contact": found,
        "choices": await company_choices(scope, query="", present=found),
        "changes": changes.items,
        "has_older_changes": changes.next_cursor is not None,
    }


async def company_choices(scope: TenantScope, *, query: str, present: Contact | None) -> Choices:
    """The first companies that fit; the one that the contact has is always among them."""
    found = await companies.choices(scope, query=query, limit=MAX_CHOICES + 1)
    shown = found[:MAX_CHOICES]
    if present is not None and present.company is not None and present.company not in shown:
        shown.insert(0, present.company)
    return Choices(companies=shown, is_cut=len(found) > MAX_CHOICES)


async def company_list(scope: TenantScope, wanted: companies.Search) -> View:
    found = await companies.search(scope, wanted)
    return {
        "companies": found.items,
        "search": wanted,
        "is_filtered": bool(wanted.query),
        "more": _more_companies(wanted, found.next_cursor),
    }


async def company_card(scope: TenantScope, company_id: CompanyId) -> View:
    """Raises NotFound."""
    return {"company": await companies.fetch(scope, company_id)}


def new_company() -> View:
    return {"company": None}


def _more_contacts(wanted: contacts.Search, next_cursor: str | None) -> str | None:
    """The query string of the next page; None at the end."""
    if next_cursor is None:
        return None
    linked = "" if wanted.linked is None else str(wanted.linked).lower()
    parameters = {
        "query": wanted.query or "",
        "linked": linked,
        "companyId": str(wanted.company_id or ""),
        "sort": wanted.sort.name,
        "limit": str(wanted.limit),
        "cursor": next_cursor,
    }
    return urlencode(parameters)


def _more_companies(wanted: companies.Search, next_cursor: str | None) -> str | None:
    if next_cursor is None:
        return None
    parameters = {
        "query": wanted.query or "",
        "sort": wanted.sort.name,
        "limit": str(wanted.limit),
        "cursor": next_cursor,
    }
    return urlencode(parameters)
