"""What would turning the sync on do with each account (D12)? Pure: it reads a plan that nobody will carry out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from addon.crm.contact import ContactId
from addon.sync.people import Account, Known, Plan, Sighting
from lifecycle.tenant import AccountId

Outcome = Literal["link", "create", "held", "noEmail", "excluded"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """`contact_id`: the contact that exists and that the account would be linked to."""

    outcome: Outcome
    contact_id: ContactId | None = None


def fates(sightings: Sequence[Sighting], known: Known, plan: Plan) -> Mapping[AccountId, Fate]:
    """What `plan`, made for `sightings` from `known`, means for each of them."""
    forgotten = set(plan.forgotten)
    after: dict[AccountId, Account] = {a.account_id: a for a in known.accounts if a.account_id not in forgotten}
    after |= {account.account_id: account for account in plan.accounts}
    creators = {change.account_id for change in plan.changes if change.field == "contact" and change.old is None}
    existing = {contact.contact_id for contact in known.contacts}
    return {s.account_id: _fate(after.get(s.account_id), creators, existing) for s in sightings}


def _fate(account: Account | None, creators: set[AccountId], existing: set[ContactId]) -> Fate:
    if account is None or not account.in_scope or (account.contact_id is None and not account.held):
        return Fate(outcome="excluded")
    if account.held:
        return Fate(outcome="held")
    if account.account_id in creators:
        return Fate(outcome="noEmail" if account.email_key is None else "create")
    return Fate(outcome="link", contact_id=account.contact_id if account.contact_id in existing else None)
