"""What an app's calls cost, and what Jira says when they come too many or too fast."""

from datetime import timedelta

import pytest

from sandbox.faults import Limit
from tests.integration.sandbox.conftest import World

MEMBERS = "/rest/api/3/group/member?groupname=jira-software-users&maxResults=50"
CUSTOMERS = "/rest/servicedeskapi/servicedesk/1/customer?limit=50"
OPT_IN = {"X-ExperimentalApi": "opt-in"}


async def test_reads_of_people_cost_two_points_each_and_a_request_one(world: World) -> None:
    site, other = world.sites
    client = await world.client(site)
    members = (await client.get(MEMBERS)).json()["values"]
    assert site.points_spent == 1 + 2 * len(members)
    before = site.points_spent
    await client.get("/rest/api/3/serverInfo")
    await client.get("/rest/api/3/mypermissions?permissions=ADMINISTER")
    await client.get("/rest/api/3/user?accountId=nobody")
    assert site.points_spent - before == 1 + 3 + 1
    found = await client.post("/rest/api/3/search/jql", json={"jql": "created >= -30d", "maxResults": 10})
    assert site.points_spent - before == 5 + 1 + len(found.json()["issues"])
    assert other.points_spent == 0
    state = (await (await world.browser(site)).get("/sandbox/state")).json()
    assert state["pointsSpent"] == site.points_spent


async def test_quota_of_the_tenant_is_a_wall_until_the_hour_ends(world: World) -> None:
    site, other = world.sites
    world.clock.stop()
    site.faults.quota_per_hour = 150
    client, other_client = await world.client(site), await world.client(other)
    first = await client.get(MEMBERS)
    assert first.headers["X-RateLimit-Limit"] == "150"
    assert first.headers["RateLimit-Policy"] == '"tenant-app-quota";q=150;w=3600'
    second = await client.get(MEMBERS)
    assert second.headers["X-RateLimit-NearLimit"] == "true"
    assert second.headers["RateLimit"].startswith('"tenant-app-quota";r=0;t=')
    refused = await client.get(MEMBERS)
    assert refused.status_code == 429
    assert refused.headers["RateLimit-Reason"] == "jira-quota-tenant-based"
    hour = world.clock().replace(minute=0, second=0) + timedelta(hours=1)
    assert refused.headers["X-RateLimit-Reset"] == hour.strftime("%Y-%m-%dT%H:%MZ")
    assert 0 < int(refused.headers["Retry-After"]) <= 3600
    assert (await other_client.get(MEMBERS)).status_code == 200
    world.clock.advance(timedelta(seconds=int(refused.headers["Retry-After"])))
    assert (await client.get(MEMBERS)).status_code == 200


async def test_quota_of_the_app_counts_all_sites(world: World) -> None:
    site, other = world.sites
    world.clock.stop()
    world.cloud.quota_per_hour = 50
    client, other_client = await world.client(site), await world.client(other)
    assert (await client.get(MEMBERS)).status_code == 200
    refused = await other_client.get(MEMBERS)
    assert (refused.status_code, refused.headers["RateLimit-Reason"]) == (429, "jira-quota-global-based")
    assert other.points_spent == 0


async def test_burst_limit_holds_for_one_operation_of_one_site(world: World) -> None:
    site, other = world.sites
    world.clock.stop()
    site.faults.enforce_bursts = other.faults.enforce_bursts = True
    client, other_client = await world.client(site), await world.client(other)
    answers = [await client.get(CUSTOMERS, headers=OPT_IN) for _ in range(6)]
    assert [each.status_code for each in answers] == [200] * 5 + [429]
    assert answers[-1].headers["RateLimit-Reason"] == "jira-burst-based"
    assert answers[-1].headers["Retry-After"] == "1"
    assert (await client.get(MEMBERS)).status_code == 200
    assert (await other_client.get(CUSTOMERS, headers=OPT_IN)).status_code == 200
    world.clock.advance(timedelta(seconds=1))
    assert (await client.get(CUSTOMERS, headers=OPT_IN)).status_code == 200


@pytest.mark.parametrize("limit", list(Limit))
async def test_every_limit_comes_on_command(world: World, limit: Limit) -> None:
    site = world.sites[0]
    browser, client = await world.browser(site), await world.client(site)
    interruption = {"pathPrefix": "/rest/api/3/group", "times": 1, "limit": str(limit)}
    told = await browser.patch("/sandbox/faults", json={"interruptions": [interruption]})
    assert told.json()["interruptions"][0]["limit"] == str(limit)
    refused = await client.get(MEMBERS)
    assert refused.status_code == 429
    assert refused.headers["X-RateLimit-Reset"].endswith("Z")
    is_gateway = limit is Limit.GATEWAY
    assert ("Retry-After" not in refused.headers, "RateLimit-Reason" not in refused.headers) == (is_gateway,) * 2
    assert is_gateway or refused.headers["RateLimit-Reason"] == limit
    assert (await client.get(MEMBERS)).status_code == 200
