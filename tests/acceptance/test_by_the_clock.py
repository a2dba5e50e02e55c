"""What happens without anybody's doing: daily scans, lost jobs, failed deliveries, and the end of a tenant's data (D15)."""

from datetime import timedelta

import pytest

from addon.schedules import Schedules
from addon.sync import slots
from tests.support.world import Tenant, World

DAY = timedelta(days=1)


@pytest.fixture
def schedules(world: World) -> Schedules:
    return world.parts.schedules()


async def newest_run(tenant: Tenant) -> tuple[str, str]:
    newest = (await tenant.get("/api/sync/runs"))["values"][0]
    return newest["trigger"], newest["state"]


async def lose_jobs(world: World) -> None:
    async with world.database.transaction() as connection:
        await connection.execute("DELETE FROM pgqueuer")


async def count(tenant: Tenant, table: str) -> int:
    async with tenant.world.database.tenant(tenant.tenant_id) as scope:
        found: int = await scope.fetch_val(f"SELECT count(*) FROM {table} WHERE tenant_id = :tenant_id")
        return found


async def test_whole_scan_comes_once_a_day_at_the_tenants_own_time(
    world: World, acme: Tenant, globex: Tenant, schedules: Schedules
) -> None:
    await acme.turn_on()
    world.clock.now = slots.latest(acme.tenant_id, DAY, world.clock()) + DAY - timedelta(seconds=1)
    await schedules.tend()
    await world.work()
    assert await newest_run(acme) == ("turned-on", "done")
    newcomer = acme.a_user("Newcomer", "new@example.com")
    world.clock.advance(timedelta(seconds=2))
    for _ in range(2):
        await schedules.tend()
        await world.work()
    assert await newest_run(acme) == ("schedule", "done")
    assert len((await acme.get("/api/sync/runs"))["values"]) == 2
    assert (await acme.contact_of(newcomer.account_id))["name"] == "Newcomer"
    assert (await globex.get("/api/sync/runs"))["values"] == []  # its sync is off


async def test_turns_that_an_outage_swallowed_are_made_up_for_once(
    world: World, acme: Tenant, schedules: Schedules
) -> None:
    await acme.turn_on()
    world.clock.advance(5 * DAY)
    for _ in range(2):
        await schedules.tend()
        await world.work()
    assert len((await acme.get("/api/sync/runs"))["values"]) == 2


async def test_job_that_was_lost_comes_back(world: World, acme: Tenant, globex: Tenant, schedules: Schedules) -> None:
    await globex.turn_on()
    ann = globex.a_user("Ann Example", "ann@example.com")
    await acme.switch(enabled=True)
    await globex.hear("/webhooks/user", {"webhookEvent": "user_created", "user": {"accountId": ann.account_id}})
    await lose_jobs(world)
    await schedules.tend()
    await world.work()
    assert await newest_run(acme) == ("turned-on", "done")
    assert (await globex.contact_of(ann.account_id))["name"] == "Ann Example"


async def test_trouble_of_one_tenant_stops_no_other(
    world: World, acme: Tenant, globex: Tenant, schedules: Schedules
) -> None:
    for tenant in (acme, globex):
        await tenant.turn_on()
    first, second = sorted((acme, globex), key=lambda tenant: tenant.tenant_id)
    async with world.database.tenant(first.tenant_id) as scope:
        await scope.execute("UPDATE sync_setting SET filters = '7' WHERE tenant_id = :tenant_id")
    world.clock.advance(2 * DAY)
    await schedules.tend()
    assert (await newest_run(second))[0] == "schedule"
    assert (await newest_run(first))[0] == "turned-on"


async def test_data_is_kept_for_a_reinstallation_and_then_erased(
    world: World, acme: Tenant, globex: Tenant, schedules: Schedules
) -> None:
    for tenant in (acme, globex):
        tenant.a_user("Ann Example", "ann@example.com")
        await tenant.turn_on()
    kept = await globex.contacts()
    await world.cloud.uninstall(acme.site, "crm-contact-sync")
    world.clock.advance(timedelta(days=29))
    await schedules.clean()
    assert await count(acme, "contact") > 0
    world.clock.advance(timedelta(days=2))
    await schedules.clean()
    for table in ("contact", "account", "change", "sync_run", "sync_setting", "webhook_state"):
        assert await count(acme, table) == 0, table
    async with world.database.transaction() as connection:
        tenants = await connection.fetch_all("SELECT tenant_id FROM tenant")
    assert [row["tenant_id"] for row in tenants] == [globex.tenant_id]
    assert await globex.contacts() == kept


async def test_reinstallation_in_time_keeps_the_data(world: World, acme: Tenant, schedules: Schedules) -> None:
    ann = acme.a_user("Ann Example", "ann@example.com")
    await acme.turn_on()
    contact = await acme.contact_of(ann.account_id)
    await world.cloud.uninstall(acme.site, "crm-contact-sync")
    world.clock.advance(timedelta(days=20))
    await world.cloud.install(acme.site, "http://localhost:8080/atlassian-connect.json")
    world.clock.advance(timedelta(days=20))
    await schedules.clean()
    await world.work()
    assert (await acme.contact_of(ann.account_id))["id"] == contact["id"]


async def test_deliveries_are_forgotten_once_nobody_repeats_them(
    world: World, acme: Tenant, globex: Tenant, schedules: Schedules
) -> None:
    for tenant in (acme, globex):
        await tenant.turn_on()
        person = tenant.a_user("Ann Example", "ann@example.com")
        await tenant.hear("/webhooks/user", {"webhookEvent": "user_created", "user": {"accountId": person.account_id}})
    await world.work()
    await schedules.clean()
    assert (await count(acme, "webhook_delivery"), await count(globex, "webhook_delivery")) == (1, 1)
    world.clock.advance(timedelta(days=3, minutes=1))
    await globex.hear("/webhooks/user", {"webhookEvent": "user_updated", "user": {"accountId": person.account_id}})
    await schedules.clean()
    assert (await count(acme, "webhook_delivery"), await count(globex, "webhook_delivery")) == (0, 1)


async def test_turns_of_the_queue_are_forgotten_after_a_week(world: World, acme: Tenant, schedules: Schedules) -> None:
    await acme.turn_on()

    async def logged() -> int:
        async with world.database.transaction() as connection:
            await connection.execute("UPDATE pgqueuer_log SET aggregated = true")
            found: int = await connection.fetch_val("SELECT count(*) FROM pgqueuer_log")
            return found

    assert await logged() > 0
    await schedules.clean()
    assert await logged() > 0
    world.clock.advance(timedelta(days=8))
    await schedules.clean()
    assert await logged() == 0
