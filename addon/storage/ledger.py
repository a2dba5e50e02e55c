"""Which API points have all tenants taken this hour, and whom does Jira want to wait? Shared by all processes.

Decides nothing: `addon.sync.quota` does. Implements `addon.jira.throttle.Ledger`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from addon.storage import call_slots
from addon.storage.database import Database, TenantScope
from addon.sync import quota
from addon.sync.quota import Later, Loan, Pause, Spent
from lifecycle.tenant import TenantId

KEPT_FOR = timedelta(days=7)

LOCK = 6_700_417
# Any number that no other advisory lock of ours has: one loan is granted at a time, in a few milliseconds.

TAKE_TURN = "SELECT pg_advisory_xact_lock($1)"

SPENT = """
    -- all tenants: what one may take depends on what the others took
    SELECT coalesce(sum(taken), 0)::bigint AS taken, coalesce(sum(background), 0)::bigint AS background,
        coalesce(sum(background) FILTER (WHERE tenant_id = $2), 0)::bigint AS own,
        coalesce(array_agg(background) FILTER (WHERE tenant_id <> $2 AND wanted_at > $3), '{}') AS others
    FROM api_budget WHERE hour = $1
"""

SPENT_HERE = """
    -- all tenants: as above
    SELECT coalesce(sum(taken), 0)::bigint AS taken, coalesce(sum(background), 0)::bigint AS background,
        coalesce(sum(background) FILTER (WHERE tenant_id = $2), 0)::bigint AS own,
        coalesce(array_agg(background) FILTER (WHERE tenant_id <> $2 AND wanted_at > $3), '{}') AS others,
        coalesce(sum(taken) FILTER (WHERE tenant_id = $2), 0)::bigint AS own_taken
    FROM api_budget WHERE hour = $1
"""

TAKE = """
    INSERT INTO api_budget AS b (hour, tenant_id, taken, background, wanted_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (hour, tenant_id) DO UPDATE SET taken = b.taken + excluded.taken,
        background = b.background + excluded.background, wanted_at = coalesce(excluded.wanted_at, b.wanted_at)
    RETURNING xmax = 0 AS is_first
"""

GIVE_BACK = """
    UPDATE api_budget SET taken = taken - $3, background = background - $4 WHERE hour = $1 AND tenant_id = $2
"""

PAUSES = """
    SELECT tenant_id, endpoint, until, reason AS what FROM api_pause
    WHERE (tenant_id = $1 OR tenant_id IS NULL) AND until > $2
"""

PAUSE = """
    INSERT INTO api_pause AS p (tenant_id, endpoint, until, reason) VALUES ($1, $2, $3, $4)
    ON CONFLICT (tenant_id, endpoint) DO UPDATE SET until = excluded.until, reason = excluded.reason
    WHERE p.until < excluded.until
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """API points of the present UTC hour: of one tenant, of all, and how many there are.

    `share`: what the tenant's background work may come to, if the others want no more than they do now.
    """

    own: int
    taken: int
    share: int
    quota: int


class Ledger:
    """`quota`: the app's points per hour over all tenants."""

    def __init__(self, database: Database, *, quota: int) -> None:
        self._database = database
        self._quota = quota

    async def borrow(
        self, tenant_id: TenantId, *, need: int, wanted: int, is_awaited: bool, now: datetime
    ) -> tuple[Loan | Later, Sequence[Pause]]:
        """See `addon.jira.throttle.Ledger`."""
        hour = quota.hour_of(now)
        async with self._database.transaction() as connection:
            raw = connection.raw_connection
            await raw.execute(TAKE_TURN, LOCK)
            spent = Spent(**await raw.fetchrow(SPENT, hour, tenant_id, now - quota.WANTED_FOR))
            outcome = quota.grant(spent, quota=self._quota, need=need, wanted=wanted, is_awaited=is_awaited, now=now)
            points = outcome.points if isinstance(outcome, Loan) else 0
            background = 0 if is_awaited else points
            wanted_at = now if quota.is_wanting(outcome, need=need, is_awaited=is_awaited) else None
            is_first = await raw.fetchval(TAKE, hour, tenant_id, points, background, wanted_at)
            if is_first:
                await self._forget(raw, now)
            pauses = [Pause(**row) for row in await raw.fetch(PAUSES, tenant_id, now)]
        return outcome, pauses

    async def _forget(self, raw: asyncpg.Connection, now: datetime) -> None:
        # all tenants: old hours and pauses mean nothing to anybody
        await raw.execute("DELETE FROM api_budget WHERE hour < $1", now - KEPT_FOR)
        # all tenants: as above
        await raw.execute("DELETE FROM api_pause WHERE until < $1", now - KEPT_FOR)
        await call_slots.forget(raw)

    async def give_back(self, tenant_id: TenantId, points: int, *, hour: datetime, is_awaited: bool) -> None:
        """See `addon.jira.throttle.Ledger`."""
        async with self._database.transaction() as connection:
            background = 0 if is_awaited else points
            await connection.raw_connection.execute(GIVE_BACK, hour, tenant_id, points, background)

    async def pause(self, pause: Pause) -> None:
        """Keep a pause for all processes; a longer one that is known stays."""
        async with self._database.transaction() as connection:
            await connection.raw_connection.execute(PAUSE, pause.tenant_id, pause.endpoint, pause.until, pause.what)

    async def lease(
        self, tenant_id: TenantId, *, holder: UUID, among: Sequence[int], most: int, leave: int, last: timedelta
    ) -> int:
        """See `addon.jira.slots.Leases`."""
        async with self._database.transaction() as connection:
            return await call_slots.lease(
                connection.raw_connection, tenant_id, holder=holder, among=among, most=most, leave=leave, last=last
            )

    async def set_free(self, tenant_id: TenantId, *, holder: UUID, after: timedelta) -> None:
        """See `addon.jira.slots.Leases`."""
        async with self._database.transaction() as connection:
            await call_slots.set_free(connection.raw_connection, tenant_id, holder=holder, after=after)

    async def hour(self, scope: TenantScope, *, now: datetime) -> Hour:
        """The hour so far; loans that are out count as spent."""
        row = await scope.raw.fetchrow(SPENT_HERE, quota.hour_of(now), scope.tenant_id, now - quota.WANTED_FOR)
        facts = dict(row)
        own = facts.pop("own_taken")
        spent = Spent(**facts)
        left = min(self._quota - spent.taken, quota.background(self._quota) - spent.background)
        share = spent.own + quota.share(left, own=spent.own, others=spent.others)
        return Hour(own=own, taken=spent.taken, share=share, quota=self._quota)
