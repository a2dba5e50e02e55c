"""D11: whom the sync is about. Who leaves the scope is unlinked and never deleted, and comes back with the scope."""

from typing import Any

import pytest

from addon.storage import sync_state
from sandbox.person import Person
from tests.support.world import Tenant, World

JIRA_SOFTWARE = "jira-software"


@pytest.fixture
async def small(world: World) -> Tenant:
    """A site so small that the guard (D9) believes anything of it."""
    return await world.add_site(9001, people=20, seed=3)


async def choose(tenant: Tenant, **filters: Any) -> sync_state.Run:
    """Set the filters; while on, that begins a run, which is worked to its end."""
    answer = await tenant.call("PUT", "/api/sync", body={"filters": filters})
    assert answer.status_code == 200, answer.text
    assert answer.json()["filters"] == {field: value for field, value in filters.items() if value}
    begun = answer.json()["run"]
    assert begun is not None
    await tenant.world.work()
    async with tenant.world.database.tenant(tenant.tenant_id) as scope:
        return await sync_state.run(scope, int(begun["id"]))


async def linked(tenant: Tenant) -> set[str]:
    return {account["accountId"] for contact in await tenant.contacts() for account in contact["linkedAccounts"]}


@pytest.fixture
async def people(small: Tenant) -> dict[str, Person]:
    """A user and a customer with emails, and one whose email nobody may see; all of them synced."""
    await small.turn_on()
    made = {
        "user": small.a_user("Una User", "una@example.com"),
        "customer": small.a_customer("Carl Customer", "carl@example.org"),
        "hidden": small.a_user("Hidden", None),
    }
    await small.run()
    assert {person.account_id for person in made.values()} <= await linked(small)
    return made


async def test_customers_leave_and_come_back_to_their_contacts(
    small: Tenant, globex: Tenant, people: dict[str, Person]
) -> None:
    await globex.turn_on()
    elsewhere = await linked(globex)
    carl = people["customer"].account_id
    contact = await small.contact_of(carl)
    before = await linked(small)
    run = await choose(small, kinds=["user"])
    after = await linked(small)
    assert people["user"].account_id in after
    assert carl not in after
    assert run.unlinked == len(before - after)
    left = await small.get(f"/api/contacts/{contact['id']}")
    assert (left["name"], left["syncedJiraUser"], left["deletable"]) == ("Carl Customer", None, True)
    newest = (await small.changes_of(contact["id"]))[0]
    assert (newest["field"], newest["old"], newest["cause"]) == ("syncedJiraUser", carl, "out-of-scope")
    late = small.a_customer("Late Customer", "late@example.org")
    run = await small.run()
    assert (run.created, run.unlinked, late.account_id in await linked(small)) == (0, 0, False)
    run = await choose(small)
    assert await linked(small) == before | {late.account_id}
    assert (await small.contact_of(carl))["id"] == contact["id"]
    assert run.created == 1
    assert await linked(globex) == elsewhere


async def test_users_leave_even_if_a_desk_lists_them(small: Tenant, people: dict[str, Person]) -> None:
    desk = next(iter(small.site.desks))
    newcomer = small.a_user("New User", "new@example.com")
    for account_id in (people["user"].account_id, newcomer.account_id):
        small.site.desk_customers.add(desk, account_id)
    await choose(small, kinds=["customer"])
    after = await linked(small)
    assert people["customer"].account_id in after
    assert not {people["user"].account_id, newcomer.account_id} & after


async def test_email_domains_admit_by_what_is_seen(small: Tenant, people: dict[str, Person]) -> None:
    await choose(small, emailDomains=["example.org"])
    after = await linked(small)
    assert people["customer"].account_id in after
    assert not {people["user"].account_id, people["hidden"].account_id} & after
    small.site.change_person(people["user"].account_id, email="una@example.org")
    await small.run()
    assert people["user"].account_id in await linked(small)


async def test_group_is_left_and_joined(small: Tenant, people: dict[str, Person]) -> None:
    group = small.site.licence_group_id(JIRA_SOFTWARE)
    assert group is not None
    una = people["user"].account_id
    await choose(small, groups=[group])
    assert await linked(small) >= {una, people["customer"].account_id}
    small.site.group_members.remove(group, una)
    run = await small.run()
    assert run.unlinked == 1
    assert una not in await linked(small)
    small.site.group_members.add(group, una)
    run = await small.run()
    assert (run.created, una in await linked(small)) == (0, True)


async def test_customers_of_one_desk_or_organization(small: Tenant, people: dict[str, Person]) -> None:
    first, *others = small.site.desks
    organization = next(iter(small.site.organizations))
    carl = people["customer"].account_id
    member = small.a_customer("Mia Member", "mia@example.org")
    small.site.desk_customers.drop(member.account_id)
    small.site.organization_members.add(organization, member.account_id)
    await choose(small, projects=[first])
    assert (carl in await linked(small), member.account_id in await linked(small)) == (True, False)
    await choose(small, organizations=[organization])
    assert (carl in await linked(small), member.account_id in await linked(small)) == (False, True)
    await choose(small, projects=sorted([*others, first]), organizations=[organization])
    assert {carl, member.account_id} <= await linked(small)


