import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from addon.jira import directory, errors
from addon.jira.directory import ConnectDirectory
from addon.sync import ports
from addon.sync.people import Sighting
from addon.sync.ports import Directory
from lifecycle.tenant import AccountId
from tests.unit.jira.site import Jira, a_customer, a_desk_page, a_page, a_user

GROUPS = "/rest/api/3/group/bulk"
MEMBERS = "/rest/api/3/group/member"
DESKS = "/rest/servicedeskapi/servicedesk"
DESK = "/rest/servicedeskapi/servicedesk/1/customer"
ORGANIZATIONS = "/rest/servicedeskapi/organization"
ORGANIZATION = "/rest/servicedeskapi/organization/7/user"
EMAILS = "/rest/api/3/user/email/bulk"
LOOKUP = "/rest/api/3/user/bulk"
MAY_BROWSE = "/rest/api/3/mypermissions"


def connect_directory(jira: Jira) -> ConnectDirectory:
    return ConnectDirectory(jira.client(), contextlib.nullcontext)


def account_ids(count: int) -> list[AccountId]:
    return [AccountId(f"account:{number}") for number in range(count)]


def test_directory_is_one_of_the_engines() -> None:
    users_first: Directory = connect_directory(Jira({}))
    assert users_first.phases == ("users", "customers", "organizations")


@pytest.mark.parametrize(
    ("answer", "may"),
    [
        ({"permissions": {"USER_PICKER": {"havePermission": True}}}, True),
        ({"permissions": {"USER_PICKER": {"havePermission": False}}}, False),
        ({"permissions": {"USER_PICKER": {}}}, False),
        ({"permissions": {}}, False),
    ],
)
async def test_permission_to_browse_must_be_said(answer: dict[str, Any], may: bool) -> None:  # noqa: FBT001 - a column of the table
    assert await connect_directory(Jira({MAY_BROWSE: answer})).may_browse() is may


async def test_groups_of_all_products_are_listed_each_once() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        product, start = request.url.params["applicationKey"], int(request.url.params["startAt"])
        if product == "jira-software":
            groups = ["a", "b"] if start == 0 else ["c"]
            return httpx.Response(200, json=a_page([{"groupId": g} for g in groups], start=start, size=2, total=3))
        shared: list[dict[str, Any]] = [{"groupId": "b"}, {"groupId": None, "name": "odd"}]
        return httpx.Response(200, json=a_page(shared if product == "jira-core" else []))

    jira = Jira({GROUPS: answer})
    found = await connect_directory(jira).containers("users", 0)
    assert (found.ids, found.next_start) == (["a", "b", "c"], None)
    assert [(p["applicationKey"], p["startAt"]) for p in jira.asked(GROUPS)] == [
        ("jira-software", "0"),
        ("jira-software", "2"),
        ("jira-servicedesk", "0"),
        ("jira-core", "0"),
        ("jira-product-discovery", "0"),
    ]
    assert {p["accessType"] for p in jira.asked(GROUPS)} == {"user"}


@pytest.mark.parametrize("members", [[], [a_user("ana")]])
async def test_short_page_of_a_group_is_not_the_last(members: list[dict[str, Any]]) -> None:
    page = await connect_directory(Jira({MEMBERS: a_page(members, start=50, total=170)})).people("users", "a", 50)
    assert (len(page.sightings), page.next_start, page.total) == (len(members), 100, 170)


async def test_group_goes_on_by_what_jira_took_and_not_by_what_was_asked_for() -> None:
    jira = Jira({MEMBERS: a_page([a_user("ana")], size=20, total=60)})
    page = await connect_directory(jira).people("users", "a", 0)
    assert page.next_start == 20
    (asked,) = jira.asked(MEMBERS)
    assert dict(asked) == {"groupId": "a", "includeInactiveUsers": "true", "startAt": "0", "maxResults": "50"}


async def test_last_page_of_a_group_ends_it() -> None:
    page = await connect_directory(Jira({MEMBERS: a_page([a_user()])})).people("users", "a", 0)
    assert page.next_start is None


