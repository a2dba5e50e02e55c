"""What is done to a site's issues, and which apps hear of it? Every change of an issue goes through here.

In memory and without HTTP, as the site itself. A call's `Origin` says what its webhooks carry besides the change.
"""

import collections.abc
import dataclasses
import datetime as dt
import types
from typing import Any

from sandbox import events, issue_store, issues, person

UNCHANGED = ...
"""For a reporter: None would be nobody."""


class UnknownIssueError(Exception):
    """No such issue on this site, or it was deleted."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a change comes from. `trace` is what an app wrote on its call; a bulk change is told of with less haste."""

    trace: str | None = None
    is_bulk: bool = False


BY_HAND = Origin()


class Tracker:
    """`people` are the site's, by id; `find_listeners` are the apps that want to hear of an event; `publish` tells them."""

    def __init__(
        self,
        *,
        now: collections.abc.Callable[[], dt.datetime],
        people: collections.abc.Mapping[str, person.Person],
        find_listeners: collections.abc.Callable[[events.EventName], tuple[str, ...]],
        publish: collections.abc.Callable[[events.Event], None],
    ) -> None:
        self.issues = issue_store.Issues()
        self._now = now
        self._people = people
        self._find_listeners = find_listeners
        self._publish = publish

    def find(self, id_or_key: str) -> issues.Issue:
        """Raises UnknownIssueError."""
        found = self.issues.find(id_or_key)
        if found is None:
            raise UnknownIssueError(id_or_key)
        return found

    def create(
        self,
        *,
        project_id: str,
        project_key: str,
        reporter_id: str | None,
        summary: str,
        status: issues.StatusCategory,
        at: dt.datetime | None,
    ) -> issues.Issue:
        created = self.issues.create(
            project_id=project_id,
            project_key=project_key,
            reporter_id=reporter_id,
            summary=summary,
            status=status,
            at=at or self._now(),
            written_at=self._now(),
        )
        self._tell(events.EventName.ISSUE_CREATED, created)
        return created

    def edit(
        self,
        id_or_key: str,
        *,
        summary: str | None = None,
        status: issues.StatusCategory | None = None,
        reporter_id: str | types.EllipsisType | None = UNCHANGED,
    ) -> issues.Issue:
        """Change what is given and leave the rest; nobody hears of an edit that changes nothing. Raises UnknownIssueError."""
        before = self.find(id_or_key)
        at = self._now()
        changed = dataclasses.replace(
            before,
            summary=before.summary if summary is None else summary,
            status=status or before.status,
            reporter_id=before.reporter_id if isinstance(reporter_id, types.EllipsisType) else reporter_id,
        )
        if changed == before:
            return before
        if changed.reporter_id != before.reporter_id:
            changed = dataclasses.replace(changed, reporter_changes=(*before.reporter_changes, at))
        changed = dataclasses.replace(changed, updated=at)
        self.issues.put(changed, written_at=at)
        self._tell(events.EventName.ISSUE_UPDATED, changed, before=before)
        return changed

    def delete(self, id_or_key: str) -> issues.Issue:
        """Raises UnknownIssueError."""
        gone = self.find(id_or_key)
        self.issues.delete(gone.number, written_at=self._now())
        self._tell(events.EventName.ISSUE_DELETED, gone)
        return gone

    def set_property(self, id_or_key: str, key: str, value: Any, origin: Origin = BY_HAND) -> bool:
        """Whether the issue did not have it yet. Raises UnknownIssueError."""
        before = self.find(id_or_key)
        changed = before.with_property(key, value)
        self.issues.put(changed, written_at=self._now())
        self._tell_of_property(events.EventName.PROPERTY_SET, changed, key, value, origin)
        return key not in before.properties

    def delete_property(self, id_or_key: str, key: str, origin: Origin = BY_HAND) -> bool:
        """Whether the issue had it. Raises UnknownIssueError."""
        before = self.find(id_or_key)
        if key not in before.properties:
            return False
        changed = before.without_property(key)
        self.issues.put(changed, written_at=self._now())
        self._tell_of_property(events.EventName.PROPERTY_DELETED, changed, key, None, origin)
        return True

    def _tell(self, name: events.EventName, told: issues.Issue, *, before: issues.Issue | None = None) -> None:
        listeners = self._find_listeners(name)
        if listeners:
            self._publish(
                events.IssueEvent(
                    name=name,
                    at=self._now(),
                    addon_keys=listeners,
                    issue=told,
                    reporter=self._find_reporter(told),
                    before=before,
                    reporter_before=None if before is None else self._find_reporter(before),
                )
            )

    def _tell_of_property(
        self, name: events.EventName, told: issues.Issue, key: str, value: Any, origin: Origin
    ) -> None:
        listeners = self._find_listeners(name)
        if listeners:
            self._publish(
                events.PropertyEvent(
                    name=name,
                    at=self._now(),
                    addon_keys=listeners,
                    trace=origin.trace,
                    is_bulk=origin.is_bulk,
                    issue=told,
                    key=key,
                    value=value,
                )
            )

    def _find_reporter(self, of_issue: issues.Issue) -> person.Person | None:
        return None if of_issue.reporter_id is None else self._people[of_issue.reporter_id]
