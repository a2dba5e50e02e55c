"""What is a contact, when are two emails or names the same, and what may a person change while Jira is the source?

Pure rules (product.md D1, S8, S9). No SQL and no HTTP.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NewType

from addon.crm.assignment import AssignedBy
from addon.crm.company import CompanyRef
from lifecycle.tenant import AccountId

ContactId = NewType("ContactId", int)
EmailKey = NewType("EmailKey", str)
Origin = Literal["manual", "sync", "import"]

SYNCED_ATTRIBUTES = ("name", "email", "syncedJiraUser")
# What Jira is the source of while a contact is synced (S8), by the names of the JSON API.

MAX_NAME_LENGTH = 255
MAX_EMAIL_LENGTH = 254  # RFC 5321, 4.5.3.1.3, less the angle brackets
MAX_TEXT_LENGTH = 255
MAX_ATTRIBUTES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedAccount:
    """A Jira user or customer whose person this contact is, as we last saw the account.

    linked_by: what made the link: the same email, the account alone (D5), or a person's word.
    """

    account_id: AccountId
    display_name: str
    kind: Literal["user", "customer"]
    active: bool
    email_state: Literal["visible", "hidden", "unavailable"]
    linked_by: Literal["email", "account", "person"]
    linked_at: datetime
    checked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person as the CRM knows them. `accounts`: the links, the primary one first (D3); empty while the sync is off.

    company_by: what decided about the company, if anything did; a person may have decided that there is none.
    """

    contact_id: ContactId
    name: str
    email: str | None
    phone: str | None
    job_title: str | None
    attributes: Mapping[str, str]
    company: CompanyRef | None
    company_by: AssignedBy | None
    origin: Origin
    accounts: tuple[LinkedAccount, ...]
    version: int
    created_at: datetime
    updated_at: datetime

    @property
    def synced_jira_user(self) -> LinkedAccount | None:
        return self.accounts[0] if self.accounts else None

    @property
    def is_synced(self) -> bool:
        """Whether Jira is the source of the contact now: only while the sync is on (S8, S12)."""
        return bool(self.accounts)

    @property
    def read_only(self) -> tuple[str, ...]:
        return read_only_attributes(is_synced=self.is_synced)

    @property
    def deletable(self) -> bool:
        """S9."""
        return not self.is_synced


def email_key(email: str) -> EmailKey:
    """What two spellings of one address have in common: trimmed, NFC, case-folded; nothing else (D1)."""
    # Case folding can undo NFC, so it is normalised again.
    folded = unicodedata.normalize("NFC", email.strip()).casefold()
    return EmailKey(unicodedata.normalize("NFC", folded))


def name_key(name: str) -> str:
    """Where a name stands in a sorted list: case and accents aside, the same on every PostgreSQL.

    Cut to MAX_NAME_LENGTH: one character may decompose into 18, and an index entry holds 2,704 bytes.
    """
    decomposed = unicodedata.normalize("NFKD", name.strip()).casefold()
    return "".join(char for char in decomposed if not unicodedata.combining(char))[:MAX_NAME_LENGTH]


def read_only_attributes(*, is_synced: bool) -> tuple[str, ...]:
    """The attributes that nobody may edit by hand now (S8, S12)."""
    return SYNCED_ATTRIBUTES if is_synced else ()


def refused_edits(current: Mapping[str, object], wanted: Mapping[str, object], *, is_synced: bool) -> tuple[str, ...]:
    """The read-only attributes that `wanted` would change; writing back the present value is no change."""
    return tuple(
        name
        for name in read_only_attributes(is_synced=is_synced)
        if name in wanted and wanted[name] != current.get(name)
    )
