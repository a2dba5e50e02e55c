"""A site and a store that live in memory: the other implementation of the engine's ports."""

import itertools
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from addon.crm.contact import ContactId
from addon.sync import ports
from addon.sync.cursor import Cursor
from addon.sync.filters import Membership
from addon.sync.order import ListKey, Stretch
from addon.sync.people import Known, Plan, Sighting
from addon.sync.ports import Containers, Emails, Glimpse, People
from addon.sync.scope import Scope
from lifecycle.tenant import AccountId
from tests.unit.sync.builders import ACTIVE_ONLY, NOBODY_KNOWN, NOW, RUN, applied, ids

PAGE = 3


@dataclass(slots=True, kw_only=True)
class Clock:
    """Goes on by `tick` each time it is read."""

    now: datetime = NOW
    tick: timedelta = timedelta()

    def __call__(self) -> datetime:
        self.now += self.tick
        return self.now


@dataclass(slots=True, kw_only=True)
class MemoryDirectory:
    """`groups` and `desks` hold people by container; `hidden` emails are told by id alone; `cap` is Jira's own page size."""

    groups: dict[str, list[Sighting]] = field(default_factory=dict)
    desks: dict[str, list[Sighting]] = field(default_factory=dict)
    hidden: dict[str, str] = field(default_factory=dict)
    unlisted: list[Sighting] = field(default_factory=list)
    browsing: Iterator[bool] = field(default_factory=lambda: itertools.repeat(True))
    failures: list[Exception | None] = field(default_factory=list)
    cap: int = PAGE
    otherwise: Literal["hidden", "unavailable"] = "hidden"
    phases: Sequence[str] = ("groups", "desks")
    points: int = 0
    calls: list[tuple[str, object]] = field(default_factory=list)

    def page_size(self, phase: str) -> int | None:
        return PAGE if phase == "groups" else None

    async def may_browse(self) -> bool:
        self._spend("may_browse", None)
        return next(self.browsing)

    async def containers(self, phase: str, start: int) -> Containers:
        self._spend("containers", (phase, start))
        names = list(self._of(phase))
        return Containers(ids=names[start : start + 1], next_start=start + 1 if start + 1 < len(names) else None)

    async def people(self, phase: str, container: str, start: int) -> People:
        self._spend("people", (container, start))
        if self.failures and (failure := self.failures.pop(0)) is not None:
            raise failure
        everybody = self._of(phase)[container]
        following = start + self.cap
        return People(
            sightings=everybody[start:following],
            next_start=following if following < len(everybody) else None,
            total=len(everybody) if phase == "groups" else None,
        )

    async def emails(self, account_ids: Sequence[AccountId]) -> Emails:
        self._spend("emails", sorted(account_ids))
        found = {account_id: self.hidden[account_id] for account_id in account_ids if account_id in self.hidden}
        return Emails(found={} if self.otherwise == "unavailable" else found, otherwise=self.otherwise)

    async def lookup(self, account_ids: Sequence[AccountId]) -> People:
        self._spend("lookup", sorted(account_ids))
        return People(sightings=[sighting for sighting in self.unlisted if sighting.account_id in account_ids])

    def called(self, name: str) -> list[object]:
        return [detail for called, detail in self.calls if called == name]

    def _of(self, phase: str) -> dict[str, list[Sighting]]:
        return self.groups if phase == "groups" else self.desks

    def _spend(self, name: str, detail: object) -> None:
        self.calls.append((name, detail))
        self.points += 1


@dataclass(slots=True, kw_only=True)
class MemoryStore:
    """One run. `pages_until_ended`: how many pages may be written before somebody turns the sync off. `overtaken`: who is
    read by others while the run reads them.
    """

    known: Known = NOBODY_KNOWN
    scope: Scope = ACTIVE_ONLY
    cursor: Cursor | None = None
    points: int = 0
    finished: bool = False
    is_patchy: bool = False
    pages_until_ended: int | None = None
    overtaken: frozenset[AccountId] = frozenset()
    new_ids: Iterator[ContactId] = field(default_factory=ids)
    pages: list[tuple[ListKey, Stretch]] = field(default_factory=list)
    closed: list[ListKey] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)

    async def glimpse(self, account_ids: Sequence[AccountId]) -> Mapping[AccountId, Glimpse]:
        return {
            a.account_id: Glimpse(display_name=a.display_name, active=a.active, email_checked_at=a.email_checked_at)
            for a in self.known.accounts
            if a.account_id in account_ids
        }

    @asynccontextmanager
    async def page(
        self, sightings: Sequence[Sighting], *, membership: Membership, read_at: datetime
    ) -> AsyncIterator["MemoryPage"]:
        assert read_at >= NOW
        assert not any(sighting.email == "" for sighting in sightings)
        assert len(sightings) < 1000
        if self.pages_until_ended == 0:
            raise ports.RunEnded
        if self.pages_until_ended is not None:
            self.pages_until_ended -= 1
        yield MemoryPage(self, sightings, membership)

    async def move(self, cursor: Cursor, *, points: int) -> None:
        self.cursor = cursor
        self.points += points

    async def keep_unread(self, phase: str) -> None:
        self.kept.append(phase)

    async def unseen(self, after: str, limit: int) -> Sequence[AccountId]:
        unseen = sorted(a.account_id for a in self.known.accounts if a.seen_in_run != RUN and a.account_id > after)
        return unseen[:limit]

    async def finish(self, *, is_patchy: bool) -> None:
        self.is_patchy = is_patchy
        accounts = [account for account in self.known.accounts if account.seen_in_run == RUN]
        self.known = replace(self.known, accounts=accounts)
        self.finished = True

    @property
    def linked(self) -> dict[str, str | None]:
        """Account id to the email of its contact."""
        emails = {contact.contact_id: contact.email for contact in self.known.contacts}
        return {a.account_id: emails[a.contact_id] for a in self.known.accounts if a.contact_id is not None}


class MemoryPage:
    def __init__(self, store: MemoryStore, sightings: Sequence[Sighting], membership: Membership) -> None:
        self._store = store
        self._newer = store.overtaken & {account.account_id for account in store.known.accounts}
        self.sightings = [sighting for sighting in sightings if sighting.account_id not in self._newer]
        self.known = store.known
        self.scope = replace(store.scope, membership=membership)
        self.new_ids = store.new_ids

    async def write(
        self,
        plan: Plan,
        *,
        unreadable: Sequence[AccountId],
        cursor: Cursor,
        points: int,
        pages: Sequence[tuple[ListKey, Stretch]] = (),
        closed: Sequence[ListKey] = (),
    ) -> None:
        self._store.pages.extend(pages)
        self._store.closed.extend(closed)
        after = applied(self.known, plan)
        met = [
            replace(account, seen_in_run=RUN) if account.account_id in {*unreadable, *self._newer} else account
            for account in after.accounts
        ]
        self._store.known = replace(after, accounts=met)
        await self._store.move(cursor, points=points)
