"""What does Jira say of an issue's reporter, and as of when? Events and search answers in, facts out. Pure.

An issue's facts carry the issue's own date of change: of two, the newer one holds, in whatever order they arrive. So an
event needs no second reading of the issue (docs/decisions/0020-issues.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from addon.sync.hints import APP, MAX_ID_LENGTH, NOBODY
from lifecycle.tenant import AccountId

DELETED = "jira:issue_deleted"

MAX_ISSUE_ID = 2**63 - 1  # `long` in Atlassian's documents, bigint in ours
MAX_DIGITS = 19


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueFacts:
    """`reporter_id` is None where nobody, or no person, reported it. `updated_at`: aware, of the issue itself."""

    issue_id: int
    reporter_id: AccountId | None
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueGone:
    """The issue was deleted."""

    issue_id: int


def read(body: Mapping[str, object]) -> IssueFacts | IssueGone | None:
    """What an event tells of an issue; None where it tells nothing that could be kept."""
    issue = body.get("issue")
    if not isinstance(issue, Mapping):
        return None
    issue_id = read_id(issue.get("id"))
    if issue_id is None:
        return None
    if body.get("webhookEvent") == DELETED:
        return IssueGone(issue_id=issue_id)
    fields = issue.get("fields")
    if not isinstance(fields, Mapping) or "reporter" not in fields:
        return None
    updated_at = read_moment(fields.get("updated"))
    if updated_at is None:
        return None
    return IssueFacts(issue_id=issue_id, reporter_id=read_reporter(fields["reporter"]), updated_at=updated_at)


def read_id(value: object) -> int | None:
    """An issue's number, which events and answers give as a text."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not (text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS):
        return None
    number = int(text)
    return number if 0 < number <= MAX_ISSUE_ID else None


def read_reporter(person: object) -> AccountId | None:
    """The person's id; None for nobody, an app (D6), and what could not be kept."""
    if not isinstance(person, Mapping) or person.get("accountType") == APP:
        return None
    account_id = person.get("accountId")
    if not isinstance(account_id, str) or account_id == NOBODY:
        return None
    # Printable: PostgreSQL takes neither NUL nor half a surrogate pair.
    is_readable = 0 < len(account_id) <= MAX_ID_LENGTH and account_id.isprintable()
    return AccountId(account_id) if is_readable else None


def read_moment(value: object) -> datetime | None:
    """Jira writes `2026-11-22T10:00:00.000+0000`."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
