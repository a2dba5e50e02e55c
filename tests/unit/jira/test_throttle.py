import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import prometheus_client
import pytest

from addon.jira import answers, budget, errors
from addon.jira.slots import BACKGROUND
from addon.jira.throttle import AWAITED_BLOCK, BLOCK, Gate, Throttle
from addon.sync.quota import EVERY_CALL, Pause
from lifecycle.tenant import TenantId
from tests.support.ledgers import GenerousLedger
from tests.unit.jira.site import NOW, TENANT, Jira, a_page, a_user

OTHER = TenantId(UUID(int=2))
ENDPOINT = "GET /rest/api/3/group/member"
PATH = "/rest/api/3/group/member"


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 9, 59, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


async def spend(throttle: Throttle, points: int, *, most: int | None = None, is_awaited: bool = False) -> None:
    async with throttle.call(TENANT, ENDPOINT, most=most or points, is_awaited=is_awaited) as bill:
        bill.points = points


async def test_points_are_borrowed_in_blocks_and_the_rest_is_given_back() -> None:
    ledger = GenerousLedger()
    throttle = Throttle(ledger, Clock())
    for _ in range(15):
        await spend(throttle, 90, most=101)
    assert ledger.loans == [BLOCK, BLOCK]
    await throttle.settle(TENANT)
    assert ledger.taken == 15 * 90
    await throttle.settle(TENANT)
    assert ledger.taken == 15 * 90


async def test_person_borrows_little_and_apart() -> None:
    ledger = GenerousLedger()
    throttle = Throttle(ledger, Clock())
    for _ in range(3):
        await spend(throttle, 1, is_awaited=True)
    await spend(throttle, 1)
    assert ledger.loans == [AWAITED_BLOCK, BLOCK]


async def test_call_that_needs_more_than_a_block_borrows_what_it_needs() -> None:
    ledger = GenerousLedger()
    await spend(Throttle(ledger, Clock()), 50, most=3 * BLOCK)
    assert ledger.loans == [3 * BLOCK]


async def test_piece_of_work_is_paid_for_before_it_begins() -> None:
    ledger = GenerousLedger()
    gate = Gate(throttle=Throttle(ledger, Clock()), tenant_id=TENANT, is_awaited=False, piece=2 * BLOCK)
    for _ in range(20):
        async with gate.call(ENDPOINT, most=100) as bill:
            bill.points = 100
    assert (ledger.loans, gate.points) == ([2 * BLOCK], 2 * BLOCK)


async def test_hour_that_is_over_takes_nothing_back() -> None:
    ledger, clock = GenerousLedger(), Clock()
    throttle = Throttle(ledger, clock)
    async with throttle.call(TENANT, ENDPOINT, most=100, is_awaited=False):
        clock.now += timedelta(minutes=2)
    await throttle.settle(TENANT)
    assert ledger.taken == BLOCK
    await spend(throttle, 100)
    await throttle.settle(TENANT)
    assert ledger.loans == [BLOCK, BLOCK]
    assert ledger.taken == BLOCK + 100


async def test_no_more_calls_at_once_than_allowed_for_each_tenant() -> None:
    throttle = Throttle(GenerousLedger(), Clock())
    going, most, full, go_on = 0, 0, asyncio.Event(), asyncio.Event()

    async def call(tenant_id: TenantId) -> None:
        nonlocal going, most
        async with throttle.call(tenant_id, ENDPOINT, most=1, is_awaited=False):
            going += 1
            most = max(most, going)
            if going == 2 * BACKGROUND.most:
                full.set()
            await go_on.wait()
            going -= 1

    async with asyncio.TaskGroup() as group:
        for _ in range(3 * BACKGROUND.most):
            group.create_task(call(TENANT))
            group.create_task(call(OTHER))
        await full.wait()
        go_on.set()
    assert most == 2 * BACKGROUND.most


async def test_cancelled_call_is_paid() -> None:
    ledger = GenerousLedger()
    throttle = Throttle(ledger, Clock())
    begun = asyncio.Event()
    gate = Gate(throttle=throttle, tenant_id=TENANT, is_awaited=False)

    async def call() -> None:
        async with gate.call(ENDPOINT, most=100):
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(call())
    await begun.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await throttle.settle(TENANT)
    assert (gate.points, ledger.taken) == (1, 1)


