"""The checker itself: it must notice what it is there to notice."""

import json
from typing import Any

import httpx
import pytest

from tests.support.openapi import FAULT_HEADER, CheckedTransport

SITE = "https://site.example"
USER = {"accountId": "a", "accountType": "atlassian", "active": True, "displayName": "A"}

REFUSED = {"errorMessages": ["no"], "errors": {}}


def an_issue(reporter: object) -> dict[str, Any]:
    return {"id": "1", "key": "SD1-1", "fields": {"reporter": reporter, "customfield_1": "x"}}


async def send(answer: httpx.Response, method: str, path: str, **more: Any) -> CheckedTransport:
    transport = CheckedTransport(httpx.MockTransport(lambda _: answer), checks_requests=more.pop("checks", True))
    async with httpx.AsyncClient(transport=transport, base_url=SITE) as client:
        await client.request(method, path, **more)
    return transport


async def test_documented_call_passes_and_is_recorded() -> None:
    transport = await send(httpx.Response(200, json=USER), "GET", "/rest/api/3/user?accountId=a:b")
    assert transport.calls == [("GET", "/rest/api/3/user", 200)]


@pytest.mark.parametrize(
    ("method", "path", "more"),
    [
        ("GET", "/rest/api/3/nothing", {}),
        ("PATCH", "/rest/api/3/user", {}),
        ("GET", "/rest/api/3/user?colour=blue", {}),
        ("GET", "/rest/api/3/group/member?maxResults=many", {}),
        ("GET", "/rest/api/3/user/bulk", {}),
        ("GET", "/rest/api/3/user", {"json": {}}),
        ("GET", "/rest/api/3/user?accountId=a&accountId=b", {}),
        ("DELETE", "/rest/api/3/issue/1/properties/colour", {"json": {}}),
        ("POST", "/rest/api/3/permissions/check", {"json": {"globalPermissions": "ADMINISTER"}}),
    ],
)
async def test_undocumented_request_is_noticed(method: str, path: str, more: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match="/rest/api/3"):
        await send(httpx.Response(200, json=USER), method, path, **more)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json={**USER, "colour": "blue"}),
        httpx.Response(200, json={**USER, "active": "true"}),
        httpx.Response(200, json={**USER, "accountType": "robot"}),
        httpx.Response(200, html="<html>"),
        httpx.Response(418, json={}),
    ],
)
async def test_undocumented_answer_is_noticed(answer: httpx.Response) -> None:
    with pytest.raises(AssertionError, match="answered"):
        await send(answer, "GET", "/rest/api/3/user?accountId=a")


@pytest.mark.parametrize(
    ("answer", "method", "path"),
    [
        (httpx.Response(204, json={}), "DELETE", "/rest/api/3/issue/1/properties/colour"),
        (httpx.Response(404, json=REFUSED), "GET", "/rest/api/3/myself"),
        (httpx.Response(412, json={"errorMessage": "no"}), "GET", "/rest/servicedeskapi/organization"),
        (httpx.Response(415, json=REFUSED), "GET", "/rest/api/3/myself"),
        (httpx.Response(200, json=an_issue({"accountId": "a", "colour": "blue"})), "GET", "/rest/api/3/issue/1"),
        (httpx.Response(200, json=an_issue("a")), "GET", "/rest/api/3/issue/1"),
    ],
)
async def test_answer_that_belongs_elsewhere_is_noticed(answer: httpx.Response, method: str, path: str) -> None:
    with pytest.raises(AssertionError, match="answered"):
        await send(answer, method, path)


async def test_redirect_that_leads_nowhere_is_noticed() -> None:
    path, body = "/rest/api/3/issue/properties/colour", {"entityIds": [1]}
    await send(httpx.Response(303, headers={"Location": f"{SITE}/rest/api/3/task/1"}), "DELETE", path, json=body)
    with pytest.raises(AssertionError, match="where"):
        await send(httpx.Response(303), "DELETE", path, json=body)


@pytest.mark.parametrize("reporter", [USER, None])
async def test_reporter_is_a_user_or_nobody(reporter: object) -> None:
    await send(httpx.Response(200, json=an_issue(reporter)), "GET", "/rest/api/3/issue/1?fields=reporter")


async def test_injected_fault_and_foreign_paths_are_let_through() -> None:
    fault = httpx.Response(200, html="<html>", headers={FAULT_HEADER: "interruption"})
    await send(fault, "GET", "/rest/api/3/user?accountId=a")
    transport = await send(httpx.Response(200, content=json.dumps({"cloudId": "c"})), "GET", "/_edge/tenant_info")
    assert transport.calls == []


async def test_wrong_request_may_be_sent_on_purpose() -> None:
    refused = httpx.Response(400, json=REFUSED)
    transport = await send(refused, "GET", "/rest/api/3/user?colour=blue", checks=False)
    assert transport.calls == [("GET", "/rest/api/3/user", 400)]
