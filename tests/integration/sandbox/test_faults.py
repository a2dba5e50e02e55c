import time

import httpx
import pytest

from tests.integration.sandbox.conftest import World

MEMBERS = "/rest/api/3/group/member?groupname=jira-software-users"
OPT_IN = {"X-ExperimentalApi": "opt-in"}


async def test_path_fails_as_often_as_told_and_then_recovers(world: World) -> None:
    site, other = world.sites
    browser, client, other_client = await world.browser(site), await world.client(site), await world.client(other)
    interruption = {"pathPrefix": "/rest/api/3/group/member", "status": 503, "times": 2, "retryAfterSeconds": 7}
    told = await browser.patch("/sandbox/faults", json={"interruptions": [interruption]})
    assert told.json()["interruptions"] == [{**interruption, "body": None, "limit": None}]
    answers = [await client.get(MEMBERS) for _ in range(3)]
    assert [each.status_code for each in answers] == [503, 503, 200]
    assert answers[0].headers["Retry-After"] == "7"
    assert answers[0].json()["errorMessages"]
    assert (await other_client.get(MEMBERS)).status_code == 200


async def test_garbage_comes_with_status_200_until_it_is_ended(world: World) -> None:
    site = world.sites[0]
    browser, client = await world.browser(site), await world.client(site)
    garbage = {"pathPrefix": "/rest/", "status": 200, "times": None, "body": "<html>Maintenance</html>"}
    await browser.patch("/sandbox/faults", json={"interruptions": [garbage]})
    for _ in range(3):
        answer = await client.get(MEMBERS)
        assert (answer.status_code, answer.text) == (200, "<html>Maintenance</html>")
        assert answer.headers["content-type"].startswith("text/html")
    await browser.patch("/sandbox/faults", json={"healthy": True})
    assert (await client.get(MEMBERS)).json()["values"]


async def test_jsm_fails_in_its_own_words(world: World) -> None:
    site = world.sites[0]
    browser, client = await world.browser(site), await world.client(site)
    await browser.patch("/sandbox/faults", json={"interruptions": [{"pathPrefix": "/rest/servicedeskapi"}]})
    answer = await client.get("/rest/servicedeskapi/organization")
    assert (answer.status_code, "errorMessage" in answer.json()) == (503, True)


async def test_email_api_is_switched_for_the_site(world: World) -> None:
    site = world.sites[0]
    browser, client = await world.browser(site), await world.client(site)
    path = f"/rest/api/3/user/email/bulk?accountId={site.admin_id}"
    for state, status in (("disabled", 503), ("not-approved", 400), ("approved", 200)):
        told = await browser.patch("/sandbox/faults", json={"emailApi": state})
        assert told.json()["emailApi"] == state
        assert (await client.get(path)).status_code == status


async def test_switches_stay_until_they_are_set_again(world: World) -> None:
    browser = await world.browser(world.sites[0])
    await browser.patch("/sandbox/faults", json={"fallbackUsers": True})
    told = (await browser.patch("/sandbox/faults", json={"shortPages": False})).json()
    assert (told["fallbackUsers"], told["shortPages"]) == (True, False)
    healthy = (await browser.patch("/sandbox/faults", json={"healthy": True})).json()
    assert (healthy["fallbackUsers"], healthy["shortPages"]) == (False, True)


async def test_errors_come_as_often_as_told_and_the_same_for_the_same_seed(world: World) -> None:
    site, other = world.sites
    browser, client, other_client = await world.browser(site), await world.client(site), await world.client(other)
    await browser.patch("/sandbox/faults", json={"errorShare": 0.5})
    statuses = [(await client.get(MEMBERS)).status_code for _ in range(40)]
    assert {200, 500, 502, 503, 504} == set(statuses)
    assert 10 < statuses.count(200) < 30
    assert {(await other_client.get(MEMBERS)).status_code for _ in range(5)} == {200}


async def test_cut_connection_is_an_error_of_the_transport(world: World) -> None:
    site, other = world.sites
    site.faults.cut_share = 1.0
    client, other_client = await world.client(site), await world.client(other)
    with pytest.raises(httpx.RemoteProtocolError):
        await client.get(MEMBERS)
    assert (await other_client.get(MEMBERS)).status_code == 200


async def test_answers_take_as_long_as_told(world: World) -> None:
    site = world.sites[0]
    site.faults.delay_s = 0.05
    client = await world.client(site)
    begun = time.monotonic()
    await client.get(MEMBERS)
    assert time.monotonic() - begun >= 0.05


