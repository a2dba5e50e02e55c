"""What do the jobs do that find the companies of contacts (C2, C3)? One method per kind, each for one turn."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from addon.jira import errors as jira
from addon.jira import retry
from addon.jira.names import JiraNames
from addon.jira.sites import Sites
from addon.queue.worker import Again
from addon.storage import assigning, duties, organizations, rule_steps
from addon.storage.database import Database
from addon.storage.sync_state import Enqueue
from addon.sync.work import Work

PARTS_AT_ONCE = 10
# A second or two: other tenants' jobs come in between.

MAX_OUR_FAILURES = 5
# In a row: what fails that often is no accident.

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigning:
    """The handlers, and what they need. `spread` is random from 0 to 1."""

    database: Database
    sites: Sites
    enqueue: Enqueue
    clock: Callable[[], datetime]
    spread: Callable[[], float]

    async def assign(self, work: Work) -> Again | None:
        """Let the rules look at contacts that are marked (C2)."""
        for _ in range(PARTS_AT_ONCE):
            async with self.database.tenant(work.tenant_id) as scope:
                if not await assigning.carry_on(scope, work.number, enqueue=self.enqueue, now=self.clock()):
                    return None
        return Again()

    async def apply_rules(self, work: Work) -> Again | None:
        """Preview the rules over the contacts that are there, apply or undo them (C3)."""
        try:
            for _ in range(PARTS_AT_ONCE):
                async with self.database.tenant(work.tenant_id) as scope:
                    if not await rule_steps.carry_on(scope, work.number, enqueue=self.enqueue, now=self.clock()):
                        return None
        except Exception:
            async with self.database.tenant(work.tenant_id) as scope:
                if await rule_steps.note_failure(scope, work.number, most=MAX_OUR_FAILURES, now=self.clock()):
                    log.error("rules-failed", reason="our-fault")  # noqa: TRY400 - the worker logs what it was, without texts
            raise
        return Again()

    async def read_organizations(self, work: Work) -> Again | None:
        """Read one more page of what Jira calls its organizations, and let companies follow it."""
        async with self.database.tenant(work.tenant_id) as scope:
            standing = await organizations.standing(scope)
        if standing is None:
            return None
        try:
            # Nobody waits for it: it takes of what is left for background work.
            names = JiraNames(functools.partial(self.sites.client, is_awaited=False))
            page = await names.page(work.tenant_id, "organizations", standing.start)
        except jira.JiraError as error:
            return await self._after(work, error, standing.failures)
        async with self.database.tenant(work.tenant_id) as scope:
            has_more = await organizations.write(
                scope, standing, page.names, page.next_start, is_refused=page.is_refused, now=self.clock()
            )
            await duties.call(scope, "companies", enqueue=self.enqueue)
            await duties.call(scope, "issues", enqueue=self.enqueue)
        return Again() if has_more else None

    async def _after(self, work: Work, error: jira.JiraError, failures: int) -> Again | None:
        log.warning("jira-failed", error=type(error).__name__, call=str(error), failures=failures)
        if isinstance(error, jira.Waiting):
            return Again(delay=retry.waiting_delay(error, spread=self.spread()))
        decision = retry.decide(error, failures=failures, spread=self.spread())
        again = Again(delay=decision.delay) if isinstance(decision, retry.Again) else None
        async with self.database.tenant(work.tenant_id) as scope:
            await organizations.note_failure(scope, is_over=again is None, now=self.clock())
            await duties.call(scope, "companies", enqueue=self.enqueue)
        return again
