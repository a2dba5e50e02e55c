import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from addon.jira import errors
from addon.jira.client import JiraClient
from addon.jira.permissions import JiraPermissions, editable
from lifecycle.tenant import AccountId, ClientKey, State, Tenant, TenantId
from tests.unit.jira.site import BASE_URL, NOW, Jira, a_user

CHECK = "/rest/api/3/permissions/check"
USER = "/rest/api/3/user"
GROUPS = "/rest/api/3/user/groups"
YES = {"globalPermissions": ["ADMINISTER"], "projectPermissions": []}
NO: dict[str, Any] = {"globalPermissions": [], "projectPermissions": []}
ANA = AccountId("557058:ana")


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def a_tenant() -> Tenant:
    return Tenant(
        tenant_id=TenantId(uuid.uuid4()),
        client_key=ClientKey("client"),
        cloud_id=None,
        base_url=BASE_URL,
        display_url=BASE_URL,
        oauth_client_id=None,
        state=State.ENABLED,
        installed_at=NOW,
        uninstalled_at=None,
    )


def permissions(jira: Jira, clock: Callable[[], datetime]) -> JiraPermissions:
    async def client_of(_: TenantId) -> JiraClient:
        return jira.client()

    return JiraPermissions(client_of, clock)


@pytest.mark.parametrize(("answer", "is_admin"), [(YES, True), (NO, False)])
async def test_answer_is_remembered_for_a_minute(answer: dict[str, Any], is_admin: bool) -> None:  # noqa: FBT001 - a column of the table
    jira, clock, tenant = Jira({CHECK: answer}), Clock(), a_tenant()
    asked = permissions(jira, clock)
    assert await asked.is_admin(tenant, ANA) is is_admin
    clock.now += timedelta(seconds=59.9)
    assert await asked.is_admin(tenant, ANA) is is_admin
    assert len(jira.requests) == 1
    clock.now += timedelta(seconds=0.1)
    assert await asked.is_admin(tenant, ANA) is is_admin
    assert len(jira.requests) == 2


async def test_administrator_who_is_one_no_more_is_refused_after_a_minute() -> None:
    clock, tenant = Clock(), a_tenant()
    asked = permissions(Jira({CHECK: [YES, NO]}), clock)
    assert await asked.is_admin(tenant, ANA)
    clock.now += timedelta(seconds=60)
    assert not await asked.is_admin(tenant, ANA)


async def test_jira_is_asked_about_this_person_and_nothing_but_administration() -> None:
    jira = Jira({CHECK: YES})
    await permissions(jira, Clock()).is_admin(a_tenant(), ANA)
    (request,) = jira.requests
    assert request.read() == b'{"accountId":"557058:ana","globalPermissions":["ADMINISTER"],"projectPermissions":[]}'


async def test_other_people_and_other_tenants_are_asked_for_themselves() -> None:
    jira, tenant = Jira({CHECK: [YES, NO, NO]}), a_tenant()
    asked = permissions(jira, Clock())
    assert await asked.is_admin(tenant, ANA)
    assert not await asked.is_admin(tenant, AccountId("bo"))
    assert not await asked.is_admin(a_tenant(), ANA)


@pytest.mark.parametrize("failure", [httpx.Response(500), httpx.Response(403), httpx.ConnectError("refused")])
async def test_error_reaches_the_caller_and_is_not_remembered(failure: httpx.Response | Exception) -> None:
    tenant = a_tenant()
    asked = permissions(Jira({CHECK: [failure, YES]}), Clock())
    with pytest.raises(errors.JiraError):
        await asked.is_admin(tenant, ANA)
    assert await asked.is_admin(tenant, ANA)


def a_member(*groups: str, size: int | None = None, **fields: Any) -> dict[str, Any]:
    """`User` with `expand=groups`; `size`: how many groups there are, also where fewer are listed."""
    items = [{"groupId": group, "name": group} for group in groups]
    return a_user("ana", groups={"size": len(items) if size is None else size, "items": items}, **fields)


