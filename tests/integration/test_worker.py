"""A worker that must go hands back what it can't end, and what happens by the clock happens once among many workers."""

import asyncio
import uuid
from datetime import timedelta

import asyncpg
import pytest

from addon.queue import jobs
from addon.queue.worker import Again, Handler, Schedule, Worker
from addon.storage.database import SESSION_SETTINGS, Database
from addon.sync.work import Work
from lifecycle.tenant import TenantId
from tests.integration.test_queue import every_kind
from tests.support.patience import PATIENCE_S

ACME, GLOBEX = (TenantId(uuid.UUID(int=number)) for number in (1, 2))
STOP_PATIENCE = timedelta(seconds=0.2)
A_DAY = timedelta(days=1)


async def enqueue(database: Database, *tenants: TenantId) -> None:
    async with database.transaction() as connection:
        for tenant_id in tenants:
            await jobs.enqueue(connection, Work(kind="run", tenant_id=tenant_id, number=1))


def a_worker(url: str, handler: Handler, **schedules: Schedule) -> Worker:
    return Worker(url, every_kind(handler), SESSION_SETTINGS, schedules)


async def test_slice_that_outlasts_the_patience_is_handed_back(
    database: Database, database_url: str, owner: asyncpg.Connection
) -> None:
    begun, undone, done = asyncio.Event(), asyncio.Event(), list[TenantId]()

    async def hang(work: Work) -> Again | None:
        if work.tenant_id == GLOBEX:
            done.append(work.tenant_id)
            return None
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            undone.set()
        return None

    await enqueue(database, ACME, GLOBEX)
    stopped = a_worker(database_url, hang)
    running = asyncio.create_task(stopped.run())
    await begun.wait()
    stopped.stop(patience=STOP_PATIENCE)
    await asyncio.wait_for(running, PATIENCE_S)
    assert undone.is_set()
    (row,) = await owner.fetch("SELECT status::text, execute_after <= now() AS is_due FROM pgqueuer")
    assert dict(row) == {"status": "queued", "is_due": True}

    async def finish(work: Work) -> Again | None:
        done.append(work.tenant_id)
        return None

    await a_worker(database_url, finish).run(until_empty=True)
    assert sorted(done) == [ACME, GLOBEX]


@pytest.mark.parametrize("patience", [(STOP_PATIENCE, A_DAY), (A_DAY, STOP_PATIENCE)], ids=["again", "to hurry"])
async def test_worker_that_is_told_to_stop_twice_gets_no_more_time(
    database: Database, database_url: str, owner: asyncpg.Connection, patience: tuple[timedelta, timedelta]
) -> None:
    """`serve` tells it at a signal, and once more when the web server has stopped."""
    begun = asyncio.Event()

    async def hang(_: Work) -> Again | None:
        begun.set()
        await asyncio.Event().wait()
        return None

    await enqueue(database, ACME)
    stopped = a_worker(database_url, hang)
    running = asyncio.create_task(stopped.run())
    await begun.wait()
    for each in patience:
        stopped.stop(patience=each)
    await asyncio.wait_for(running, PATIENCE_S)
    assert await owner.fetchval("SELECT status::text FROM pgqueuer") == "queued", "the job is handed back"


async def test_timeout_inside_a_job_is_a_failure_and_no_handing_back(
    database: Database, database_url: str, owner: asyncpg.Connection
) -> None:
    async def time_out(_: Work) -> Again | None:
        failing.stop()
        raise TimeoutError

    failing = a_worker(database_url, time_out)
    await enqueue(database, ACME)
    await asyncio.wait_for(failing.run(), PATIENCE_S)
    assert await owner.fetchval("SELECT execute_after > updated FROM pgqueuer")


async def finish(_: Work) -> Again | None:
    return None


async def test_schedule_is_kept_by_one_of_many_workers(database_url: str, owner: asyncpg.Connection) -> None:
    turns: list[int] = []
    came = asyncio.Event()

    async def take_turn() -> None:
        turns.append(1)
        came.set()

    schedule = Schedule(cron="0 0 1 1 *", run=take_turn)
    workers = [a_worker(database_url, finish, tend=schedule) for _ in range(3)]
    # Its time came while nobody was there.
    await owner.execute(
        "INSERT INTO pgqueuer_schedules (expression, next_run, entrypoint) VALUES ('0 0 1 1 *', now(), 'tend')"
    )
    async with asyncio.TaskGroup() as group:
        for worker in workers:
            group.create_task(worker.run())
        await asyncio.wait_for(came.wait(), PATIENCE_S)
        for worker in workers:
            worker.stop()
    assert turns == [1]
    row = await owner.fetchrow("SELECT status::text, next_run > now() AS is_next FROM pgqueuer_schedules")
    assert dict(row) == {"status": "queued", "is_next": True}


async def test_schedule_that_fails_stops_neither_jobs_nor_itself(
    database: Database, database_url: str, owner: asyncpg.Connection
) -> None:
    tried, done = asyncio.Event(), asyncio.Event()

    async def fail() -> None:
        tried.set()
        raise ZeroDivisionError

    async def note(_: Work) -> Again | None:
        done.set()
        return None

    worker = a_worker(database_url, note, tend=Schedule(cron="0 0 1 1 *", run=fail))
    await owner.execute(
        "INSERT INTO pgqueuer_schedules (expression, next_run, entrypoint) VALUES ('0 0 1 1 *', now(), 'tend')"
    )
    running = asyncio.create_task(worker.run())
    await asyncio.wait_for(tried.wait(), PATIENCE_S)
    await enqueue(database, ACME)
    await asyncio.wait_for(done.wait(), PATIENCE_S)
    worker.stop()
    await asyncio.wait_for(running, PATIENCE_S)
    assert await owner.fetchval("SELECT status::text FROM pgqueuer_schedules") == "queued"


async def test_schedule_does_not_hold_a_worker_that_must_go(database_url: str, owner: asyncpg.Connection) -> None:
    begun = asyncio.Event()

    async def hang() -> None:
        begun.set()
        await asyncio.Event().wait()

    worker = a_worker(database_url, finish, tend=Schedule(cron="0 0 1 1 *", run=hang))
    await owner.execute(
        "INSERT INTO pgqueuer_schedules (expression, next_run, entrypoint) VALUES ('0 0 1 1 *', now(), 'tend')"
    )
    running = asyncio.create_task(worker.run())
    await asyncio.wait_for(begun.wait(), PATIENCE_S)
    worker.stop()
    await asyncio.wait_for(running, PATIENCE_S)
    assert await owner.fetchval("SELECT status::text FROM pgqueuer_schedules") == "queued"
