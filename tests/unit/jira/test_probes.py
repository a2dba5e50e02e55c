import contextlib
from datetime import timedelta
from typing import Any

import httpx
import pytest

from addon.jira import errors
from addon.jira.directory import CUSTOMERS, ORGANIZATIONS, USERS, ConnectDirectory
from addon.jira.probes import ConnectProbes
from addon.sync.order import ListKey
from addon.sync.rounds import ListClosed, Window
from tests.unit.jira.site import Jira, a_customer, a_desk_page, a_page, a_user

MEMBERS = "/rest/api/3/group/member"
DESK = "/rest/servicedeskapi/servicedesk/1/customer"
ORGANIZATION = "/rest/servicedeskapi/organization/7/user"
SEARCH = "/rest/api/3/search/jql"


def probes(jira: Jira) -> ConnectProbes:
    client, limit = jira.client(), contextlib.nullcontext
    return ConnectProbes(client, ConnectDirectory(client, limit), limit)


def an_issue(account_id: str | None, **reporter: Any) -> dict[str, Any]:
    return {"id": "1", "fields": {"reporter": a_user(account_id, **reporter) if account_id else None}}


def a_search(*issues: dict[str, Any], token: str | None = None) -> dict[str, Any]:
    return {"issues": list(issues), "isLast": token is None} | ({"nextPageToken": token} if token else {})


async def test_look_behind_the_end_of_a_group_tells_its_length_for_one_point() -> None:
    jira = Jira({MEMBERS: a_page([], start=7, size=1, total=7)})
    window: Window = probes(jira)
    shown = await window.look(ListKey(phase=USERS, container="g"), 7, 1)
    assert (shown.account_ids, shown.total, window.points) == ([], 7, 1)
    assert dict(jira.asked(MEMBERS)[0]) == {
        "groupId": "g",
        "includeInactiveUsers": "true",
        "startAt": "7",
        "maxResults": "1",
    }


@pytest.mark.parametrize("status", [403, 404])
async def test_list_that_jira_shows_no_more_is_closed(status: int) -> None:
    with pytest.raises(ListClosed):
        await probes(Jira({MEMBERS: status})).look(ListKey(phase=USERS, container="g"), 0, 1)


async def test_outage_is_no_closed_list() -> None:
    with pytest.raises(errors.Troubled):
        await probes(Jira({MEMBERS: 503})).look(ListKey(phase=USERS, container="g"), 0, 1)


async def test_part_of_a_group_longer_than_a_page_is_read_in_turn() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        start, size = int(request.url.params["startAt"]), int(request.url.params["maxResults"])
        people = [a_user(f"user-{place}") for place in range(start, start + size)]
        return httpx.Response(200, json=a_page(people, start=start, size=size, total=500))

    jira = Jira({MEMBERS: answer})
    shown = await probes(jira).look(ListKey(phase=USERS, container="g"), 30, 70)
    assert shown.account_ids == [f"user-{place}" for place in range(30, 100)]
    assert [asked["maxResults"] for asked in jira.asked(MEMBERS)] == ["50", "20"]


async def test_customers_are_read_on_where_jira_cuts_the_page() -> None:
    first = a_desk_page([a_customer("a"), a_customer("unknown")], is_last=False)
    jira = Jira({DESK: [first, a_desk_page([a_customer("c")], start=2)]})
    shown = await probes(jira).look(ListKey(phase=CUSTOMERS, container="1"), 10, 5)
    assert (shown.account_ids, shown.total, shown.is_last) == (["a", None, "c"], None, True)
    assert [(asked["start"], asked["limit"]) for asked in jira.asked(DESK)] == [("10", "5"), ("12", "3")]
    assert jira.requests[0].headers["X-ExperimentalApi"] == "opt-in"


async def test_look_behind_the_end_of_an_organization_costs_one_point() -> None:
    window = probes(Jira({ORGANIZATION: a_desk_page([])}))
    shown = await window.look(ListKey(phase=ORGANIZATIONS, container="7"), 3, 10)
    assert (shown.account_ids, shown.is_last, window.points) == ([], True, 1)


async def test_reporters_of_the_newest_issues_are_told_each_once() -> None:
    first = a_search(an_issue("ana"), an_issue(None), an_issue("app", accountType="app"), token="more")
    jira = Jira({SEARCH: [first, a_search(an_issue("qm:1", accountType="customer"), an_issue("ana"))]})
    window = probes(jira)
    assert await window.reporters(timedelta(minutes=5, seconds=1), most=20) == ["ana", "qm:1"]
    assert window.points == 2 + 5
    asked = jira.asked(SEARCH)
    assert asked[0]["jql"] == 'created >= "-6m" ORDER BY created DESC'
    assert (asked[0]["fields"], asked[0]["maxResults"], asked[1]["nextPageToken"]) == ("reporter", "20", "more")


async def test_no_more_issues_are_read_than_wanted() -> None:
    jira = Jira({SEARCH: a_search(an_issue("ana"), an_issue("bo"), token="more")})
    await probes(jira).reporters(timedelta(minutes=5), most=4)
    assert [asked["maxResults"] for asked in jira.asked(SEARCH)] == ["4", "2"]
