"""Jobs are stored with their transaction, once, and carried out by whoever lives, every tenant in its turn."""

import asyncio
import signal
import sys
import uuid
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import asyncpg
import pytest

from addon.queue import jobs, worker
from addon.queue.worker import Again, Handler, Worker
from addon.storage.database import SESSION_SETTINGS, Database
from addon.sync.work import Kind, Work
from lifecycle.tenant import TenantId
from tests.support.patience import PATIENCE_S

VICTIM = Path(__file__).with_name("queue_victim.py")
ACME, GLOBEX = (TenantId(uuid.UUID(int=number)) for number in (1, 2))
PERSON = "ana@x.example"


def a_job(tenant_id: TenantId = ACME, *, kind: Kind = "run", number: int = 1) -> Work:
    return Work(kind=kind, tenant_id=tenant_id, number=number)


async def enqueue(database: Database, *works: Work) -> None:
    async with database.transaction() as connection:
        for work in works:
            await jobs.enqueue(connection, work)


async def queued(owner: asyncpg.Connection) -> list[Mapping[str, Any]]:
    return list(await owner.fetch("SELECT *, status::text AS state FROM pgqueuer ORDER BY priority DESC, id"))


def every_kind(handler: Handler) -> dict[Kind, Handler]:
    return dict.fromkeys(get_args(Kind), handler)


def a_worker(url: str, handler: Handler) -> Worker:
    return Worker(url, every_kind(handler), SESSION_SETTINGS)


async def test_job_is_stored_with_its_transaction(database: Database, owner: asyncpg.Connection) -> None:
    async with database.transaction() as connection:
        await jobs.enqueue(connection, a_job())
        assert await queued(owner) == []
    assert len(await queued(owner)) == 1


async def test_job_is_undone_with_its_transaction(database: Database, owner: asyncpg.Connection) -> None:
    async def store_and_fail() -> None:
        async with database.transaction() as connection:
            await jobs.enqueue(connection, a_job())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store_and_fail()
    assert await queued(owner) == []


async def test_same_job_waits_once_and_another_number_or_tenant_beside_it(
    database: Database, owner: asyncpg.Connection
) -> None:
    await enqueue(database, a_job(), a_job(), a_job(number=2), a_job(GLOBEX), a_job(kind="clear-links"))
    await enqueue(database, a_job())
    assert len(await queued(owner)) == 4


async def test_same_job_is_not_stored_while_it_runs_and_may_come_again_after(
    database: Database, database_url: str, owner: asyncpg.Connection
) -> None:
    seen: list[int] = []
    stored: list[int] = []

    async def handle(work: Work) -> Again | None:
        seen.append(work.number)
        if work.number == 1:
            async with database.transaction() as connection:
                for each in (work, a_job(number=2)):
                    await jobs.enqueue(connection, each)
                # Within the transaction: once it is committed, the job may be done before it is counted.
                stored.append(await connection.fetch_val("SELECT count(*) FROM pgqueuer"))
        return None

    await enqueue(database, a_job())
    await a_worker(database_url, handle).run(until_empty=True)
    assert (sorted(seen), stored) == ([1, 2], [2])
    await enqueue(database, a_job())
    assert len(await queued(owner)) == 1


async def test_short_work_that_a_person_waits_for_goes_first(database: Database, database_url: str) -> None:
    order: list[str] = []

    async def handle(work: Work) -> Again | None:
        order.append(work.kind)
        return None

    await enqueue(database, *(a_job(number=number) for number in range(4)), a_job(kind="clear-links"))
    await a_worker(database_url, handle).run(until_empty=True)
    assert order == ["clear-links", "run", "run", "run", "run"]


async def test_long_jobs_give_every_tenant_its_turn(database: Database, database_url: str) -> None:
    tenants = [TenantId(uuid.UUID(int=number)) for number in range(1, 3 * worker.JOBS_AT_ONCE)]
    turns: list[TenantId] = []

    async def handle(work: Work) -> Again | None:
        turns.append(work.tenant_id)
        return Again() if turns.count(work.tenant_id) < 4 else None

    await enqueue(database, *(a_job(tenant_id) for tenant_id in tenants))
    await a_worker(database_url, handle).run(until_empty=True)
    assert Counter(turns) == dict.fromkeys(tenants, 4)
    # A tenant may be ahead of another by what is at work at once, never by a second whole turn.
    so_far = Counter(dict.fromkeys(tenants, 0))
    for tenant_id in turns:
        so_far[tenant_id] += 1
        assert max(so_far.values()) - min(so_far.values()) <= 2


