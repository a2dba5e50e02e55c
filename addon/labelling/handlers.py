"""What do the jobs `issues` and `issue-scan` do? The one writes what somebody may wait for; the other whatever takes time.

`issues` has a turn of `addon.storage.duties` and never waits for anything that other issues need not wait for. `issue-scan`
looks after calls that are on their way, asks for what no event told, and works through the issues that were there already.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from addon.issues import allowance, walk
from addon.jira import errors as jira
from addon.jira import retry
from addon.jira.sites import Sites
from addon.labelling.courier import Courier, NoShare, Off
from addon.labelling.reading import Reader
from addon.queue.worker import Again
from addon.storage import duties, issue_calls, issue_marks, issue_state
from addon.storage.database import Database
from addon.storage.sync_state import Enqueue
from addon.sync import slots
from addon.sync.work import Work
from lifecycle.tenant import TenantId

STEPS_AT_ONCE = 20
# Calls and pages of a turn of the queue: some seconds.

EXPANSIONS_AT_ONCE = 10

LONGEST_NAP = timedelta(seconds=30)
# For what takes longer the job ends, and the clock brings it back: one that waits in the queue keeps out the next.

UNTOUCHED_DELAY = timedelta(seconds=1)
# Marks that somebody holds are free in a moment.

REFUSED_FOR = timedelta(minutes=10)
# Until a site that refuses our calls is asked again.

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelling:
    """The handlers. `quota`: the app's API points per hour; `spread` is random from 0 to 1."""

    database: Database
    sites: Sites
    enqueue: Enqueue
    clock: Callable[[], datetime]
    spread: Callable[[], float]
    quota: int

    async def write(self, work: Work) -> Again | None:
        """Write what new and changed issues, contacts and companies have made due."""
        async with self.database.tenant(work.tenant_id) as scope:
            failures = await duties.failures(scope, "issues", work.number)
            if failures is None or not await issue_state.is_ready(scope):
                return None
            await issue_state.read(scope)
        try:
            has_moved = await self._write(work.tenant_id)
        except Off:
            return None
        except jira.JiraError as error:
            return await self._after_write(work, error, failures)
        return await self._after_step(work, has_moved=has_moved)

    async def _after_step(self, work: Work, *, has_moved: bool) -> Again | None:
        async with self.database.tenant(work.tenant_id) as scope:
            if has_moved:
                await duties.note(scope, "issues", has_failed=False)
                return Again()
            if await duties.failures(scope, "issues", work.number) is None:
                return None
            if await duties.is_due(scope, "issues"):
                return Again(delay=UNTOUCHED_DELAY)
            await duties.rest(scope, "issues")
            if await issue_calls.next_look(scope, with_backlog=False) is not None:
                await self.enqueue(scope, Work(kind="issue-scan", tenant_id=work.tenant_id, number=0))
        return None

    async def _write(self, tenant_id: TenantId) -> bool:
        has_moved = await self._expand(tenant_id)
        async with self.database.tenant(tenant_id) as scope:
            has_moved |= await issue_marks.plan(scope, is_backlog=False, now=self.clock())
        courier: Courier | None = None
        for _ in range(STEPS_AT_ONCE):
            async with self.database.tenant(tenant_id) as scope:
                found = await issue_calls.next_due(scope, now=self.clock(), with_tasks=False, with_backlog=False)
            if found is None:
                break
            courier = courier or await self._courier(tenant_id, is_awaited=True)
            await courier.carry(found)
            has_moved = True
        return has_moved

    async def _expand(self, tenant_id: TenantId) -> bool:
        """Many reporters before anything is planned for them: the more issues are known, the fewer calls write them."""
        for number in range(EXPANSIONS_AT_ONCE):
            async with self.database.tenant(tenant_id) as scope:
                if not await issue_marks.expand(scope):
                    return number > 0
        return True

    async def _after_write(self, work: Work, error: jira.JiraError, failures: int) -> Again | None:
        decision = retry.decide(error, failures=failures, spread=self.spread())
        log.warning("jira-failed", error=type(error).__name__, call=str(error), failures=failures)
        if not isinstance(error, jira.Waiting):  # to wait for a limit is no failure
            async with self.database.tenant(work.tenant_id) as scope:
                await issue_state.note_failure(scope)
                await duties.note(scope, "issues", has_failed=True)
        # What is given up here is due still, and is tried again by the clock.
        return Again(delay=decision.delay) if isinstance(decision, retry.Again) else None

    async def scan(self, work: Work) -> Again | None:
        """Some steps of what takes time; the clock brings the job back where there is more to do later."""
        tenant_id = work.tenant_id
        async with self.database.tenant(tenant_id) as scope:
            if not await issue_state.is_ready(scope):
                return None
            standing = await issue_state.read(scope)
            await issue_calls.hurry(scope)
            with_backlog = standing.may_take_backlog(self.clock())
        try:
            courier = await self._courier(tenant_id, is_awaited=False)
            for _ in range(STEPS_AT_ONCE):
                try:
                    if not await self._step(courier, with_backlog=with_backlog):
                        return await self._nap(tenant_id, with_backlog=with_backlog)
                except NoShare:
                    with_backlog = False
                    await self._note_waiting(tenant_id, issue_state.SHARE_SPENT, allowance.until(self.clock()))
        except Off:
            return None
        except jira.JiraError as error:
            return await self._after_scan(work, error, standing.failures)
        return Again()

    async def _step(self, courier: Courier, *, with_backlog: bool) -> bool:
        """Whether there was something to do. Raises Off, NoShare, JiraError."""
        tenant_id, now = courier.tenant_id, self.clock()
        async with self.database.tenant(tenant_id) as scope:
            found = await issue_calls.next_due(scope, now=now, with_backlog=with_backlog)
            standing = await issue_state.read(scope)
        if found is not None:
            await courier.carry(found)
            return True
        reader = Reader(
            database=self.database, tenant_id=tenant_id, courier=courier, enqueue=self.enqueue, clock=self.clock
        )
        if standing.wants_catch_up(slots.latest(tenant_id, walk.CATCH_UP, now)):
            await reader.catch_up(standing)
            return True
        return with_backlog and await reader.go_on(standing)

    async def _nap(self, tenant_id: TenantId, *, with_backlog: bool) -> Again | None:
        async with self.database.tenant(tenant_id) as scope:
            look_at = await issue_calls.next_look(scope, with_backlog=with_backlog)
        if look_at is None:
            return None
        delay = max(look_at - self.clock(), timedelta())
        return Again(delay=delay) if delay <= LONGEST_NAP else None

    async def _after_scan(self, work: Work, error: jira.JiraError, failures: int) -> Again | None:
        if isinstance(error, jira.Waiting):
            log.info("issue-scan-waits", what=error.what, until=error.until.isoformat())
            await self._note_waiting(work.tenant_id, error.what, error.until)
            delay = retry.waiting_delay(error, spread=self.spread())
            return Again(delay=delay) if delay <= LONGEST_NAP else None
        log.warning("jira-failed", error=type(error).__name__, call=str(error), failures=failures)
        async with self.database.tenant(work.tenant_id) as scope:
            await issue_state.note_failure(scope)
        decision = retry.decide(error, failures=failures, spread=self.spread())
        if isinstance(decision, retry.Again):
            return Again(delay=decision.delay) if decision.delay <= LONGEST_NAP else None
        await self._note_waiting(work.tenant_id, "Jira to accept calls of the app", self.clock() + REFUSED_FOR)
        return None

    async def _note_waiting(self, tenant_id: TenantId, what: str, until: datetime | None) -> None:
        async with self.database.tenant(tenant_id) as scope:
            await issue_state.note_waiting(scope, what, until)

    async def _courier(self, tenant_id: TenantId, *, is_awaited: bool) -> Courier:
        return Courier(
            database=self.database,
            tenant_id=tenant_id,
            client=await self.sites.client(tenant_id, is_awaited=is_awaited),
            enqueue=self.enqueue,
            clock=self.clock,
            quota=self.quota,
        )
