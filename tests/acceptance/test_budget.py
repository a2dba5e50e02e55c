"""The API budget as a site meets it: runs that wait for the hour's end, Jira's quotas and bursts, and what people see."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from addon.jira.directory import STEP_POINTS
from addon.queue.worker import Again
from addon.storage.database import Database
from addon.sync import quota
from addon.sync.work import Work
from sandbox.faults import Interruption, Limit
from tests.support import world as worlds
from tests.support.world import Tenant, World

SMALL = 5_000
PERMISSION_CHECKS = 20  # a block of points for people who wait, per site


@pytest.fixture
async def small_world(database: Database) -> AsyncIterator[World]:
    """A world with the smallest budget, ten minutes after the hour."""
    async with worlds.build(database, points_per_hour=SMALL) as built:
        built.clock.now = quota.hour_of(built.clock.now) + timedelta(minutes=10)
        yield built


async def slices(tenant: Tenant, run_id: int, *, until_waiting: bool) -> Again | None:
    """Carry a run on, slice by slice, until it has to wait or is finished; what its job said last."""
    handler = tenant.world.jobs().handlers()["run"]
    work = Work(kind="run", tenant_id=tenant.tenant_id, number=run_id)
    while True:
        outcome = await handler(work)
        if outcome is None or (until_waiting and outcome.delay):
            return outcome
        tenant.world.clock.advance(outcome.delay)


async def test_first_runs_wait_for_the_hours_budget_and_go_on_in_the_next(small_world: World) -> None:
    acme = await small_world.add_site(9001, people=900, seed=1)
    globex = await small_world.add_site(9002, people=60, seed=2)
    hour_end = quota.hour_of(small_world.clock.now) + quota.HOUR
    status = await acme.switch(enabled=True)
    assert status.run is not None

    outcome = await slices(acme, status.run.id, until_waiting=True)
    assert outcome is not None
    assert hour_end <= small_world.clock.now + outcome.delay <= hour_end + timedelta(minutes=1)
    sync = await acme.get("/api/sync")
    assert (sync["state"], sync["run"]["state"]) == ("waiting", "running")
    assert sync["run"]["error"] == f"Waiting for the hourly API budget until {hour_end:%H:%M:%S} UTC."
    assert sync["run"]["seen"] > 0
    page = await acme.call("GET", "/api/fragments/sync/status")
    assert "Waiting for the hourly API budget; goes on" in page.text
    assert f'<time datetime="{hour_end.isoformat()}"' in page.text
    spent = acme.site.points_spent
    assert SMALL * 65 // 100 - STEP_POINTS < spent <= SMALL * 65 // 100 + PERMISSION_CHECKS

    small_world.clock.now = hour_end
    await small_world.work()
    sync = await acme.get("/api/sync")
    assert (sync["state"], sync["run"], sync["lastRun"]["error"]) == ("idle", None, None)
    assert len(await acme.contacts()) == sync["counts"]["linked"]
    run = await globex.turn_on()
    assert run.state == "done"


async def test_points_of_a_run_are_those_that_jira_counts(acme: Tenant, globex: Tenant) -> None:
    before = await globex.status()
    counted = acme.site.points_spent
    acme.site.faults.interruptions.append(Interruption(path_prefix="/rest/api/3/group/member", times=3))
    acme.site.faults.interruptions.append(
        Interruption(path_prefix="/rest/servicedeskapi/servicedesk/", status=429, limit=Limit.BURST, times=2)
    )
    run = await acme.turn_on()
    counted = acme.site.points_spent - counted
    # What a look at one's own permissions costs is not told apart in the published prices: we reckon with the most.
    assert counted <= run.points <= counted + 2 * 10
    async with acme.world.database.tenant(acme.tenant_id) as scope:
        hour = await acme.world.parts.ledger.hour(scope, now=acme.world.clock())
    assert run.points <= hour.own == hour.taken
    assert await globex.status() == before


@pytest.mark.parametrize(
    ("limit", "what"),
    [
        (Limit.GLOBAL_QUOTA, "Jira's hourly quota"),
        (Limit.TENANT_QUOTA, "this site's hourly quota in Jira"),
        (Limit.BURST, "Jira's rate limit"),
    ],
)
async def test_each_limit_of_jira_is_obeyed_and_shown(acme: Tenant, globex: Tenant, limit: Limit, what: str) -> None:
    acme.world.clock.now = quota.hour_of(acme.world.clock.now) + timedelta(minutes=10)
    hour_end = quota.hour_of(acme.world.clock.now) + quota.HOUR
    acme.site.faults.interruptions.append(
        Interruption(path_prefix="/rest/api/3/group/member", status=429, limit=limit, times=1)
    )
    status = await acme.switch(enabled=True)
    assert status.run is not None
    outcome = await slices(acme, status.run.id, until_waiting=True)
    assert outcome is not None
    until: datetime = acme.world.clock.now + outcome.delay
    assert (until >= hour_end) is (limit is not Limit.BURST)
    status = await acme.status()
    assert (status.state, status.run and status.run.failures) == ("waiting", 0)
    assert status.run is not None
    assert status.run.error is not None
    assert status.run.error.startswith(f"Waiting for {what} until ")

    other = await globex.switch(enabled=True)
    assert other.run is not None
    waited = await slices(globex, other.run.id, until_waiting=True)
    assert (waited is not None) is (limit is Limit.GLOBAL_QUOTA)

    await acme.world.work()
    for tenant in (acme, globex):
        done = await tenant.status()
        assert (done.state, done.last_run and done.last_run.error) == ("idle", None)


async def test_page_of_settings_tells_what_the_hour_has_cost(acme: Tenant, globex: Tenant) -> None:
    await globex.turn_on()
    response = await acme.call("GET", "/api/fragments/sync/status")
    assert "API points this hour" in response.text
    assert f"{PERMISSION_CHECKS} spent by this site; its share for background work is " in response.text
    assert "Jira allows the app 65,000 points an hour" in response.text