async def test_job_that_is_put_off_waits(database: Database, database_url: str) -> None:
    seen: list[float] = []

    async def handle(_: Work) -> Again | None:
        seen.append(asyncio.get_running_loop().time())
        return Again(delay=timedelta(seconds=0.3)) if len(seen) == 1 else None

    await enqueue(database, a_job())
    await a_worker(database_url, handle).run(until_empty=True)
    assert seen[1] - seen[0] >= 0.3


async def test_job_that_fails_is_tried_again_while_others_go_on(
    database: Database, database_url: str, owner: asyncpg.Connection
) -> None:
    done: list[TenantId] = []
    has_trouble = True

    async def handle(work: Work) -> Again | None:
        if work.tenant_id == ACME and has_trouble:
            raise RuntimeError(f"Key (email)=({PERSON}) already exists")
        done.append(work.tenant_id)
        ours.stop()
        return None

    ours = a_worker(database_url, handle)
    await enqueue(database, a_job(ACME), a_job(GLOBEX))
    await ours.run()
    assert done == [GLOBEX]
    (waiting,) = await queued(owner)
    assert (waiting["state"], waiting["attempts"]) == ("queued", 1)
    assert timedelta(0) < waiting["execute_after"] - waiting["updated"] <= worker.OUR_TROUBLE_DELAY
    for table in ("pgqueuer", "pgqueuer_log"):  # what failed is nobody's to read there
        assert not await owner.fetch(f"SELECT 1 FROM {table} AS t WHERE t::text LIKE $1", f"%{PERSON}%")

    has_trouble = False
    await owner.execute("UPDATE pgqueuer SET execute_after = now()")
    ours = a_worker(database_url, handle)
    await ours.run(until_empty=True)
    assert done == [GLOBEX, ACME]
    assert await queued(owner) == []


async def test_row_that_nobody_can_read_stops_nobody(
    database: Database, database_url: str, owner: asyncpg.Connection
) -> None:
    done: list[TenantId] = []

    async def handle(work: Work) -> Again | None:
        done.append(work.tenant_id)
        return None

    await enqueue(database, a_job(ACME), a_job(GLOBEX))
    await owner.execute("UPDATE pgqueuer SET payload = 'rubbish' WHERE id = (SELECT min(id) FROM pgqueuer)")
    await a_worker(database_url, handle).run(until_empty=True)
    assert done == [GLOBEX]
    assert await queued(owner) == []


async def test_worker_that_is_stopped_ends_the_job_at_hand(
    database: Database, database_url: str, owner: asyncpg.Connection
) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()
    done: list[int] = []

    async def handle(work: Work) -> Again | None:
        begun.set()
        await may_end.wait()
        done.append(work.number)
        return None

    await enqueue(database, a_job())
    stopped = a_worker(database_url, handle)
    running = asyncio.create_task(stopped.run())
    await begun.wait()
    stopped.stop()
    may_end.set()
    await running
    await enqueue(database, a_job(number=2))
    assert done == [1]
    assert [row["state"] for row in await queued(owner)] == ["queued"]


async def test_worker_that_is_stopped_while_it_connects_never_begins(
    database: Database, database_url: str, owner: asyncpg.Connection
) -> None:
    async def handle(_: Work) -> Again | None:
        raise AssertionError

    await enqueue(database, a_job())
    stopped = a_worker(database_url, handle)
    running = asyncio.create_task(stopped.run())
    asyncio.get_running_loop().call_soon(stopped.stop)
    await asyncio.wait_for(running, PATIENCE_S)
    assert [row["attempts"] for row in await queued(owner)] == [0]


async def test_two_workers_share_the_queue_and_no_job_is_done_twice(database: Database, database_url: str) -> None:
    done: Counter[int] = Counter()

    async def handle(work: Work) -> Again | None:
        done[work.number] += 1
        return None

    await enqueue(database, *(a_job(number=number) for number in range(40)))
    await asyncio.gather(*(a_worker(database_url, handle).run(until_empty=True) for _ in range(2)))
    assert done == Counter(range(40))


async def test_job_of_a_worker_that_was_killed_is_taken_over(database: Database, database_url: str) -> None:
    await enqueue(database, a_job(number=7))
    victim = await asyncio.create_subprocess_exec(
        sys.executable, str(VICTIM), database_url, stdout=asyncio.subprocess.PIPE, cwd=Path.cwd()
    )
    assert victim.stdout is not None
    try:
        assert await asyncio.wait_for(victim.stdout.readline(), PATIENCE_S) == b"taken 7\n"
    finally:
        victim.send_signal(signal.SIGKILL)
        await victim.wait()

    taken_over: list[int] = []

    async def handle(work: Work) -> Again | None:
        taken_over.append(work.number)
        rescuer.stop()
        return None

    rescuer = a_worker(database_url, handle)
    await asyncio.wait_for(rescuer.run(heartbeat_timeout=timedelta(seconds=1)), PATIENCE_S)
    assert taken_over == [7]
