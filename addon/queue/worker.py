"""How does a worker take jobs, keep them while it lives, and hand them back when it must go?

Any number of workers share the queue. A job of a worker that died is taken over when its heartbeat is older than
HEARTBEAT_TIMEOUT. PgQueuer does the work; this module only wires it.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import get_args

import asyncpg
import structlog
from pgqueuer.adapters.drivers.asyncpg import AsyncpgPoolDriver
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.qm import QueueManager
from pgqueuer.core.sm import SchedulerManager
from pgqueuer.domain import models
from pgqueuer.domain.errors import FailingListenerError, RetryRequested
from pgqueuer.domain.models import Job
from pgqueuer.domain.types import QueueExecutionMode, QueueManagerId

from addon.queue import jobs
from addon.queue.claims import Claims
from addon.sync.work import Kind, Work

HEARTBEAT_TIMEOUT = timedelta(seconds=20)
POLL_INTERVAL = timedelta(seconds=5)
# A dead worker's job is found at most HEARTBEAT_TIMEOUT + POLL_INTERVAL after its last sign of life: below 30 s.

JOBS_AT_ONCE = 10
JOBS_PER_FETCH = 5  # PgQueuer wants at least twice as many at once as it fetches

LOST_DATABASE = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, FailingListenerError)
RESTART_DELAY = timedelta(seconds=1)

PATIENCE = timedelta(seconds=7)
# How long a job may go on once the worker is told to stop, which must be done within 10 s; ending itself takes 1 to 2.

CANCEL_AGAIN_S = 0.5

CONNECTIONS = 4  # one listens, the others fetch, beat and log

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """The job is not finished: give it another turn after `delay`, behind those that wait."""

    delay: timedelta = timedelta(0)


Handler = Callable[[Work], Awaitable[Again | None]]
"""Carries out one job. None: it is finished. What it raises is our own trouble: the job is tried again."""

OUR_TROUBLE_DELAY = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What one of the workers does by the clock: `run`, at the times that `cron` names in UTC."""

    cron: str
    run: Callable[[], Awaitable[None]]