async def test_many_who_would_leave_wait_for_a_word(acme: Tenant, globex: Tenant) -> None:
    await acme.turn_on()
    await globex.turn_on()
    before, elsewhere = await linked(acme), await linked(globex)
    run = await choose(acme, emailDomains=["nobody.example"])
    assert (run.state, run.unlinked, await linked(acme)) == ("done", 0, before)
    [item] = (await acme.get("/api/attention"))["values"]
    assert item["kind"] == "mass-unlink"
    confirmed = await acme.call("POST", f"/api/attention/{item['id']}", body={"action": "confirm"})
    assert confirmed.status_code == 202
    await acme.world.work()
    assert (await linked(acme), await acme.attention()) == (set(), [])
    assert await linked(globex) == elsewhere
    await choose(acme)
    assert await linked(acme) == before


async def test_filters_changed_back_in_time_settle_the_question(acme: Tenant) -> None:
    await acme.turn_on()
    before = await linked(acme)
    await choose(acme, emailDomains=["nobody.example"])
    await choose(acme)
    assert (await linked(acme), (await acme.get("/api/attention"))["values"]) == (before, [])


async def test_filters_are_refused_with_every_problem_and_nothing_changes(acme: Tenant) -> None:
    sent = {"includeInactive": True, "filters": {"kinds": ["robot"], "projects": ["../1"], "activeOnly": True}}
    refused = await acme.call("PUT", "/api/sync", body=sent)
    assert refused.status_code == 422
    assert [problem["field"] for problem in refused.json()["errors"]] == [
        "filters.kinds",
        "filters.projects",
        "filters.activeOnly",
    ]
    sync = await acme.get("/api/sync")
    assert (sync["filters"], sync["includeInactive"]) == ({}, False)


async def test_active_only_is_include_inactive_in_other_words(acme: Tenant) -> None:
    answer = await acme.call("PUT", "/api/sync", body={"filters": {"activeOnly": False}})
    assert (answer.json()["includeInactive"], answer.json()["filters"]) == (True, {})
    answer = await acme.call("PUT", "/api/sync", body={"filters": {"activeOnly": True}})
    assert answer.json()["includeInactive"] is False


async def test_changes_of_a_run_are_filtered_in_both_forms(small: Tenant, people: dict[str, Person]) -> None:
    contact = await small.contact_of(people["customer"].account_id)
    small.site.change_person(people["user"].account_id, display_name="Una Married")
    run = await choose(small, kinds=["user"])
    path = f"/api/sync/runs/{run.id}/changes"
    assert [c["new"] for c in (await small.get(f"{path}?field=name"))["values"]] == ["Una Married"]
    left = (await small.get(f"{path}?cause=out-of-scope&limit=200"))["values"]
    assert {c["field"] for c in left} == {"syncedJiraUser"}
    [one] = (await small.get(f"{path}?contactId={contact['id']}"))["values"]
    assert (one["cause"], one["old"], one["new"]) == ("out-of-scope", people["customer"].account_id, None)
    assert (await small.call("GET", f"{path}?contactId=x")).status_code == 422
    sheet = await small.call("GET", f"{path}?field=name", accept="text/csv")
    assert [line.split(",")[4:] for line in sheet.text.splitlines()] == [
        ["field", "old", "new", "cause"],
        ["name", "Una User", "Una Married", "account-changed"],
    ]


async def test_group_that_is_not_there_fails_the_run_and_nobody_leaves(
    small: Tenant, people: dict[str, Person]
) -> None:
    before = await linked(small)
    run = await choose(small, groups=["11111111-2222-3333-4444-555555555555"])
    assert (run.state, run.unlinked, await linked(small)) == ("failed", 0, before)
    assert people["user"].account_id in before


async def test_person_met_by_a_webhook_alone_waits_for_the_lists(small: Tenant, people: dict[str, Person]) -> None:
    group = small.site.licence_group_id(JIRA_SOFTWARE)
    assert group is not None
    await choose(small, groups=[group])
    outsider = small.a_user("Out Sider", "out@example.com")
    small.site.group_members.remove(group, outsider.account_id)
    for account_id in (outsider.account_id, people["user"].account_id):
        small.site.change_person(account_id, display_name="Changed Name")
        heard = await small.hear("/webhooks/user", {"webhookEvent": "user_updated", "user": {"accountId": account_id}})
        assert heard.status_code == 204
    await small.world.work()
    assert outsider.account_id not in await linked(small)
    assert (await small.contact_of(people["user"].account_id))["name"] == "Changed Name"
