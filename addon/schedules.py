"""What happens by the clock? Each minute every tenant is looked after: lost jobs, whole scans, failed deliveries; each day
what nobody needs any more is erased.

One worker at a time does it, whichever takes the turn. What takes long is left to jobs.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from addon.issues import walk
from addon.queue import jobs as queue
from addon.queue.worker import Schedule
from addon.storage import (
    deliveries,
    duties,
    imports,
    issue_state,
    organizations,
    preview,
    rule_work,
    sync_state,
    upkeep,
)
from addon.storage.database import Database, TenantScope
from addon.storage.sync_state import Enqueue
from addon.sync import slots
from addon.sync.work import Work
from lifecycle import store
from lifecycle.tenant import TenantId

FAILED_WEBHOOKS = timedelta(hours=1)

EACH_MINUTE = "* * * * *"
EACH_DAY = "17 3 * * *"  # UTC

TENANTS_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedules:
    """What a worker does by the clock. `retention`: how long the data of a tenant that uninstalled us is kept (D15)."""

    database: Database
    enqueue: Enqueue
    clock: Callable[[], datetime]
    retention: timedelta

    def table(self) -> Mapping[str, Schedule]:
        return {
            "tend": Schedule(cron=EACH_MINUTE, run=self.tend),
            "clean": Schedule(cron=EACH_DAY, run=self.clean),
        }

    async def tend(self) -> None:
        """Every tenant gets the jobs that are due. One tenant's trouble stops no other's."""
        async for tenant_id in self._tenants():
            try:
                async with self.database.tenant(tenant_id) as scope:
                    await self._tend(scope)
            except Exception as error:  # noqa: BLE001 - as the docstring says
                log = structlog.get_logger()
                log.error("tend-failed", tenant_id=str(tenant_id), error=type(error).__name__)  # noqa: TRY400 - a text could name people

    async def _tend(self, scope: TenantScope) -> None:
        await preview.prune(scope, now=self.clock())
        await imports.tend(scope, enqueue=self.enqueue, now=self.clock())
        await rule_work.tend(scope, enqueue=self.enqueue)
        standing = await upkeep.read(scope)
        if standing is None:
            return
        tenant_id, now = scope.tenant_id, self.clock()
        if standing.open_run is not None:
            # Its job is there already, unless it was lost; so below.
            await self.enqueue(scope, Work(kind="run", tenant_id=tenant_id, number=standing.open_run))
        elif _is_due(standing.last_began, slots.latest(tenant_id, slots.WHOLE_SCAN, now)):
            await self._start_scan(scope, now)
        if standing.open_turn is not None:
            await self.enqueue(scope, Work(kind="refresh", tenant_id=tenant_id, number=standing.open_turn))
        if _is_due(standing.drained_at, slots.latest(tenant_id, FAILED_WEBHOOKS, now)):
            await self.enqueue(scope, Work(kind="failed-webhooks", tenant_id=tenant_id, number=0))
        if standing.probe_due_at is not None and standing.probe_due_at <= now:
            await self.enqueue(scope, Work(kind="probe", tenant_id=tenant_id, number=0))
        await organizations.tend(scope, enqueue=self.enqueue, now=now)
        await duties.call(scope, "companies", enqueue=self.enqueue)
        await duties.call(scope, "issues", enqueue=self.enqueue)
        if await issue_state.is_due(scope, turn=slots.latest(tenant_id, walk.CATCH_UP, now), now=now):
            await self.enqueue(scope, Work(kind="issue-scan", tenant_id=tenant_id, number=0))

    async def _start_scan(self, scope: TenantScope, now: datetime) -> None:
        if (await sync_state.lock_switch(scope)).enabled:
            await sync_state.start_run(scope, trigger="schedule", enqueue=self.enqueue, now=now)

    async def clean(self) -> None:
        """Erase tenants that are gone for good (D15), and forget deliveries and turns of the queue that are long done."""
        now = self.clock()
        async with self.database.transaction() as connection:
            erased = await store.erase_stopped(connection, before=now - self.retention)
            await queue.prune_log(connection, now=now)
        for tenant_id in erased:
            structlog.get_logger().info("tenant-erased", tenant_id=str(tenant_id))
        async for tenant_id in self._tenants():
            async with self.database.tenant(tenant_id) as scope:
                await deliveries.prune(scope, now=now)

    async def _tenants(self) -> AsyncIterator[TenantId]:
        """The tenants whose sites answer, in order; read in parts, so that no transaction lasts."""
        after: TenantId | None = None
        while True:
            async with self.database.transaction() as connection:
                part = await store.list_active(connection, after=after, limit=TENANTS_AT_ONCE)
            for tenant_id in part:
                yield tenant_id
            if len(part) < TENANTS_AT_ONCE:
                return
            after = part[-1]


def _is_due(last: datetime | None, turn: datetime) -> bool:
    return last is None or last < turn
