"""Which accounts does a webhook of Jira's hint at? Pure. Takes ids alone: what else a body says may be old or out of order.

Atlassian documents the issue's body only; the user's is read as captured ones look, misspelled `accoundId` included.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from lifecycle.tenant import AccountId

MAX_ID_LENGTH = 128  # Atlassian, schema `User`: accountId
NOBODY = "unknown"  # what Jira gives for a record that is corrupted
APP = "app"

Subject = Literal["user", "issue"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """`subject`: what the event is about. An issue tells of its reporter no more than that there is one."""

    event: str
    subject: Subject
    account_ids: tuple[AccountId, ...]


def read(body: Mapping[str, object]) -> Hint:
    """The accounts to read again; none where the body names nobody that we could read."""
    event = body.get("webhookEvent")
    name = event if isinstance(event, str) and event.isprintable() else ""
    issue = body.get("issue")
    found = _reporters(issue, body.get("changelog")) if isinstance(issue, Mapping) else _person(body.get("user"))
    return Hint(
        event=name[:MAX_ID_LENGTH],
        subject="issue" if isinstance(issue, Mapping) else "user",
        account_ids=tuple(dict.fromkeys(AccountId(account_id) for account_id in found if _is_readable(account_id))),
    )


def _person(person: object) -> Iterator[str]:
    """D6: an app is no person."""
    if not isinstance(person, Mapping) or person.get("accountType") == APP:
        return
    for name in ("accountId", "accoundId"):
        account_id = person.get(name)
        if isinstance(account_id, str):
            yield account_id


def _reporters(issue: Mapping[str, object], changelog: object) -> Iterator[str]:
    """The reporter, and whom a change of reporter names: the two may come from different moments."""
    fields = issue.get("fields")
    if isinstance(fields, Mapping):
        yield from _person(fields.get("reporter"))
    items = changelog.get("items") if isinstance(changelog, Mapping) else None
    for item in items if isinstance(items, list) else []:
        if isinstance(item, Mapping) and item.get("field") == "reporter" and isinstance(item.get("to"), str):
            yield item["to"]


def _is_readable(account_id: str) -> bool:
    # Printable: PostgreSQL takes neither NUL nor half a surrogate pair.
    return 0 < len(account_id) <= MAX_ID_LENGTH and account_id.isprintable() and account_id != NOBODY
