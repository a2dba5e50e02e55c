"""What an app hears of a site, and how Jira goes about telling it."""

from collections.abc import Iterable
from datetime import timedelta

import jwt
import pytest

from sandbox import qsh
from sandbox.events import EventName
from sandbox.faults import WebhookFaults
from sandbox.person import AccountType, Person
from sandbox.site import Site
from sandbox.webhooks import Queue
from tests.integration.sandbox.conftest import World
from tests.integration.sandbox.standin import Told

FAILED = "/rest/api/3/webhook/failed"
RETRY_PERIOD = timedelta(minutes=15)


def add_user(site: Site, account_id: str = "712020:new") -> Person:
    group = site.licence_group_id("jira-software")
    assert group is not None
    added = Person(
        account_id=account_id, account_type=AccountType.ATLASSIAN, display_name="Nia New", email="n@x.example"
    )
    return site.add_person(added, group_ids=[group])


def a_customer(site: Site) -> Person:
    found = (site.people[each] for each in site.desk_customers.members("1"))
    return next(each for each in found if each.account_type is AccountType.CUSTOMER and each.active)


def names(told: Iterable[Told]) -> list[str]:
    return [each.event for each in told]


async def test_user_webhooks_tell_of_one_site_and_are_signed_for_it(world: World) -> None:
    site, other = world.sites
    add_user(site)
    site.change_person("712020:new", display_name="Nia Newer")
    site.delete_person("712020:new")
    await world.cloud.deliver()
    told = world.app.told
    assert names(told) == ["user_created", "user_updated", "user_deleted"]
    assert len({each.identifier for each in told}) == 3
    for each in told:
        installed = site.installations["stand-in"]
        claims = jwt.decode(each.token, installed.shared_secret, algorithms=["HS256"])
        assert (claims["iss"], claims["qsh"]) == (site.client_key, qsh.compute("POST", each.path, each.query))
        assert each.headers["x-atlassian-webhook-flow"] == "Primary"
        assert "x-atlassian-webhook-retry" not in each.headers
        with pytest.raises(jwt.InvalidSignatureError):
            jwt.decode(each.token, other.installations["stand-in"].shared_secret, algorithms=["HS256"])
    created, _, deleted = told
    assert created.body["user"]["accountId"] == "712020:new"
    assert created.body["user"]["accountType"] == "atlassian"
    assert "emailAddress" not in created.body["user"]
    assert deleted.body["user"].keys() == {"self", "accountId"}


async def test_restarted_cloud_does_not_repeat_its_identifiers(world: World) -> None:
    """They are unique within a tenant, and the tenant outlives the process."""
    site = world.sites[0]
    add_user(site)
    happened = site.events.copy()
    queues = [Queue(), Queue()]
    for queue in queues:
        site.events[:] = happened
        queue.collect(site)
    first, second = (queue.waiting for queue in queues)
    assert [each.event for each in first] == [each.event for each in second] == [EventName.USER_CREATED]
    assert not {each.identifier for each in first} & {each.identifier for each in second}


async def test_webhook_tells_what_was_true_when_it_happened(world: World) -> None:
    site = world.sites[0]
    add_user(site)
    site.change_person("712020:new", display_name="Later Name")
    await world.cloud.deliver()
    assert [each.body["user"]["displayName"] for each in world.app.told] == ["Nia New", "Later Name"]


async def test_active_is_now_and_then_a_text(world: World) -> None:
    site = world.sites[0]
    for number in range(60):
        add_user(site, f"712020:{number}")
    await world.cloud.deliver()
    assert {each.body["user"]["active"] for each in world.app.told} == {True, "true"}


async def test_nobody_tells_of_customers_deactivation_and_visibility(world: World) -> None:
    site = world.sites[0]
    site.add_person(
        Person(account_id="qm:x", account_type=AccountType.CUSTOMER, display_name="Cas", email="c@x.example"),
        desk_ids=["1"],
    )
    site.change_person("qm:x", display_name="Cass")
    site.delete_person("qm:x")
    site.deactivate_person(site.agent_id)
    site.change_person(site.member_id, email_visible=False)
    assert await world.cloud.deliver() == []


async def test_closing_tells_of_the_deletion_once(world: World) -> None:
    site = world.sites[0]
    site.delete_person(site.member_id)
    site.close_person(site.member_id)
    await world.cloud.deliver()
    assert names(world.app.told) == ["user_deleted"]


async def test_issue_webhooks_name_reporters(world: World) -> None:
    site = world.sites[0]
    customer = a_customer(site)
    issue = site.create_issue(customer.account_id, summary="Help me")
    site.change_reporter(issue.key, site.member_id)
    await world.cloud.deliver()
    created, updated = world.app.told
    assert created.event == "jira:issue_created"
    assert created.body["issue"]["fields"]["reporter"]["accountId"] == customer.account_id
    assert created.body["issue"]["fields"]["reporter"]["accountType"] == "customer"
    assert "emailAddress" not in created.body["issue"]["fields"]["reporter"]
    assert "changelog" not in created.body
    assert (updated.event, updated.query) == ("jira:issue_updated", "source=jira")
    assert updated.body["issue"]["fields"]["reporter"]["accountId"] == site.member_id
    [item] = updated.body["changelog"]["items"]
    assert (item["field"], item["from"], item["to"]) == ("reporter", customer.account_id, site.member_id)