async def test_groups_are_asked_for_in_one_call_and_remembered_for_a_minute() -> None:
    jira, clock, tenant = Jira({USER: [a_member("g1", "g2"), a_member()]}), Clock(), a_tenant()
    asked = permissions(jira, clock)
    assert await asked.groups_of(tenant, ANA) == {"g1", "g2"}
    assert await asked.groups_of(tenant, ANA) == {"g1", "g2"}
    assert [dict(query) for query in jira.asked(USER)] == [{"accountId": ANA, "expand": "groups"}]
    clock.now += timedelta(seconds=60)
    assert await asked.groups_of(tenant, ANA) == frozenset()


async def test_groups_that_the_expansion_leaves_out_are_read_from_their_list() -> None:
    listed = httpx.Response(200, json=[{"groupId": f"g{number}", "name": "x"} for number in range(60)])
    jira = Jira({USER: a_member("g1", size=60), GROUPS: listed})
    assert len(await permissions(jira, Clock()).groups_of(a_tenant(), ANA)) == 60


@pytest.mark.parametrize(
    "answer",
    [
        a_member("g1", accountType="customer"),
        a_member("g1", accountType="app"),
        a_member("g1", accountType="unknown"),
        a_member("g1", active=False),
        a_user("ana"),
        httpx.Response(404),
    ],
)
async def test_who_is_no_active_user_has_no_groups(answer: httpx.Response | dict[str, Any]) -> None:
    assert await permissions(Jira({USER: answer}), Clock()).groups_of(a_tenant(), ANA) == frozenset()


@pytest.mark.parametrize("failure", [httpx.Response(500), httpx.Response(403), httpx.Response(400)])
async def test_groups_that_jira_does_not_tell_are_an_error_and_not_remembered(failure: httpx.Response) -> None:
    tenant = a_tenant()
    asked = permissions(Jira({USER: [failure, a_member("g1")]}), Clock())
    with pytest.raises(errors.JiraError):
        await asked.groups_of(tenant, ANA)
    assert await asked.groups_of(tenant, ANA) == {"g1"}


def sees(*issue_ids: int, permission: str = "BROWSE_PROJECTS") -> dict[str, Any]:
    granted = [{"permission": permission, "issues": list(issue_ids), "projects": []}]
    return {"globalPermissions": [], "projectPermissions": granted}


@pytest.mark.parametrize(
    ("answer", "is_seen"),
    [
        (sees(10), True),
        (sees(11), False),
        (sees(10, permission="EDIT_ISSUES"), False),
        (NO, False),
        ({"globalPermissions": []}, False),
        (400, False),
    ],
)
async def test_issue_is_seen_by_whom_jira_shows_it(answer: Any, is_seen: bool) -> None:  # noqa: FBT001 - as above
    jira = Jira({CHECK: answer})
    assert await permissions(jira, Clock()).may_see_issue(a_tenant(), ANA, 10) is is_seen
    (request,) = jira.requests
    asked = b'{"accountId":"557058:ana","globalPermissions":[],'
    assert request.read() == asked + b'"projectPermissions":[{"issues":[10],"permissions":["BROWSE_PROJECTS"]}]}'


async def test_app_may_edit_what_jira_says_it_may() -> None:
    jira = Jira({CHECK: sees(10, 12, permission="EDIT_ISSUES")})
    assert await editable(jira.client(), [10, 11, 12]) == {10, 12}
    assert await editable(Jira({CHECK: sees(10)}).client(), [10]) == frozenset(), "to see it is not enough"
    (request,) = jira.requests
    assert request.read() == b'{"projectPermissions":[{"issues":[10,11,12],"permissions":["EDIT_ISSUES"]}]}'


async def test_who_sees_an_issue_is_asked_each_time_and_never_guessed() -> None:
    jira = Jira({CHECK: [sees(10), NO, httpx.Response(503)]})
    asked, tenant = permissions(jira, Clock()), a_tenant()
    assert await asked.may_see_issue(tenant, ANA, 10)
    assert not await asked.may_see_issue(tenant, ANA, 10)
    with pytest.raises(errors.JiraError):
        await asked.may_see_issue(tenant, ANA, 10)
