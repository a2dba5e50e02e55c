"""Which webhooks wait for delivery, and what becomes of one that was tried? Jira's queue, with its rules for retries.

It sends nothing itself: `sandbox.cloud` posts what is due and says how it went.
Sources: Atlassian, "Webhooks" (headers, retry policy); at most 5 retries, 5 to 15 minutes apart at random. What the events of
properties hold is not published: here the issue's id and key, and the property's key and value.
"""

import collections
import collections.abc
import dataclasses
import datetime as dt
import http
import json
import uuid
from typing import Any

from sandbox import events, installation, issues, person, records, site

TRACE_HEADER = "X-Atlassian-Webhook-Trace"
MAX_RETRIES = 5
RETRY_PAUSE_S = (300, 900)
RETRIED_STATUSES = frozenset({408, 409, 425, 429})
KEPT_FAILED = dt.timedelta(hours=72)
REMEMBERED_ATTEMPTS = 10_000
TEXT_BOOLEAN_SHARE = 0.1
"""Atlassian's own sample has `"active": "true"`; some payloads here have it too."""
ISSUE_EVENT_TYPES = {
    events.EventName.ISSUE_CREATED: "issue_created",
    events.EventName.ISSUE_UPDATED: "issue_updated",
    events.EventName.ISSUE_DELETED: "issue_deleted",
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One webhook on its way to one app. `rank` is its place among those that are due together."""

    site: site.Site
    addon_key: str
    event: events.EventName
    path: str
    body: str
    identifier: str
    due_at: dt.datetime
    rank: float
    trace: str | None
    is_bulk: bool
    retries: int = 0

    @property
    def headers(self) -> dict[str, str]:
        """All but the authorization, which is made anew for each try."""
        told = {
            "X-Atlassian-Webhook-Identifier": self.identifier,
            "X-Atlassian-Webhook-Flow": "Secondary" if self.is_bulk else "Primary",
        }
        if self.trace is not None:
            told[TRACE_HEADER] = self.trace
        if self.retries:
            told["X-Atlassian-Webhook-Retry"] = str(self.retries)
        return told


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try; `status` is None if there was no answer."""

    posting: Posting
    status: int | None


class Queue:
    """All webhooks of a cloud that were neither accepted nor given up. `attempts` are the latest tries."""

    def __init__(self) -> None:
        self.waiting: list[Posting] = []
        self.attempts: collections.deque[Attempt] = collections.deque(maxlen=REMEMBERED_ATTEMPTS)
        self._count = 0
        # A restarted site must not repeat the identifiers that its apps still remember.
        self._run = uuid.uuid4()

    def collect(self, of_site: site.Site) -> None:
        """Turn what happened on a site into webhooks for those who asked for them, or lose them, as its faults say."""
        happened = of_site.events.copy()
        of_site.events.clear()
        for event in happened:
            for addon_key in event.addon_keys:
                for path in _subscribed_paths(of_site.installations[addon_key], event.name):
                    self._add(of_site, addon_key, path, event)

    def take_due(self, now: dt.datetime) -> list[Posting]:
        due = sorted(
            (each for each in self.waiting if each.due_at <= now), key=lambda each: (each.rank, each.identifier)
        )
        self.waiting = [each for each in self.waiting if each.due_at > now]
        return due

    def settle(self, posting: Posting, status: int | None, now: dt.datetime) -> Attempt:
        """What follows from an answer: nothing, another try later, or a place in the list of failed webhooks."""
        attempt = Attempt(posting=posting, status=status)
        self.attempts.append(attempt)
        if is_retried(status):
            self._put_back(posting, now)
        return attempt

    def _add(self, of_site: site.Site, addon_key: str, path: str, event: events.Event) -> None:
        faults, dice = of_site.faults.webhooks, of_site.dice
        self._count += 1
        if dice.random() < faults.lost:
            return
        posting = Posting(
            site=of_site,
            addon_key=addon_key,
            event=event.name,
            path=path,
            body=json.dumps(build_body(of_site, event), ensure_ascii=False),
            identifier=str(uuid.uuid5(self._run, str(self._count))),
            due_at=event.at + faults.delayed * (dice.random() if faults.reordered else 1),
            rank=dice.random() if faults.reordered else self._count,
            trace=event.trace,
            is_bulk=event.is_bulk,
        )
        self.waiting.append(posting)
        if dice.random() < faults.doubled:
            self.waiting.append(posting)

    def _put_back(self, posting: Posting, now: dt.datetime) -> None:
        if posting.retries < MAX_RETRIES:
            pause = dt.timedelta(seconds=posting.site.dice.uniform(*RETRY_PAUSE_S))
            self.waiting.append(dataclasses.replace(posting, due_at=now + pause, retries=posting.retries + 1))
            return
        failed = posting.site.failed_webhooks
        # `after` in the list's address is a moment in milliseconds, so no two may fail in the same one.
        earliest = failed[-1].failed_at + dt.timedelta(milliseconds=1) if failed else now
        failed.append(
            events.FailedWebhook(
                addon_key=posting.addon_key,
                identifier=posting.identifier,
                body=posting.body,
                url=posting.site.installations[posting.addon_key].base_url + posting.path,
                failed_at=max(now, earliest),
            )
        )


def is_retried(status: int | None) -> bool:
    """Whether Jira tries again after this answer (None: there was none)."""
    return status is None or status in RETRIED_STATUSES or status >= http.HTTPStatus.INTERNAL_SERVER_ERROR


def build_body(of_site: site.Site, event: events.Event) -> dict[str, Any]:
    """What the app gets to read."""
    envelope = {"timestamp": _milliseconds(event.at), "webhookEvent": str(event.name)}
    match event:
        case events.UserEvent():
            return {**envelope, "user": _build_user(of_site, event)}
        case events.IssueEvent():
            told = {
                **envelope,
                "issue_event_type_name": ISSUE_EVENT_TYPES[event.name],
                "user": records.build_told_user(of_site, event.reporter or of_site.agent),
                "issue": records.build_told_issue(of_site, event.issue, event.reporter),
            }
            return told if event.before is None else {**told, "changelog": _build_changelog(event, event.before)}
        case events.PropertyEvent():
            found = {"key": event.key}
            is_set = event.name is events.EventName.PROPERTY_SET
            return {
                **envelope,
                "issue": {
                    "id": event.issue.issue_id,
                    "self": f"{of_site.base_url}/rest/api/2/issue/{event.issue.issue_id}",
                    "key": event.issue.key,
                },
                "property": {**found, "value": event.value} if is_set else found,
            }


def list_failed(of_site: site.Site, addon_key: str, *, after_ms: int, now: dt.datetime) -> list[events.FailedWebhook]:
    """An app's failed webhooks, oldest first; Jira forgets them after KEPT_FAILED."""
    return [
        each
        for each in of_site.failed_webhooks
        if each.addon_key == addon_key and failure_time(each) > after_ms and each.failed_at > now - KEPT_FAILED
    ]


def failure_time(failed: events.FailedWebhook) -> int:
    """Milliseconds since 1970."""
    return _milliseconds(failed.failed_at)


def _subscribed_paths(installed: installation.Installation, name: events.EventName) -> collections.abc.Iterator[str]:
    for declared in installed.descriptor.get("modules", {}).get("webhooks", []):
        if declared["event"] == name:
            yield declared["url"]


def _build_user(of_site: site.Site, event: events.UserEvent) -> dict[str, Any]:
    told = records.build_told_user(of_site, event.person)
    if event.name is events.EventName.USER_DELETED:
        return {"self": told["self"], "accountId": told["accountId"]}
    if of_site.dice.random() < TEXT_BOOLEAN_SHARE:
        told["active"] = str(told["active"]).lower()
    return told


def _build_changelog(event: events.IssueEvent, before: issues.Issue) -> dict[str, Any]:
    after, then, now = event.issue, event.reporter_before, event.reporter
    changes: tuple[tuple[str, Any, Any, Any, Any], ...] = (
        ("summary", None, before.summary, None, after.summary),
        ("status", *_name_status(before), *_name_status(after)),
        ("reporter", *_name_person(then), *_name_person(now)),
    )
    return {
        "id": str(_milliseconds(event.at)),
        "items": [
            {
                "field": field,
                "fieldId": field,
                "fieldtype": "jira",
                "from": old_id,
                "fromString": old,
                "to": new_id,
                "toString": new,
            }
            for field, old_id, old, new_id, new in changes
            if (old_id, old) != (new_id, new)
        ],
    }


def _name_status(of_issue: issues.Issue) -> tuple[str, str]:
    return str(records.STATUS_CATEGORY_IDS[of_issue.status]), of_issue.status.label


def _name_person(named: person.Person | None) -> tuple[str | None, str | None]:
    return (None, None) if named is None else (named.account_id, named.display_name)


def _milliseconds(moment: dt.datetime) -> int:
    return int(moment.timestamp() * 1000)
