"""What does each kind of job do? One method per kind; a tenant's failure ends that tenant's run and nobody else's."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from addon.jira import errors as jira
from addon.jira import retry
from addon.jira.sites import Sites
from addon.queue.worker import Again
from addon.storage import departures, sync_state
from addon.storage.database import Database
from addon.storage.run_store import RunStore
from addon.sync import cursor as cursors
from addon.sync import engine
from addon.sync.ports import RunEnded
from addon.sync.work import Work

MAX_OUR_FAILURES = 5
# In a row. What fails that often through no fault of Jira's fails for this tenant's data, and waiting mends nothing.

MAY_NOT_BROWSE = "The app may not see this site's people. Give it the global permission “Browse users and groups”."
OUR_FAULT = "The app failed at this site's data; its operators can see why. Nothing was lost."

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs:
    """The handlers of a worker, and what they need. `spread` is random from 0 to 1, so that retries do not march in step."""

    database: Database
    sites: Sites
    clock: Callable[[], datetime]
    spread: Callable[[], float] = random.random

    async def run(self, work: Work) -> Again | None:
        """Carry a run on for one slice (S3, S10, S13)."""
        async with self.database.tenant(work.tenant_id) as scope:
            standing = await sync_state.open_cursor(scope, work.number)
        if standing is None:
            return None
        cursor, failures = standing
        try:
            is_finished = await self._work(work, cursor)
        except RunEnded:
            return None
        except engine.MayNotBrowse:
            await self._give_up(work, "may-not-browse", MAY_NOT_BROWSE)
            return None
        except jira.JiraError as error:
            return await self._after(work, error, failures)
        except Exception:
            if failures >= MAX_OUR_FAILURES:
                await self._give_up(work, "our-fault", OUR_FAULT)
            else:
                await self._note(work, OUR_FAULT)
            raise
        return None if is_finished else Again()

    async def _work(self, work: Work, cursor: cursors.Cursor | None) -> bool:
        directory = await self.sites.directory(work.tenant_id)
        run = engine.Run(run_id=work.number, cursor=cursor or cursors.first(directory.phases))
        store = RunStore(database=self.database, tenant_id=work.tenant_id, run_id=work.number, clock=self.clock)
        return await engine.work(run, directory, store, self.clock)

    async def _after(self, work: Work, error: jira.JiraError, failures: int) -> Again | None:
        decision = retry.decide(error, failures=failures, spread=self.spread())
        log.warning("jira-failed", error=type(error).__name__, call=str(error), failures=failures)
        if isinstance(decision, retry.Dead):
            await self._give_up(work, type(error).__name__, decision.reason)
            return None
        await self._note(work, f"Jira did not answer as it should ({type(error).__name__}); trying again.")
        return Again(delay=decision.delay)

    async def _note(self, work: Work, error: str) -> None:
        async with self.database.tenant(work.tenant_id) as scope:
            await sync_state.note_failure(scope, work.number, error=error)

    async def _give_up(self, work: Work, reason: str, error: str) -> None:
        log.error("run-failed", reason=reason)
        async with self.database.tenant(work.tenant_id) as scope:
            await sync_state.fail_run(scope, work.number, error=error, now=self.clock())

    async def clear_links(self, work: Work) -> Again | None:
        """Write down what turning the sync off means for each contact (S12); a later turn on ends it."""
        async with self.database.tenant(work.tenant_id) as scope:
            switch = await sync_state.lock_switch(scope)
            if switch.enabled:
                return None
            has_more = await departures.clear_links(scope, now=self.clock())
        return Again() if has_more else None
