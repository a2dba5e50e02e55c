"""The points of an hour on a real database: borrowed by several processes for two tenants."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from addon.storage.database import Database
from addon.storage.ledger import KEPT_FOR, Hour, Ledger
from addon.sync.quota import EVERY_CALL, HOUR, SHARE_DELAY, WANTED_FOR, Later, Loan, Pause
from lifecycle.tenant import TenantId

NOW = datetime(2026, 11, 22, 9, 20, tzinfo=UTC)
HOUR_BEGAN, HOUR_END = datetime(2026, 11, 22, 9, tzinfo=UTC), datetime(2026, 11, 22, 10, tzinfo=UTC)
ACME, GLOBEX = TenantId(uuid.UUID(int=1)), TenantId(uuid.UUID(int=2))
QUOTA = 10_000
BACKGROUND = 6_500
BLOCK = 500


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database, quota=QUOTA)


async def borrow(
    ledger: Ledger,
    tenant_id: TenantId,
    points: int = BLOCK,
    *,
    need: int | None = None,
    is_awaited: bool = False,
    now: datetime = NOW,
) -> Loan | Later:
    outcome, _ = await ledger.borrow(
        tenant_id, need=points if need is None else need, wanted=points, is_awaited=is_awaited, now=now
    )
    return outcome


async def hour_of(database: Database, ledger: Ledger, tenant_id: TenantId, now: datetime = NOW) -> Hour:
    async with database.tenant(tenant_id) as scope:
        return await ledger.hour(scope, now=now)


async def test_lone_tenant_takes_all_that_background_work_may_and_people_the_rest(
    database: Database, ledger: Ledger
) -> None:
    assert await borrow(ledger, ACME, BACKGROUND) == Loan(points=BACKGROUND)
    assert await borrow(ledger, ACME, 1) == Later(until=HOUR_END, what="the hourly API budget")
    assert await borrow(ledger, GLOBEX, 1) == Later(until=HOUR_END, what="the hourly API budget")
    assert isinstance(await borrow(ledger, GLOBEX, 3_001, is_awaited=True), Later)
    assert await borrow(ledger, GLOBEX, 9_000, need=20, is_awaited=True) == Loan(points=3_500)
    assert await borrow(ledger, ACME, 1, is_awaited=True) == Later(until=HOUR_END, what="the hourly API budget")
    assert await hour_of(database, ledger, ACME) == Hour(own=BACKGROUND, taken=QUOTA, share=BACKGROUND, quota=QUOTA)
    assert await hour_of(database, ledger, GLOBEX) == Hour(own=3_500, taken=QUOTA, share=0, quota=QUOTA)


async def test_processes_that_borrow_at_once_never_take_more_than_there_is(database: Database) -> None:
    ledgers = [Ledger(database, quota=QUOTA) for _ in range(3)]
    outcomes = await asyncio.gather(
        *(borrow(ledger, tenant_id) for ledger in ledgers for tenant_id in (ACME, GLOBEX) for _ in range(6))
    )
    lent = [outcome.points for outcome in outcomes if isinstance(outcome, Loan)]
    taken = (await hour_of(database, ledgers[0], ACME)).taken
    assert taken == sum(lent) <= BACKGROUND
    own = [(await hour_of(database, ledgers[0], tenant_id)).own for tenant_id in (ACME, GLOBEX)]
    assert max(own) - min(own) <= BLOCK


async def test_who_comes_later_catches_up_while_the_first_waits(ledger: Ledger) -> None:
    await borrow(ledger, ACME, 4_000)
    assert await borrow(ledger, GLOBEX, 100) == Loan(points=100)
    wait = Later(until=NOW + SHARE_DELAY, what="this site's share of the hourly API budget")
    assert await borrow(ledger, ACME, 100) == wait
    assert await borrow(ledger, GLOBEX, 2_400) == Loan(points=2_400)


async def test_look_that_needs_no_more_leaves_the_others_their_share(ledger: Ledger) -> None:
    assert await borrow(ledger, GLOBEX, 1_000, need=3) == Loan(points=1_000)
    await ledger.give_back(GLOBEX, 997, hour=HOUR_BEGAN, is_awaited=False)
    assert await borrow(ledger, ACME, 6_000) == Loan(points=6_000)


async def test_share_of_a_tenant_that_wants_no_more_is_there_for_others(ledger: Ledger) -> None:
    await borrow(ledger, ACME, 4_000)
    await borrow(ledger, GLOBEX, 100)
    later = NOW + WANTED_FOR + timedelta(seconds=1)
    assert await borrow(ledger, ACME, 2_400, now=later) == Loan(points=2_400)


async def test_tenant_that_was_refused_still_counts_as_one_that_waits(ledger: Ledger) -> None:
    await borrow(ledger, GLOBEX, 3_000)
    await borrow(ledger, ACME, 500)
    assert isinstance(await borrow(ledger, GLOBEX, 1_000), Later)
    later = NOW + WANTED_FOR - timedelta(seconds=1)
    assert isinstance(await borrow(ledger, GLOBEX, 1_000, now=later), Later)
    assert await borrow(ledger, ACME, 9_000, need=1, now=later) == Loan(points=2_750)


async def test_people_do_not_wait_for_shares(ledger: Ledger) -> None:
    await borrow(ledger, ACME, 6_000)
    await borrow(ledger, GLOBEX, 100)
    assert isinstance(await borrow(ledger, ACME, 100), Later)
    assert await borrow(ledger, ACME, 100, is_awaited=True) == Loan(points=100)


async def test_what_is_given_back_is_there_for_others_and_a_loan_of_the_dead_is_spent(ledger: Ledger) -> None:
    await borrow(ledger, ACME, BACKGROUND)
    await ledger.give_back(ACME, 1_000, hour=HOUR_BEGAN, is_awaited=False)
    assert await borrow(ledger, GLOBEX, 9_000, need=1) == Loan(points=1_000)
    assert isinstance(await borrow(ledger, GLOBEX, 1), Later)


async def test_what_was_spent_beyond_a_loan_counts(database: Database, ledger: Ledger) -> None:
    await borrow(ledger, ACME, 100)
    await ledger.give_back(ACME, -50, hour=HOUR_BEGAN, is_awaited=False)
    assert (await hour_of(database, ledger, ACME)).own == 150


async def test_each_hour_begins_anew(database: Database, ledger: Ledger) -> None:
    await borrow(ledger, ACME, BACKGROUND, now=HOUR_END - timedelta(seconds=1))
    assert await borrow(ledger, ACME, BACKGROUND, now=HOUR_END) == Loan(points=BACKGROUND)
    assert (await hour_of(database, ledger, ACME, HOUR_END + HOUR)).taken == 0


async def test_pauses_reach_whom_they_are_for(ledger: Ledger) -> None:
    until = NOW + timedelta(minutes=5)
    burst = Pause(tenant_id=ACME, endpoint="GET /a", until=until, what="Jira's rate limit")
    quota = Pause(tenant_id=None, endpoint=EVERY_CALL, until=until, what="Jira's hourly quota")
    for pause in (burst, quota):
        await ledger.pause(pause)

    async def told(tenant_id: TenantId, now: datetime) -> list[Pause]:
        _, pauses = await ledger.borrow(tenant_id, need=1, wanted=1, is_awaited=True, now=now)
        return sorted(pauses, key=lambda pause: pause.endpoint)

    assert await told(ACME, NOW) == [quota, burst]
    assert await told(GLOBEX, NOW) == [quota]
    assert await told(ACME, until) == []


async def test_longer_pause_stays(ledger: Ledger) -> None:
    for minutes in (5, 9, 2):
        until = NOW + timedelta(minutes=minutes)
        await ledger.pause(Pause(tenant_id=None, endpoint=EVERY_CALL, until=until, what=f"{minutes} minutes"))
    _, [pause] = await ledger.borrow(ACME, need=1, wanted=1, is_awaited=True, now=NOW)
    assert (pause.what, pause.until) == ("9 minutes", NOW + timedelta(minutes=9))


async def test_old_hours_and_pauses_are_forgotten(database: Database, ledger: Ledger) -> None:
    await borrow(ledger, ACME, 700)
    await ledger.pause(Pause(tenant_id=None, endpoint=EVERY_CALL, until=NOW, what="long ago"))
    await borrow(ledger, GLOBEX, 1, now=NOW + KEPT_FOR + HOUR)
    assert (await hour_of(database, ledger, ACME)).taken == 0
    async with database.transaction() as connection:
        assert await connection.fetch_val("SELECT count(*) FROM api_pause") == 0
