"""What becomes of a due probe? The job that looks whether anybody came or went without an event, and has them read again.

Trouble ends the round and no more: the next one is due already, and looks at the same places.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from addon.jira import errors as jira
from addon.jira.directory import USERS
from addon.jira.sites import Sites
from addon.queue.worker import Again
from addon.storage import duties, places, probe_state, sync_state
from addon.storage.database import Database, TenantScope
from addon.storage.probe_state import Probed
from addon.storage.refresh_store import RefreshStore
from addon.storage.sync_state import Enqueue
from addon.sync import probe, refresh, rounds
from addon.sync.engine import MayNotBrowse
from addon.sync.filters import Membership
from addon.sync.probe import KnownList, Pace
from addon.sync.refresh import SyncOff
from addon.sync.work import Work
from lifecycle.tenant import AccountId, TenantId

SCAN_AGAIN = timedelta(hours=6)
# A list that does not fit its order is mended by a whole scan, which is dear; within this time by the daily one.

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Probing:
    """The handler of `probe`. `quota`: the app's API points per hour."""

    database: Database
    sites: Sites
    enqueue: Enqueue
    clock: Callable[[], datetime]
    quota: int

    async def probe(self, work: Work) -> Again | None:
        """One round of probes (S7, S10)."""
        now = self.clock()
        begun = await self._begin(work.tenant_id, now)
        if begun is None:
            return None
        probed, lists, pace = begun
        try:
            outcome = await self._look(work.tenant_id, probed, lists, pace, now)
        except (SyncOff, MayNotBrowse, rounds.NotBelieved) as reason:
            log.info("probe-ended", reason=type(reason).__name__)
            return None
        except jira.Waiting as limit:
            log.info("probe-ended", reason=limit.what)
            return None
        except jira.JiraError as error:
            log.warning("jira-failed", error=type(error).__name__, call=str(error))
            return None
        except Exception as error:  # noqa: BLE001 - tried again in seconds, as the queue does, a round would cost its points each time
            log.error("probe-failed", error=type(error).__name__)  # noqa: TRY400 - a text could name people
            return None
        log.info("probed", lists=len(lists), strangers=outcome.has_met_strangers, scan=outcome.wants_scan)
        async with self.database.tenant(work.tenant_id) as scope:
            switch = await sync_state.lock_switch(scope)
            await probe_state.end(scope, began=now, has_met_strangers=outcome.has_met_strangers)
            if switch.enabled and outcome.wants_scan:
                await self._scan(scope, now)
            await duties.call(scope, "companies", enqueue=self.enqueue)
            await duties.call(scope, "issues", enqueue=self.enqueue)
        return None

    async def _begin(self, tenant_id: TenantId, now: datetime) -> tuple[Probed, Sequence[KnownList], Pace] | None:
        """What this round starts from; None while the sync is off or has not read everybody yet."""
        async with self.database.tenant(tenant_id) as scope:
            switch = await sync_state.lock_switch(scope)
            probed = await probe_state.read(scope)
            if not switch.enabled or probed is None:
                return None
            lists = await places.lists(scope)
            tenants = await probe_state.tenants(scope)
            pace = probe.pace(quota=self.quota, tenants=tenants, found_at=probed.found_at, now=now)
            turns = probe.rounds_for_all(lists, users=USERS, points=pace.points)
            await probe_state.begin(scope, pace, rounds=turns, now=now)
        return probed, lists, pace

    async def _look(
        self, tenant_id: TenantId, probed: Probed, lists: Sequence[KnownList], pace: Pace, now: datetime
    ) -> rounds.Outcome:
        window = await self.sites.probes(tenant_id)
        store = RefreshStore(database=self.database, tenant_id=tenant_id, clock=self.clock)

        async def read_again(account_ids: Sequence[AccountId], is_listed: bool) -> None:  # noqa: FBT001 - a flag of `Refresh`
            membership: Membership = "inside" if is_listed else "unknown"
            await refresh.refresh(account_ids, window.directory, store, self.clock, membership=membership)

        return await rounds.work(
            lists,
            window,
            places.Memory(database=self.database, tenant_id=tenant_id),
            read_again,
            points=pace.points,
            since=probe.since(probed.probed_at, now),
            now=now,
        )

    async def _scan(self, scope: TenantScope, now: datetime) -> None:
        """Have everybody read, unless that was begun a short while ago. The caller holds the switch, which is on."""
        newest = next(iter(await sync_state.runs(scope, before=None, limit=1)), None)
        if newest is None or now - newest.started_at > SCAN_AGAIN:
            await sync_state.start_run(scope, trigger="schedule", enqueue=self.enqueue, now=now)
