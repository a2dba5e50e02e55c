"""What the directory makes of people whom Jira has deleted and still shows, and of groups that are gone."""

import contextlib
from datetime import timedelta
from typing import Any

import pytest

from addon.jira import errors
from addon.jira.accounts import JiraAccounts
from addon.jira.client import JiraClient
from addon.jira.directory import ConnectDirectory
from addon.jira.probes import ConnectProbes
from addon.sync import ports
from lifecycle.tenant import AccountId, TenantId
from tests.unit.jira.site import NOW, TENANT, Jira, a_customer, a_desk_page, a_page, a_user

MEMBERS = "/rest/api/3/group/member"
DESK = "/rest/servicedeskapi/servicedesk/1/customer"
ORGANIZATION = "/rest/servicedeskapi/organization/7/user"
LOOKUP = "/rest/api/3/user/bulk"
USER = "/rest/api/3/user"
SEARCH = "/rest/api/3/search/jql"

LISTS = [("users", "g", MEMBERS), ("customers", "1", DESK), ("organizations", "7", ORGANIZATION)]


def connect_directory(jira: Jira) -> ConnectDirectory:
    return ConnectDirectory(jira.client(), contextlib.nullcontext)


def a_page_of(path: str, *people: dict[str, Any]) -> dict[str, Any]:
    return a_page(list(people)) if path in {MEMBERS, LOOKUP} else a_desk_page(list(people))


def a_person_of(path: str, account_id: str, **fields: Any) -> dict[str, Any]:
    return a_user(account_id, **fields) if path in {MEMBERS, LOOKUP} else a_customer(account_id, **fields)


@pytest.mark.parametrize(
    "left",
    [
        {"displayName": "Former user (Deactivated)"},
        {"displayName": " former User "},
        {"displayName": "Former user", "emailAddress": ""},
        {"displayName": "Former user", "emailAddress": " "},
        {"displayName": "Deleted user", "emailAddress": None},
    ],
)
@pytest.mark.parametrize(("phase", "container", "path"), LISTS)
async def test_deleted_person_takes_a_place_in_a_list_and_is_not_met(
    phase: str, container: str, path: str, left: dict[str, Any]
) -> None:
    """The place counts: to a probe, who is not remembered there would be a stranger whenever it looks."""
    people = a_person_of(path, "gone", active=False, **left), a_person_of(path, "ana")
    page = await connect_directory(Jira({path: a_page_of(path, *people)})).people(phase, container, 0)
    assert ([each.account_id for each in page.sightings], page.unreadable) == (["ana"], [])
    assert page.listed == ["gone", "ana"]
    assert page.slots >= 2


@pytest.mark.parametrize("account_type", ["atlassian", "customer", "unknown"])
async def test_deleted_person_is_not_found_by_id(account_type: str) -> None:
    gone = a_user("gone", active=False, displayName="Former user (Deactivated)", accountType=account_type)
    found = await connect_directory(Jira({LOOKUP: a_page([gone, a_user("ana")])})).lookup([AccountId("gone")])
    assert ([each.account_id for each in found.sightings], found.unreadable) == (["ana"], [])


@pytest.mark.parametrize(
    "living",
    [
        {"displayName": "Former user (Deactivated)", "active": True},
        {"displayName": "Former user", "active": False, "emailAddress": "fo@x.example"},
        {"displayName": "Former Userson", "active": False},
        {"displayName": "Former User Advocate", "active": False},
        {"displayName": "A former user", "active": False},
        {"displayName": "Ana Ruiz", "active": False},
    ],
)
@pytest.mark.parametrize(("phase", "container", "path"), LISTS)
async def test_person_who_is_active_or_shows_an_email_or_has_a_name_is_there(
    phase: str, container: str, path: str, living: dict[str, Any]
) -> None:
    page_of_one = a_page_of(path, a_person_of(path, "bo", **living))
    page = await connect_directory(Jira({path: page_of_one})).people(phase, container, 0)
    assert [each.display_name for each in page.sightings] == [living["displayName"]]


async def test_deleted_reporter_is_nobody_to_read() -> None:
    reporter = a_user("gone", active=False, displayName="Former user")
    jira = Jira({SEARCH: {"issues": [{"id": "1", "fields": {"reporter": reporter}}], "isLast": True}})
    probes = ConnectProbes(jira.client(), connect_directory(jira), contextlib.nullcontext)
    assert await probes.reporters(timedelta(minutes=5), most=20) == []


async def test_deleted_account_is_described_as_nobody() -> None:
    jira = Jira({USER: a_user("gone", active=False, displayName="Former user (Deactivated)")})

    async def client_of(_: TenantId) -> JiraClient:
        return jira.client()

    assert await JiraAccounts(client_of, lambda: NOW).describe(TENANT, AccountId("gone")) is None


async def test_group_that_is_gone_is_a_closed_list() -> None:
    with pytest.raises(ports.ListClosed) as closed:
        await connect_directory(Jira({MEMBERS: 404})).people("users", "g", 0)
    assert isinstance(closed.value.reason, errors.Rejected)


@pytest.mark.parametrize(("status", "error"), [(400, errors.Rejected), (403, errors.Forbidden)])
async def test_other_refusals_of_a_group_are_about_the_app(status: int, error: type[errors.JiraError]) -> None:
    with pytest.raises(error):
        await connect_directory(Jira({MEMBERS: status})).people("users", "g", 0)
