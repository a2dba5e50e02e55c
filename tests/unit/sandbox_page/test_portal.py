"""The customers' portal: their desks, their requests, and nothing of Jira's."""

import dataclasses
import re

import pytest

from sandbox import person, portal, site, viewer
from tests.unit.sandbox_page.conftest import Stage, look_as


def a_customer(here: site.Site, **places: list[str]) -> person.Person:
    added = person.Person(
        account_id=f"qm:{len(here.people)}", account_type=person.AccountType.CUSTOMER, display_name="Cora Customer"
    )
    return here.add_person(added, **places)


def offered(text: str) -> list[str]:
    return re.findall(r'<option value="(SD\d+)"', text)


async def test_customer_arrives_at_the_portal_and_leaves_it_for_jira(stage: Stage) -> None:
    here = stage.first
    to_jira = {"as": "agent", "to": "/portal"}
    for path, data, place in (
        ("/viewer", {"as": "customer", "to": "/people"}, "/portal"),
        ("/viewer", to_jira, "/"),
        ("/viewer", to_jira, "/portal"),
    ):
        answer = await stage.browser.post(f"{here.base_url}{path}", data=data)
        assert answer.headers["location"] == place


async def test_switcher_offers_a_customer(stage: Stage) -> None:
    for here in (stage.first, stage.second):
        answer = await stage.browser.get(here.base_url)
        assert '<option value="customer">' in answer.text
        [chosen] = [role.person for role in viewer.roles_of(here) if role.name == "customer"]
        assert here.desk_customers.owners(chosen.account_id)
        assert here.organization_members.owners(chosen.account_id)


async def test_switcher_offers_a_customer_without_places_or_none_where_there_is_no_better(stage: Stage) -> None:
    here = stage.first
    for each in list(here.people.values()):
        if each.kind is person.PersonKind.CUSTOMER and each.active:
            here.deactivate_person(each.account_id)
    assert "customer" not in [role.name for role in viewer.roles_of(here)]
    lonely = a_customer(here)
    assert viewer.find_choice(here, "customer") == here.people[lonely.account_id]


@pytest.mark.parametrize(
    "path", ["/", "/issues/", "/issues/people", "/browse/SD1-1", "/people", "/plugins/servlet/ac/crm/contacts"]
)
async def test_customer_meets_no_page_of_jira_and_no_app(path: str, stage: Stage) -> None:
    here = stage.first
    await look_as(stage, here, "customer")
    answer = await stage.browser.get(f"{here.base_url}{path}")
    assert answer.status_code == 403
    answer = await stage.browser.get(f"{here.base_url}/portal")
    assert answer.status_code == 200
    assert "/plugins/servlet" not in answer.text
    assert 'href="/issues/"' not in answer.text


@pytest.mark.parametrize("path", ["/issues/", "/browse/SD1-1/delete", "/browse/SD1-1/reporter"])
async def test_customer_changes_no_issue_by_jiras_forms(path: str, stage: Stage) -> None:
    here = stage.first
    before = list(here.issues)
    await look_as(stage, here, "customer")
    answer = await stage.browser.post(
        f"{here.base_url}{path}", data={"project": "SD1", "summary": "x", "reporter": here.admin_id}
    )
    assert answer.status_code == 403
    assert list(here.issues) == before


async def test_request_is_raised_by_the_customer_at_one_of_their_desks(stage: Stage) -> None:
    here, other = stage.first, stage.second
    customer, stranger = a_customer(here, desk_ids=["1"]), a_customer(here, desk_ids=["1"])
    before = len(other.issues)
    await look_as(stage, here, customer.account_id)
    answer = await stage.browser.get(f"{here.base_url}/portal")
    assert offered(answer.text) == ["SD1"]
    assert "You have not asked for anything yet." in answer.text
    answer = await stage.browser.post(
        f"{here.base_url}/portal",
        data={"project": "SD1", "summary": "<b>Help</b>", "reporter": stranger.account_id},
    )
    place = answer.headers["location"]
    raised = here.issues.find(place.removeprefix("/portal/requests/"))
    assert raised is not None
    assert (raised.reporter_id, raised.summary) == (customer.account_id, "<b>Help</b>")
    for path in (place, "/portal"):
        answer = await stage.browser.get(f"{here.base_url}{path}")
        assert "&lt;b&gt;Help&lt;/b&gt;" in answer.text
        assert "To Do" in answer.text
    await look_as(stage, here, stranger.account_id)
    answer = await stage.browser.get(f"{here.base_url}{place}")
    assert answer.status_code == 404
    assert len(other.issues) == before


@pytest.mark.parametrize("form", [{"project": "SD2", "summary": "x"}, {"project": "SD1"}, {"summary": "x"}])
async def test_request_at_a_foreign_desk_or_without_words_is_refused(form: dict[str, str], stage: Stage) -> None:
    here = stage.first
    before = len(here.issues)
    await look_as(stage, here, a_customer(here, desk_ids=["1"]).account_id)
    answer = await stage.browser.post(f"{here.base_url}/portal", data=form)
    assert answer.status_code == 400
    assert len(here.issues) == before


async def test_desks_are_those_of_the_customer_and_of_their_organizations(stage: Stage) -> None:
    here = stage.first
    organization = dataclasses.replace(next(iter(here.organizations.values())), desk_ids=frozenset({"2"}))
    here.organizations[organization.organization_id] = organization
    for places, desk_ids in (
        ({}, []),
        ({"desk_ids": ["1"]}, ["1"]),
        ({"organization_ids": [organization.organization_id]}, ["2"]),
        ({"desk_ids": ["1"], "organization_ids": [organization.organization_id]}, ["1", "2"]),
    ):
        customer = a_customer(here, **places)
        found = portal.desks_of(here, viewer.look_as(customer, here))
        assert [desk.desk_id for desk in found] == desk_ids
    await look_as(stage, here, a_customer(here).account_id)
    answer = await stage.browser.get(f"{here.base_url}/portal")
    assert "No service desk takes requests from you." in answer.text


@pytest.mark.parametrize("account_type", [person.AccountType.CUSTOMER, person.AccountType.ATLASSIAN])
async def test_inactive_account_meets_neither_portal_nor_jira(account_type: person.AccountType, stage: Stage) -> None:
    here = stage.first
    away = here.add_person(
        person.Person(account_id="away", account_type=account_type, display_name="Away", active=False)
    )
    await look_as(stage, here, away.account_id)
    for path in ("/portal", "/", "/issues/"):
        answer = await stage.browser.get(f"{here.base_url}{path}")
        assert answer.status_code == 403