@pytest.mark.parametrize(
    "read",
    [
        lambda site: site.people("users", "a", 50),
        lambda site: site.containers("users", 0),
        lambda site: site.lookup(account_ids(90)),
    ],
)
async def test_page_that_leads_back_is_corrupt(read: Callable[[ConnectDirectory], Awaitable[object]]) -> None:
    """Else it would be read for ever."""
    always_the_first = a_page([], start=0, total=500)
    site = connect_directory(Jira(dict.fromkeys([MEMBERS, GROUPS, LOOKUP], always_the_first)))
    with pytest.raises(errors.Corrupt):
        await read(site)


async def test_people_are_read_with_what_the_list_shows() -> None:
    users = [
        a_user("557058:ana", displayName=" Ana Ruiz ", emailAddress=" Ana@x.example "),
        a_user("bo", active=False, emailAddress=""),
        a_user("qm:ci", accountType="customer"),
        a_user("di", accountType=None, emailAddress="d" * 250 + "@x.example"),
    ]
    page = await connect_directory(Jira({MEMBERS: a_page(users)})).people("users", "a", 0)
    ana = Sighting(
        account_id=AccountId("557058:ana"), kind="user", active=True, display_name="Ana Ruiz", email="Ana@x.example"
    )
    assert page.sightings[0] == ana
    assert [(s.account_id, s.kind, s.active, s.email) for s in page.sightings[1:]] == [
        ("bo", "user", False, None),
        ("qm:ci", "customer", True, None),
        ("di", "user", True, None),
    ]


@pytest.mark.parametrize(
    "nobody",
    [
        a_user("bot", accountType="app"),
        a_user("unknown", accountType="unknown", displayName=""),
        a_user("unknown"),
        a_user(""),
        a_user("nul\0"),
        a_user("") | {"accountId": None},
        {"accountId": None, "accountType": None, "displayName": None, "active": None},
    ],
)
async def test_apps_and_nobodies_are_left_out(nobody: dict[str, Any]) -> None:
    page = await connect_directory(Jira({MEMBERS: a_page([nobody, a_user("ana")])})).people("users", "a", 0)
    assert [sighting.account_id for sighting in page.sightings] == ["ana"]
    assert page.unreadable == []


@pytest.mark.parametrize(
    "fallback",
    [
        a_user("bo", accountType="unknown"),
        a_user("bo", displayName=""),
        a_user("bo", displayName="   "),
        {"accountId": "bo"},
        a_user("bo", displayName="B\0"),
        a_user("bo", emailAddress="b\0@x.example"),
        a_user("bo", displayName=None),
        a_user("bo", active=None),
    ],
)
async def test_record_with_fallback_values_says_only_that_the_account_exists(fallback: dict[str, Any]) -> None:
    page = await connect_directory(Jira({MEMBERS: a_page([fallback, a_user("ana")])})).people("users", "a", 0)
    assert [sighting.account_id for sighting in page.sightings] == ["ana"]
    assert page.unreadable == ["bo"]


async def test_desks_and_organizations_go_on_by_the_size_of_the_page() -> None:
    jira = Jira(
        {
            DESKS: a_desk_page([{"id": "1"}, {"id": "2"}], start=4, is_last=False),
            ORGANIZATIONS: a_desk_page([{"id": "7"}], start=0),
        }
    )
    site = connect_directory(jira)
    desks = await site.containers("customers", 4)
    organizations = await site.containers("organizations", 0)
    assert (desks.ids, desks.next_start) == (["1", "2"], 6)
    assert (organizations.ids, organizations.next_start) == (["7"], None)


