"""What does the page of one contact or of one company show, and the list of companies? Reads it from storage.

Renders nothing and changes nothing; the list of contacts is `addon.web.views`'.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from addon.crm import merge
from addon.crm.company import Company, CompanyId, CompanyRef, written_domain
from addon.crm.contact import Contact, ContactId
from addon.errors import NotFound
from addon.storage import companies, contacts, history, organizations, searching
from addon.storage.database import TenantScope
from addon.storage.history import Which
from addon.sync.people import Cause
from addon.web.rebase import Rebased, Record

MAX_CHOICES = 100
MAX_CHANGES = 20
MAX_CONTACTS = 10
MAX_CANDIDATES = 10

FIELDS = ("contact", "name", "email", "syncedJiraUser", "company")
"""What the history tells of."""

View = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """The companies that a form offers. `is_cut`: there are more; the form offers to search for them."""

    companies: list[CompanyRef]
    is_cut: bool


def record_of(contact: Contact) -> Record:
    """The contact as its form shows it."""
    return Record(
        values={
            "name": contact.name,
            "email": contact.email or "",
            "phone": contact.phone or "",
            "jobTitle": contact.job_title or "",
            "company": "" if contact.company is None else str(contact.company.company_id),
        },
        attributes=contact.attributes,
    )


def company_record_of(company: Company) -> Record:
    return Record(
        values={"name": company.name, "domains": "\n".join(map(written_domain, company.domains))}, attributes={}
    )


async def new_contact(scope: TenantScope) -> View:
    nothing = Record(values=dict.fromkeys(("name", "email", "phone", "jobTitle", "company"), ""), attributes={})
    return {"contact": None, "form": as_it_is(nothing), "choices": await company_choices(scope, query="", chosen=None)}


async def contact_card(
    scope: TenantScope, contact_id: ContactId, *, may_merge: bool, rebased: Rebased | None = None
) -> View:
    """Raises NotFound. `rebased`: the form, where it is not to begin with the contact as it is."""
    found = await contacts.fetch(scope, contact_id)
    form = rebased or as_it_is(record_of(found))
    chosen = await _company_of(scope, found, form.values["company"])
    return {
        "contact": found,
        "form": form,
        "seen": record_of(found).write(),
        "chosen": chosen,
        "choices": await company_choices(scope, query="", chosen=chosen),
        "can_be_merged": may_merge and merge.is_mergeable(found),
        **await contact_changes(scope, contact_id, which=history.ALL, cursor=None),
    }


def as_it_is(record: Record) -> Rebased:
    return Rebased(values=record.values, attributes=record.attributes, meanwhile={}, attributes_meanwhile={})


async def _company_of(scope: TenantScope, contact: Contact, company_id: str) -> CompanyRef | None:
    """The company that a form names: the contact's own, another one, or one that is gone."""
    if contact.company is not None and str(contact.company.company_id) == company_id:
        return contact.company
    if not company_id:
        return None
    try:
        found = await companies.fetch(scope, CompanyId(int(company_id)))
    except NotFound:
        return None
    return CompanyRef(company_id=found.company_id, name=found.name)


async def contact_changes(scope: TenantScope, contact_id: ContactId, *, which: Which, cursor: str | None) -> View:
    """Raises Invalid for a cursor of another list."""
    found = await history.of_contact(scope, contact_id, which=which, cursor=cursor, limit=MAX_CHANGES)
    parameters = {"field": which.field or "", "cause": which.cause or "", "cursor": found.next_cursor or ""}
    return {
        "contact_id": contact_id,
        "changes": found.items,
        "which": which,
        "is_first_page": cursor is None,
        "fields": FIELDS,
        "causes": tuple(Cause),
        "older": urlencode(parameters) if found.next_cursor is not None else None,
    }


async def merge_candidates(scope: TenantScope, contact_id: ContactId, *, query: str) -> View:
    """Whom a contact may be merged into; nobody before something is searched for. Raises NotFound."""
    gone = await contacts.fetch(scope, contact_id)
    found: list[Contact] = []
    if query.strip():
        page = await searching.search(scope, searching.Search(query=query, limit=MAX_CANDIDATES + 1))
        found = [each for each in page.items if each.contact_id != contact_id]
    return {
        "contact": gone,
        "candidates": found[:MAX_CANDIDATES],
        "query": query,
        "is_cut": len(found) > MAX_CANDIDATES,
    }


async def company_choices(scope: TenantScope, *, query: str, chosen: CompanyRef | None) -> Choices:
    """The first companies that fit; the chosen one is always among them."""
    found = await companies.choices(scope, query=query, limit=MAX_CHOICES + 1)
    shown = found[:MAX_CHOICES]
    if chosen is not None and chosen not in shown:
        shown.insert(0, chosen)
    return Choices(companies=shown, is_cut=len(found) > MAX_CHOICES)


async def company_list(scope: TenantScope, wanted: companies.Search) -> View:
    found = await companies.search(scope, wanted)
    return {
        "companies": found.items,
        "search": wanted,
        "is_filtered": bool(wanted.query),
        "more": _more_companies(wanted, found.next_cursor),
    }


async def company_card(scope: TenantScope, company_id: CompanyId, *, rebased: Rebased | None = None) -> View:
    """Raises NotFound."""
    found = await companies.fetch(scope, company_id)
    some = await searching.search(scope, searching.Search(company_id=company_id, limit=MAX_CONTACTS))
    return {
        "company": found,
        "form": rebased or as_it_is(company_record_of(found)),
        "seen": company_record_of(found).write(),
        "contacts": some.items,
        "organization": await organizations.name_for(scope, company_id),
    }


async def company_merge_candidates(scope: TenantScope, company_id: CompanyId, *, query: str) -> View:
    """Which companies a company may be merged into; none before something is searched for. Raises NotFound."""
    gone = await companies.fetch(scope, company_id)
    found: list[Company] = []
    if query.strip():
        page = await companies.search(scope, companies.Search(query=query, limit=MAX_CANDIDATES + 1))
        found = [each for each in page.items if each.company_id != company_id]
    return {
        "company": gone,
        "candidates": found[:MAX_CANDIDATES],
        "query": query,
        "is_cut": len(found) > MAX_CANDIDATES,
    }


def new_company() -> View:
    return {"company": None, "form": as_it_is(Record(values={"name": "", "domains": ""}, attributes={}))}


def typed_record(fields: Mapping[str, object], attributes: Mapping[str, str], present: Record) -> Record:
    """What a form says, where it shows the field at all; a field that it only shows stays as it is."""
    values = {name: fields.get(name, value) for name, value in present.values.items()}
    return replace(present, values={name: str(value) for name, value in values.items()}, attributes=attributes)


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
