"""What an app hears of issues and of their properties, and how it knows its own work again."""

from datetime import timedelta
from typing import Any

from sandbox.person import AccountType
from sandbox.site import Site
from tests.integration.sandbox.conftest import World
from tests.integration.sandbox.standin import COMPANY, Told

TRACE = "X-Atlassian-Webhook-Trace"


def a_customer(site: Site) -> str:
    found = (site.people[each] for each in site.desk_customers.members("1"))
    return next(each.account_id for each in found if each.account_type is AccountType.CUSTOMER and each.active)


def changed_fields(told: Told) -> dict[str, tuple[Any, Any]]:
    return {each["field"]: (each["fromString"], each["toString"]) for each in told.body["changelog"]["items"]}


async def test_creation_tells_the_fields_of_that_moment(world: World) -> None:
    site = world.sites[0]
    made = site.create_issue(a_customer(site), summary="Help <b>")
    world.clock.advance(timedelta(minutes=1))
    site.edit_issue(made.key, status="done", summary="Solved")
    await world.cloud.deliver()
    created, updated = world.app.told
    fields = created.body["issue"]["fields"]
    assert (created.body["issue"]["id"], fields["summary"]) == (made.issue_id, "Help <b>")
    assert (fields["status"]["statusCategory"]["key"], fields["project"]["key"]) == ("new", made.project_key)
    assert fields["issuetype"]["name"]
    assert fields["reporter"]["accountType"] == "customer"
    assert "emailAddress" not in fields["reporter"]
    assert fields["created"] == fields["updated"]
    assert updated.body["issue"]["fields"]["updated"] > fields["updated"]
    assert changed_fields(updated) == {"summary": ("Help <b>", "Solved"), "status": ("To Do", "Done")}
    assert (created.body["issue_event_type_name"], updated.body["issue_event_type_name"]) == (
        "issue_created",
        "issue_updated",
    )


async def test_reporter_goes_and_comes(world: World) -> None:
    site = world.sites[0]
    made = site.create_issue(None)
    site.change_reporter(made.key, site.member_id)
    site.change_reporter(made.key, site.member_id)
    site.change_reporter(made.key, None)
    await world.cloud.deliver()
    created, given, taken = world.app.told
    assert created.body["issue"]["fields"]["reporter"] is None
    assert changed_fields(given) == {"reporter": (None, site.member.display_name)}
    assert changed_fields(taken) == {"reporter": (site.member.display_name, None)}
    assert taken.body["issue"]["fields"]["reporter"] is None
    assert len(site.tracker.find(made.key).reporter_changes) == 2


async def test_deletion_is_told_of(world: World) -> None:
    site = world.sites[0]
    made = site.create_issue(site.member_id)
    site.delete_issue(made.key)
    await world.cloud.deliver()
    deleted = world.app.told[-1]
    assert (deleted.event, deleted.body["issue"]["id"]) == ("jira:issue_deleted", made.issue_id)
    assert "changelog" not in deleted.body


async def test_property_webhooks_carry_the_trace_of_the_call(world: World) -> None:
    site = world.sites[0]
    made = site.create_issue(site.member_id)
    await world.cloud.deliver()
    world.app.told.clear()
    client = await world.client(site)
    place = f"/rest/api/3/issue/{made.key}/properties/{COMPANY}"
    await client.put(place, json={"name": "Acme"}, headers={TRACE: "mine"})
    await client.put(place, json={"name": "Acme"})
    await client.delete(place, headers={TRACE: "x" * 1024})
    await world.cloud.deliver()
    first, second, last = world.app.told
    assert (first.event, first.path) == ("issue_property_set", "/webhooks/property")
    assert first.body["property"] == {"key": COMPANY, "value": {"name": "Acme"}}
    assert first.body["issue"]["id"] == made.issue_id
    assert (first.headers[TRACE], last.headers[TRACE]) == ("mine", "x" * 1024)
    assert TRACE not in second.headers
    assert first.headers["x-atlassian-webhook-flow"] == "Primary"
    assert (last.event, last.body["property"]) == ("issue_property_deleted", {"key": COMPANY})


async def test_trace_that_jira_does_not_take_is_not_echoed(world: World) -> None:
    site = world.sites[0]
    made = site.create_issue(site.member_id)
    await world.cloud.deliver()
    world.app.told.clear()
    client = await world.client(site)
    place = f"/rest/api/3/issue/{made.key}/properties/p"
    await client.put(place, json=1, headers={TRACE: "x" * 1025})
    await client.put(place, json=2, headers={TRACE.encode(): "ü".encode()})
    await world.cloud.deliver()
    assert [TRACE in each.headers for each in world.app.told] == [False, False]


async def test_bulk_work_is_told_of_in_the_secondary_flow(world: World) -> None:
    site = world.sites[0]
    numbers = [site.create_issue(site.member_id).number for _ in range(3)]
    await world.cloud.deliver()
    world.app.told.clear()
    client = await world.client(site)
    body = {"entitiesIds": numbers, "properties": {"p": 1}}
    await client.post("/rest/api/3/issue/properties", json=body, headers={TRACE: "mine"})
    await world.cloud.deliver()
    assert [each.body["issue"]["id"] for each in world.app.told] == [str(number) for number in numbers]
    assert {each.headers["x-atlassian-webhook-flow"] for each in world.app.told} == {"Secondary"}
    assert {each.headers[TRACE] for each in world.app.told} == {"mine"}


async def test_failed_task_and_changes_by_hand_tell_of_nothing_they_did_not_do(world: World) -> None:
    site = world.sites[0]
    made = site.create_issue(site.member_id)
    await world.cloud.deliver()
    world.app.told.clear()
    client = await world.client(site)
    body = {"entitiesIds": [made.number, 99_999_999], "properties": {"p": 1}}
    await client.post("/rest/api/3/issue/properties", json=body)
    site.edit_issue(made.key, summary=made.summary, status=made.status)
    assert await world.cloud.deliver() == []
