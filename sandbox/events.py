"""What happened on a site that apps may hear of? Records with what Jira knew at that moment; nothing is sent from here.

Some things have no event on real sites, and so none here: deactivation, and all that becomes of portal customers.
"""

import dataclasses
import datetime as dt
import enum
from typing import Any

from sandbox import issues, person


class EventName(enum.StrEnum):
    USER_CREATED = "user_created"
    USER_UPDATED = "user_updated"
    USER_DELETED = "user_deleted"
    ISSUE_CREATED = "jira:issue_created"
    ISSUE_UPDATED = "jira:issue_updated"
    ISSUE_DELETED = "jira:issue_deleted"
    PROPERTY_SET = "issue_property_set"
    PROPERTY_DELETED = "issue_property_deleted"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Happening:
    """`addon_keys` are the apps that were there to hear of it. `trace` is what the app that did it wrote on its call.

    What is part of a bulk operation is told of in Jira's secondary flow.
    """

    name: EventName
    at: dt.datetime
    addon_keys: tuple[str, ...]
    trace: str | None = None
    is_bulk: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class UserEvent(_Happening):
    person: person.Person


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class IssueEvent(_Happening):
    """`before` is None unless the issue was changed; a reporter is None for an issue that nobody has reported."""

    issue: issues.Issue
    reporter: person.Person | None
    before: issues.Issue | None = None
    reporter_before: person.Person | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PropertyEvent(_Happening):
    """`value` is None for a property that was deleted."""

    issue: issues.Issue
    key: str
    value: Any


Event = UserEvent | IssueEvent | PropertyEvent


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FailedWebhook:
    """One that Jira gave up after its last retry, as the list of failed webhooks tells it."""

    addon_key: str
    identifier: str
    body: str
    url: str
    failed_at: dt.datetime


def name_change(before: person.Person | None, after: person.Person) -> EventName | None:
    """What Jira would call this change of an account; None for a change that no app hears of."""
    if after.kind is person.PersonKind.CUSTOMER:
        return None
    if before is None or before.deleted:
        return None if after.deleted else EventName.USER_CREATED
    if after.deleted:
        return EventName.USER_DELETED
    if _profile(before) != _profile(after):
        return EventName.USER_UPDATED
    return None


def _profile(of: person.Person) -> tuple[object, ...]:
    return of.display_name, of.email, of.time_zone
