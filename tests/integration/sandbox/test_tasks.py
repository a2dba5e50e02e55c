"""Bulk operations on issue properties: what they take, what they do, and the tasks that they become."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from sandbox.site import Site
from sandbox.tasks import State
from tests.integration.sandbox.conftest import World

MANY = "/rest/api/3/issue/properties"
EACH = f"{MANY}/multi"
BY_FILTER = f"{MANY}/p"
ACME = {"id": "7", "name": "Acme"}


async def submit(client: httpx.AsyncClient, method: str, path: str, body: Any) -> str:
    """The path of the task."""
    answer = await client.request(method, path, json=body)
    assert answer.status_code == 303, answer.text
    return httpx.URL(answer.headers["Location"]).path


async def look(client: httpx.AsyncClient, task: str) -> dict[str, Any]:
    answer = await client.get(task)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def make(site: Site, count: int, *, project: str = "SD1") -> list[int]:
    return [site.create_issue(site.member_id, project=project).number for _ in range(count)]


def values(site: Site, numbers: list[int], key: str = "p") -> list[Any]:
    return [site.tracker.find(str(number)).properties.get(key) for number in numbers]


async def test_one_value_goes_to_many_issues_at_the_next_look(world: World) -> None:
    site, other = world.sites
    numbers = make(site, 30)
    client = await world.client(site)
    before = site.points_spent
    task = await submit(client, "POST", MANY, {"entitiesIds": numbers, "properties": {"p": ACME, "q": 1}})
    assert site.points_spent == before + 1
    assert values(site, numbers) == [None] * 30
    found = await look(client, task)
    assert (found["status"], found["progress"], found["self"]) == ("COMPLETE", 100, site.base_url + task)
    assert site.points_spent == before + 2
    assert (values(site, numbers), values(site, numbers, "q")) == ([ACME] * 30, [1] * 30)
    assert all("p" not in each.properties for each in other.issues)


async def test_task_takes_its_time(world: World) -> None:
    site = world.sites[0]
    world.clock.stop()
    site.faults.task_seconds = 10
    numbers = make(site, 2)
    client = await world.client(site)
    task = await submit(client, "POST", MANY, {"entitiesIds": numbers, "properties": {"p": 1}})
    world.clock.advance(timedelta(seconds=4))
    found = await look(client, task)
    assert (found["status"], found["progress"], found["elapsedRuntime"]) == ("RUNNING", 40, 4000)
    assert "finished" not in found
    assert values(site, numbers) == [None, None]
    world.clock.advance(timedelta(seconds=6))
    assert (await look(client, task))["status"] == "COMPLETE"
    assert values(site, numbers) == [1, 1]
    world.clock.advance(timedelta(days=14))
    assert (await client.get(task)).status_code == 404


async def test_task_is_carried_out_though_nobody_asks_for_it(world: World) -> None:
    site = world.sites[0]
    numbers = make(site, 2)
    client = await world.client(site)
    await submit(client, "POST", MANY, {"entitiesIds": numbers, "properties": {"p": 1}})
    await world.cloud.deliver()
    assert values(site, numbers) == [1, 1]


@pytest.mark.parametrize("trouble", ["missing", "deleted", "locked", "hidden"])
async def test_one_issue_in_the_way_of_many_stops_all(world: World, trouble: str) -> None:
    site = world.sites[0]
    numbers = make(site, 3)
    [odd] = make(site, 1, project="SD2")
    client = await world.client(site)
    if trouble == "missing":
        odd = 99_999_999
    task = await submit(client, "POST", MANY, {"entitiesIds": [*numbers, odd], "properties": {"p": 1}})
    if trouble == "deleted":
        site.delete_issue(str(odd))
    if trouble == "locked":
        site.locked_projects.add("SD2")
    if trouble == "hidden":
        site.hidden_projects.add("SD2")
    found = await look(client, task)
    assert found["status"] == "FAILED"
    assert str(odd) in found["message"]
    assert values(site, numbers) == [None] * 3


async def test_values_of_their_own_go_to_those_that_are_there(world: World) -> None:
    site = world.sites[0]
    first, second, gone = make(site, 3)
    site.delete_issue(str(gone))
    client = await world.client(site)
    body = {
        "issues": [{"issueID": number, "properties": {"p": number}} for number in (first, second, gone, 99_999_999)]
    }
    task = await submit(client, "POST", EACH, body)
    assert (await look(client, task))["status"] == "COMPLETE"
    assert values(site, [first, second]) == [first, second]


async def test_values_of_their_own_are_refused_for_an_issue_that_may_not_be_edited(world: World) -> None:
    site = world.sites[0]
    [free], [locked] = make(site, 1), make(site, 1, project="SD2")
    site.locked_projects.add("SD2")
    client = await world.client(site)
    body = {"issues": [{"issueID": number, "properties": {"p": 1}} for number in (free, locked)]}
    assert (await client.post(EACH, json=body)).status_code == 403
    assert values(site, [free, locked]) == [None, None]


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ({"entityIds": "all"}, [True, True, True, False]),
        ({"hasProperty": True, "entityIds": "all"}, [True, True, False, False]),
        ({"hasProperty": False, "entityIds": "all"}, [False, False, True, False]),
        ({"currentValue": ACME, "entityIds": "all"}, [True, False, False, False]),
        ({"currentValue": {"name": "Acme", "id": "7"}, "hasProperty": True}, [True, False, False, False]),
    ],
)
async def test_filter_says_which_issues_get_the_value(world: World, asked: dict[str, Any], written: list[bool]) -> None:
    site = world.sites[0]
    numbers = [*make(site, 3), *make(site, 1, project="SD2")]
    site.tracker.set_property(str(numbers[0]), "p", ACME)
    site.tracker.set_property(str(numbers[1]), "p", "old")
    site.locked_projects.add("SD2")
    client = await world.client(site)
    if "entityIds" in asked:
        asked = {**asked, "entityIds": [*numbers, 99_999_999]}
    task = await submit(client, "PUT", BY_FILTER, {"value": "new", "filter": asked})
    assert (await look(client, task))["status"] == "COMPLETE"
    assert [each == "new" for each in values(site, numbers)] == written


async def test_filter_says_which_issues_lose_the_property(world: World) -> None:
    site = world.sites[0]
    numbers = [*make(site, 3), *make(site, 1, project="SD2")]
    for number, value in zip(numbers, (1, 2, 1, 1), strict=True):
        site.tracker.set_property(str(number), "p", value)
    site.locked_projects.add("SD2")
    client = await world.client(site)
    task = await submit(client, "DELETE", BY_FILTER, {"entityIds": [numbers[1], numbers[3], 99_999_999]})
    assert (await look(client, task))["status"] == "COMPLETE"
    assert values(site, numbers) == [1, None, 1, 1]
    await look(client, await submit(client, "DELETE", BY_FILTER, {"currentValue": 1}))
    assert values(site, numbers) == [None, None, None, 1]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", MANY, []),
        ("POST", MANY, {"properties": {"p": 1}}),
        ("POST", MANY, {"entitiesIds": [], "properties": {"p": 1}}),
        ("POST", MANY, {"entitiesIds": [1, 1], "properties": {"p": 1}}),
        ("POST", MANY, {"entitiesIds": ["1"], "properties": {"p": 1}}),
        ("POST", MANY, {"entitiesIds": [True], "properties": {"p": 1}}),
        ("POST", MANY, {"entitiesIds": list(range(10_001)), "properties": {"p": 1}}),
        ("POST", MANY, {"entitiesIds": [1]}),
        ("POST", MANY, {"entitiesIds": [1], "properties": {}}),
        ("POST", MANY, {"entitiesIds": [1], "properties": {str(number): 1 for number in range(11)}}),
        ("POST", MANY, {"entitiesIds": [1], "properties": {"": 1}}),
        ("POST", MANY, {"entitiesIds": [1], "properties": {"k" * 256: 1}}),
        ("POST", MANY, {"entitiesIds": [1], "properties": {"p": None}}),
        ("POST", MANY, {"entitiesIds": [1], "properties": {"p": "x" * 32767}}),
        ("POST", MANY, {"entityIds": [1], "properties": {"p": 1}}),
        ("POST", EACH, {"issues": []}),
        ("POST", EACH, {"issues": [{"issueID": number, "properties": {"p": 1}} for number in range(101)]}),
        ("POST", EACH, {"issues": [{"issueID": 1, "properties": {"p": 1}}] * 2}),
        ("POST", EACH, {"issues": [{"issueID": "1", "properties": {"p": 1}}]}),
        ("POST", EACH, {"issues": [{"issueId": 1, "properties": {"p": 1}}]}),
        ("POST", EACH, {"issues": [{"issueID": 1, "properties": {"p": None}}]}),
        ("PUT", BY_FILTER, {"expression": "issue.id"}),
        ("PUT", BY_FILTER, {"filter": {}}),
        ("PUT", BY_FILTER, {"value": 1, "filter": {"entityIds": []}}),
        ("PUT", BY_FILTER, {"value": 1, "filter": {"entityIds": list(range(10_001))}}),
        ("PUT", BY_FILTER, {"value": 1, "filter": {"hasProperty": False, "currentValue": 2}}),
        ("PUT", BY_FILTER, {"value": 1, "filter": {"hasProperty": "yes"}}),
        ("PUT", f"{MANY}/{'k' * 256}", {"value": 1}),
        ("DELETE", BY_FILTER, {"hasProperty": True}),
        ("DELETE", BY_FILTER, {"entityIds": [1, 1]}),
    ],
)
async def test_what_is_too_much_or_not_understood_is_refused(world: World, method: str, path: str, body: Any) -> None:
    site = world.sites[0]
    client = await world.client(site, checks_requests=False)
    assert (await client.request(method, path, json=body)).status_code == 400
    assert (await client.get("/rest/api/3/task/10000")).status_code == 404


async def test_ten_thousand_issues_are_one_call(world: World) -> None:
    site = world.sites[0]
    numbers = make(site, 10_000)
    client = await world.client(site)
    task = await submit(client, "POST", MANY, {"entitiesIds": numbers, "properties": {"p": "x" * 32766}})
    assert (await look(client, task))["status"] == "COMPLETE"
    assert set(values(site, numbers)) == {"x" * 32766}


async def test_tasks_are_the_business_of_their_app(world: World) -> None:
    site, other = world.sites
    numbers = make(site, 1)
    client, stranger = await world.client(site), await world.client(other)
    task = await submit(client, "POST", MANY, {"entitiesIds": numbers, "properties": {"p": 1}})
    assert (await stranger.get(task)).status_code == 404
    world.app.descriptor["key"] = "second-app"
    await world.install(site)
    assert (await (await world.client(site)).get(task)).status_code == 403
    assert (await client.get("/rest/api/3/task/nonsense")).status_code == 404


@pytest.mark.parametrize("outcome", [each for each in State if each is not State.COMPLETE])
async def test_tasks_end_on_command_and_do_nothing(world: World, outcome: State) -> None:
    site = world.sites[0]
    numbers = make(site, 2)
    browser, client = await world.browser(site), await world.client(site)
    told = await browser.patch("/sandbox/faults", json={"taskOutcome": str(outcome)})
    assert told.json()["taskOutcome"] == outcome
    task = await submit(client, "POST", MANY, {"entitiesIds": numbers, "properties": {"p": 1}})
    await browser.patch("/sandbox/faults", json={"healthy": True})
    world.clock.advance(timedelta(days=1))
    found = await look(client, task)
    assert found["status"] == outcome
    assert ("message" in found, "finished" in found) == (outcome is not State.RUNNING,) * 2
    assert values(site, numbers) == [None, None]
    healthy = await submit(client, "POST", MANY, {"entitiesIds": numbers, "properties": {"p": 1}})
    assert (await look(client, healthy))["status"] == "COMPLETE"
