"""At most so many calls to a site at the same time, whatever number of processes makes them; nobody keeps another out."""

import asyncio
import uuid
from collections import Counter
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from addon.jira import errors, slots
from addon.jira.slots import AWAITED, BACKGROUND, CALLS_AT_ONCE, CUSTOMER_LIST, Kind
from addon.jira.throttle import Throttle
from addon.storage.database import Database
from addon.storage.ledger import Ledger
from lifecycle.tenant import TenantId
from tests.support.patience import PATIENCE_S

ACME, GLOBEX = (TenantId(uuid.UUID(int=number)) for number in (1, 2))
PROCESSES = 3


@pytest.fixture
def processes(database: Database) -> list[Throttle]:
    def now() -> datetime:
        return datetime(2026, 11, 22, 9, 0, tzinfo=UTC)

    return [Throttle(Ledger(database, quota=65_000), now) for _ in range(PROCESSES)]


class Site:
    """Notes how many calls it gets at the same time."""

    def __init__(self) -> None:
        self.going: Counter[TenantId] = Counter()
        self.most: Counter[TenantId] = Counter()
        self.done: Counter[int] = Counter()

    async def call(self, process: Throttle, tenant_id: TenantId, kind: Kind, number: int) -> None:
        while True:
            try:
                async with process.slot(tenant_id, kind):
                    self.going[tenant_id] += 1
                    self.most[tenant_id] = max(self.most[tenant_id], self.going[tenant_id])
                    await asyncio.sleep(0.02)
                    self.going[tenant_id] -= 1
                    self.done[number] += 1
                    return
            except errors.Waiting:  # others had them all for long: come back, as work does
                continue


async def test_all_processes_together_make_no_more_calls_than_allowed(processes: list[Throttle]) -> None:
    site = Site()

    async def work(number: int, process: Throttle) -> None:
        async with asyncio.TaskGroup() as calls:
            for tenant_id in (ACME, GLOBEX):
                for kind in (*[BACKGROUND] * 20, *[AWAITED] * 3):
                    calls.create_task(site.call(process, tenant_id, kind, number))
        for tenant_id in (ACME, GLOBEX):
            await process.settle(tenant_id)

    async with asyncio.TaskGroup() as group:
        for number, process in enumerate(processes):
            group.create_task(work(number, process))
    assert max(site.most.values()) <= CALLS_AT_ONCE
    assert min(site.most.values()) >= BACKGROUND.most
    assert site.done == dict.fromkeys(range(PROCESSES), 2 * 23)


async def test_process_that_works_on_keeps_nobody_out(processes: list[Throttle]) -> None:
    busy, newcomer, _ = processes
    async with AsyncExitStack() as calls:
        for _ in range(BACKGROUND.most):
            await calls.enter_async_context(busy.slot(ACME, BACKGROUND))
        begun = []
        for kind in (BACKGROUND, AWAITED):
            async with asyncio.timeout(PATIENCE_S), newcomer.slot(ACME, kind):
                begun.append(kind)
    assert begun == [BACKGROUND, AWAITED]


async def test_work_that_gets_no_slot_waits_and_comes_back(processes: list[Throttle]) -> None:
    first, second, _ = processes
    async with first.slot(ACME, CUSTOMER_LIST):
        with pytest.raises(errors.Waiting, match="no slot"):
            async with second.slot(ACME, CUSTOMER_LIST):
                pass
        async with second.slot(GLOBEX, CUSTOMER_LIST):
            pass


async def test_slots_that_are_given_back_are_there_for_others(
    processes: list[Throttle], owner: asyncpg.Connection
) -> None:
    first, second, _ = processes
    async with first.slot(ACME, CUSTOMER_LIST):
        await first.settle(ACME)  # too early: it is in use
    assert await held(owner) == 1
    began = asyncio.get_running_loop().time()
    await first.settle(ACME)
    async with second.slot(ACME, CUSTOMER_LIST):
        # Not at once: who had it may have used up this second's calls.
        assert asyncio.get_running_loop().time() - began > CUSTOMER_LIST.lingers.total_seconds() / 2
    async with second.slot(ACME, AWAITED):
        assert await held(owner) == 2
    assert await held(owner) == 1  # what a person waited for is given back at once


async def test_slots_of_a_process_that_died_come_back(processes: list[Throttle], owner: asyncpg.Connection) -> None:
    dead, other, _ = processes
    async with dead.slot(ACME, CUSTOMER_LIST):
        await owner.execute("UPDATE call_slot SET until = until - $1::interval", slots.LEASE)
        async with asyncio.timeout(PATIENCE_S), other.slot(ACME, CUSTOMER_LIST):
            assert await held(owner) == 1
    assert slots.CALL_TAKES + timedelta(seconds=10) <= slots.LEASE


async def held(owner: asyncpg.Connection) -> int:
    found: int = await owner.fetchval("SELECT count(*) FROM call_slot WHERE until > clock_timestamp()")
    return found