async def test_control_calls_raise_webhooks(world: World) -> None:
    site = world.sites[0]
    browser = await world.browser(site)
    await browser.patch(f"/sandbox/people/{site.member_id}", json={"displayName": "Mia Changed"})
    issue = (await browser.post("/sandbox/issues", json={"reporterId": site.member_id})).json()
    await browser.patch(f"/sandbox/issues/{issue['key']}", json={"reporterId": site.agent_id})
    await world.cloud.deliver()
    assert names(world.app.told) == ["user_updated", "jira:issue_created", "jira:issue_updated"]
    assert (await browser.patch("/sandbox/issues/NO-1", json={"reporterId": "x"})).status_code == 404


async def test_app_hears_only_while_it_is_enabled(world: World) -> None:
    site = world.sites[0]
    add_user(site, "712020:1")
    await world.cloud.disable(site, "stand-in")
    add_user(site, "712020:2")
    assert await world.cloud.deliver() == []
    await world.cloud.enable(site, "stand-in")
    add_user(site, "712020:3")
    await world.cloud.deliver()
    assert [each.body["user"]["accountId"] for each in world.app.told] == ["712020:3"]


@pytest.mark.parametrize("status", [0, 408, 409, 425, 429, 500, 503])
async def test_trouble_is_retried_with_the_same_identifier(world: World, status: int) -> None:
    world.app.webhook_status = status
    add_user(world.sites[0])
    await world.cloud.deliver()
    world.clock.advance(timedelta(minutes=4))
    assert await world.cloud.deliver() == []
    world.app.webhook_status = 204
    world.clock.advance(RETRY_PERIOD)
    [attempt] = await world.cloud.deliver()
    assert attempt.status == 204
    first, second = world.app.told
    assert first.identifier == second.identifier
    assert second.headers["x-atlassian-webhook-retry"] == "1"
    assert first.body == second.body


@pytest.mark.parametrize("status", [200, 204, 301, 400, 401, 403, 404])
async def test_other_answers_are_not_retried(world: World, status: int) -> None:
    world.app.webhook_status = status
    add_user(world.sites[0])
    await world.cloud.deliver()
    world.clock.advance(RETRY_PERIOD)
    assert await world.cloud.deliver() == []
    assert world.cloud.webhooks.waiting == []
    assert world.sites[0].failed_webhooks == []


async def give_up(world: World) -> None:
    for _ in range(6):
        await world.cloud.deliver()
        world.clock.advance(RETRY_PERIOD)


async def test_what_fails_six_times_is_listed_for_72_hours(world: World) -> None:
    site, other = world.sites
    world.app.webhook_status = 503
    add_user(site)
    site.delete_person("712020:new")
    await give_up(world)
    assert len(world.app.told) == 12
    client, stranger = await world.client(site), await world.client(other)
    listed = (await client.get(FAILED)).json()
    assert {each["id"] for each in listed["values"]} == {each.identifier for each in world.app.told}
    first, second = listed["values"]
    assert {first["url"], second["url"]} == {"http://localhost:8080/webhooks/user"}
    assert [each["body"].count('"accountId": "712020:new"') for each in (first, second)] == [1, 1]
    assert first["failureTime"] < second["failureTime"]
    assert (await stranger.get(FAILED)).json()["values"] == []
    world.clock.advance(timedelta(hours=71))
    assert len((await client.get(FAILED)).json()["values"]) == 2
    world.clock.advance(timedelta(hours=2))
    assert (await client.get(FAILED)).json()["values"] == []


async def test_failed_list_goes_on_where_its_next_address_says(world: World) -> None:
    site = world.sites[0]
    world.app.webhook_status = 500
    for number in range(3):
        add_user(site, f"712020:{number}")
    await give_up(world)
    client = await world.client(site)
    page = (await client.get(FAILED, params={"maxResults": 2})).json()
    rest = (await client.get(page["next"])).json()
    last = (await client.get(rest["next"])).json()
    assert [len(each["values"]) for each in (page, rest, last)] == [2, 1, 0]
    assert "next" not in last
    add_user(site, "712020:late")
    await give_up(world)
    assert len((await client.get(rest["next"])).json()["values"]) == 1


async def test_webhooks_are_lost_and_doubled_on_command(world: World) -> None:
    site, other = world.sites
    site.faults.webhooks = WebhookFaults(lost=True)
    other.faults.webhooks = WebhookFaults(doubled=True)
    add_user(site)
    add_user(other)
    await world.cloud.deliver()
    first, second = world.app.told
    assert first.identifier == second.identifier
    assert "x-atlassian-webhook-retry" not in second.headers
    assert str(other.base_url) in first.body["user"]["self"]


async def test_webhooks_are_delayed_and_reordered_on_command(world: World) -> None:
    site, other = world.sites
    browser = await world.browser(site)
    told = await browser.patch("/sandbox/faults", json={"webhooks": {"reordered": True, "delayedSeconds": 600}})
    assert told.json()["webhooks"] == {"lost": 0.0, "doubled": 0.0, "reordered": True, "delayedSeconds": 600.0}
    for number in range(20):
        add_user(site, f"712020:{number:02}")
    add_user(other)
    await world.cloud.deliver()
    assert [each.body["user"]["accountId"] for each in world.app.told] == ["712020:new"]
    world.clock.advance(timedelta(minutes=10))
    await world.cloud.deliver()
    came = [each.body["user"]["accountId"] for each in world.app.told[1:]]
    assert len(came) == 20
    assert came != sorted(came)
