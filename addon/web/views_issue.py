"""What does the panel of an issue show? The reporter's contact, as far as the person may see it, and what they may do.

Renders nothing and changes nothing; whose issue it is, is `addon.web.reporter`'s question. A person who may not see contacts
(D13) learns no more than what the issue's field says to everybody: the name of the company.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from addon.crm import domains, draft
from addon.crm.company import CompanyId, CompanyRef
from addon.crm.contact import Contact
from addon.storage import companies, company_rules, reporters
from addon.storage.database import TenantScope
from addon.web import auth, cards, jql, reporter
from addon.web.auth import Right, Visit
from addon.web.reporter import Sight

CONTACTS_PAGE, SETTINGS_PAGE = "crm-contacts", "crm-settings"
"""Of our descriptor."""

NEW, RULES, NOBODY = "new", "rules", ""
"""What the form's choice may be besides the id of a company: one to be made, the rules' one, none."""

FOR_ADMINISTRATORS = ("undecided", "inactive", "excluded")
"""What an administrator can do something about, in CRM Settings."""

View = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """Why a contact has no company, as far as there is something to say. `tied`: several fit. `domain`: of the address,
    which no company names.
    """

    tied: Sequence[CompanyRef] = ()
    domain: str | None = None


NO_LACK = Lack()


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What a form said that was not saved: the choice, and the name of a new company."""

    choice: str
    new_name: str


async def panel(visit: Visit, issue_id: int, *, is_overtaken: bool = False, typed: Typed | None = None) -> View:
    """`is_overtaken`: a form was not saved, as what it was about has changed; it begins with `typed`. Raises JiraError."""
    sight = await reporter.look(visit, issue_id)
    # Each question to Jira costs points, and a panel is opened with every issue.
    may_see = sight.contact is not None and await auth.may(visit.caller, Right.CRM, deps=visit.deps)
    view = _links(visit, sight) | {
        "sight": sight,
        "contact": None,
        "is_overtaken": is_overtaken,
        "lack": NO_LACK,
    }
    if may_see and sight.contact is not None:
        async with visit.tenant() as scope:
            view |= {"contact": sight.contact, **await _form(scope, sight.contact, typed)}
            if sight.company is None:
                view["lack"] = await _lack(scope, sight.contact)
    is_settled = sight.state not in FOR_ADMINISTRATORS and not view["lack"].tied
    return view | {"is_admin": not is_settled and await auth.may(visit.caller, Right.ADMIN, deps=visit.deps)}


async def choices(scope: TenantScope, *, query: str, selected: str) -> View:
    """The companies that the form offers, for where there are too many to list; `selected` stays what is chosen."""
    chosen = await _company(scope, selected)
    return {"choices": await cards.company_choices(scope, query=query, chosen=chosen), "selected": selected}


async def _lack(scope: TenantScope, contact: Contact) -> Lack:
    tie = await reporters.find_tie(scope, contact.contact_id)
    if tie is not None:
        return Lack(tied=tie.companies)
    hosts = domains.hosts_of(contact.email)
    is_told = contact.company_by is None and (await company_rules.read(scope)).by_domain
    if not is_told or not hosts or await companies.is_any_named(scope, hosts):
        return NO_LACK
    return Lack(domain=hosts[-1])


async def _form(scope: TenantScope, contact: Contact, typed: Typed | None) -> View:
    chosen = contact.company
    selected = NOBODY if contact.company_by == "person" else RULES
    if chosen is not None:
        selected = str(chosen.company_id)
    if typed is not None:
        selected = typed.choice
        chosen = await _company(scope, typed.choice) or chosen
    return {
        "selected": selected,
        "new_name": "" if typed is None else typed.new_name,
        "choices": await cards.company_choices(scope, query="", chosen=chosen),
    }


async def _company(scope: TenantScope, choice: str) -> CompanyRef | None:
    company_id = draft.read_id(choice)
    return None if company_id is None else await companies.find_ref(scope, CompanyId(company_id))


def _links(visit: Visit, sight: Sight) -> View:
    """Addresses in Jira, where a person goes on: an app's page opens by its key, its parameters begin with `ac.`."""
    site = visit.caller.tenant.display_url.rstrip("/")
    pages = f"{site}/plugins/servlet/ac/{quote(visit.deps.descriptor['key'], safe='')}"
    name = sight.company.name if sight.company is not None else None
    contact = sight.contact
    return {
        "site": site,
        "settings_url": f"{pages}/{SETTINGS_PAGE}",
        "contact_url": f"{pages}/{CONTACTS_PAGE}?ac.contact={contact.contact_id}" if contact is not None else None,
        "jql": jql.open_issues(name, besides=sight.issue_id) if name is not None else None,
        "search_url": f"{site}/issues/?{urlencode({'jql': jql.open_issues(name)})}" if name is not None else None,
    }
