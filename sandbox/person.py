"""What is an account of a Jira site? One immutable record; who belongs where is the site's knowledge, not the person's.

A change makes a new record (`dataclasses.replace`), so that a reader never sees half of one.
"""

import dataclasses
import enum


class AccountType(enum.StrEnum):
    """Jira's `accountType`; `unknown` belongs to fallback records alone and never to a person who exists."""

    ATLASSIAN = "atlassian"
    APP = "app"
    CUSTOMER = "customer"


class PersonKind(enum.StrEnum):
    """What an administrator would call this account."""

    USER = "user"
    CUSTOMER = "customer"
    APP = "app"


KIND_OF_TYPE = {
    AccountType.ATLASSIAN: PersonKind.USER,
    AccountType.CUSTOMER: PersonKind.CUSTOMER,
    AccountType.APP: PersonKind.APP,
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One account. `email` is the true address whether or not `email_visible` lets an app read it."""

    account_id: str
    account_type: AccountType
    display_name: str
    email: str | None = None
    email_visible: bool = True
    active: bool = True
    deleted: bool = False
    closed: bool = False
    """Erased under privacy law; a closed account is a deleted one that must be erased elsewhere too."""
    username: str = ""
    """Hidden since 2019; it only decides the order in which a group lists its members."""
    time_zone: str = "Etc/UTC"

    @property
    def kind(self) -> PersonKind:
        return KIND_OF_TYPE[self.account_type]

    @property
    def readable_email(self) -> str | None:
        """The address that this person lets every app and colleague see."""
        return self.email if self.email_visible else None

    def as_deleted(self) -> "Person":
        """The tombstone: Jira says of a former user only that there was one."""
        return dataclasses.replace(
            self, active=False, deleted=True, display_name="Former user (Deactivated)", email=None, email_visible=False
        )

    def as_closed(self) -> "Person":
        return dataclasses.replace(self.as_deleted(), closed=True)
