"""The values that a sync works with: what Jira showed, what we know, and what is to be written. No behaviour beyond them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from addon.crm.contact import ContactId, EmailKey
from lifecycle.tenant import AccountId

Kind = Literal["user", "customer"]
EmailState = Literal["visible", "hidden", "unavailable"]
LinkedBy = Literal["email", "account", "person"]
Field = Literal["contact", "name", "email", "syncedJiraUser"]


class Cause(StrEnum):
    """Why the sync changed a contact: written into the history and shown to people."""

    CREATED = "no-contact-had-this-email"
    CREATED_WITHOUT_EMAIL = "account-shows-no-email"
    MATCHED = "same-email"
    EMAIL_SHOWN = "email-became-visible"
    REMEMBERED = "linked-before"
    FOLLOWED = "account-changed"
    DELETED = "account-deleted"
    TURNED_OFF = "turned-off"
    OUT_OF_SCOPE = "out-of-scope"
    CHOSEN = "a-person-decided"
    UNDONE = "undone"
    LEFT_ALONE = "undo-left"
    BY_ORGANIZATION = "company-organization"
    BY_DOMAIN = "company-domain"
    COMPANY_UNDONE = "company-undone"


class AttentionKind(StrEnum):
    AMBIGUOUS_EMAIL = "ambiguous-email"
    EMAIL_COLLISION = "email-collision"
    MASS_UNLINK = "mass-unlink"
    COMPANY_TIE = "company-tie"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """An account as Jira showed it just now. `email` is None where this answer held none, which says nothing by itself."""

    account_id: AccountId
    kind: Kind
    active: bool
    display_name: str
    email: str | None
    email_state: EmailState | None = None
    """Set where Jira was asked for the email by id; None where it was merely listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account as we keep it, with its link."""

    account_id: AccountId
    kind: Kind
    active: bool
    display_name: str
    email: str | None
    email_key: EmailKey | None
    email_state: EmailState
    email_checked_at: datetime | None
    seen_in_run: int | None = field(compare=False)
    """Which run met it last: no fact about the account."""
    contact_id: ContactId | None = None
    linked_by: LinkedBy | None = None
    linked_at: datetime | None = None
    remembered_contact_id: ContactId | None = None
    remembered_by: LinkedBy | None = None
    held: bool = False
    in_scope: bool = True
    """Whether it was within the filters when it was last read (D11). A linked one that is not leaves with its run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """What the sync needs to know of a contact. `is_bare`: made by the sync, and nobody typed anything into it."""

    contact_id: ContactId
    name: str
    email: str | None
    email_key: EmailKey | None
    is_bare: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the database holds for one page of sightings, read under the tenant's link lock.

    `accounts`: those sighted, and all that share a contact with one of them. `contacts`: those linked to or remembered
    by these accounts, and all that have the email of a sighting or of an account sighted.
    """

    accounts: Sequence[Account]
    contacts: Sequence[Contact]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One line of the history (D16). `field` is `contact` where the contact came into being, or went."""

    contact_id: ContactId
    account_id: AccountId
    field: Field
    old: str | None
    new: str | None
    cause: Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """Something that only a person can decide, or that is settled again."""

    kind: AttentionKind
    account_id: AccountId
    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a page or a run did: `created` and `updated` count contacts, the others accounts, `points` Jira's API points."""

    seen: int = 0
    linked: int = 0
    created: int = 0
    updated: int = 0
    unlinked: int = 0
    held: int = 0
    points: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that one page of sightings changes. Applying it twice gives the same as once."""

    accounts: Sequence[Account]
    """New or changed rows, to be written whole."""
    unchanged: Sequence[AccountId]
    """Seen again as they were: only the run and the time are noted."""
    forgotten: Sequence[AccountId]
    """Out of scope and linked to nothing: we keep no data of them."""
    created: Sequence[Contact]
    updated: Sequence[Contact]
    removed: Sequence[ContactId]
    changes: Sequence[Change]
    attention: Sequence[Attention]
    counts: Counts
