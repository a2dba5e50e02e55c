"""Organizations come, get other names and members, and go; apps read what they are now."""

from typing import Any

import httpx
import pytest

from tests.integration.sandbox.conftest import World

HAND = "/sandbox/organizations"
API = "/rest/servicedeskapi/organization"


async def names(client: httpx.AsyncClient) -> dict[str, str]:
    found: dict[str, str] = {}
    start, is_last = 0, False
    while not is_last:
        page: dict[str, Any] = (await client.get(API, params={"start": start})).json()
        found |= {each["id"]: each["name"] for each in page["values"]}
        start, is_last = start + page["size"], page["isLastPage"]
    return found


async def members(client: httpx.AsyncClient, organization_id: str) -> list[str]:
    page = (await client.get(f"{API}/{organization_id}/user")).json()
    return [each["accountId"] for each in page["values"]]


async def test_organization_lives_as_the_hand_wants_it(world: World) -> None:
    site, other = world.sites
    browser, client = await world.browser(site), await world.client(site)
    before = await names(await world.client(other))
    name = "<b>Acme</b> & " + "x" * 286
    made = await browser.post(HAND, json={"name": name, "desks": ["1"], "members": [site.member_id]})
    assert made.status_code == 201
    organization_id = made.json()["id"]
    assert (await names(client))[organization_id] == name
    assert await members(client, organization_id) == [site.member_id]
    place = f"{HAND}/{organization_id}"
    assert (await browser.patch(place, json={"name": "Acme"})).json()["name"] == "Acme"
    assert (await names(client))[organization_id] == "Acme"
    assert (await browser.put(f"{place}/members/{site.agent_id}")).status_code == 204
    assert (await browser.delete(f"{place}/members/{site.member_id}")).status_code == 204
    assert await members(client, organization_id) == (await browser.get(place)).json()["members"] == [site.agent_id]
    assert (await browser.delete(place)).status_code == 204
    assert organization_id not in await names(client)
    assert site.organization_members.owners(site.agent_id) == []
    assert (await client.get(f"{API}/{organization_id}/user")).status_code == 404
    assert await names(await world.client(other)) == before


async def test_id_of_an_organization_is_never_given_twice(world: World) -> None:
    site = world.sites[0]
    first = site.create_organization("First")
    site.delete_organization(first.organization_id)
    assert site.create_organization("Second").organization_id != first.organization_id
    listed = (await (await world.browser(site)).get(HAND)).json()["organizations"]
    assert [each["id"] for each in listed] == list(site.organizations)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"name": " "}, 400),
        ({"name": "x" * 301}, 400),
        ({"name": "A", "desks": ["none"]}, 400),
        ({"name": "A", "members": ["nobody"]}, 404),
    ],
)
async def test_bad_organization_is_not_made(world: World, body: dict[str, Any], status: int) -> None:
    site = world.sites[0]
    before = len(site.organizations)
    browser = await world.browser(site)
    assert (await browser.post(HAND, json=body)).status_code == status
    assert len(site.organizations) == before
    for method, path in (
        ("PATCH", "0"),
        ("DELETE", "0"),
        ("PUT", "0/members/x"),
        ("DELETE", "0/members/x"),
        ("PUT", "1/members/nobody"),
    ):
        assert (await browser.request(method, f"{HAND}/{path}", json={"name": "x"})).status_code == 404
