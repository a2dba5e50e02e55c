"""D13: contacts and companies are for Jira administrators and the groups that these name; asked of Jira, on the server."""

from datetime import timedelta

import pytest

from sandbox.faults import Interruption
from sandbox.person import Person
from tests.support.world import Tenant

CRM = ("/api/contacts", "/api/companies", "/api/fragments/contacts")
ADMIN = ("/api/sync", "/api/attention", "/api/sync/preview", "/api/fragments/sync/status")
MINUTE = timedelta(seconds=60)


async def statuses(tenant: Tenant, person: Person | None, paths: tuple[str, ...]) -> set[int]:
    account_id = None if person is None else person.account_id
    return {(await tenant.call("GET", path, account_id=account_id)).status_code for path in paths}


async def name_groups(tenant: Tenant, *group_ids: str) -> list[str]:
    answer = await tenant.call("PUT", "/api/sync", body={"crmGroups": list(group_ids)})
    assert answer.status_code == 200, answer.text
    named: list[str] = answer.json()["crmGroups"]
    return named


def group_of(tenant: Tenant, name: str) -> str:
    return next(group.group_id for group in tenant.site.groups.values() if group.name == name)


@pytest.fixture
def sales(acme: Tenant) -> str:
    return group_of(acme, "sales")


@pytest.fixture
def seller(acme: Tenant, sales: str) -> Person:
    person = acme.a_user("Sam Seller", "sam@example.com")
    acme.site.group_members.add(sales, person.account_id)
    return person


async def test_nobody_but_administrators_sees_contacts_at_first(acme: Tenant, seller: Person) -> None:
    assert (await acme.get("/api/sync"))["crmGroups"] == []
    assert await statuses(acme, None, (*CRM, *ADMIN)) == {200}
    assert await statuses(acme, seller, (*CRM, *ADMIN)) == {403}


async def test_members_of_a_named_group_see_contacts_and_no_settings(
    acme: Tenant, globex: Tenant, sales: str, seller: Person
) -> None:
    other = acme.a_user("Olga Other", "olga@example.com")
    assert await name_groups(acme, sales) == [sales]
    assert await statuses(acme, seller, CRM) == {200}
    assert await statuses(acme, seller, ADMIN) == {403}
    assert await statuses(acme, other, CRM) == {403}
    made = await acme.call("POST", "/api/contacts", body={"name": "Typed"}, account_id=seller.account_id)
    assert made.status_code == 201
    assert (await globex.get("/api/sync"))["crmGroups"] == []
    assert await statuses(globex, globex.site.member, CRM) == {403}


async def test_who_leaves_the_group_is_out_within_a_minute(acme: Tenant, sales: str, seller: Person) -> None:
    await name_groups(acme, sales)
    assert await statuses(acme, seller, CRM) == {200}
    acme.site.group_members.remove(sales, seller.account_id)
    acme.world.clock.advance(MINUTE)
    assert await statuses(acme, seller, CRM) == {403}


async def test_group_that_is_named_no_more_is_out_at_once(acme: Tenant, sales: str, seller: Person) -> None:
    await name_groups(acme, sales)
    assert await statuses(acme, seller, CRM) == {200}
    await name_groups(acme)
    assert await statuses(acme, seller, CRM) == {403}


async def test_portal_customer_and_inactive_user_get_nothing(acme: Tenant, sales: str, seller: Person) -> None:
    customer = acme.a_customer("Carl Customer", "carl@example.com")
    acme.site.group_members.add(sales, customer.account_id)
    await name_groups(acme, sales)
    assert await statuses(acme, customer, CRM) == {403}
    acme.site.change_person(seller.account_id, active=False)
    assert await statuses(acme, seller, CRM) == {403}


async def test_nobody_is_let_in_while_jira_does_not_say(acme: Tenant, sales: str, seller: Person) -> None:
    await name_groups(acme, sales)
    acme.site.faults.interruptions.append(Interruption(path_prefix="/rest/api/3/user", status=503, times=1))
    assert (await acme.call("GET", CRM[0], account_id=seller.account_id)).status_code == 503
    assert await statuses(acme, seller, CRM) == {200}


async def test_groups_are_asked_for_once_a_minute_and_cheaply(acme: Tenant, sales: str, seller: Person) -> None:
    await name_groups(acme, sales)
    spent = acme.site.points_spent
    for _ in range(5):
        assert await statuses(acme, seller, CRM) == {200}
    assert acme.site.points_spent - spent == 4  # who administers: 1, one person with their groups: 3


@pytest.mark.parametrize("sent", ["sales", [1], [""], ["x" * 256], [str(number) for number in range(101)]])
async def test_groups_that_are_none_are_refused_and_change_nothing(acme: Tenant, sales: str, sent: object) -> None:
    await name_groups(acme, sales)
    refused = await acme.call("PUT", "/api/sync", body={"crmGroups": sent, "includeInactive": True})
    assert refused.status_code == 422
    assert [problem["field"] for problem in refused.json()["errors"]] == ["crmGroups"]
    kept = await acme.get("/api/sync")
    assert (kept["crmGroups"], kept["includeInactive"]) == ([sales], False)
