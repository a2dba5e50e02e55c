"""S7, S10: with every webhook lost, people who came or went are found by cheap looks, and nobody else is read again."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from http import HTTPStatus

import pytest

from addon.probing import SCAN_AGAIN
from addon.storage import probe_state
from addon.sync import probe, rounds
from addon.sync.work import Work
from sandbox.faults import Interruption
from tests.support.world import Tenant, World


@pytest.fixture
async def acme(world: World) -> Tenant:
    made = await world.add_site(9001, people=60, seed=1)
    assert (await made.turn_on()).state == "done"
    return made


@pytest.fixture
async def big(world: World) -> Tenant:
    made = await world.add_site(9001, people=300, seed=1)
    assert (await made.turn_on()).state == "done"
    return made


@pytest.fixture
async def globex(world: World) -> Tenant:
    made = await world.add_site(9002, people=60, seed=2)
    assert (await made.turn_on()).state == "done"
    return made


async def pass_round(*tenants: Tenant) -> Sequence[tuple[str, str, int]]:
    """The time of one round goes by, and these tenants are probed; the calls that it made."""
    world = tenants[0].world
    world.clock.advance(probe.ROUND)
    before = len(world.jira.calls)
    for tenant in tenants:
        job = Work(kind="probe", tenant_id=tenant.tenant_id, number=0)
        assert await world.jobs().handlers()["probe"](job) is None
    return world.jira.calls[before:]


async def linked(tenant: Tenant) -> set[str]:
    return {account["accountId"] for contact in await tenant.contacts() for account in contact["linkedAccounts"]}


async def test_new_user_is_a_contact_after_one_round_without_a_whole_scan(big: Tenant, globex: Tenant) -> None:
    acme = big
    untouched = await globex.contacts()
    await pass_round(acme, globex)
    ann = acme.a_user("Ann Example", "ann@example.com")
    runs, spent = await acme.get("/api/sync/runs"), acme.site.points_spent
    calls = await pass_round(acme, globex)
    assert acme.site.points_spent - spent <= 100
    contact = await acme.contact_of(ann.account_id)
    assert (contact["name"], contact["email"]) == ("Ann Example", "ann@example.com")
    assert await acme.get("/api/sync/runs") == runs
    assert Counter(path for _, path, _ in calls)["/rest/api/3/user/bulk"] == 1
    assert await globex.contacts() == untouched


async def test_new_customer_of_a_desk_is_a_contact_after_one_round(acme: Tenant) -> None:
    await pass_round(acme)
    carl = acme.a_customer("Carl Customer", "carl@customer.example")
    await pass_round(acme)
    assert (await acme.contact_of(carl.account_id))["name"] == "Carl Customer"


async def test_reporter_whom_no_list_shows_is_a_contact_after_one_round(acme: Tenant) -> None:
    desk = next(iter(acme.site.desks))
    rita = acme.a_customer("Rita Reporter", "rita@customer.example")
    acme.site.desk_customers.remove(desk, rita.account_id)
    acme.site.create_issue(rita.account_id)
    await pass_round(acme)
    assert (await acme.contact_of(rita.account_id))["name"] == "Rita Reporter"


@pytest.mark.usefixtures("what_is_left")
async def test_deleted_user_is_unlinked_after_one_round(acme: Tenant, globex: Tenant) -> None:
    kept = await linked(globex)
    ann = acme.a_user("Ann Example", "ann@example.com")
    await pass_round(acme, globex)
    contact = await acme.contact_of(ann.account_id)
    acme.site.delete_person(ann.account_id)
    await pass_round(acme, globex)
    after = await acme.get(f"/api/contacts/{contact['id']}")
    assert (after["name"], after["syncedJiraUser"]) == ("Ann Example", None)
    assert await linked(globex) == kept


async def test_lists_without_the_permission_to_see_people_unlink_nobody(acme: Tenant) -> None:
    before = await linked(acme)
    acme.site.faults.no_browse_permission = True
    await pass_round(acme)
    await pass_round(acme)
    assert await linked(acme) == before


async def test_quiet_site_is_probed_for_few_points(world: World, acme: Tenant) -> None:
    world.clock.advance(probe.BUSY_FOR)
    await pass_round(acme)
    spent = acme.site.points_spent
    for _ in range(15):
        await pass_round(acme)
    assert acme.site.points_spent - spent <= 300


async def test_nothing_is_probed_while_the_sync_is_off(world: World, acme: Tenant) -> None:
    await acme.turn_off()
    assert await pass_round(acme) == []
    async with world.database.tenant(acme.tenant_id) as scope:
        assert await probe_state.freshness(scope) is None


async def test_freshness_is_told(world: World, acme: Tenant) -> None:
    await pass_round(acme)
    async with world.database.tenant(acme.tenant_id) as scope:
        found = await probe_state.freshness(scope)
    assert found is not None
    assert found.users == probe.ROUND
    assert "a user is found within 4 minutes" in (await acme.call("GET", "/api/fragments/sync/status")).text
    assert probe.ROUND <= found.customers <= timedelta(minutes=10)


async def test_outage_ends_a_round_and_the_next_finds_whom_it_missed(acme: Tenant) -> None:
    ann = acme.a_user("Ann Example", "ann@example.com")
    acme.site.faults.interruptions.append(Interruption(path_prefix="/rest/api/3/user/bulk", status=503, times=1))
    await pass_round(acme)
    assert ann.account_id not in await linked(acme)
    await pass_round(acme)
    assert ann.account_id in await linked(acme)


async def test_newcomer_of_a_list_that_the_filters_name_is_a_contact(acme: Tenant) -> None:
    group = acme.site.licence_group_id("jira-software")
    answer = await acme.call("PUT", "/api/sync", body={"filters": {"groups": [group]}})
    assert answer.status_code == HTTPStatus.OK
    await acme.world.work()
    ann = acme.a_user("Ann Example", "ann@example.com")
    await pass_round(acme)
    assert ann.account_id in await linked(acme)


async def test_mass_arrival_is_left_to_a_whole_scan_that_is_begun_once(acme: Tenant, globex: Tenant) -> None:
    newcomers = {acme.a_user(f"New {number}", None).account_id for number in range(rounds.MOST_CAME + 1)}
    await pass_round(acme, globex)
    assert (await acme.status()).run is None  # the first one is too short ago
    acme.world.clock.advance(SCAN_AGAIN)
    await pass_round(acme, globex)
    run = (await acme.status()).run
    assert run is not None
    assert run.trigger == "schedule"
    await acme.world.work()
    assert newcomers <= await linked(acme)
    await pass_round(acme, globex)
    assert ((await acme.status()).run, (await globex.status()).run) == (None, None)


async def test_clock_has_every_site_probed_that_is_due(world: World, acme: Tenant, globex: Tenant) -> None:
    ann = acme.a_user("Ann Example", "ann@example.com")
    await globex.turn_off()
    world.clock.advance(probe.ROUND)
    await world.parts.schedules().tend()
    await world.work()
    assert ann.account_id in await linked(acme)
