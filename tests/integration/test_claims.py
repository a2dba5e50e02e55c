"""A worker that was slow for so long that another took its job over changes nothing more; a job broken off is not lost."""

import asyncio
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from addon.queue import jobs
from addon.queue.worker import Again, Handler, Worker
from addon.storage.database import APP_ROLE, SESSION_SETTINGS, Database
from addon.sync.work import Work
from lifecycle.tenant import TenantId
from tests.integration.test_queue import every_kind
from tests.support.patience import PATIENCE_S

ACME, GLOBEX = (TenantId(uuid.UUID(int=number)) for number in (1, 2))
ANOTHER = uuid.UUID(int=7)
BEATS = timedelta(seconds=0.4)  # a heartbeat each half of it


async def enqueue(database: Database, *tenants: TenantId) -> None:
    async with database.transaction() as connection:
        for tenant_id in tenants:
            await jobs.enqueue(connection, Work(kind="preview", tenant_id=tenant_id, number=1))


async def take_over(owner: asyncpg.Connection, tenant_id: TenantId) -> None:
    """Somebody else has it, and lives: nobody finds it dead meanwhile."""
    await owner.execute(
        """
        UPDATE pgqueuer SET queue_manager_id = $1, heartbeat = now() + interval '1 hour'
        WHERE dedupe_key LIKE '%' || $2 || '%'
        """,
        ANOTHER,
        str(tenant_id),
    )


async def rows(owner: asyncpg.Connection) -> list[Mapping[str, Any]]:
    found = await owner.fetch("SELECT dedupe_key, status::text, queue_manager_id, attempts FROM pgqueuer ORDER BY id")
    return [dict(row) for row in found]


def a_worker(url: str, handler: Handler) -> Worker:
    return Worker(url, every_kind(handler), SESSION_SETTINGS)


@pytest.mark.parametrize("outcome", [None, Again()])
async def test_turn_that_ends_after_a_takeover_leaves_the_job_alone(
    database: Database, database_url: str, owner: asyncpg.Connection, outcome: Again | None
) -> None:
    async def work(_: Work) -> Again | None:
        await take_over(owner, ACME)
        slow.stop()
        return outcome

    await enqueue(database, ACME)
    slow = a_worker(database_url, work)
    await asyncio.wait_for(slow.run(), PATIENCE_S)
    [row] = await rows(owner)
    assert (row["status"], row["queue_manager_id"], row["attempts"]) == ("picked", ANOTHER, 0)


async def test_slow_worker_gives_no_sign_of_life_for_the_job_of_another(
    database: Database, database_url: str, owner: asyncpg.Connection
) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def work(_: Work) -> Again | None:
        begun.set()
        await may_end.wait()
        return None

    async def beat(tenant_id: TenantId) -> datetime:
        found: datetime = await owner.fetchval(
            "SELECT heartbeat FROM pgqueuer WHERE dedupe_key LIKE '%' || $1 || '%'", str(tenant_id)
        )
        return found

    await enqueue(database, ACME, GLOBEX)
    slow = a_worker(database_url, work)
    running = asyncio.create_task(slow.run(heartbeat_timeout=BEATS))
    await begun.wait()
    await take_over(owner, ACME)
    of_another, ours = await beat(ACME), await beat(GLOBEX)
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if await beat(GLOBEX) != ours:
                break
            await asyncio.sleep(BEATS.total_seconds() / 4)
    assert await beat(ACME) == of_another
    may_end.set()
    slow.stop()
    await asyncio.wait_for(running, PATIENCE_S)
    [row] = await rows(owner)
    assert (row["status"], row["queue_manager_id"], row["attempts"]) == ("picked", ANOTHER, 0)


async def test_job_of_a_worker_that_is_broken_off_goes_back(
    database: Database, database_url: str, owner: asyncpg.Connection
) -> None:
    """As when the process ends by an error of its own."""
    begun = asyncio.Event()

    async def hang(_: Work) -> Again | None:
        begun.set()
        await asyncio.Event().wait()
        return None

    await enqueue(database, ACME)
    before = asyncio.all_tasks()
    running = asyncio.create_task(a_worker(database_url, hang).run())
    await begun.wait()
    for task in asyncio.all_tasks() - before:
        task.cancel()
    await asyncio.wait({running}, timeout=PATIENCE_S)
    assert running.done()
    [row] = await rows(owner)
    assert (row["status"], row["queue_manager_id"]) == ("queued", None)


async def test_job_that_cannot_be_put_back_is_taken_over(
    database: Database, database_url: str, owner: asyncpg.Connection
) -> None:
    """As when PostgreSQL is away for a moment: for PgQueuer such a job has failed, and it would delete it."""
    turns: list[asyncio.Task[None]] = []

    async def come_back() -> None:
        await asyncio.sleep(BEATS.total_seconds())
        await owner.execute(f"GRANT UPDATE ON pgqueuer TO {APP_ROLE}")

    async def work(_: Work) -> Again | None:
        if turns:
            ours.stop()
            return None
        await owner.execute(f"REVOKE UPDATE ON pgqueuer FROM {APP_ROLE}")
        turns.append(asyncio.create_task(come_back()))
        raise ZeroDivisionError

    await enqueue(database, ACME)
    ours = a_worker(database_url, work)
    await asyncio.wait_for(ours.run(heartbeat_timeout=BEATS), PATIENCE_S)
    assert (await rows(owner), len(turns)) == ([], 1)
