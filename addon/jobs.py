"""What does each kind of job do? One method per kind; a tenant's failure ends that tenant's run and nobody else's."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from addon.assigning import Assigning
from addon.errands import Errands
from addon.hints import Hints
from addon.importing import Importing
from addon.jira import errors as jira
from addon.jira import retry
from addon.jira.directory import STEP_POINTS
from addon.jira.sites import Sites
from addon.labelling.handlers import Labelling
from addon.probing import Probing
from addon.queue.worker import Again, Handler
from addon.storage import departures, duties, organizations, places, probe_state, standing, sync_state
from addon.storage.database import Database
from addon.storage.run_store import RunStore
from addon.storage.sync_state import Enqueue
from addon.sync import cursor as cursors
from addon.sync import engine
from addon.sync.ports import RunEnded
from addon.sync.scope import Scope
from addon.sync.work import Kind, Work

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
    enqueue: Enqueue
    clock: Callable[[], datetime]
    points_per_hour: int
    spread: Callable[[], float] = random.random

    def handlers(self) -> dict[Kind, Handler]:
        """What a worker calls for each kind of job."""
        hints = Hints(
            database=self.database, sites=self.sites, enqueue=self.enqueue, clock=self.clock, spread=self.spread
        )
        errands = Errands(database=self.database, sites=self.sites, clock=self.clock, spread=self.spread)
        probing = Probing(
            database=self.database, sites=self.sites, enqueue=self.enqueue, clock=self.clock, quota=self.points_per_hour
        )
        importing = Importing(database=self.database, enqueue=self.enqueue, clock=self.clock)
        assigning = Assigning(
            database=self.database, sites=self.sites, enqueue=self.enqueue, clock=self.clock, spread=self.spread
        )
        labelling = Labelling(
            database=self.database,
            sites=self.sites,
            enqueue=self.enqueue,
            clock=self.clock,
            spread=self.spread,
            quota=self.points_per_hour,
        )
        handlers: dict[Kind, Handler] = {
            "run": self.run,
            "clear-links": self.clear_links,
            "refresh": hints.refresh,
            "failed-webhooks": hints.fetch_failed,
            "probe": probing.probe,
            "departures": errands.unlink_departed,
            "preview": errands.preview,
            "undo": errands.undo,
            "names": errands.read_names,
            "import": importing.carry_on,
            "organizations": assigning.read_organizations,
            "companies": assigning.assign,
            "rules": assigning.apply_rules,
            "issues": labelling.write,
            "issue-scan": labelling.scan,
        }
        return {kind: self._settled(handler) for kind, handler in handlers.items()}

    def _settled(self, handler: Handler) -> Handler:
        """The same handler, which keeps no API points that it does not need."""

        async def carry_out(work: Work) -> Again | None:
            try:
                return await handler(work)
            finally:
                await self.sites.settle(work.tenant_id)

        return carry_out

    async def run(self, work: Work) -> Again | None:
        """Carry a run on for one slice (S3, S10, S13)."""
        async with self.database.tenant(work.tenant_id) as scope:
            begun = await standing.read(scope, work.number)
            people = await sync_state.read_scope(scope)
        if begun is None:
            return None
        try:
            is_finished = await self._work(work, begun, people)
        except RunEnded:
            return None
        except engine.MayNotBrowse:
            await self._give_up(work, "may-not-browse", MAY_NOT_BROWSE)
            return None
        except jira.JiraError as error:
            return await self._after(work, error, begun.failures)
        except Exception:
            if begun.failures >= MAX_OUR_FAILURES:
                await self._give_up(work, "our-fault", OUR_FAULT)
            else:
                await self._note(work, OUR_FAULT)
            raise
        if not is_finished:
            return Again()
        await self._follow_up(work)
        return None

    async def _follow_up(self, work: Work) -> None:
        """Everybody is read: the organizations that they are in can be told apart by name, and companies found (C2)."""
        async with self.database.tenant(work.tenant_id) as scope:
            await organizations.begin(scope, enqueue=self.enqueue, now=self.clock())
            await duties.call(scope, "companies", enqueue=self.enqueue)
            await duties.call(scope, "issues", enqueue=self.enqueue)

    async def _work(self, work: Work, begun: standing.Standing, people: Scope) -> bool:
        directory = await self.sites.directory(work.tenant_id, piece=STEP_POINTS)
        run = engine.Run(run_id=work.number, cursor=begun.cursor or cursors.first(directory.phases), scope=people)
        store = RunStore(database=self.database, tenant_id=work.tenant_id, run_id=work.number, clock=self.clock)
        try:
            return await engine.work(run, directory, store, self.clock)
        finally:
            async with self.database.tenant(work.tenant_id) as scope:
                await standing.charge(scope, work.number, points=begun.points + directory.points)

    async def _after(self, work: Work, error: jira.JiraError, failures: int) -> Again | None:
        if isinstance(error, jira.Waiting):
            return await self._wait(work, error)
        decision = retry.decide(error, failures=failures, spread=self.spread())
        log.warning("jira-failed", error=type(error).__name__, call=str(error), failures=failures)
        if isinstance(decision, retry.Dead):
            await self._give_up(work, type(error).__name__, decision.reason)
            return None
        await self._note(work, f"Jira did not answer as it should ({type(error).__name__}); trying again.")
        return Again(delay=decision.delay)

    async def _wait(self, work: Work, limit: jira.Waiting) -> Again:
        log.info("run-waits", what=limit.what, until=limit.until.isoformat())
        async with self.database.tenant(work.tenant_id) as scope:
            await standing.note_waiting(scope, work.number, what=limit.what, until=limit.until)
        return Again(delay=retry.waiting_delay(limit, spread=self.spread()))

    async def _note(self, work: Work, error: str) -> None:
        async with self.database.tenant(work.tenant_id) as scope:
            await standing.note_failure(scope, work.number, error=error)

    async def _give_up(self, work: Work, reason: str, error: str) -> None:
        log.error("run-failed", reason=reason)
        async with self.database.tenant(work.tenant_id) as scope:
            await standing.fail(scope, work.number, error=error, now=self.clock())

    async def clear_links(self, work: Work) -> Again | None:
        """Write down what turning the sync off means for each contact (S12); a later turn on ends it."""
        async with self.database.tenant(work.tenant_id) as scope:
            switch = await sync_state.lock_switch(scope)
            if switch.enabled:
                return None
            has_more = await departures.clear_links(scope, now=self.clock())
            await places.forget(scope)
            await probe_state.forget(scope)
        return Again() if has_more else None