@pytest.mark.parametrize(
    ("phase", "container", "path"), [("customers", "1", DESK), ("organizations", "7", ORGANIZATION)]
)
async def test_customers_go_on_by_the_size_of_the_page_although_it_is_below_the_limit(
    phase: str, container: str, path: str
) -> None:
    jira = Jira(
        {path: a_desk_page([a_customer("qm:a"), a_customer("qm:b", emailAddress="b@x.example")], is_last=False)}
    )
    page = await connect_directory(jira).people(phase, container, 0)
    assert [(s.account_id, s.kind, s.email) for s in page.sightings] == [
        ("qm:a", "customer", None),
        ("qm:b", "customer", "b@x.example"),
    ]
    assert (page.next_start, page.total) == (2, None)
    opted_in = jira.requests[0].headers.get("X-ExperimentalApi") == "opt-in"
    assert opted_in is (phase == "customers")


@pytest.mark.parametrize(
    ("phase", "container", "path"), [("customers", "1", DESK), ("organizations", "7", ORGANIZATION)]
)
async def test_empty_page_of_customers_that_is_not_the_last_is_corrupt(phase: str, container: str, path: str) -> None:
    with pytest.raises(errors.Corrupt):
        await connect_directory(Jira({path: a_desk_page([], is_last=False)})).people(phase, container, 0)


async def test_empty_list_of_customers_is_the_end() -> None:
    page = await connect_directory(Jira({DESK: a_desk_page([])})).people("customers", "1", 0)
    assert (page.sightings, page.next_start) == ([], None)


@pytest.mark.parametrize("status", [403, 404])
async def test_list_that_jira_refuses_is_closed_and_no_list_of_lists_is_none(status: int) -> None:
    refused = httpx.Response(status, json={})
    site = connect_directory(Jira(dict.fromkeys((DESKS, DESK, ORGANIZATIONS, ORGANIZATION), refused)))
    for phase, container in (("customers", "1"), ("organizations", "7")):
        with pytest.raises(ports.ListClosed):
            await site.people(phase, container, 0)
        listed = await site.containers(phase, 0)
        assert (listed.ids, listed.next_start, listed.is_refused) == ((), None, True)


@pytest.mark.parametrize("status", [400, 401, 412, 503])
async def test_other_refusals_are_not_about_the_list(status: int) -> None:
    refused = httpx.Response(status, json={})
    site = connect_directory(Jira(dict.fromkeys((DESKS, DESK), refused)))
    with pytest.raises(errors.JiraError):
        await site.people("customers", "1", 0)
    with pytest.raises(errors.JiraError):
        await site.containers("customers", 0)


async def test_emails_are_asked_for_90_at_a_time() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        asked = request.url.params.get_list("accountId")
        known = [{"accountId": each, "email": f"{each}@x.example"} for each in asked[1:]]
        return httpx.Response(200, json=[*known, {"accountId": asked[0], "email": None}])

    jira = Jira({EMAILS: answer})
    site = connect_directory(jira)
    found = await site.emails(account_ids(181))
    assert [len(params.get_list("accountId")) for params in jira.asked(EMAILS)] == [90, 90, 1]
    assert found.otherwise == "hidden"
    assert len(found.found) == 181 - 3
    assert found.found[AccountId("account:1")] == "account:1@x.example"
    assert site.points == 3 + 2 * 181


@pytest.mark.parametrize(
    "told",
    [
        [],
        [{"accountId": "account:0", "email": None}],
        [{"accountId": None, "email": "a@x.example"}],
        [{"accountId": "account:0", "email": "a\0@x.example"}],
        [{"accountId": "account:0", "email": "a" * 250 + "@x.example"}],
    ],
)
async def test_account_of_which_the_email_api_tells_nothing_is_not_found(told: list[dict[str, Any]]) -> None:
    found = await connect_directory(Jira({EMAILS: httpx.Response(200, json=told)})).emails(account_ids(3))
    assert (found.found, found.otherwise) == ({}, "hidden")


