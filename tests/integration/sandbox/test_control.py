from typing import Any

import pytest

from sandbox.installation import State
from tests.integration.sandbox.conftest import World
from tests.integration.sandbox.standin import BASE_URL, a_descriptor

DESCRIPTOR_URL = f"{BASE_URL}/descriptor.json"


async def test_state_tells_the_truth_about_its_own_site(world: World) -> None:
    for site in world.sites:
        browser = await world.browser(site)
        state = (await browser.get("/sandbox/state?people=1")).json()
        assert state["site"]["cloudId"] == site.cloud_id
        assert {each["accountId"] for each in state["list"]} == set(site.people)
        living = [each for each in state["list"] if not each["deleted"]]
        counted = state["people"]["byKind"]
        assert sum(kind["total"] for kind in counted.values()) == len(living)
        customers = [each for each in living if each["kind"] == "customer"]
        assert counted["customer"]["active"] == sum(each["active"] for each in customers)
        assert counted["customer"]["emailHidden"] == sum(not each["emailVisible"] for each in customers)
        assert counted["user"]["reachable"] == counted["user"]["total"]
        assert state["people"]["sharedEmails"] > 0
        assert "sharedSecret" not in str(state)
        assert "list" not in (await browser.get("/sandbox/state")).json()


async def test_person_is_added_changed_and_deleted(world: World) -> None:
    site, other = world.sites
    browser = await world.browser(site)
    added = await browser.post("/sandbox/people", json={"displayName": "New One", "email": "new@site.example"})
    assert added.status_code == 201
    account_id = added.json()["accountId"]
    assert added.json()["reachable"]
    assert not site.is_admin(account_id)
    changed = await browser.patch(
        f"/sandbox/people/{account_id}", json={"displayName": "Newer", "email": None, "active": False}
    )
    assert (changed.json()["displayName"], changed.json()["email"], changed.json()["active"]) == ("Newer", None, False)
    assert (await browser.delete(f"/sandbox/people/{account_id}")).status_code == 204
    assert (await browser.get(f"/sandbox/people/{account_id}")).json()["deleted"]
    assert account_id not in other.people


async def test_customer_is_added_to_a_desk_or_to_the_places_named(world: World) -> None:
    browser = await world.browser(world.sites[0])
    customer: dict[str, Any] = {"accountType": "customer", "displayName": "C"}
    assert (await browser.post("/sandbox/people", json=customer)).json()["desks"] == ["1"]
    placed = {**customer, "accountId": "qm:x:1", "desks": [], "organizations": ["2"]}
    assert (await browser.post("/sandbox/people", json=placed)).json()["organizations"] == ["2"]
    assert (await browser.post("/sandbox/people", json=placed)).status_code == 409


async def test_account_is_closed_or_migrated(world: World) -> None:
    site = world.sites[0]
    browser = await world.browser(site)
    closed = await browser.patch(f"/sandbox/people/{site.member_id}", json={"closed": True})
    assert (closed.json()["closed"], closed.json()["deleted"], closed.json()["email"]) == (True, True, None)
    customer = site.desk_customers.members("1")[0]
    migrated = await browser.patch(f"/sandbox/people/{customer}", json={"migrateTo": site.agent_id})
    assert migrated.json()["accountId"] == site.agent_id
    assert "1" in migrated.json()["desks"]
    assert site.people[customer].deleted


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PATCH", "/sandbox/people/nobody", {"active": False}, 404),
        ("PATCH", "/sandbox/people/nobody", {"closed": True}, 404),
        ("DELETE", "/sandbox/people/nobody", None, 404),
        ("DELETE", "/sandbox/groups/none", None, 404),
        ("POST", "/sandbox/groups", {"name": " "}, 400),
        ("POST", "/sandbox/groups", {"name": "g", "products": ["jira-tea"]}, 400),
        ("POST", "/sandbox/groups", {"name": "g", "members": ["nobody"]}, 404),
        ("GET", "/sandbox/people/nobody", None, 404),
        ("PATCH", "/sandbox/people/x", {"colour": "blue"}, 400),
        ("POST", "/sandbox/people", {"accountType": "robot"}, 400),
        ("POST", "/sandbox/people", {"displayName": "N", "groups": ["none"]}, 400),
        ("POST", "/sandbox/people", {}, 400),
        ("POST", "/sandbox/people", {"displayName": " "}, 400),
        *(
            ("POST", "/sandbox/people", {"displayName": "N", "accountId": account_id}, 400)
            for account_id in (5, "", "a" * 129, "unknown", "a/b c", "a\n")
        ),
        ("POST", "/sandbox/people", [], 400),
        ("POST", "/sandbox/people", {"displayName": 5}, 400),
        ("PATCH", "/sandbox/people/5b10ac8d82e05b22cc7d4ad0", {"active": "no"}, 400),
        ("PATCH", "/sandbox/faults", {"fallbackUsers": "no"}, 400),
        ("POST", "/sandbox/install", {}, 400),
        ("POST", "/sandbox/install", {"descriptorUrl": f"{BASE_URL}/nothing"}, 502),
        ("POST", "/sandbox/disable", {"addonKey": "other"}, 404),
        ("PATCH", "/sandbox/faults", {"earthquake": True}, 400),
        ("PATCH", "/sandbox/faults", {"emailApi": "maybe"}, 400),
        ("PATCH", "/sandbox/faults", {"interruptions": [{"status": 503}]}, 400),
        ("PATCH", "/sandbox/faults", {"interruptions": [{"pathPrefix": "/", "status": 99}]}, 400),
        ("PATCH", "/sandbox/faults", {"interruptions": [{"pathPrefix": "/", "times": -1}]}, 400),
        ("PATCH", "/sandbox/faults", {"pageSize": -1}, 400),
        ("PATCH", "/sandbox/faults", {"pageSize": 0}, 400),
        ("PATCH", "/sandbox/faults", {"errorShare": 1.5}, 400),
        ("PATCH", "/sandbox/faults", {"sessionSeconds": 1e300}, 400),
        ("PATCH", "/sandbox/faults", {"webhooks": {"delayedSeconds": -1}}, 400),
        ("PATCH", "/sandbox/faults", {"interruptions": [{"pathPrefix": "/", "status": "bad"}]}, 400),
    ],
)
async def test_control_says_what_is_wrong_and_changes_nothing(
    world: World, method: str, path: str, body: Any, status: int
) -> None:
    site = world.sites[0]
    before, groups, faults = dict(site.people), dict(site.groups), site.faults
    browser = await world.browser(site)
    answer = await browser.request(method, path, json=body)
    assert answer.status_code == status
    assert answer.json()["error"]
    assert (site.people, site.groups, site.faults) == (before, groups, faults)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/sandbox/people", rb'{"displayName": "\ud800"}'),
        ("POST", "/sandbox/organizations", rb'{"name": "\udfff"}'),
        ("PATCH", "/sandbox/faults", b'{"delaySeconds": 1e400}'),
        ("PATCH", "/sandbox/faults", b'{"delaySeconds": NaN}'),
        ("PATCH", "/sandbox/faults", b"[" * 100_000),
    ],
)
async def test_what_could_never_be_shown_again_is_not_taken(world: World, method: str, path: str, body: bytes) -> None:
    site = world.sites[0]
    before = dict(site.people), dict(site.organizations), site.faults
    browser = await world.browser(site)
    assert (await browser.request(method, path, content=body)).status_code == 400
    assert (site.people, site.organizations, site.faults) == before


