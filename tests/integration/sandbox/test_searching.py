"""The issue search: both ways of asking, its pages, and what it refuses."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from sandbox.site import Site
from tests.integration.sandbox.conftest import World

SEARCH = "/rest/api/3/search/jql"


async def search(client: httpx.AsyncClient, jql: str, **more: Any) -> dict[str, Any]:
    answer = await client.post(SEARCH, json={"jql": jql, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def project_of(site: Site) -> str:
    return next(iter(site.desks.values())).project_key


async def test_recent_issues_name_their_reporters_and_no_other_site_s(world: World) -> None:
    site, other = world.sites
    site.create_issue(site.member_id)
    other.create_issue(other.agent_id)
    site.create_issue(site.admin_id, at=world.clock() - timedelta(minutes=30))
    client = await world.client(site)
    found = await search(client, "created >= -10m", fields=["reporter"])
    reporters = [each["fields"]["reporter"]["accountId"] for each in found["issues"]]
    assert site.member_id in reporters
    assert {site.admin_id, site.agent_id}.isdisjoint(reporters)
    by_get = await client.get(SEARCH, params={"jql": "created >= -10m", "fields": "reporter"})
    assert by_get.json() == found


async def test_changed_reporter_is_found_by_update(world: World) -> None:
    site = world.sites[0]
    old = site.create_issue(site.member_id, at=world.clock() - timedelta(days=2))
    since = world.clock().strftime("%Y-%m-%d %H:%M")
    site.change_reporter(old.issue_id, site.agent_id)
    client = await world.client(site)
    jql = f'updated >= "{since}" AND reporter = "{site.agent_id}" ORDER BY updated DESC'
    found = await search(client, jql, fields=["*all"])
    assert [each["key"] for each in found["issues"]] == [old.key]
    assert found["issues"][0]["fields"]["project"]["key"] == project_of(site)
    assert (await search(client, f'created >= -1d AND reporter = "{site.agent_id}"'))["issues"] == []


@pytest.mark.parametrize("order", ["created ASC", "created DESC", "updated ASC", "updated DESC"])
async def test_pages_hold_every_issue_once_in_order(world: World, order: str) -> None:
    site = world.sites[0]
    client = await world.client(site)
    jql = f"project = {project_of(site)} ORDER BY {order}"
    keys: list[str] = []
    moments: list[str] = []
    page = await search(client, jql, fields=["created", "updated"], maxResults=7)
    while True:
        keys += [each["key"] for each in page["issues"]]
        moments += [each["fields"][order.partition(" ")[0]] for each in page["issues"]]
        assert page["isLast"] == ("nextPageToken" not in page)
        if page["isLast"]:
            break
        page = await search(
            client, jql, fields=["created", "updated"], maxResults=7, nextPageToken=page["nextPageToken"]
        )
    assert len(keys) == len(set(keys)) > 20
    assert moments == sorted(moments, reverse="DESC" in order)


async def test_without_fields_issues_are_ids(world: World) -> None:
    client = await world.client(world.sites[0])
    found = await search(client, "created >= -30d", maxResults=5000)
    assert found["issues"]
    assert all(each.keys() == {"id"} for each in found["issues"])
    with_fields = await search(client, "created >= -30d", maxResults=5000, fields=["summary"])
    assert len(with_fields["issues"]) <= 100


@pytest.mark.parametrize(
    "jql",
    [
        "",
        "ORDER BY created",
        "colour = blue",
        "created",
        "created >=",
        "created = -1m",
        "created >= yesterday",
        "created >= -10m AND",
        "created >= -10m ORDER created",
        "created >= -10m ORDER BY reporter",
        "created >= -10m ORDER BY created SIDEWAYS",
        "reporter = 557058:no-quotes",
        "reporter != x",
        "project = NOWHERE",
        "project ~ x",
        "reporter = 'x",
    ],
)
async def test_query_that_is_not_understood_is_refused(world: World, jql: str) -> None:
    client = await world.client(world.sites[0])
    answer = await client.post(SEARCH, json={"jql": jql})
    assert answer.status_code == 400
    assert answer.json()["errorMessages"]


@pytest.mark.parametrize(
    "body",
    [
        {"jql": "created >= -1d", "maxResults": 0},
        {"jql": "created >= -1d", "nextPageToken": "no token"},
        {"jql": "created >= -1d", "startAt": 5},
        {"jql": 5},
        [],
    ],
)
async def test_body_that_is_no_search_request_is_refused(world: World, body: object) -> None:
    client = await world.client(world.sites[0], checks_requests=False)
    assert (await client.post(SEARCH, json=body)).status_code == 400


async def test_token_of_another_query_is_refused(world: World) -> None:
    client = await world.client(world.sites[0])
    page = await search(client, "created >= -30d", maxResults=1)
    answer = await client.post(SEARCH, json={"jql": "created >= -29d", "nextPageToken": page["nextPageToken"]})
    assert answer.status_code == 400
