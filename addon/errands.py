"""What do the jobs do that an administrator asked for? One method per kind; each carries its errand on for one turn."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from addon.jira import errors as jira
from addon.jira import retry
from addon.jira.directory import STEP_POINTS
from addon.jira.names import JiraNames
from addon.jira.sites import Sites
from addon.queue.worker import Again
from addon.storage import choice, names, undo
from addon.storage.choice import Confirmed
from addon.storage.database import Database
from addon.storage.preview_store import EVERYBODY, PreviewStore
from addon.sync import cursor as cursors
from addon.sync import engine
from addon.sync.ports import RunEnded
from addon.sync.work import Work

MAX_OUR_FAILURES = 5
# In a row: what fails that often is no accident.

PATIENT = 4
# Failures in a row that the retry rules are told of: the longest delay, and an end only if Jira refuses us. Somebody asked
# for this work, and it costs nothing while a site is down.

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Errands:
    """The handlers, and what they need. `spread` is random from 0 to 1."""

    database: Database
    sites: Sites
    clock: Callable[[], datetime]
    spread: Callable[[], float]

    async def unlink_departed(self, work: Work) -> Again | None:
        """D9: an administrator confirmed that many accounts are gone. Each is looked up once more, then unlinked."""
        async with self.database.tenant(work.tenant_id) as scope:
            wanted = await choice.confirmed(scope)
            unmet = [] if wanted is None else await choice.unmet(scope, wanted.run_id, limit=engine.LOOKUP_SIZE)
        if wanted is None:
            return None
        if not unmet:
            return await self._end_departures(work, wanted)
        read_at = self.clock()
        try:
            directory = await self.sites.directory(work.tenant_id, is_awaited=True)
            # An app that lost its permission gets empty answers, which must not look like deletions (D8).
            may_browse = await directory.may_browse()
            found = await directory.lookup(unmet)
        except jira.JiraError as error:
            again = self._after(error, PATIENT)
            if again is None:
                await self._reopen(work, wanted)
            return again
        if not may_browse:
            await self._reopen(work, wanted)
            return None
        met = {*(sighting.account_id for sighting in found.sightings), *found.unreadable}
        async with self.database.tenant(work.tenant_id) as scope:
            if not await choice.is_still_wanted(scope, wanted):
                return Again()
            await choice.unlink(
                scope,
                wanted.run_id,
                met=[account_id for account_id in unmet if account_id in met],
                gone=[account_id for account_id in unmet if account_id not in met],
                read_at=read_at,
                now=self.clock(),
            )
        return Again()

    async def _end_departures(self, work: Work, wanted: Confirmed) -> Again | None:
        async with self.database.tenant(work.tenant_id) as scope:
            if not await choice.is_still_wanted(scope, wanted):
                return Again()
            await choice.complete(scope, wanted, now=self.clock())
        return None

    async def _reopen(self, work: Work, wanted: Confirmed) -> None:
        """Jira refuses us: what cannot be verified is not done, and asked again."""
        log.error("departures-refused")
        async with self.database.tenant(work.tenant_id) as scope:
            await choice.reopen(scope, wanted)

    async def preview(self, work: Work) -> Again | None:
        """D12: read the site as a run would, for one slice, and note what turning on would do."""
        store = PreviewStore(database=self.database, tenant_id=work.tenant_id, number=work.number, clock=self.clock)
        standing = await store.standing()
        if standing is None:
            return None
        try:
            directory = await self.sites.directory(work.tenant_id, piece=STEP_POINTS)
            run = engine.Run(
                run_id=work.number,
                cursor=standing.cursor or cursors.first(directory.phases),
                # Whom the kinds exclude is read all the same: the preview says how many they are.
                scope=replace(EVERYBODY, filters=replace(standing.scope.filters, kinds=())),
            )
            return None if await engine.work(run, directory, store, self.clock) else Again()
        except RunEnded:
            return None
        except engine.MayNotBrowse:
            await self._give_up(store, "may-not-browse")
            return None
        except jira.JiraError as error:
            again = self._after(error, standing.failures)
            if again is None:
                await self._give_up(store, type(error).__name__)
            elif not isinstance(error, jira.Waiting):
                await store.note_failure()
            return again
        except Exception:
            if standing.failures >= MAX_OUR_FAILURES:
                await self._give_up(store, "our-fault")
            else:
                await store.note_failure()
            raise

    async def _give_up(self, store: PreviewStore, reason: str) -> None:
        log.error("preview-failed", reason=reason)
        await store.fail()

    async def undo(self, work: Work) -> Again | None:
        """D17: take some more of a run back."""
        async with self.database.tenant(work.tenant_id) as scope:
            has_more = await undo.carry_on(scope, work.number, now=self.clock())
        return Again() if has_more else None

    async def read_names(self, work: Work) -> Again | None:
        """Read one more page of what Jira calls its service projects and organizations, for people who choose among them."""
        async with self.database.tenant(work.tenant_id) as scope:
            standing = await names.standing(scope, work.number)
        if standing is None:
            return None
        try:
            page = await JiraNames(self.sites.client).page(work.tenant_id, standing.kind, standing.start)
        except jira.JiraError as error:
            again = self._after(error, standing.failures)
            if not isinstance(error, jira.Waiting):
                async with self.database.tenant(work.tenant_id) as scope:
                    await names.note_failure(scope, work.number, is_over=again is None)
            return again
        async with self.database.tenant(work.tenant_id) as scope:
            has_more = await names.write(scope, work.number, standing, page.names, page.next_start)
        return Again() if has_more else None

    def _after(self, error: jira.JiraError, failures: int) -> Again | None:
        """When to try again; None: never."""
        log.warning("jira-failed", error=type(error).__name__, call=str(error), failures=failures)
        if isinstance(error, jira.Waiting):
            return Again(delay=retry.waiting_delay(error, spread=self.spread()))
        decision = retry.decide(error, failures=failures, spread=self.spread())
        return Again(delay=decision.delay) if isinstance(decision, retry.Again) else None