@pytest.mark.parametrize(
    ("pause", "is_paused"),
    [
        ((TENANT, ENDPOINT), True),
        ((TENANT, EVERY_CALL), True),
        ((None, EVERY_CALL), True),
        ((TENANT, "GET /rest/api/3/user/bulk"), False),
        ((OTHER, EVERY_CALL), False),
        ((OTHER, ENDPOINT), False),
    ],
)
async def test_pause_of_another_process_is_kept_until_it_ends(
    pause: tuple[TenantId | None, str],
    is_paused: bool,  # noqa: FBT001 - a column of the table
) -> None:
    ledger, clock = GenerousLedger(), Clock()
    until = clock.now + timedelta(seconds=30)
    ledger.told.append(Pause(tenant_id=pause[0], endpoint=pause[1], until=until, what="a rest"))
    throttle = Throttle(ledger, clock)
    if not is_paused:
        await spend(throttle, 1)
        return
    with pytest.raises(errors.Waiting) as raised:
        await spend(throttle, 1)
    assert (raised.value.what, raised.value.until, raised.value.retry_after.seconds) == ("a rest", until, 30)
    ledger.told.clear()
    clock.now += timedelta(seconds=29)
    with pytest.raises(errors.Waiting):
        await spend(throttle, 1)
    clock.now += timedelta(seconds=1)
    await spend(throttle, 1)
    await throttle.settle(TENANT)
    assert ledger.taken == 1


@pytest.mark.parametrize("failure", [401, 403, 404, 429, 500, httpx.ConnectError("refused")])
async def test_failed_call_costs_a_request(failure: object) -> None:
    jira = Jira({PATH: failure})
    site = jira.client()
    with pytest.raises(errors.JiraError):
        await site.get(PATH, answers.USERS, {}, price=budget.identities(50))
    await jira.throttle.settle(TENANT)
    assert (site.points, jira.ledger.taken) == (1, 1)


async def test_answer_that_cannot_be_read_costs_the_most() -> None:
    jira = Jira({PATH: {"values": "none"}})
    site = jira.client()
    with pytest.raises(errors.Corrupt):
        await site.get(PATH, answers.USERS, {}, price=budget.identities(50))
    assert site.points == 101


async def test_answer_costs_what_it_holds() -> None:
    jira = Jira({PATH: a_page([a_user("a"), a_user("b")])})
    site = jira.client()
    await site.get(PATH, answers.USERS, {}, price=budget.identities(50))
    await jira.throttle.settle(TENANT)
    assert (site.points, jira.ledger.taken) == (5, 5)


async def test_burst_stops_one_endpoint_and_all_processes_hear_of_it() -> None:
    burst = httpx.Response(429, headers={"RateLimit-Reason": "jira-burst-based", "Retry-After": "4"})
    jira = Jira({PATH: [burst, a_page([])], "/rest/api/3/user/bulk": a_page([])})
    site = jira.client()
    with pytest.raises(errors.Waiting, match="429"):
        await site.get(PATH, answers.USERS, {}, price=budget.identities(50))
    pause = Pause(tenant_id=TENANT, endpoint=ENDPOINT, until=NOW + timedelta(seconds=4), what="Jira's rate limit")
    assert jira.ledger.pauses == [pause]
    with pytest.raises(errors.Waiting, match="paused"):
        await site.get(PATH, answers.USERS, {}, price=budget.identities(50))
    await site.get("/rest/api/3/user/bulk", answers.USERS, {}, price=budget.identities(1))
    assert len(jira.requests) == 2


async def test_429_about_one_issue_stops_nothing_else() -> None:
    refused = httpx.Response(429, headers={"RateLimit-Reason": "jira-per-issue-on-write", "Retry-After": "2"})
    jira = Jira({PATH: [refused, a_page([])]})
    site = jira.client()
    with pytest.raises(errors.Throttled) as raised:
        await site.get(PATH, answers.USERS, {}, price=budget.identities(50))
    assert (type(raised.value), raised.value.retry_after) == (errors.Throttled, timedelta(seconds=2))
    assert raised.value.is_alone
    await site.get(PATH, answers.USERS, {}, price=budget.identities(50))
    assert jira.ledger.pauses == []


async def test_429_without_a_word_is_about_every_call() -> None:
    site = Jira({PATH: httpx.Response(429)}).client()
    with pytest.raises(errors.Throttled) as raised:
        await site.get(PATH, answers.USERS, {}, price=budget.identities(50))
    assert not raised.value.is_alone


async def test_calls_points_and_refusals_are_counted_for_prometheus() -> None:
    def count(name: str, **labels: str) -> float:
        return prometheus_client.REGISTRY.get_sample_value(f"crm_sync_jira_{name}_total", labels) or 0

    burst = httpx.Response(429, headers={"RateLimit-Reason": "jira-burst-based"})
    site = Jira({PATH: [burst, a_page([a_user("a")])]}).client()
    before = count("points", awaited="false"), count("calls", outcome="answered"), count("refusals", reason="burst")
    with pytest.raises(errors.Throttled):
        await site.get(PATH, answers.USERS, {}, price=budget.identities(50))
    await site.get(PATH, answers.USERS, {}, price=budget.identities(50))
    after = count("points", awaited="false"), count("calls", outcome="answered"), count("refusals", reason="burst")
    assert [now - then for now, then in zip(after, before, strict=True)] == [4, 1, 1]
