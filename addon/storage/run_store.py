"""How does a run write its pages? One transaction each, set-based, under the tenant's switch; see `addon.sync.ports.Store`."""

import json
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from addon.crm import contact as crm
from addon.crm.contact import ContactId
from addon.errors import Remark
from addon.storage import departures, places, plan_rows, probe_state, sync_state, unchanged
from addon.storage.database import Database, TenantScope
from addon.sync import ports
from addon.sync.cursor import Cursor
from addon.sync.filters import Membership
from addon.sync.order import ListKey, Stretch
from addon.sync.people import Counts, Known, Plan, Sighting
from addon.sync.scope import Scope
from lifecycle.tenant import AccountId, TenantId

PATCHY = Remark(
    "Jira refused some lists of people. Unless they were deleted, give the app's role access to their service projects."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStore:
    """The `Store` of one run of one tenant."""

    database: Database
    tenant_id: TenantId
    run_id: int
    clock: Callable[[], datetime]

    async def glimpse(self, account_ids: Sequence[AccountId]) -> Mapping[AccountId, ports.Glimpse]:
        async with self.database.tenant(self.tenant_id) as scope:
            rows = await scope.raw.fetch(
                """
                SELECT account_id, display_name, active, email_checked_at FROM account
                WHERE tenant_id = $1 AND account_id = ANY($2)
                """,
                self.tenant_id,
                account_ids,
            )
        return {row["account_id"]: ports.Glimpse(**{k: v for k, v in row.items() if k != "account_id"}) for row in rows}

    @asynccontextmanager
    async def page(
        self, sightings: Sequence[Sighting], *, membership: Membership, read_at: datetime
    ) -> AsyncIterator["StoredPage"]:
        async with self.database.tenant(self.tenant_id) as scope:
            people = replace((await self._hold(scope)).scope, membership=membership)
            newer = await plan_rows.read_since(scope, [sighting.account_id for sighting in sightings], read_at)
            others = [sighting for sighting in sightings if sighting.account_id not in newer]
            familiar = await unchanged.find(scope, others, people, run_id=self.run_id)
            changed = [sighting for sighting in others if sighting.account_id not in familiar]
            known = await plan_rows.read_known(
                scope,
                [sighting.account_id for sighting in changed],
                [crm.email_key(sighting.email) for sighting in changed if sighting.email],
            )
            contact_ids = {account.account_id: account.contact_id for account in known.accounts}
            # Of an account that we do not keep, only one that the scope admits can become a contact.
            unlinked = {
                sighting.account_id
                for sighting in changed
                if contact_ids.get(sighting.account_id) is None
                and (sighting.account_id in contact_ids or people.admits(sighting))
            }
            yield StoredPage(
                scope_of_rows=scope,
                run_id=self.run_id,
                now=self.clock(),
                read_at=read_at,
                newer=newer,
                unchanged=familiar,
                sightings=changed,
                known=known,
                scope=people,
                new_ids=await reserve_ids(scope, len(unlinked)),
            )

    async def move(self, cursor: Cursor, *, points: int) -> None:
        async with self.database.tenant(self.tenant_id) as scope:
            await self._hold(scope)
            await _advance(scope, self.run_id, cursor, Counts(points=points))

    async def keep_unread(self, phase: str) -> None:
        async with self.database.tenant(self.tenant_id) as scope:
            await self._hold(scope)
            await places.carry_on(scope, self.run_id, await places.unread(scope, self.run_id, phase))

    async def unseen(self, after: str, limit: int) -> Sequence[AccountId]:
        async with self.database.tenant(self.tenant_id) as scope:
            return await departures.unseen(scope, self.run_id, after=after, limit=limit)

    async def finish(self, *, is_patchy: bool) -> None:
        async with self.database.tenant(self.tenant_id) as scope:
            await self._hold(scope)
            await departures.finish_run(scope, self.run_id, remark=PATCHY if is_patchy else None, now=self.clock())
            await places.adopt(scope, self.run_id)
            await probe_state.watch(scope, now=self.clock())

    async def _hold(self, scope: TenantScope) -> sync_state.Switch:
        """Lock the switch; raises RunEnded unless the sync is on and this run open."""
        switch = await sync_state.lock_switch(scope)
        is_open = await scope.fetch_val(
            "SELECT true FROM sync_run WHERE tenant_id = :tenant_id AND run_id = :run_id AND state = 'running'",
            run_id=self.run_id,
        )
        if not (switch.enabled and is_open):
            raise ports.RunEnded
        return switch


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPage:
    """One open transaction of a run; see `addon.sync.ports.Page`."""

    scope_of_rows: TenantScope
    run_id: int
    now: datetime
    read_at: datetime
    newer: Collection[AccountId]
    unchanged: Mapping[AccountId, bool]
    sightings: Sequence[Sighting]
    known: Known
    scope: Scope
    new_ids: Iterator[ContactId]

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
        rows = self.scope_of_rows
        await plan_rows.write_plan(rows, plan, run_id=self.run_id, now=self.now, read_at=self.read_at)
        await touch(rows, [*plan.unchanged, *self.unchanged], self.run_id, self.read_at)
        await touch(rows, [*unreadable, *self.newer], self.run_id, None)
        await places.write(rows, self.run_id, pages)
        await places.carry_on(rows, self.run_id, closed)
        done = plan.counts
        taken_away = await plan_rows.count_made(rows, plan.removed, run_id=self.run_id)
        await _advance(
            rows,
            self.run_id,
            cursor,
            Counts(
                seen=done.seen + sum(self.unchanged.values()),
                linked=done.linked,
                created=done.created - taken_away,
                updated=done.updated,
                held=done.held,
                points=points,
            ),
        )


async def reserve_ids(scope: TenantScope, count: int) -> Iterator[ContactId]:
    """As many ids for new contacts."""
    if not count:
        return iter(())
    rows = await scope.raw.fetch(
        "SELECT nextval(pg_get_serial_sequence('contact', 'contact_id')) AS id FROM generate_series(1, $1::int)", count
    )
    return (row["id"] for row in rows)


async def touch(scope: TenantScope, seen: Sequence[AccountId], run_id: int, checked_at: datetime | None) -> None:
    """Note that the run met these accounts; `checked_at` where it also learned that nothing changed."""
    if seen:
        await scope.raw.execute(
            """
            UPDATE account SET seen_in_run = greatest(seen_in_run, $2), checked_at = greatest(checked_at, $3)
            WHERE tenant_id = $1 AND account_id = ANY($4)
            """,
            scope.tenant_id,
            run_id,
            checked_at,
            seen,
        )


async def _advance(scope: TenantScope, run_id: int, cursor: Cursor, done: Counts) -> None:
    """Move the run on. `total` is what it has met and what is left to read, or else what the last whole run met."""
    await scope.execute(
        """
        UPDATE sync_run SET phase = :phase, cursor = CAST(:cursor AS jsonb), failures = 0, error = NULL,
            waiting_for = NULL, waiting_until = NULL,
            seen = seen + :seen, linked = linked + :linked, created = created + :created, updated = updated + :updated,
            held = held + :held, points = points + :points,
            total = coalesce(seen + :seen + CAST(:remaining AS bigint), (
                SELECT last.seen FROM sync_run AS last
                WHERE last.tenant_id = :tenant_id AND last.state = 'done' ORDER BY last.run_id DESC LIMIT 1))
        WHERE tenant_id = :tenant_id AND run_id = :run_id
        """,
        run_id=run_id,
        phase=cursor.phase,
        cursor=json.dumps(cursor.to_json()),
        remaining=cursor.remaining,
        seen=done.seen,
        linked=done.linked,
        created=done.created,
        updated=done.updated,
        held=done.held,
        points=done.points,
    )
