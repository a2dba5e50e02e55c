import dataclasses
from typing import Any

import httpx
import pytest

from sandbox.faults import EmailApi
from sandbox.person import AccountType, Person
from sandbox.site import Site
from tests.integration.sandbox.conftest import World

BULK = "/rest/api/3/user/bulk"
EMAILS = "/rest/api/3/user/email/bulk"
SEARCH = "/rest/api/3/user/search"


def living(site: Site) -> list[Person]:
    return [each for each in site.people.values() if not each.deleted]


def gone(site: Site) -> list[Person]:
    return [each for each in site.people.values() if each.deleted]


async def search(client: httpx.AsyncClient, query: str, **more: Any) -> list[str]:
    answer = await client.get(SEARCH, params={"query": query, **more})
    return [each["accountId"] for each in answer.raise_for_status().json()]


async def test_one_user_is_shown_as_they_are(world: World) -> None:
    for site in world.sites:
        client = await world.client(site)
        for shown in living(site)[::25]:
            user = (await client.get("/rest/api/3/user", params={"accountId": shown.account_id})).json()
            assert user["displayName"] == shown.display_name
            assert user["accountType"] == shown.account_type
            assert user["active"] is shown.active
            assert user.get("emailAddress") == shown.readable_email


async def test_deleted_user_is_found_nowhere(world: World) -> None:
    site = world.sites[0]
    client = await world.client(site)
    site.delete_person(site.member_id)
    assert (await client.get("/rest/api/3/user", params={"accountId": site.member_id})).status_code == 404
    found = await client.get(BULK, params={"accountId": [site.member_id, site.agent_id]})
    assert [each["accountId"] for each in found.json()["values"]] == [site.agent_id]
    assert site.member_id not in await search(client, "Mia")
    assert (await client.get(EMAILS, params={"accountId": site.member_id})).json() == []


async def test_bulk_gives_ten_by_default_and_leaves_out_who_is_not_there(world: World) -> None:
    for site in world.sites:
        client = await world.client(site)
        asked = [each.account_id for each in living(site)[:60]]
        query = {"accountId": [*asked, asked[0], gone(site)[0].account_id, "nobody"]}
        page = (await client.get(BULK, params=query)).json()
        assert [each["accountId"] for each in page["values"]] == asked[:10]
        assert (page["total"], page["isLast"]) == (60, False)
        second = (await client.get(page["nextPage"])).json()
        assert [each["accountId"] for each in second["values"]] == asked[10:20]
        whole = (await client.get(BULK, params={**query, "maxResults": 200})).json()
        assert [each["accountId"] for each in whole["values"]] == asked


async def test_search_matches_prefixes_of_words_of_active_people_only(world: World) -> None:
    site = world.sites[0]
    client = await world.client(site)
    assert site.agent_id in await search(client, "ansel")
    assert site.agent_id in await search(client, "AGENT ans")
    assert site.agent_id not in await search(client, "nselm")
    assert await search(client, site.agent.email or "") == [site.agent_id]
    site.put_person(dataclasses.replace(site.agent, email_visible=False))
    assert await search(client, site.agent.email or "") == []
    site.deactivate_person(site.agent_id)
    assert site.agent_id not in await search(client, "ansel")


async def test_search_pages_and_never_goes_past_the_first_thousand(world: World) -> None:
    site = world.sites[0]
    for number in range(1100):
        site.add_person(
            Person(account_id=f"a{number}", account_type=AccountType.ATLASSIAN, display_name=f"Zzyzx {number:04}")
        )
    client = await world.client(site)
    first, second = (
        await search(client, "zzyzx", maxResults=600),
        await search(client, "zzyzx", maxResults=600, startAt=600),
    )
    assert (len(first), len(second)) == (600, 400)
    assert await search(client, "zzyzx", startAt=1000) == []
    assert len(await search(client, "zzyzx 09")) == 50


async def test_search_by_id_or_property(world: World) -> None:
    site = world.sites[0]
    client = await world.client(site)
    answer = await client.get(SEARCH, params={"accountId": site.member_id})
    assert [each["accountId"] for each in answer.json()] == [site.member_id]
    assert (await client.get(SEARCH, params={"accountId": "nobody"})).json() == []
    assert (await client.get(SEARCH, params={"property": "crm.colour=blue"})).json() == []


async def test_search_is_empty_without_the_permission_to_browse(world: World) -> None:
    site = world.sites[0]
    site.faults.no_browse_permission = True
    assert await search(await world.client(site), "a") == []


async def test_emails_come_for_approved_apps_hidden_ones_too(world: World) -> None:
    for site in world.sites:
        client = await world.client(site)
        hidden = [each for each in living(site) if each.email and not each.email_visible][:80]
        apps = [each for each in living(site) if each.email is None][:5]
        asked = [each.account_id for each in [*hidden, *apps]] + ["nobody"]
        answer = (await client.get(EMAILS, params={"accountId": asked})).json()
        assert answer == [{"accountId": each.account_id, "email": each.email} for each in hidden]
        single = await client.get("/rest/api/3/user/email", params={"accountId": hidden[0].account_id})
        assert single.json() == answer[0]
        nothing = await client.get("/rest/api/3/user/email", params={"accountId": apps[0].account_id})
        assert nothing.status_code == 404


@pytest.mark.parametrize("path", [EMAILS, "/rest/api/3/user/email"])
async def test_emails_depend_on_approval_and_on_the_site(world: World, path: str) -> None:
    site, other = world.sites
    client, other_client = await world.client(site), await world.client(other)
    query = {"accountId": site.admin_id}
    site.email_api["stand-in"] = EmailApi.NOT_APPROVED
    assert (await client.get(path, params=query)).status_code == 400
    site.email_api["stand-in"] = EmailApi.APPROVED
    assert (await client.get(path, params=query)).status_code == 200
    assert (await other_client.get(path, params=query)).status_code == 200


async def test_fallback_records_keep_the_id_and_corrupt_ones_do_not(world: World) -> None:
    site = world.sites[0]
    client = await world.client(site)
    query = {"accountId": [site.admin_id, site.agent_id]}
    site.faults.fallback_users = True
    for user in (await client.get(BULK, params=query)).json()["values"]:
        assert user["accountId"] in query["accountId"]
        assert (user["displayName"], user["active"], user["accountType"]) == ("", False, "unknown")
    site.faults.corrupt_users = True
    users = (await client.get(BULK, params=query)).json()["values"]
    assert [each["accountId"] for each in users] == ["unknown", "unknown"]


async def test_myself_is_the_apps_own_user(world: World) -> None:
    for site in world.sites:
        me = (await (await world.client(site)).get("/rest/api/3/myself?expand=groups,applicationRoles")).json()
        assert me["accountId"] == site.installations["stand-in"].account_id
        assert me["accountType"] == "app"
        assert {each["name"] for each in me["groups"]["items"]} == {"atlassian-addons-admin", "jira-software-users"}
        assert [each["key"] for each in me["applicationRoles"]["items"]] == ["jira-software"]
        assert not site.is_admin(me["accountId"])