async def test_group_is_made_and_deleted_and_its_members_stay(world: World) -> None:
    site, other = world.sites
    browser, client = await world.browser(site), await world.client(site)
    before, elsewhere = set(site.groups), set(other.groups)
    told = {"name": "guests", "products": ["jira-software"], "members": [site.member_id]}
    made = await browser.post("/sandbox/groups", json=told)
    assert (made.status_code, made.json()) == (201, {**told, "id": made.json()["id"]})
    assert made.json() in (await browser.get("/sandbox/groups")).json()["groups"]
    query = {"groupId": made.json()["id"]}
    members = (await client.get("/rest/api/3/group/member", params=query)).json()["values"]
    assert [each["accountId"] for each in members] == [site.member_id]
    assert (await browser.post("/sandbox/groups", json=told)).status_code == 409
    assert (await browser.delete(f"/sandbox/groups/{query['groupId']}")).status_code == 204
    assert (await client.get("/rest/api/3/group/member", params=query)).status_code == 404
    member = (await browser.get(f"/sandbox/people/{site.member_id}")).json()
    assert (member["deleted"], member["groups"]) == (False, site.group_members.owners(site.member_id))
    assert member["groups"]
    assert (set(site.groups), set(other.groups)) == (before, elsewhere)


async def test_lifecycle_runs_by_control(bare_world: World) -> None:
    site, other = bare_world.sites
    browser = await bare_world.browser(site)
    answer = await browser.post("/sandbox/install", json={"descriptorUrl": DESCRIPTOR_URL})
    assert (answer.status_code, answer.json()["state"]) == (200, "enabled")
    for move, state in (("disable", "disabled"), ("enable", "enabled"), ("uninstall", "uninstalled")):
        assert (await browser.post(f"/sandbox/{move}")).json()["state"] == state
    before = site.client_key
    assert (await browser.post("/sandbox/reinstall", json={"addonKey": "stand-in"})).json()["clientKey"] == before
    assert (await browser.post("/sandbox/reimport")).json()["clientKey"] != before
    assert site.installations["stand-in"].state is State.ENABLED
    assert other.installations == {}


async def test_install_by_control_reports_a_refusal(bare_world: World) -> None:
    browser = await bare_world.browser(bare_world.sites[0])
    bare_world.app.statuses["installed"] = 500
    answer = await browser.post("/sandbox/install", json={"descriptorUrl": DESCRIPTOR_URL})
    assert (answer.status_code, answer.json()["state"]) == (502, "incomplete")
    bare_world.app.descriptor = a_descriptor(scopes=["NO_SUCH"])
    assert (await browser.post("/sandbox/install", json={"descriptorUrl": DESCRIPTOR_URL})).status_code == 422


async def test_tenant_info_names_the_cloud(world: World) -> None:
    for site in world.sites:
        assert (await (await world.browser(site)).get("/_edge/tenant_info")).json() == {"cloudId": site.cloud_id}


async def test_avatar_is_a_picture(world: World) -> None:
    site = world.sites[0]
    me = (await (await world.client(site)).get("/rest/api/3/myself")).json()
    picture = await (await world.browser(site)).get(me["avatarUrls"]["48x48"])
    assert picture.headers["content-type"] == "image/svg+xml"
