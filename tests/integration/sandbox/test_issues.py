"""Issues as an app reads them: one, many, counted, with their fields, and only where it may see them."""

from collections import Counter
from typing import Any

import httpx
import pytest

from sandbox import viewer
from sandbox.person import AccountType
from sandbox.site import Site
from tests.integration.sandbox.conftest import World
from tests.integration.sandbox.standin import COMPANY

API = "/rest/api/3"
SEARCH = f"{API}/search/jql"


async def read(client: httpx.AsyncClient, id_or_key: str, **parameters: str) -> dict[str, Any]:
    answer = await client.get(f"{API}/issue/{id_or_key}", params=parameters)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def keys(client: httpx.AsyncClient, jql: str, **more: Any) -> list[str]:
    answer = await client.post(SEARCH, json={"jql": jql, "fields": ["summary"], "maxResults": 100, **more})
    assert answer.status_code == 200, answer.text
    return [each["key"] for each in answer.json()["issues"]]


def write_company(site: Site, key: str, name: Any, **more: Any) -> None:
    site.tracker.set_property(key, COMPANY, {"id": "7", "name": name, **more})


async def test_issue_tells_its_state_and_what_apps_add(world: World) -> None:
    site = world.sites[0]
    made = site.create_issue(site.member_id, summary="Help <me>", status="indeterminate")
    write_company(site, made.key, "Acme", rank={"number": 3})
    client = await world.client(site)
    found = await read(client, made.key, properties=COMPANY)
    fields = found["fields"]
    assert (found["id"], fields["summary"], fields["reporter"]["accountId"]) == (
        made.issue_id,
        "Help <me>",
        site.member_id,
    )
    assert (fields["status"]["name"], fields["status"]["statusCategory"]["key"]) == ("In Progress", "indeterminate")
    assert (fields["customfield_10100"], fields["customfield_10101"]) == ("Acme", 3)
    assert found["properties"] == {COMPANY: {"id": "7", "name": "Acme", "rank": {"number": 3}}}
    assert await read(client, made.issue_id.lower()) == {**await read(client, made.key.lower())}
    some = await read(client, made.key, fields="reporter,stand-in__company", fieldsByKeys="true")
    assert some["fields"].keys() == {"reporter", "stand-in__company"}
    assert "reporter" not in (await read(client, made.key, fields="-reporter"))["fields"]


async def test_issue_of_nobody_and_of_an_app(world: World) -> None:
    site = world.sites[0]
    app = next(each for each in site.people.values() if each.account_type is AccountType.APP)
    nobody_s, app_s = site.create_issue(None), site.create_issue(app.account_id)
    client = await world.client(site)
    assert (await read(client, nobody_s.key))["fields"]["reporter"] is None
    assert (await read(client, app_s.key))["fields"]["reporter"]["accountType"] == "app"
    assert nobody_s.key in await keys(client, "created >= -5m AND reporter IS EMPTY")
    assert await keys(client, f"reporter in ('{app.account_id}')") == [app_s.key]


@pytest.mark.parametrize("value", [None, 5, {"first": "Acme"}, ["Acme", 5], True])
async def test_field_shows_nothing_that_is_not_of_its_type(world: World, value: Any) -> None:
    site = world.sites[0]
    made = site.create_issue(site.member_id)
    write_company(site, made.key, value)
    client = await world.client(site)
    assert (await read(client, made.key))["fields"]["customfield_10100"] is None
    assert made.key in await keys(client, "Company IS EMPTY AND created >= -5m")


async def test_fields_come_and_go_with_their_app(world: World) -> None:
    site, other = world.sites
    made = site.create_issue(site.member_id)
    write_company(site, made.key, "Acme")
    client = await world.client(site)
    listed = {each["id"]: each for each in (await client.get(f"{API}/field")).json()}
    assert listed["customfield_10100"]["key"] == "stand-in__company"
    assert listed["customfield_10100"]["clauseNames"] == ["cf[10100]", "Company"]
    assert listed["customfield_10100"]["schema"]["type"] == "string"
    assert "customfield_10102" not in listed
    await world.cloud.uninstall(site, "stand-in")
    person = await world.browser(site)
    person.cookies = httpx.Cookies(viewer.cookies_of(viewer.look_as(site.agent, site), site))
    assert not any(each["custom"] for each in (await person.get(f"{API}/field")).json())
    assert (await person.post(SEARCH, json={"jql": "Company = Acme"})).status_code == 400
    await world.cloud.reinstall(site, "stand-in")
    assert await keys(person, "Company = Acme") == [made.key]
    assert await keys(await world.client(other), "Company = Acme") == []


async def test_company_is_searched_by_every_name_of_the_field(world: World) -> None:
    site = world.sites[0]
    first, second, third = (site.create_issue(site.member_id) for _ in range(3))
    write_company(site, first.key, 'Acme "& Sons" <b>')
    write_company(site, second.key, "acme")
    client = await world.client(site)
    assert await keys(client, r'"Company" = "ACME \"& Sons\" <b>"') == [first.key]
    assert await keys(client, "cf[10100] in (Acme, Other) ORDER BY key ASC") == [second.key]
    assert await keys(client, "Company != Acme AND created >= -5m") == [first.key]
    assert third.key in await keys(client, "Company is EMPTY AND created >= -5m")
    assert await keys(client, f"issue.property[{COMPANY}].id = 7 ORDER BY key ASC") == [first.key, second.key]
    assert await keys(client, f"companyId = 7 AND id != {first.issue_id}") == [second.key]
    for unknown in (f"issue.property[{COMPANY}].notes ~ x", f"issue.property[{COMPANY}].name = Acme", "Mood = good"):
        assert (await client.post(SEARCH, json={"jql": unknown})).status_code == 400


