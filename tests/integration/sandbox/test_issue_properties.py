"""The properties of one issue: their life, their limits, who may write them, and how often."""

import itertools
from datetime import timedelta
from typing import Any

import pytest

from tests.integration.sandbox.conftest import World

API = "/rest/api/3/issue"
PAUSE = timedelta(seconds=2)


async def test_property_is_created_updated_and_deleted(world: World) -> None:
    site, other = world.sites
    made, foreign = site.create_issue(site.member_id), other.create_issue(other.member_id)
    client, stranger = await world.client(site), await world.client(other)
    place = f"{API}/{made.key}/properties/a.b"
    assert (await client.get(place)).status_code == 404
    assert (await client.put(place, json={"n": 1})).status_code == 201
    assert (await client.put(place, json=[2])).status_code == 200
    assert (await client.get(place)).json() == {"key": "a.b", "value": [2]}
    assert (await stranger.get(f"{API}/{foreign.issue_id}/properties/a.b")).status_code == 404
    assert (await client.delete(place)).status_code == 204
    assert (await client.delete(place)).status_code == 404


async def test_property_changes_nothing_else_of_the_issue(world: World) -> None:
    site = world.sites[0]
    made = site.create_issue(site.member_id, at=world.clock() - timedelta(days=3))
    await (await world.client(site)).put(f"{API}/{made.key}/properties/p", json=1)
    after = site.tracker.find(made.key)
    assert (after.updated, after.reporter_changes) == (made.updated, ())


@pytest.mark.parametrize(
    ("key", "content"),
    [
        ("k" * 256, "1"),
        ("k", ""),
        ("k", "{"),
        ("k", "null"),
        ("k", "NaN"),
        ("k", f'"{"x" * 32767}"'),
    ],
)
async def test_bad_property_is_refused(world: World, key: str, content: str) -> None:
    site = world.sites[0]
    made = site.create_issue(site.member_id)
    client = await world.client(site, checks_requests=False)
    answer = await client.put(
        f"{API}/{made.key}/properties/{key}", content=content, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400
    assert site.tracker.find(made.key).properties == {}


@pytest.mark.parametrize("value", ["x" * 32766, {"name": "é" * 32754}, False, "", {}])
async def test_everything_else_is_a_value(world: World, value: Any) -> None:
    site = world.sites[0]
    made = site.create_issue(site.member_id)
    client = await world.client(site)
    assert (await client.put(f"{API}/{made.key}/properties/{'k' * 255}", json=value)).status_code == 201


async def test_no_issue_and_no_permission_are_told_apart(world: World) -> None:
    site = world.sites[0]
    locked, hidden = site.create_issue(site.member_id, project="SD1"), site.create_issue(site.member_id, project="SD2")
    site.tracker.set_property(locked.key, "p", 1)
    site.locked_projects.add("SD1")
    site.hidden_projects.add("SD2")
    client = await world.client(site)
    assert (await client.put(f"{API}/{locked.key}/properties/p", json=2)).status_code == 403
    assert (await client.delete(f"{API}/{locked.key}/properties/p")).status_code == 404
    assert (await client.get(f"{API}/{locked.key}/properties/p")).json()["value"] == 1
    assert (await client.put(f"{API}/{hidden.key}/properties/p", json=2)).status_code == 404
    assert (await client.put(f"{API}/NO-1/properties/p", json=2)).status_code == 404


async def test_scopes_are_needed(world: World) -> None:
    site = world.sites[0]
    made = site.create_issue(site.member_id)
    world.app.descriptor["scopes"] = ["READ"]
    await world.cloud.reinstall(site, "stand-in")
    client = await world.client(site)
    place = f"{API}/{made.key}/properties/p"
    assert [(await client.put(place, json=1)).status_code, (await client.delete(place)).status_code] == [403, 403]
    world.app.descriptor["scopes"] = ["WRITE"]
    await world.cloud.reinstall(site, "stand-in")
    client = await world.client(site)
    assert [(await client.put(place, json=1)).status_code, (await client.delete(place)).status_code] == [201, 403]


async def test_one_issue_takes_so_many_writes_and_no_more(world: World) -> None:
    site = world.sites[0]
    world.clock.stop()
    busy, idle = (site.create_issue(site.member_id) for _ in range(2))
    client = await world.client(site)
    answers = [await client.put(f"{API}/{busy.key}/properties/p", json=number) for number in range(21)]
    assert [each.status_code for each in answers] == [201] + [200] * 19 + [429]
    assert answers[-1].headers["RateLimit-Reason"] == "jira-per-issue-on-write"
    assert answers[-1].headers["Retry-After"] == "2"
    assert site.tracker.find(busy.key).properties == {"p": 19}
    assert (await client.put(f"{API}/{idle.key}/properties/p", json=1)).status_code == 201
    for _ in range(4):
        world.clock.advance(PAUSE)
        assert (await client.delete(f"{API}/{busy.key}/properties/p")).status_code == 204
        for number in range(19):
            assert (await client.put(f"{API}/{busy.key}/properties/p", json=number)).status_code < 300
    world.clock.advance(PAUSE)
    assert (await client.put(f"{API}/{busy.key}/properties/p", json=1)).status_code == 429
    world.clock.advance(timedelta(seconds=30))
    assert (await client.put(f"{API}/{busy.key}/properties/p", json=1)).status_code == 200


async def test_reads_cost_two_points_and_writes_one(world: World) -> None:
    site = world.sites[0]
    made = site.create_issue(site.member_id)
    client = await world.client(site)
    place = f"{API}/{made.key}/properties/p"
    spent = [site.points_spent]
    await client.put(place, json=1)
    spent.append(site.points_spent)
    await client.get(place)
    spent.append(site.points_spent)
    await client.delete(place)
    spent.append(site.points_spent)
    assert [after - before for before, after in itertools.pairwise(spent)] == [1, 2, 1]


async def test_body_must_say_that_it_is_json(world: World) -> None:
    site = world.sites[0]
    made = site.create_issue(site.member_id)
    client = await world.client(site, checks_requests=False)
    place = f"{API}/{made.key}/properties/p"
    assert (await client.put(place, content="1")).status_code == 415
    assert (await client.put(place, content="1", headers={"Content-Type": "text/plain"})).status_code == 415
    said = {"Content-Type": "Application/JSON; charset=UTF-8"}
    assert (await client.put(place, content="1", headers=said)).status_code == 201