async def test_share_of_records_is_unavailable_on_every_read(world: World) -> None:
    site = world.sites[0]
    site.faults.fallback_share = 0.3
    client = await world.client(site)
    first, second = [(await client.get(MEMBERS)).json()["values"] for _ in range(2)]
    assert first == second
    assert {each["accountType"] for each in first} >= {"unknown", "atlassian"}


LISTS = (MEMBERS, "/rest/servicedeskapi/servicedesk/1/customer", "/rest/servicedeskapi/organization/1/user")


@pytest.mark.parametrize("path", LISTS)
async def test_lists_are_empty_shuffled_or_moving_on_command(world: World, path: str) -> None:
    site = world.sites[0]
    client = await world.client(site)

    async def read() -> list[str]:
        answer = await client.get(path, headers=OPT_IN if "servicedeskapi" in path else {})
        return [each["accountId"] for each in answer.json()["values"]]

    healthy = await read()
    site.faults.shuffled_pages = True
    shuffled = await read()
    assert sorted(shuffled) == sorted(healthy)
    assert shuffled != healthy
    site.faults.shuffled_pages, site.faults.moving_people = False, 5
    assert await read() != await read()
    site.faults.moving_people, site.faults.empty_lists = 0, True
    assert await read() == []
    permissions = (await client.get("/rest/api/3/mypermissions?permissions=USER_PICKER")).json()["permissions"]
    assert permissions["USER_PICKER"]["havePermission"]
    site.faults.empty_lists = False
    assert await read() == healthy


async def test_every_fault_is_shown_as_it_was_set(world: World) -> None:
    browser = await world.browser(world.sites[0])
    wanted = {
        "emptyLists": True,
        "shuffledPages": True,
        "enforceBursts": True,
        "movingPeople": 3,
        "quotaPerHour": 1000,
        "fallbackShare": 0.25,
        "errorShare": 0.5,
        "cutShare": 1.0,
        "delaySeconds": 0.5,
    }
    told = (await browser.patch("/sandbox/faults", json=wanted)).json()
    assert {name: told[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    "body",
    [
        {"errorShare": 2},
        {"cutShare": "often"},
        {"movingPeople": True},
        {"webhooks": {"lost": -1}},
        {"webhooks": {"eaten": 1}},
        {"webhooks": {"reordered": 1}},
        {"interruptions": [{"pathPrefix": "/", "limit": "mood"}]},
    ],
)
async def test_fault_that_cannot_be_is_refused(world: World, body: dict[str, object]) -> None:
    answer = await (await world.browser(world.sites[0])).patch("/sandbox/faults", json=body)
    assert (answer.status_code, bool(answer.json()["error"])) == (400, True)


async def test_deleted_people_are_still_answered_as_tombstones(world: World) -> None:
    site, other = world.sites
    browser, client = await world.browser(site), await world.client(site)
    other_client = await world.client(other)
    desk = next(iter(site.desks))
    organization = next(iter(site.organizations))
    customer, left_before = site.desk_customers.members(desk)[:2]
    site.add_to_organization(organization, customer)
    site.delete_person(left_before)
    assert (await browser.patch("/sandbox/faults", json={"tombstones": True})).json()["tombstones"]
    for on_site in world.sites:
        on_site.delete_person(on_site.member_id)
    site.delete_person(customer)

    gone = [customer, site.member_id]
    bulk = (await client.get("/rest/api/3/user/bulk", params={"accountId": gone})).json()["values"]
    single = (await client.get("/rest/api/3/user", params={"accountId": customer})).json()
    members = f"/rest/servicedeskapi/organization/{organization}/user?limit=100"
    customers = f"/rest/servicedeskapi/servicedesk/{desk}/customer?limit=100"
    listed = [
        each
        for path in (members, customers)
        for each in (await client.get(path, headers=OPT_IN)).json()["values"]
        if each["accountId"] in {customer, left_before}
    ]
    assert [each["accountId"] for each in (*bulk, single, *listed)] == [*gone, customer, customer, customer]
    for each in (*bulk, single, *listed):
        shown = each["displayName"], each["active"], each.get("emailAddress")
        assert shown == ("Former user (Deactivated)", False, None)
    elsewhere = await other_client.get("/rest/api/3/user", params={"accountId": other.member_id})
    assert elsewhere.status_code == 404

    await browser.patch("/sandbox/faults", json={"tombstones": False})
    assert (await client.get("/rest/api/3/user", params={"accountId": customer})).status_code == 404
    left = (await client.get(customers, headers=OPT_IN)).json()["values"]
    assert customer not in [each["accountId"] for each in left]