class Worker:
    """Runs handlers for jobs, and schedules by the clock, until `stop`."""

    def __init__(
        self,
        url: str,
        handlers: Mapping[Kind, Handler],
        session_settings: Mapping[str, str],
        schedules: Mapping[str, Schedule] | None = None,
    ) -> None:
        if set(handlers) != set(get_args(Kind)):
            raise ValueError("every kind of job needs a handler")
        self._url = url
        self._handlers = handlers
        self._session_settings = dict(session_settings)
        self._schedules = dict(schedules or {})
        self._limits: set[asyncio.Timeout] = set()
        self._stop_at: float | None = None  # by the clock of the event loop
        self._stopping = asyncio.Event()
        self._manager: QueueManager | None = None

    def stop(self, *, patience: timedelta = PATIENCE) -> None:
        """Take no more jobs; those that run end their slice, and what takes longer than `patience` is handed back.

        Told again, jobs get less time or the same, never more.
        """
        self._stopping.set()
        stop_at = asyncio.get_running_loop().time() + patience.total_seconds()
        if self._stop_at is not None and self._stop_at <= stop_at:
            return
        self._stop_at = stop_at
        if self._manager is not None:
            self._manager.shutdown.set()
        for limit in self._limits:
            limit.reschedule(self._stop_at)

    async def run(self, *, until_empty: bool = False, heartbeat_timeout: timedelta = HEARTBEAT_TIMEOUT) -> None:
        """Work until `stop`; with `until_empty`, until no job is left. A lost database is waited for."""
        while not self._stopping.is_set():
            try:
                await self._run(until_empty=until_empty, heartbeat_timeout=heartbeat_timeout)
            except LOST_DATABASE as exc:
                log.warning("worker-starts-anew", error=type(exc).__name__)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), RESTART_DELAY.total_seconds())
            else:
                return

    async def _run(self, *, until_empty: bool, heartbeat_timeout: timedelta) -> None:
        async with asyncpg.create_pool(
            self._url, min_size=2, max_size=CONNECTIONS, server_settings=self._session_settings
        ) as pool:
            driver = AsyncpgPoolDriver(pool)
            owner = QueueManagerId(uuid.uuid4())
            self._manager = manager = QueueManager(Claims(driver, owner=owner))
            manager.queue_manager_id = owner
            if self._stopping.is_set():  # while it was connecting, when there was no manager to tell
                return
            # PgQueuer 1.6 probes its listener before it listens: a probe that is quicker than that counts as a failure.
            await driver.add_listener(manager.channel, _ignore)
            for kind, handler in self._handlers.items():
                manager.entrypoint(kind)(self._entrypoint(kind, handler))
            async with self._by_the_clock(driver):
                await manager.run(
                    dequeue_timeout=POLL_INTERVAL,
                    batch_size=JOBS_PER_FETCH,
                    max_concurrent_tasks=JOBS_AT_ONCE,
                    mode=QueueExecutionMode.drain if until_empty else QueueExecutionMode.continuous,
                    shutdown_on_listener_failure=True,
                    heartbeat_timeout=heartbeat_timeout,
                )

    @asynccontextmanager
    async def _by_the_clock(self, driver: AsyncpgPoolDriver) -> AsyncIterator[None]:
        """Keep the schedules while jobs are worked on. What they are at when a worker stops, the next turn does again."""
        if not self._schedules:
            yield
            return
        scheduler = SchedulerManager(Queries(driver))
        for name, schedule in self._schedules.items():
            scheduler.schedule(name, schedule.cron)(_scheduled(name, schedule))
        running = asyncio.create_task(self._keep_schedules(scheduler))
        try:
            yield
        finally:
            while not running.done():
                running.cancel()
                # Python 3.11 may lose a cancellation that meets the end of a `wait_for`.
                await asyncio.wait({running}, timeout=CANCEL_AGAIN_S)

    async def _keep_schedules(self, scheduler: SchedulerManager) -> None:
        """Jobs go on while the schedules stand still."""
        while True:
            try:
                await scheduler.run()
            except Exception as exc:  # noqa: BLE001 - whatever it is, jobs that are due must not stay undone for good
                log.warning("schedules-start-anew", error=type(exc).__name__)
                await asyncio.sleep(RESTART_DELAY.total_seconds())

    def _entrypoint(self, kind: Kind, handler: Handler) -> Callable[[Job], Awaitable[None]]:
        async def run(job: Job) -> None:
            work = jobs.decode(kind, job.payload)
            limit = asyncio.timeout_at(self._stop_at)
            with structlog.contextvars.bound_contextvars(
                tenant_id=str(work.tenant_id), job=kind, number=work.number, job_id=job.id
            ):
                try:
                    async with limit:
                        self._limits.add(limit)
                        outcome = await handler(work)
                except Exception as exc:  # noqa: BLE001 - whatever it is, the job must stay in the queue
                    if limit.expired():
                        log.info("job-handed-back")
                        raise RetryRequested(delay=timedelta(0)) from None
                    # The type alone: the text of a database error repeats rows, and so people's names.
                    log.error("job-failed", error=type(exc).__name__)  # noqa: TRY400 - as said, no traceback text
                    raise RetryRequested(delay=OUR_TROUBLE_DELAY) from None
                finally:
                    self._limits.discard(limit)
            if outcome is not None:
                raise RetryRequested(delay=outcome.delay)

        return run


def _ignore(_payload: str | bytes | bytearray) -> None:
    """A listener that only keeps the channel open."""


def _scheduled(name: str, schedule: Schedule) -> Callable[[models.Schedule], Awaitable[None]]:
    async def run(_: models.Schedule) -> None:
        try:
            await schedule.run()
        except Exception as exc:  # noqa: BLE001 - it is tried again at its next turn
            log.error("schedule-failed", schedule=name, error=type(exc).__name__)  # noqa: TRY400 - as for jobs

    return run