async def test_bulk_fetch_leaves_out_what_is_not_there(world: World) -> None:
    site = world.sites[0]
    made = [site.create_issue(site.member_id) for _ in range(3)]
    site.delete_issue(made[1].key)
    client = await world.client(site)
    wanted = [made[2].key, made[1].issue_id, made[0].issue_id, made[0].key, "NO-1"]
    answer = await client.post(f"{API}/issue/bulkfetch", json={"issueIdsOrKeys": wanted, "fields": ["reporter"]})
    assert [each["id"] for each in answer.json()["issues"]] == [made[0].issue_id, made[2].issue_id]
    assert answer.json()["issues"][0]["fields"].keys() == {"reporter"}


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"issueIdsOrKeys": []},
        {"issueIdsOrKeys": [10000]},
        {"issueIdsOrKeys": [str(number) for number in range(101)]},
        {"issueIdsOrKeys": ["10000"], "properties": list("abcdef")},
        {"issueIdsOrKeys": ["10000"], "fields": "reporter"},
        {"issueIdsOrKeys": ["10000"], "limit": 5},
    ],
)
async def test_bulk_fetch_that_asks_wrongly_is_refused(world: World, body: object) -> None:
    client = await world.client(world.sites[0], checks_requests=False)
    assert (await client.post(f"{API}/issue/bulkfetch", json=body)).status_code == 400


async def test_count_is_of_the_query(world: World) -> None:
    site = world.sites[0]
    client = await world.client(site)
    everything = await client.post(f"{API}/search/approximate-count", json={"jql": "created <= 1d"})
    still_open = await client.post(f"{API}/search/approximate-count", json={"jql": "statusCategory != Done"})
    assert everything.json() == {"count": len(site.issues)}
    assert 0 < still_open.json()["count"] < len(site.issues)
    assert (await client.post(f"{API}/search/approximate-count", json={"jql": "ORDER BY key"})).status_code == 400


async def test_hidden_project_is_not_there_for_apps(world: World) -> None:
    site = world.sites[0]
    hidden, shown = (site.create_issue(site.member_id, project=each) for each in ("SD1", "SD2"))
    browser, client = await world.browser(site), await world.client(site)
    assert (await browser.patch("/sandbox/projects/SD1", json={"hidden": True})).json()["hidden"]
    assert (await client.get(f"{API}/issue/{hidden.key}")).status_code == 404
    assert await keys(client, "created >= -5m AND summary ~ help") == [shown.key]
    assert (await client.post(SEARCH, json={"jql": f"key = {hidden.key}"})).status_code == 400
    fetched = await client.post(f"{API}/issue/bulkfetch", json={"issueIdsOrKeys": [hidden.key, shown.key]})
    assert [each["key"] for each in fetched.json()["issues"]] == [shown.key]


async def test_agents_see_issues_and_customers_none(world: World) -> None:
    site = world.sites[0]
    customer = next(each for each in site.people.values() if each.account_type is AccountType.CUSTOMER and each.active)
    made = site.create_issue(customer.account_id)
    for looks, status in ((site.agent, 200), (site.member, 200), (customer, 404)):
        browser = await world.browser(site)
        browser.cookies = httpx.Cookies(viewer.cookies_of(viewer.look_as(looks, site), site))
        assert (await browser.get(f"{API}/issue/{made.key}")).status_code == status


async def test_issues_are_made_and_changed_by_hand(world: World) -> None:
    site = world.sites[0]
    browser = await world.browser(site)
    made = (await browser.post("/sandbox/issues", json={"reporterId": None, "status": "done", "project": "SD2"})).json()
    assert (made["reporterId"], made["status"], made["project"]) == (None, "done", "SD2")
    address = f"/sandbox/issues/{made['key']}"
    changed = await browser.patch(address, json={"summary": "New", "status": "new", "reporterId": site.agent_id})
    assert (changed.json()["summary"], changed.json()["reporterId"]) == ("New", site.agent_id)
    assert (await browser.patch(address, json={"reporterId": None})).json()["reporterId"] is None
    site.tracker.set_property(made["key"], "colour", "red")
    assert (await browser.get(address)).json()["properties"] == {"colour": "red"}
    for wrong in ({"status": "closed"}, {"colour": 1}, {"summary": None}):
        assert (await browser.patch(address, json=wrong)).status_code == 400
    assert (await browser.patch(address, json={"reporterId": "nobody"})).status_code == 404
    assert (await browser.delete(address)).status_code == 204
    for method in ("GET", "DELETE"):
        assert (await browser.request(method, address)).status_code == 404
    assert (await browser.post("/sandbox/issues", json={})).status_code == 400


async def test_numbers_and_keys_are_never_given_twice(world: World) -> None:
    site = world.sites[0]
    first = site.create_issue(site.member_id)
    site.delete_issue(first.key)
    second = site.create_issue(site.member_id)
    assert (second.number, second.key) > (first.number, first.key)
    assert second.number != first.number


async def test_site_is_made_with_so_many_issues_of_so_many_organizations(world: World) -> None:
    made = world.cloud.create_site(base_url="http://localhost:9009", people=60, issues=300, organizations=5)
    reporters = [each.reporter_id or "" for each in made.issues]
    of_organization = Counter(made.organization_members.owners(each)[0] for each in reporters)
    assert (len(made.organizations), set(of_organization.values())) == (5, {60})


async def test_absurd_ids_are_not_there(world: World) -> None:
    client = await world.client(world.sites[0])
    for absurd in ("9" * 5000, "0", "SD1-0", "SD1-1-1", "%D9%A3"):
        assert (await client.get(f"{API}/issue/{absurd}")).status_code == 404
