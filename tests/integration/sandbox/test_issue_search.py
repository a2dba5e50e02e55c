"""The issue search on a site that moves: pages and their tokens, an index that lags behind, and permissions."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from sandbox.site import Site
from tests.integration.sandbox.conftest import World
from tests.integration.sandbox.standin import COMPANY

SEARCH = "/rest/api/3/search/jql"


async def search(client: httpx.AsyncClient, jql: str, **more: Any) -> dict[str, Any]:
    answer = await client.post(SEARCH, json={"jql": jql, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def ids(client: httpx.AsyncClient, jql: str, **more: Any) -> list[str]:
    return [each["id"] for each in (await search(client, jql, maxResults=5000, **more))["issues"]]


async def walk(client: httpx.AsyncClient, jql: str, *, size: int) -> list[str]:
    found: list[str] = []
    page = await search(client, jql, maxResults=size)
    while True:
        found += [each["id"] for each in page["issues"]]
        if page["isLast"]:
            return found
        page = await search(client, jql, maxResults=size, nextPageToken=page["nextPageToken"])


def by_key(site: Site) -> list[str]:
    issues = sorted(site.issues, key=lambda each: (each.project_key, int(each.key.rpartition("-")[2])))
    return [each.issue_id for each in issues]


async def test_pages_by_key_hold_every_issue_once(world: World) -> None:
    site = world.sites[0]
    client = await world.client(site)
    assert await walk(client, "created <= 1d ORDER BY key ASC", size=13) == by_key(site)
    assert await walk(client, "created <= 1d ORDER BY key DESC", size=50) == by_key(site)[::-1]


async def test_open_and_done_issues_are_all_issues(world: World) -> None:
    site = world.sites[0]
    client = await world.client(site)
    still_open = await walk(client, "statusCategory != Done ORDER BY created DESC", size=7)
    done = await walk(client, "statusCategory = Done ORDER BY created DESC", size=7)
    assert still_open
    assert done
    assert sorted([*still_open, *done]) == sorted(each.issue_id for each in site.issues)


async def test_walk_goes_on_while_issues_come_and_go(world: World) -> None:
    site = world.sites[0]
    client = await world.client(site)
    jql = "created <= 1d ORDER BY created DESC"
    before = await walk(client, jql, size=20)
    first = await search(client, jql, maxResults=20)
    site.create_issue(site.member_id)
    site.delete_issue(before[19])
    site.delete_issue(before[25])
    rest = await search(client, jql, maxResults=5000, nextPageToken=first["nextPageToken"])
    assert [each["id"] for each in rest["issues"]] == [*before[20:25], *before[26:]]


async def test_page_tokens_run_out(world: World) -> None:
    site = world.sites[0]
    client = await world.client(site)
    page = await search(client, "created <= 1d", maxResults=1)
    again = {"jql": "created <= 1d", "maxResults": 1, "nextPageToken": page["nextPageToken"]}
    world.clock.advance(timedelta(days=7) - timedelta(seconds=30))
    assert (await client.post(SEARCH, json=again)).status_code == 200
    site.faults.page_tokens_expire = True
    assert (await client.post(SEARCH, json=again)).status_code == 400
    site.faults.page_tokens_expire = False
    world.clock.advance(timedelta(minutes=1))
    assert (await client.post(SEARCH, json=again)).status_code == 400


async def test_search_lags_behind_until_it_has_caught_up(world: World) -> None:
    site = world.sites[0]
    world.clock.stop()
    gone, edited = (site.create_issue(site.member_id, at=world.clock() - timedelta(minutes=9)) for _ in range(2))
    world.clock.advance(timedelta(minutes=5))
    site.faults.search_lag_s = 60
    site.delete_issue(gone.key)
    site.change_reporter(edited.key, site.agent_id)
    site.tracker.set_property(edited.key, COMPANY, {"name": "Acme"})
    new = site.create_issue(site.member_id)
    client = await world.client(site)
    recent = "created >= -20m AND summary ~ help ORDER BY updated ASC"
    assert await ids(client, recent) == [gone.issue_id, edited.issue_id]
    assert await ids(client, "Company = Acme") == []
    assert await ids(client, recent, reconcileIssues=[new.number]) == [gone.issue_id, edited.issue_id, new.issue_id]
    fetched = await client.get(f"/rest/api/3/issue/{edited.key}", params={"fields": "reporter"})
    assert fetched.json()["fields"]["reporter"]["accountId"] == site.agent_id
    world.clock.advance(timedelta(seconds=61))
    assert await ids(client, recent) == [edited.issue_id, new.issue_id]
    assert await ids(client, "reporter CHANGED AFTER -2m") == [edited.issue_id]
    assert await ids(client, "Company = Acme") == [edited.issue_id]


async def test_properties_come_along_when_they_are_asked_for(world: World) -> None:
    site = world.sites[0]
    made = site.create_issue(site.member_id)
    site.tracker.set_property(made.key, "p", 1)
    site.tracker.set_property(made.key, "q", 2)
    client = await world.client(site)
    [found] = (await search(client, f"key = {made.key}", properties=["p", "none"]))["issues"]
    assert found["properties"] == {"p": 1}
    by_get = await client.get(SEARCH, params={"jql": f"key = {made.key}", "properties": "p,none"})
    assert by_get.json()["issues"] == [found]


@pytest.mark.parametrize(
    "more",
    [
        {"properties": list("abcdef")},
        {"properties": "a"},
        {"reconcileIssues": list(range(51))},
        {"reconcileIssues": 5},
        {"fields": [1]},
        {"fieldsByKeys": "yes"},
        {"maxResults": True},
    ],
)
async def test_search_that_asks_too_much_is_refused(world: World, more: dict[str, Any]) -> None:
    client = await world.client(world.sites[0], checks_requests=False)
    assert (await client.post(SEARCH, json={"jql": "created <= 1d", **more})).status_code == 400
