"""Two processes work for two tenants against one quota: real ledger, real clients, a Jira that counts."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from addon.jira import errors
from addon.jira.sites import Sites
from addon.jira.throttle import Throttle
from addon.storage.database import Database
from addon.storage.ledger import Ledger
from addon.sync import quota
from lifecycle.tenant import AccountId, Tenant, TenantId
from tests.integration.web import desk
from tests.support.world import Clock
from tests.unit.jira.site import a_page, a_user

BEGAN = datetime(2026, 11, 22, 9, 50, tzinfo=UTC)
HOUR_END = datetime(2026, 11, 22, 10, tzinfo=UTC)
QUOTA = 20_000
BACKGROUND = 13_000
PAGE = 101
CALLS_A_SLICE = 8
PIECE = CALLS_A_SLICE * PAGE

GLOBAL_QUOTA = {"RateLimit-Reason": "jira-quota-global-based", "Retry-After": "600"}
BURST = {"RateLimit-Reason": "jira-burst-based", "Retry-After": "3"}


@dataclass(slots=True)
class CountingJira:
    """Lists of 50 people, and what they cost by the published prices, by hour and host. `refusals`: the next answers."""

    clock: Clock
    points: defaultdict[datetime, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    calls: int = 0
    refusals: list[dict[str, str]] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.calls += 1
        spent = self.points[quota.hour_of(self.clock())]
        if self.refusals:
            spent[request.url.host] += 1
            return httpx.Response(429, headers=self.refusals.pop())
        spent[request.url.host] += PAGE
        return httpx.Response(200, json=a_page([a_user(f"user-{number}") for number in range(50)]))


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """`processes`: each with a throttle of its own on the one ledger."""

    database: Database
    clock: Clock
    jira: CountingJira
    processes: list[Sites]
    acme: Tenant
    globex: Tenant

    async def slice(self, process: Sites, tenant_id: TenantId) -> errors.Waiting | None:
        """A piece of background work: some pages side by side, and what it had to wait for."""
        directory = await process.directory(tenant_id, piece=PIECE)
        found = await asyncio.gather(
            *(directory.people("users", "group", 0) for _ in range(CALLS_A_SLICE)), return_exceptions=True
        )
        await process.settle(tenant_id)
        other = [each for each in found if isinstance(each, BaseException) and not isinstance(each, errors.Waiting)]
        assert other == []
        return next((each for each in found if isinstance(each, errors.Waiting)), None)

    async def work(self, *tenants: Tenant) -> list[errors.Waiting]:
        """Both processes work for these tenants until nobody can make a call: who waits may wait for another's loan."""
        while True:
            calls = self.jira.calls
            outcomes = await asyncio.gather(
                *(self.slice(process, tenant.tenant_id) for process in self.processes for tenant in tenants)
            )
            if self.jira.calls == calls:
                return [outcome for outcome in outcomes if outcome is not None]

    def spent(self) -> Counter[str]:
        return self.jira.points[quota.hour_of(self.clock())]


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    clock = Clock(BEGAN)
    jira = CountingJira(clock)
    acme, _ = await desk.install(database, "acme")
    globex, _ = await desk.install(database, "globex")
    async with httpx.AsyncClient(transport=httpx.MockTransport(jira)) as http:
        processes = [
            Sites(
                database=database.pool,
                vault=desk.VAULT,
                http=http,
                addon_key="crm-contact-sync",
                clock=clock,
                throttle=Throttle(Ledger(database, quota=QUOTA), clock),
            )
            for _ in range(2)
        ]
        yield House(database=database, clock=clock, jira=jira, processes=processes, acme=acme, globex=globex)


async def test_tenants_that_work_at_once_get_equal_parts_and_people_the_rest(house: House) -> None:
    waits = await house.work(house.acme, house.globex)
    spent = house.spent()
    assert BACKGROUND - PIECE < spent.total() <= BACKGROUND
    first, second = spent.values()
    assert abs(first - second) <= 2 * PIECE
    assert {wait.until for wait in waits} <= {HOUR_END, BEGAN + quota.SHARE_DELAY}
    before = spent.total()
    awaited = await house.processes[0].directory(house.acme.tenant_id, is_awaited=True)
    await awaited.lookup([AccountId("ana")])
    assert house.spent().total() == before + PAGE


async def test_lone_tenant_may_use_all_of_it_and_goes_on_in_the_next_hour(house: House) -> None:
    waits = await house.work(house.acme)
    assert {wait.until for wait in waits} == {HOUR_END}
    assert BACKGROUND - PIECE < house.spent().total() <= BACKGROUND
    house.clock.now = HOUR_END
    await house.work(house.acme)
    assert BACKGROUND - PIECE < house.spent().total() <= BACKGROUND
    assert set(house.jira.points) == {HOUR_END - quota.HOUR, HOUR_END}


async def test_exhausted_quota_stops_every_tenant_in_every_process_until_the_hour_ends(house: House) -> None:
    first, second = house.processes
    house.jira.refusals = [GLOBAL_QUOTA]
    waited = await house.slice(first, house.acme.tenant_id)
    assert waited is not None
    assert waited.until == HOUR_END
    calls = house.jira.calls
    for process in (first, second):
        for tenant in (house.acme, house.globex):
            waited = await house.slice(process, tenant.tenant_id)
            assert waited is not None
            assert (waited.what, waited.until) == ("Jira's hourly quota", HOUR_END)
    assert house.jira.calls == calls
    house.clock.now = HOUR_END
    assert await house.slice(second, house.globex.tenant_id) is None


async def test_burst_stops_one_endpoint_of_one_tenant_in_every_process(house: House) -> None:
    first, second = house.processes
    house.jira.refusals = [BURST]
    assert await house.slice(first, house.acme.tenant_id) is not None
    assert await house.slice(second, house.acme.tenant_id) is not None
    assert await house.slice(second, house.globex.tenant_id) is None
    directory = await second.directory(house.acme.tenant_id)
    await directory.lookup([AccountId("ana")])
    house.clock.now += timedelta(seconds=3)
    assert await house.slice(second, house.acme.tenant_id) is None
