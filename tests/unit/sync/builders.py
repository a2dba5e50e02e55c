"""Values of the sync with plain defaults, and a small model of what the database makes of a plan."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from addon.crm.contact import ContactId, email_key
from addon.sync import plan as plans
from addon.sync.people import Account, AttentionKind, Contact, Known, Plan, Sighting
from addon.sync.scope import Scope
from lifecycle.tenant import AccountId

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
EARLIER = datetime(2026, 5, 3, 12, 0, tzinfo=UTC)
RUN = 7
ACTIVE_ONLY = Scope(include_inactive=False)
EVERYBODY = Scope(include_inactive=True)
NOBODY_KNOWN = Known(accounts=(), contacts=())


def a_sighting(account_id: str = "ana", **fields: Any) -> Sighting:
    """An active user who shows no email here, unless told otherwise."""
    facts: dict[str, Any] = {"kind": "user", "active": True, "display_name": "Ana Ruiz", "email": None}
    return Sighting(account_id=AccountId(account_id), **(facts | fields))


def an_account(account_id: str = "ana", **fields: Any) -> Account:
    """An account linked to nothing and seen by an earlier run. With `contact_id` it is linked, since EARLIER."""
    email = fields.get("email")
    facts: dict[str, Any] = {
        "kind": "user",
        "active": True,
        "display_name": "Ana Ruiz",
        "email": email,
        "email_key": email_key(email) if email else None,
        "email_state": "visible" if email else "hidden",
        "email_checked_at": None,
        "seen_in_run": RUN - 1,
    }
    if "contact_id" in fields:
        facts |= {"linked_by": "email" if email else "account", "linked_at": EARLIER}
    return Account(account_id=AccountId(account_id), **(facts | fields))


def a_contact(contact_id: int = 1, **fields: Any) -> Contact:
    """A contact that somebody typed in, unless told otherwise."""
    email = fields.get("email")
    facts: dict[str, Any] = {
        "name": "Ana Ruiz",
        "email": email,
        "email_key": email_key(email) if email else None,
        "is_bare": False,
    }
    return Contact(contact_id=ContactId(contact_id), **(facts | fields))


def ids(first: int = 100) -> Iterator[ContactId]:
    return (ContactId(number) for number in itertools.count(first))


def plan(
    sightings: Sequence[Sighting],
    accounts: Sequence[Account] = (),
    contacts: Sequence[Contact] = (),
    *,
    scope: Scope = ACTIVE_ONLY,
    new_ids: Iterator[ContactId] | None = None,
    now: datetime = NOW,
    run_id: int = RUN,
) -> Plan:
    known = Known(accounts=accounts, contacts=contacts)
    return plans.plan_page(sightings, known, scope=scope, run_id=run_id, new_ids=new_ids or ids(), now=now)


def applied(known: Known, made: Plan, *, run_id: int = RUN) -> Known:
    """What the database holds after a plan, by the plan's own words."""
    contacts = {contact.contact_id: contact for contact in (*known.contacts, *made.created, *made.updated)}
    for contact_id in made.removed:
        del contacts[contact_id]
    accounts = {account.account_id: account for account in (*known.accounts, *made.accounts)}
    for account_id in made.unchanged:
        accounts[account_id] = replace(accounts[account_id], seen_in_run=run_id)
    for account_id in made.forgotten:
        del accounts[account_id]
    return Known(accounts=list(accounts.values()), contacts=list(contacts.values()))


def links(known: Known) -> dict[str, int | None]:
    """Account id to contact id."""
    return {account.account_id: account.contact_id for account in known.accounts}


def attention(made: Plan) -> dict[tuple[AttentionKind, str], bool]:
    """What a person is asked for (True), or is no longer asked for (False)."""
    return {(item.kind, item.account_id): item.is_open for item in made.attention}


def history(made: Plan) -> list[tuple[int, str, str | None, str | None]]:
    """Contact, field, old and new."""
    return [(change.contact_id, change.field, change.old, change.new) for change in made.changes]
