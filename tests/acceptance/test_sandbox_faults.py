"""A first run on a site that misbehaves in every way at once ends as on a healthy one."""

import pytest

from sandbox.faults import Faults, Interruption, Limit
from sandbox.site import Site
from tests.support.meanwhile import Meanwhile
from tests.support.world import ADDON_KEY, Tenant


@pytest.fixture
def reinstalled(acme: Tenant) -> Meanwhile:
    """The first site installs the app anew while the first members of a group are read."""
    world = acme.world

    async def reinstall() -> None:
        await world.cloud.reinstall(acme.site, ADDON_KEY)

    world.way.target = meanwhile = Meanwhile(
        world.way.target, acme.site.base_url, "/rest/api/3/group/member", reinstall
    )
    return meanwhile


def reachable(site: Site) -> set[str]:
    return {
        each.account_id
        for each in site.people.values()
        if not each.deleted and each.active and each.account_type != "app" and site.is_reachable(each.account_id)
    }


async def linked(tenant: Tenant) -> set[str]:
    return {account["accountId"] for contact in await tenant.contacts() for account in contact["linkedAccounts"]}


async def test_run_finds_everybody_although_calls_fail_and_pages_are_shuffled(acme: Tenant, globex: Tenant) -> None:
    acme.site.faults.error_share = 0.1
    acme.site.faults.cut_share = 0.05
    acme.site.faults.shuffled_pages = True
    acme.site.faults.interruptions = [
        Interruption(path_prefix="/rest/api/3/group/member", times=1, limit=Limit.BURST),
        Interruption(path_prefix="/rest/servicedeskapi", times=1, limit=Limit.GATEWAY),
        Interruption(path_prefix="/rest/api/3/user/email", times=1, limit=Limit.TENANT_QUOTA),
    ]
    for tenant in (acme, globex):
        run = await tenant.turn_on()
        assert run.state == "done"
        tenant.site.faults = Faults()
        assert await linked(tenant) == reachable(tenant.site)


async def test_points_of_a_run_are_what_jira_counted(acme: Tenant, globex: Tenant) -> None:
    for tenant in (acme, globex):
        before = tenant.site.points_spent
        run = await tenant.turn_on()
        # What follows a run is no part of it: the organizations' names are read, one page of them.
        names = 1 + len(tenant.site.organizations)
        assert run.points == tenant.site.points_spent - before - names


async def test_site_that_installs_the_app_anew_during_a_run_is_read_to_the_end(
    acme: Tenant, globex: Tenant, reinstalled: Meanwhile
) -> None:
    for tenant in (acme, globex):
        run = await tenant.turn_on()
        assert run.state == "done"
        assert await linked(tenant) == reachable(tenant.site)
    assert reinstalled.has_happened


async def test_site_that_installs_the_app_anew_during_a_preview_is_read_to_the_end(
    acme: Tenant, globex: Tenant, reinstalled: Meanwhile
) -> None:
    for tenant in (acme, globex):
        await tenant.call("POST", "/api/sync/preview")
    await acme.world.work()
    for tenant in (acme, globex):
        assert (await tenant.get("/api/sync/preview"))["state"] == "done"
    assert reinstalled.has_happened
