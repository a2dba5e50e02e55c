from typing import Any

import httpx
import pytest

from sandbox.person import AccountType
from sandbox.site import PRODUCTS, Site
from tests.integration.sandbox.conftest import World


async def read_members(client: httpx.AsyncClient, group: str, **more: Any) -> tuple[list[dict[str, Any]], list[int]]:
    """Everyone in the group by following `nextPage`, and the sizes of the pages."""
    members: list[dict[str, Any]] = []
    sizes: list[int] = []
    url: str | None = str(httpx.URL("/rest/api/3/group/member", params={"groupname": group, **more}))
    while url is not None:
        page = (await client.get(url)).raise_for_status().json()
        assert ("nextPage" in page) is not page["isLast"]
        members.extend(page["values"])
        sizes.append(len(page["values"]))
        url = page.get("nextPage")
    return members, sizes


def members_of(site: Site, group: str) -> list[str]:
    group_id = next(each.group_id for each in site.groups.values() if each.name == group)
    return list(site.group_members.members(group_id))


async def test_groups_that_grant_access_are_named_for_every_product(world: World) -> None:
    for site in world.sites:
        client = await world.client(site)
        for product in PRODUCTS:
            query = {"accessType": "user", "applicationKey": product}
            page = (await client.get("/rest/api/3/group/bulk", params=query)).json()
            truth = {each.group_id for each in site.groups.values() if each.grants(product, "user")}
            assert {each["groupId"] for each in page["values"]} == truth
            assert len(truth) >= 2
        everything = (await client.get("/rest/api/3/group/bulk")).json()
        assert everything["total"] == len(site.groups)


async def test_groups_come_in_pages_and_by_id_or_name(world: World) -> None:
    site = world.sites[0]
    client = await world.client(site)
    first = (await client.get("/rest/api/3/group/bulk?maxResults=2")).json()
    assert (len(first["values"]), first["isLast"]) == (2, False)
    second = (await client.get(first["nextPage"])).json()
    assert second["startAt"] == 2
    wanted = second["values"][0]
    for query in ({"groupId": wanted["groupId"]}, {"groupName": wanted["name"]}):
        assert (await client.get("/rest/api/3/group/bulk", params=query)).json()["values"] == [wanted]
    admins = (await client.get("/rest/api/3/group/bulk?accessType=site-admin")).json()["values"]
    assert [each["name"] for each in admins] == ["site-admins"]


async def test_members_are_all_there_once_and_ordered_by_username(world: World) -> None:
    for site in world.sites:
        client = await world.client(site)
        members, _ = await read_members(client, "jira-software-users", includeInactiveUsers="true")
        ids = [each["accountId"] for each in members]
        living = [each for each in members_of(site, "jira-software-users") if not site.people[each].deleted]
        assert ids == living
        assert ids != sorted(ids)
        assert {each["accountType"] for each in members} == {"atlassian", "app"}
        assert {each["active"] for each in members} == {True, False}


async def test_inactive_members_come_only_when_asked_for(world: World) -> None:
    site = world.sites[0]
    client = await world.client(site)
    members, _ = await read_members(client, "jira-software-users")
    assert all(each["active"] for each in members)
    truth = {each for each in members_of(site, "jira-software-users") if site.people[each].active}
    assert {each["accountId"] for each in members} == truth


async def test_short_page_is_not_the_last_unless_the_quirk_is_off(world: World) -> None:
    site = world.sites[0]
    client = await world.client(site)
    _, sizes = await read_members(client, "jira-software-users", maxResults=10)
    assert min(sizes[:-1]) < 10
    site.faults.short_pages = False
    _, sizes = await read_members(client, "jira-software-users", maxResults=10)
    assert set(sizes[:-1]) == {10}


async def test_hidden_addresses_are_left_out(world: World) -> None:
    for site in world.sites:
        client = await world.client(site)
        members, _ = await read_members(client, "jira-software-users", includeInactiveUsers="true")
        shown = {each["accountId"]: each.get("emailAddress") for each in members}
        assert shown == {account_id: site.people[account_id].readable_email for account_id in shown}
        hidden = [each for each in members if "emailAddress" not in each]
        assert any(site.people[each["accountId"]].account_type is AccountType.ATLASSIAN for each in hidden)


async def test_picker_finds_by_substring_and_excludes(world: World) -> None:
    site = world.sites[0]
    client = await world.client(site)

    async def pick(**query: str) -> list[str]:
        answer = await client.get("/rest/api/3/groups/picker", params=query)
        return [each["name"] for each in answer.json()["groups"]]

    assert "jira-software-users" in await pick(query="software")
    assert await pick(query="SOFTWARE") == []
    assert "jira-software-users" in await pick(query="SOFTWARE", caseInsensitive="true")
    assert await pick(query="software", exclude="jira-software-users") == []
    assert await pick(accountId=site.member_id) == ["jira-software-users"]
    assert len(await pick(maxResults="1")) == 1


async def test_groups_of_a_user_are_those_they_are_in(world: World) -> None:
    site = world.sites[0]
    client = await world.client(site)
    answer = await client.get("/rest/api/3/user/groups", params={"accountId": site.admin_id})
    assert {each["name"] for each in answer.json()} == {"jira-software-users", "site-admins"}


@pytest.mark.parametrize("path", ["/rest/api/3/group/bulk", "/rest/api/3/group/member?groupname=jira-software-users"])
async def test_lists_are_empty_without_the_permission_to_browse(world: World, path: str) -> None:
    site, other = world.sites
    site.faults.no_browse_permission = True
    empty = (await (await world.client(site)).get(path)).json()
    assert (empty["values"], empty["total"], empty["isLast"]) == ([], 0, True)
    assert (await (await world.client(other)).get(path)).json()["values"]


@pytest.mark.parametrize("path", ["/rest/api/3/user/groups", "/rest/api/3/user"])
async def test_one_person_is_refused_without_the_permission_to_browse(world: World, path: str) -> None:
    site, other = world.sites
    site.faults.no_browse_permission = True
    refused = await (await world.client(site)).get(path, params={"accountId": site.admin_id})
    assert refused.status_code == 403
    assert (await (await world.client(other)).get(path, params={"accountId": other.admin_id})).status_code == 200
