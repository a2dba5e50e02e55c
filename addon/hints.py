"""What becomes of a hint? The jobs that read hinted accounts again and that ask Jira for the hints it could not deliver.

A site's trouble keeps its hints open; one account that can't be read is set aside, so that it never stops the others.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from addon.issues import facts
from addon.jira import errors as jira
from addon.jira import failed, retry
from addon.jira.sites import Sites
from addon.queue.worker import OUR_TROUBLE_DELAY, Again
from addon.storage import deliveries, duties, issue_company
from addon.storage.database import Database
from addon.storage.deliveries import Batch
from addon.storage.refresh_store import RefreshStore
from addon.storage.sync_state import Enqueue
from addon.sync import hints, refresh
from addon.sync.engine import LOOKUP_SIZE, MayNotBrowse
from addon.sync.ports import Directory
from addon.sync.refresh import SyncOff
from addon.sync.work import Work
from lifecycle.tenant import AccountId

MAX_FAILURES = 5
# In a row. If Jira answers, and these accounts still can't be read, the fault is with some of them.

UNREADABLE_FOR = timedelta(minutes=10)
# Fallback values come from an outage; a record that shows nothing else for so long is left to the whole scans.

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """The handlers of `refresh` and `failed-webhooks`. `spread` is random from 0 to 1."""

    database: Database
    sites: Sites
    enqueue: Enqueue
    clock: Callable[[], datetime]
    spread: Callable[[], float]

    async def refresh(self, work: Work) -> Again | None:
        """Read the accounts of open hints again, a batch at a time (S7, S10, S13, S14)."""
        async with self.database.tenant(work.tenant_id) as scope:
            batch = await deliveries.take(scope, work.number, limit=LOOKUP_SIZE)
        if batch is None:
            return None
        try:
            unreadable = await self._read(work, batch)
        except SyncOff:
            await self._drop(work, "off")
        except MayNotBrowse:
            await self._drop(work, "may-not-browse")
        except jira.JiraError as error:
            return await self._after(work, error, batch.failures)
        except Exception as error:  # noqa: BLE001 - whatever it is, the hints stay
            log.error("job-failed", error=type(error).__name__)  # noqa: TRY400 - a text could name people
            await self._note_failure(work)
            return Again(delay=OUR_TROUBLE_DELAY)
        else:
            if len(unreadable) == len(batch.account_ids):
                return Again(delay=retry.LONGEST_DELAY)
        return Again()

    async def _read(self, work: Work, batch: Batch) -> Sequence[AccountId]:
        """Read a batch; gives the accounts of which Jira showed fallback values only. Their hints stay for a while."""
        # Awaited: whoever changed an account, or opened the list, looks for the change now.
        directory = await self.sites.directory(work.tenant_id, is_awaited=True)
        store = RefreshStore(database=self.database, tenant_id=work.tenant_id, clock=self.clock)
        if batch.failures < MAX_FAILURES:
            unreadable = await refresh.refresh(batch.account_ids, directory, store, self.clock)
        else:
            unreadable = await self._read_apart(batch, directory, store)
        now = self.clock()
        async with self.database.tenant(work.tenant_id) as scope:
            await deliveries.close(scope, batch, keep=unreadable, since=now - UNREADABLE_FOR, now=now)
            await duties.call(scope, "companies", enqueue=self.enqueue)
            await duties.call(scope, "issues", enqueue=self.enqueue)
        return unreadable

    async def _read_apart(self, batch: Batch, directory: Directory, store: RefreshStore) -> Sequence[AccountId]:
        """Read what can be read, halving; who can't is set aside. While nobody can, the fault is the site's: raises it."""
        halves = [batch.account_ids]
        unread: dict[AccountId, Exception] = {}
        unreadable: list[AccountId] = []
        while halves:
            part = halves.pop()
            try:
                unreadable += await refresh.refresh(part, directory, store, self.clock)
            except (SyncOff, MayNotBrowse, jira.Throttled, jira.Unreachable):
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, one account must not stop the others
                middle = len(part) // 2
                if middle:
                    halves += [part[middle:], part[:middle]]
                else:
                    unread[part[0]] = error
        if len(unread) == len(batch.account_ids) and batch.failures < retry.MAX_FAILURES:
            raise next(iter(unread.values()))
        for account_id, reason in unread.items():
            log.error("account-set-aside", account_id=account_id, error=type(reason).__name__)
        return unreadable

    async def _after(self, work: Work, error: jira.JiraError, failures: int) -> Again | None:
        # A site that is down stays worth waiting for: hints are given up only where Jira refuses us.
        decision = retry.decide(error, failures=min(failures, MAX_FAILURES - 1), spread=self.spread())
        log.warning("jira-failed", error=type(error).__name__, call=str(error), failures=failures)
        if isinstance(decision, retry.Dead) and isinstance(error, jira.Unauthorized | jira.Forbidden):
            await self._drop(work, type(error).__name__)
            return Again()
        if not isinstance(error, jira.Waiting):  # to wait for a limit is no failure
            await self._note_failure(work)
        return Again(delay=decision.delay) if isinstance(decision, retry.Again) else Again(delay=retry.LONGEST_DELAY)

    async def _note_failure(self, work: Work) -> None:
        async with self.database.tenant(work.tenant_id) as scope:
            await deliveries.note_failure(scope)

    async def _drop(self, work: Work, reason: str) -> None:
        """Nothing that is hinted at can be read; the whole run that ends this state brings all of it."""
        log.info("hints-dropped", reason=reason)
        async with self.database.tenant(work.tenant_id) as scope:
            await deliveries.close_all(scope, now=self.clock())

    async def fetch_failed(self, work: Work) -> Again | None:
        """Take what Jira could not deliver for hints like any other."""
        async with self.database.tenant(work.tenant_id) as scope:
            after = await deliveries.drained_to(scope)
        try:
            page = await failed.read(await self.sites.client(work.tenant_id, is_awaited=False), after)
        except jira.JiraError as error:
            # The next hour asks again, and nothing of it is lost for 72.
            log.warning("jira-failed", error=type(error).__name__, call=str(error))
            return None
        async with self.database.tenant(work.tenant_id) as scope:
            for delivery in page.deliveries:
                hint = hints.read(delivery.body)
                await deliveries.receive(scope, delivery.delivery_id, hint, enqueue=self.enqueue, now=self.clock())
            told = [facts.read(delivery.body) for delivery in page.deliveries]
            await issue_company.hear(scope, [each for each in told if each is not None], enqueue=self.enqueue)
            await deliveries.note_drained(scope, failed_after=page.after, now=self.clock())
        return Again() if page.has_more else None
