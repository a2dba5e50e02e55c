"""How is a reading of single accounts written? One short transaction each, under the tenant's switch; see
`addon.sync.refresh`, whose `RefreshStore` this is.
"""

from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import structlog

from addon.crm.contact import ContactId, EmailKey
from addon.storage import departures, plan_rows, run_store, sync_state
from addon.storage.database import Database, TenantScope
from addon.sync import refresh
from addon.sync.people import Counts, Known, Plan
from addon.sync.scope import Scope
from lifecycle.tenant import AccountId, TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshStore:
    """One tenant's accounts and contacts, as far as reading single accounts needs them."""

    database: Database
    tenant_id: TenantId
    clock: Callable[[], datetime]

    @asynccontextmanager
    async def page(
        self, account_ids: Sequence[AccountId], email_keys: Sequence[EmailKey], *, read_at: datetime
    ) -> AsyncIterator["RefreshedPage"]:
        async with self.database.tenant(self.tenant_id) as scope:
            switch = await sync_state.lock_switch(scope)
            if not switch.enabled:
                raise refresh.SyncOff
            known = await plan_rows.read_known(scope, account_ids, email_keys)
            unlinked = set(account_ids) - {a.account_id for a in known.accounts if a.contact_id is not None}
            yield RefreshedPage(
                rows=scope,
                now=self.clock(),
                read_at=read_at,
                run_id=await _newest_run(scope),
                newer=await plan_rows.read_since(scope, account_ids, read_at),
                known=known,
                scope=switch.scope,
                new_ids=await run_store.reserve_ids(scope, len(unlinked)),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshedPage:
    """One open transaction; see `addon.sync.refresh.RefreshPage`."""

    rows: TenantScope
    now: datetime
    read_at: datetime
    run_id: int | None
    newer: Collection[AccountId]
    known: Known
    scope: Scope
    new_ids: Iterator[ContactId]

    async def write(self, plan: Plan, *, unreadable: Sequence[AccountId], gone: Sequence[AccountId]) -> None:
        # In the history these changes belong to no run.
        await plan_rows.write_plan(self.rows, plan, run_id=None, now=self.now, read_at=self.read_at)
        if self.run_id is not None:
            await run_store.touch(self.rows, plan.unchanged, self.run_id, self.read_at)
            await run_store.touch(self.rows, unreadable, self.run_id, None)
            await _count_seen(self.rows, self.run_id, plan.counts)
        if gone and not await departures.drop(self.rows, gone, now=self.now):
            structlog.get_logger().warning("too-many-gone", accounts=len(gone))


async def _newest_run(scope: TenantScope) -> int | None:
    run_id: int | None = await scope.fetch_val("SELECT max(run_id) FROM sync_run WHERE tenant_id = :tenant_id")
    return run_id


async def _count_seen(scope: TenantScope, run_id: int, done: Counts) -> None:
    """A run that is going will not count again whom this reading met first."""
    if done.seen:
        await scope.execute(
            """
            UPDATE sync_run SET seen = seen + :seen, held = held + :held
            WHERE tenant_id = :tenant_id AND run_id = :run_id AND state = 'running'
            """,
            run_id=run_id,
            seen=done.seen,
            held=done.held,
        )