@pytest.mark.parametrize(
    ("status", "otherwise"), [(400, "hidden"), (403, "hidden"), (404, "hidden"), (503, "unavailable")]
)
async def test_email_api_that_is_closed_to_us_is_asked_once(status: int, otherwise: str) -> None:
    jira = Jira({EMAILS: status})
    site = connect_directory(jira)
    for _ in range(2):
        answer = await site.emails(account_ids(200))
        assert (answer.found, answer.otherwise) == ({}, otherwise)
    assert len(jira.requests) == 1


async def test_email_api_that_fails_half_way_keeps_what_it_told() -> None:
    told = httpx.Response(200, json=[{"accountId": "account:0", "email": "a@x.example"}])
    answer = await connect_directory(Jira({EMAILS: [told, httpx.Response(503)]})).emails(account_ids(120))
    assert (answer.found, answer.otherwise) == ({"account:0": "a@x.example"}, "unavailable")


@pytest.mark.parametrize(("status", "error"), [(401, errors.Unauthorized), (429, errors.Throttled)])
async def test_other_trouble_with_emails_is_raised(status: int, error: type[errors.JiraError]) -> None:
    with pytest.raises(error):
        await connect_directory(Jira({EMAILS: status})).emails(account_ids(1))


async def test_corrupt_emails_are_raised() -> None:
    with pytest.raises(errors.Corrupt):
        await connect_directory(Jira({EMAILS: {"accountId": "account:0", "email": "a@x.example"}})).emails(
            account_ids(1)
        )


async def test_lookup_finds_those_that_still_exist() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        start = int(request.url.params["startAt"])
        users = [a_user("account:0"), a_user("bot", accountType="app")] if start == 0 else [a_user("account:2")]
        return httpx.Response(200, json=a_page(users, start=start, size=2, total=3))

    jira = Jira({LOOKUP: answer})
    found = await connect_directory(jira).lookup(account_ids(90))
    assert [sighting.account_id for sighting in found.sightings] == ["account:0", "account:2"]
    assert len(jira.requests) == 2
    assert jira.asked(LOOKUP)[0].get_list("accountId") == account_ids(90)
    assert jira.asked(LOOKUP)[0]["maxResults"] == "90"  # without it Jira gives 10


async def test_lookup_of_fallback_values_finds_that_the_account_exists() -> None:
    found = await connect_directory(Jira({LOOKUP: a_page([a_user("account:0", displayName="")])})).lookup(
        account_ids(1)
    )
    assert (found.sightings, found.unreadable) == ([], ["account:0"])


@pytest.mark.parametrize(
    ("path", "answer", "points"),
    [
        (MEMBERS, a_page([a_user("a"), a_user("b"), a_user("bot", accountType="app")]), 1 + 2 * 3),
        (MEMBERS, a_page([]), 1),
    ],
)
async def test_points_are_counted_by_what_jira_returned(path: str, answer: dict[str, Any], points: int) -> None:
    site = connect_directory(Jira({path: answer}))
    await site.people("users", "a", 0)
    assert site.points == points


async def test_half_of_a_character_in_a_name_stops_nobody() -> None:
    """Jira's texts are cut by UTF-16 units. What is whole stays as it is."""
    body = json.dumps(a_page([a_user(displayName="Ana \ud83d"), a_user("bo", displayName="Bo \U0001f600 \\ud83d")]))
    page = await connect_directory(Jira({MEMBERS: httpx.Response(200, text=body)})).people("users", "a", 0)
    assert [sighting.display_name for sighting in page.sightings] == ["Ana ?", "Bo \U0001f600 \\ud83d"]


@pytest.mark.parametrize("unknown", ["verifying", "", "USERS"])
async def test_unknown_phase_is_our_mistake(unknown: str) -> None:
    site = connect_directory(Jira({}))
    with pytest.raises(ValueError, match="no such phase"):
        await site.containers(unknown, 0)
    with pytest.raises(ValueError, match="no such phase"):
        await site.people(unknown, "a", 0)


def test_only_groups_are_read_side_by_side() -> None:
    site = connect_directory(Jira({}))
    assert [site.page_size(phase) for phase in site.phases] == [directory.GROUP_PAGE, None, None]
