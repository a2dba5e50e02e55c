from typing import Any

import httpx

from sandbox import viewer
from sandbox.person import AccountType, Person
from tests.integration.sandbox.conftest import World

JSM = "/rest/servicedeskapi"
OPT_IN = {"X-ExperimentalApi": "opt-in"}


async def read_all(client: httpx.AsyncClient, path: str, limit: int = 50) -> tuple[list[dict[str, Any]], list[int]]:
    """Every value by following `_links.next`, and the sizes of the pages."""
    values: list[dict[str, Any]] = []
    sizes: list[int] = []
    url: str | None = f"{path}?limit={limit}"
    while url is not None:
        page = (await client.get(url, headers=OPT_IN)).raise_for_status().json()
        assert page["size"] == len(page["values"])
        assert ("next" in page["_links"]) is not page["isLastPage"]
        values.extend(page["values"])
        sizes.append(page["size"])
        url = page["_links"].get("next")
    return values, sizes


async def test_desks_and_organizations_are_all_there(world: World) -> None:
    for site in world.sites:
        client = await world.client(site)
        desks, _ = await read_all(client, f"{JSM}/servicedesk", limit=1)
        assert [each["id"] for each in desks] == list(site.desks)
        organizations, _ = await read_all(client, f"{JSM}/organization")
        assert [each["name"] for each in organizations] == [each.name for each in site.organizations.values()]
        of_desks = [await read_all(client, f"{JSM}/servicedesk/{each}/organization") for each in site.desks]
        assert {each["id"] for values, _ in of_desks for each in values} == set(site.organizations)
        one = (await client.get(f"{JSM}/organization/1")).json()
        assert one["uuid"] == site.organizations["1"].uuid


async def test_customers_and_members_together_are_every_living_customer(world: World) -> None:
    for site in world.sites:
        client = await world.client(site)
        found: set[str] = set()
        for desk in site.desks:
            customers, _ = await read_all(client, f"{JSM}/servicedesk/{desk}/customer")
            found |= {each["accountId"] for each in customers}
        customers_role = set(found)
        for organization in site.organizations:
            members, _ = await read_all(client, f"{JSM}/organization/{organization}/user")
            assert [each["accountId"] for each in members] == sorted(each["accountId"] for each in members)
            found |= {each["accountId"] for each in members}
        portal_only = {
            each.account_id
            for each in site.people.values()
            if each.account_type is AccountType.CUSTOMER and not each.deleted
        }
        assert portal_only <= found
        assert portal_only - customers_role
        assert {site.people[each].account_type for each in found - portal_only} == {AccountType.ATLASSIAN}


async def test_page_is_capped_below_the_asked_limit_and_says_so(world: World) -> None:
    site = world.sites[0]
    for number in range(60):
        site.desk_customers.add("1", list(site.people)[number])
    client = await world.client(site)
    page = (await client.get(f"{JSM}/servicedesk/1/customer?limit=100", headers=OPT_IN)).json()
    assert (page["limit"], page["size"], page["isLastPage"]) == (100, 50, False)
    values, sizes = await read_all(client, f"{JSM}/servicedesk/1/customer", limit=100)
    assert sizes[0] == 50
    assert len({each["accountId"] for each in values}) == len(values)


async def test_customers_have_no_account_type_and_null_for_a_hidden_address(world: World) -> None:
    for site in world.sites:
        client = await world.client(site)
        customers, _ = await read_all(client, f"{JSM}/servicedesk/1/customer")
        shown = {each["accountId"]: each["emailAddress"] for each in customers}
        assert shown == {account_id: site.people[account_id].readable_email for account_id in shown}
        assert None in shown.values()
        assert not any("accountType" in each for each in customers)


async def test_customers_are_searched_by_name_and_visible_address(world: World) -> None:
    site = world.sites[0]
    client = await world.client(site)
    site.desk_customers.add("1", site.member_id)
    answer = await client.get(f"{JSM}/servicedesk/1/customer?query=MIA", headers=OPT_IN)
    assert site.member_id in [each["accountId"] for each in answer.json()["values"]]
    nobody = await client.get(f"{JSM}/servicedesk/1/customer?query=qqqqqq", headers=OPT_IN)
    assert nobody.json()["values"] == []


