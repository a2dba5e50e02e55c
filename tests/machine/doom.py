"""When does disaster strike? At a given moment of the add-on's work, counted, so that a sequence happens again as it did.

A moment is just before or after a transaction is committed, and just before or after a call to Jira.
"""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import httpx
import structlog

from addon import app
from addon.jobs import Jobs
from addon.queue.worker import Again, Handler, Worker
from addon.settings import Settings
from addon.storage.database import SESSION_SETTINGS, Database, TenantScope
from addon.sync.work import Work
from lifecycle.tenant import TenantId
from lifecycle.vault import Vault
from tests.support.world import ADDON_KEY, ADDON_URL, API_POINTS_PER_HOUR, VAULT_KEY

MOST_TURNS = 400
PATIENCE_S = 60
HALF = 0.5

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.machine.doom"])


def settings(keys_url: str) -> Settings:
    return Settings(
        base_url=ADDON_URL,
        addon_key=ADDON_KEY,
        tenant_hosts=("localhost",),
        install_keys_url=keys_url,
        database_url=None,
        api_points_per_hour=API_POINTS_PER_HOUR,
    )


class Clock(Protocol):
    def __call__(self) -> datetime: ...

    def advance(self, by: timedelta) -> None: ...


@dataclass(slots=True)
class Doom:
    """`strike` is called at the moment number `at`, and once."""

    at: int | None
    strike: Callable[[], None]

    def pass_moment(self) -> None:
        if self.at is not None:
            self.at -= 1
            if self.at == 0:
                self.strike()


class DoomedDatabase(Database):
    def __init__(self, url: str, doom: Doom) -> None:
        super().__init__(url, max_size=6)
        self._doom = doom

    @asynccontextmanager
    async def tenant(self, tenant_id: TenantId) -> AsyncIterator[TenantScope]:
        async with super().tenant(tenant_id) as scope:
            yield scope
            self._doom.pass_moment()
        self._doom.pass_moment()


class DoomedTransport(httpx.AsyncBaseTransport):
    def __init__(self, inner: httpx.AsyncBaseTransport, doom: Doom) -> None:
        self._inner = inner
        self._doom = doom

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._doom.pass_moment()
        response = await self._inner.handle_async_request(request)
        await response.aread()
        self._doom.pass_moment()
        return response


def hurried_worker(parts: app.Parts, clock: Clock, *, turns: int = MOST_TURNS) -> Worker:
    """A worker to whom waiting is a matter of the clock, and who stops after so many turns."""
    jobs = Jobs(
        database=parts.database,
        sites=parts.sites,
        enqueue=app.enqueue,
        clock=clock,
        points_per_hour=parts.config.api_points_per_hour,
        spread=lambda: HALF,
    )
    left = iter(range(turns - 1))

    def hurried(handler: Handler) -> Handler:
        async def run(work: Work) -> Again | None:
            if next(left, None) is None:
                worker.stop()
            outcome = await handler(work)
            if outcome is None:
                return None
            clock.advance(outcome.delay)
            return Again()

        return run

    handlers = {kind: hurried(handler) for kind, handler in jobs.handlers().items()}
    worker = Worker(parts.database.url, handlers, SESSION_SETTINGS)
    return worker


class SharedClock:
    """The same time in several processes."""

    def __init__(self, stamp: Any) -> None:
        self._stamp = stamp

    def __call__(self) -> datetime:
        return datetime.fromtimestamp(self._stamp.value, UTC)

    def advance(self, by: timedelta) -> None:
        self._stamp.value += by.total_seconds()


async def work_until_killed(url: str, jira_socket: str, keys_url: str, clock: Clock, *, at: int, turns: int) -> bool:
    """A process of its own works, and is killed by SIGKILL at the moment `at`; whether it came to that."""
    stamp = FORKS.RawValue("d", clock().timestamp())
    process = FORKS.Process(target=_work, args=(url, jira_socket, keys_url, stamp, at, turns))
    process.start()
    await asyncio.to_thread(process.join, PATIENCE_S)
    code = process.exitcode
    if code is None:
        process.kill()
    process.close()
    clock.advance(SharedClock(stamp)() - clock())
    assert code in {0, -signal.SIGKILL}, f"the worker ended with {code}"
    return code != 0


def _work(url: str, jira_socket: str, keys_url: str, stamp: Any, at: int, turns: int) -> None:
    structlog.configure(processors=[], logger_factory=structlog.ReturnLoggerFactory())
    doom = Doom(at, lambda: os.kill(os.getpid(), signal.SIGKILL))
    asyncio.run(_carry_on(url, jira_socket, keys_url, SharedClock(stamp), doom, turns))


async def _carry_on(url: str, jira_socket: str, keys_url: str, clock: Clock, doom: Doom, turns: int) -> None:
    database = DoomedDatabase(url, doom)
    await database.connect()
    transport = DoomedTransport(httpx.AsyncHTTPTransport(uds=jira_socket), doom)
    async with app.http_client(transport) as http:
        config = settings(keys_url)
        parts = app.wire(config, database=database, vault=Vault([VAULT_KEY]), http=http, clock=clock)
        await hurried_worker(parts, clock, turns=turns).run(until_empty=True)
    await database.disconnect()
