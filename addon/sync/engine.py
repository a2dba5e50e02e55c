"""How does a run go on? It reads people, has them planned, writes page after page, and can stop and resume anywhere.

The engine waits for Jira only outside the store's transactions. It knows neither SQL nor HTTP: both come in as ports.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from addon.sync import cursor as cursors
from addon.sync import pages
from addon.sync import plan as plans
from addon.sync.cursor import Cursor, Place
from addon.sync.filters import Membership
from addon.sync.order import ListKey, Stretch
from addon.sync.people import EmailState, Sighting
from addon.sync.ports import Directory, Glimpse, ListClosed, People, Store
from addon.sync.scope import Scope
from lifecycle.tenant import AccountId

SLICE = timedelta(seconds=5)
# How long a run may work before other tenants get their turn.

EMAIL_MAX_AGE = timedelta(days=7)
# An email that no list shows is asked for again after a cycle of the personal data report (user privacy guide).

LOOKUP_SIZE = 90
# Accounts looked up by id in one call: 90 ids of 128 characters still make a URL that proxies take.


class MayNotBrowse(Exception):
    """The site's admins took the permission *Browse users and groups* from the app: its lists mean nothing (D8)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run of one tenant: which it is, where it stands, and whom it is about: that says which lists it reads.

    What is written follows the scope that holds when it is written.
    """

    run_id: int
    cursor: Cursor
    scope: Scope


async def work(run: Run, directory: Directory, store: Store, clock: Callable[[], datetime]) -> bool:
    """Carry the run on for one slice; whether it is finished.

    Raises RunEnded when it was cancelled, MayNotBrowse, and whatever the directory raises: the run then stands where
    its last page was written, and can be carried on from there.
    """
    until = clock() + SLICE
    cursor = run.cursor
    if cursor == cursors.first(directory.phases):
        await _require_browsing(directory)
    reader = _Reader(run=run, directory=directory, store=store, clock=clock, until=until, charged=directory.points)
    try:
        while True:
            # At least one step: a slice that a slow site uses up before the first would never end.
            cursor = await reader.step(cursor)
            if cursor.phase == cursors.DONE:
                return True
            if reader.ahead is None and clock() >= until:
                return False
    finally:
        await reader.leave()


async def _require_browsing(directory: Directory) -> None:
    if not await directory.may_browse():
        raise MayNotBrowse


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """People as Jira showed them, not written yet, and where the run stands once they are."""

    sightings: Sequence[Sighting]
    unreadable: Sequence[AccountId]
    cursor: Cursor
    read_at: datetime
    membership: Membership
    pages: Sequence[tuple[ListKey, Stretch]] = ()
    closed: Sequence[ListKey] = ()


@dataclass(slots=True, kw_only=True)
class _Reader:
    """`ahead` reads what follows while we write; `charged` is how many of the directory's points are written down."""

    run: Run
    directory: Directory
    store: Store
    clock: Callable[[], datetime]
    until: datetime
    charged: int
    ahead: asyncio.Task[_Batch] | None = None

    async def step(self, cursor: Cursor) -> Cursor:
        """The smallest piece of a run that leaves it in a state to resume from."""
        if cursor.phase == cursors.VERIFY:
            return await self._verify(cursor)
        if cursor.is_phase_read:
            return await self._move(cursors.following(cursor, self.directory.phases))
        if not cursor.places and cursor.next_containers is not None:
            named = self.run.scope.filters.containers(cursor.phase)
            if named is not None:
                return await self._move(cursor.listed(named, None))
            listed = await self.directory.containers(cursor.phase, cursor.next_containers)
            if listed.is_refused:
                await self.store.keep_unread(cursor.phase)
            return await self._move(cursor.listed(listed.ids, listed.next_start))
        return await self._read(cursor)

    async def leave(self) -> None:
        """End what was begun ahead, unless it went well to its end.

        It is only cancelled where we are: see `_gather`. Reading has an end of its own.
        """
        if self.ahead is None:
            return
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            self.ahead.cancel()
        await asyncio.wait({self.ahead})
        if not self.ahead.cancelled():
            self.ahead.exception()  # whatever it was: those pages are read again

    async def _move(self, cursor: Cursor) -> Cursor:
        await self.store.move(cursor, points=self._charge())
        return cursor

    def _charge(self) -> int:
        """The points spent since the last time."""
        points, self.charged = self.directory.points - self.charged, self.directory.points
        return points

    async def _read(self, cursor: Cursor) -> Cursor:
        """Write the next pages in one transaction, while the pages behind them are read, if the slice has time left."""
        reading, self.ahead = self.ahead, None
        batch = await (reading or self._fetch(cursor))
        if batch.cursor.places and self.clock() < self.until:
            self.ahead = asyncio.create_task(self._fetch(batch.cursor))
        await self._write(batch)
        return batch.cursor

    async def _fetch(self, cursor: Cursor) -> _Batch:
        """Read the next pages side by side."""
        read_at = self.clock()
        places, calls = pages.next_calls(cursor.places, self.directory.page_size(cursor.phase))
        answers = await self._gather(cursor.phase, calls)
        read = [(call, page) for call, page in answers if page is not None]
        closed = [ListKey(phase=cursor.phase, container=call.container) for call, page in answers if page is None]
        return _Batch(
            sightings=await self._with_emails([sighting for _, page in read for sighting in page.sightings]),
            unreadable=[account_id for _, page in read for account_id in page.unreadable],
            cursor=replace(
                cursor.read(places, [pages.moved(place, read) for place in places]),
                is_patchy=cursor.is_patchy or bool(closed),
            ),
            read_at=read_at,
            membership="inside",
            pages=pages.remembered(cursor.phase, read),
            closed=closed,
        )

    async def _gather(self, phase: str, calls: Sequence[Place]) -> Sequence[tuple[Place, People | None]]:
        """The pages of `calls`; None where Jira refuses a list that no filter names: one that is named decides who leaves.

        Of several errors the first is raised, as if the pages had been read in turn. None of them is cancelled for another's
        failure: `databases` 0.9 loses the connection of a task that is cancelled while it opens a transaction, and reading a
        page may open one to pay for it.
        """
        answers = await asyncio.gather(
            *(self.directory.people(phase, call.container, call.start) for call in calls), return_exceptions=True
        )
        are_named = self.run.scope.filters.containers(phase) is not None
        found: list[tuple[Place, People | None]] = []
        for call, answer in zip(calls, answers, strict=True):
            if isinstance(answer, ListClosed):
                if are_named:
                    raise answer.reason
                found.append((call, None))
            elif isinstance(answer, BaseException):
                raise answer
            else:
                found.append((call, answer))
        return found

    async def _write(self, batch: _Batch) -> None:
        async with self.store.page(batch.sightings, membership=batch.membership, read_at=batch.read_at) as page:
            plan = plans.plan_page(
                page.sightings,
                page.known,
                scope=page.scope,
                run_id=self.run.run_id,
                new_ids=page.new_ids,
                now=self.clock(),
            )
            await page.write(
                plan,
                unreadable=batch.unreadable,
                cursor=batch.cursor,
                points=self._charge(),
                pages=batch.pages,
                closed=batch.closed,
            )

    async def _with_emails(self, sightings: Sequence[Sighting]) -> Sequence[Sighting]:
        """Ask for the emails that the lists did not show, of accounts that are new, changed or not asked for long."""
        hidden = [sighting for sighting in sightings if not sighting.email]
        if not hidden:
            return sightings
        known = await self.store.glimpse([sighting.account_id for sighting in hidden])
        now, scope = self.clock(), self.run.scope
        wanted = list({s.account_id: None for s in hidden if _is_email_wanted(s, known, scope=scope, now=now)})
        if not wanted:
            return sightings
        answer = await self.directory.emails(wanted)
        asked = set(wanted)
        return [
            _answered(sighting, answer.found.get(sighting.account_id), answer.otherwise)
            if sighting.account_id in asked and not sighting.email
            else sighting
            for sighting in sightings
        ]

    async def _verify(self, cursor: Cursor) -> Cursor:
        """Look up by id whom the scan did not meet; who is not found then is gone."""
        unseen = await self.store.unseen(cursor.verified_to, LOOKUP_SIZE)
        if not unseen:
            await self.store.finish(is_patchy=cursor.is_patchy)
            return replace(cursor, phase=cursors.DONE)
        read_at = self.clock()
        # An app that lost its permission during the scan gets empty answers, which must not look like deletions.
        await _require_browsing(self.directory)
        found = await self.directory.lookup(unseen)
        moved = replace(cursor, verified_to=unseen[-1])
        batch = _Batch(
            sightings=await self._with_emails(found.sightings),
            unreadable=found.unreadable,
            cursor=moved,
            read_at=read_at,
            membership="outside",
        )
        await self._write(batch)
        return moved


def _is_email_wanted(sighting: Sighting, known: Mapping[AccountId, Glimpse], *, scope: Scope, now: datetime) -> bool:
    before = known.get(sighting.account_id)
    if before is None:
        return scope.may_admit(sighting)
    if before.email_checked_at is None:
        return True
    is_changed = (before.display_name, before.active) != (sighting.display_name, sighting.active)
    return is_changed or now - before.email_checked_at > EMAIL_MAX_AGE


def _answered(sighting: Sighting, email: str | None, otherwise: EmailState) -> Sighting:
    return replace(sighting, email=email, email_state="visible" if email else otherwise)