async def test_organizations_of_one_account(world: World) -> None:
    site = world.sites[0]
    client = await world.client(site)
    site.organization_members.add("2", site.member_id)
    answer = await client.get(f"{JSM}/organization", params={"accountId": site.member_id})
    assert [each["id"] for each in answer.json()["values"]] == ["2"]


async def test_deleted_customer_is_in_no_list(world: World) -> None:
    site = world.sites[0]
    customer = site.desk_customers.members("1")[0]
    site.delete_person(customer)
    customers, _ = await read_all(await world.client(site), f"{JSM}/servicedesk/1/customer")
    assert customer not in {each["accountId"] for each in customers}


async def test_migrated_customer_lives_on_in_the_atlassian_account(world: World) -> None:
    site = world.sites[0]
    customer = site.desk_customers.members("1")[0]
    site.migrate_customer(customer, site.member_id)
    customers, _ = await read_all(await world.client(site), f"{JSM}/servicedesk/1/customer")
    ids = {each["accountId"] for each in customers}
    assert site.member_id in ids
    assert customer not in ids


async def test_customers_are_hidden_without_the_permission_to_browse(world: World) -> None:
    site = world.sites[0]
    site.faults.no_browse_permission = True
    values, _ = await read_all(await world.client(site), f"{JSM}/servicedesk/1/customer")
    assert values == []


async def test_desk_of_a_hidden_project_is_closed_to_apps_and_open_to_agents(world: World) -> None:
    site, other = world.sites
    site.hidden_projects.add("SD1")
    for here, status in ((site, 403), (other, 200)):
        client = await world.client(here)
        desks, _ = await read_all(client, f"{JSM}/servicedesk")
        assert ("1" in {each["id"] for each in desks}) is (status == 200)
        for path in ("1", "SD1", "1/customer", "1/organization"):
            assert (await client.get(f"{JSM}/servicedesk/{path}", headers=OPT_IN)).status_code == status
        assert (await client.get(f"{JSM}/servicedesk/2/customer", headers=OPT_IN)).status_code == 200
    agent = await world.browser(site)
    agent.cookies.set(viewer.cookie_name(site), "agent")
    assert (await agent.get(f"{JSM}/servicedesk/1/customer", headers=OPT_IN)).status_code == 200


async def test_people_see_what_their_role_at_the_desks_allows(world: World) -> None:
    site = world.sites[0]
    organization = next(
        each for each in site.organizations.values() if site.organization_members.members(each.organization_id)
    )
    own = organization.organization_id
    foreign = next(each for each in site.organizations if each != own)
    joined = site.add_person(
        Person(account_id="qm:x:1", account_type=AccountType.CUSTOMER, display_name="C"), organization_ids=[own]
    )
    site.create_organization("Elsewhere", desk_ids=[])
    behind = {
        "servicedesk/1/customer",
        "servicedesk/1/organization",
        f"organization/{own}/user",
        "organization?accountId=x",
    }
    for who, lists, refused in (
        ("admin", None, set()),
        ("agent", None, set()),
        (site.member_id, ([], list(site.desks)), {*behind, f"organization/{foreign}"}),
        (joined.account_id, ([own], sorted(organization.desk_ids)), {*behind, f"organization/{foreign}"}),
    ):
        browser = await world.browser(site)
        browser.cookies.set(viewer.cookie_name(site), who.replace(":", "%3A"))
        for path in {*behind, f"organization/{foreign}"}:
            status = (await browser.get(f"{JSM}/{path}", headers=OPT_IN)).status_code
            assert status == (403 if path in refused else 200), (who, path)
        organizations, _ = await read_all(browser, f"{JSM}/organization")
        desks, _ = await read_all(browser, f"{JSM}/servicedesk")
        seen = [each["id"] for each in organizations], [each["id"] for each in desks]
        assert seen == (lists or (list(site.organizations), list(site.desks)))
