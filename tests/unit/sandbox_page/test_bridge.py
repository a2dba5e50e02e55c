import re
from pathlib import Path
from urllib.parse import urlencode

import httpx
import jwt
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from addon import web
from addon.web import jql
from sandbox import app
from tests.support.openapi import CheckedTransport
from tests.unit.sandbox_page.conftest import PROPERTY, Stage, look_as


async def test_frame_script_takes_its_stylesheets_from_the_site(stage: Stage) -> None:
    for here in (stage.first, stage.second):
        for path in ("/bridge/all.js", "/atlassian-connect/all.js"):
            answer = await stage.browser.get(f"{here.base_url}{path}")
            assert answer.headers["content-type"].startswith("text/javascript")
            assert answer.text.count(f'var CDN_URL = "{here.base_url}/bridge";') == 1
            assert '"https://" + CDN_DOMAIN' not in answer.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/bridge/connect-host.js", 200),
        ("/bridge/connect-host.css", 200),
        ("/bridge/jquery.js", 200),
        ("/bridge/surfaces.css", 200),
        ("/bridge/themes/atlaskit-tokens_dark.css", 200),
        ("/bridge/themes/nothing.css", 404),
        ("/bridge/themes/..%2Fconnect-host.js", 404),
        ("/bridge/package.json", 404),
        ("/static/host.js", 200),
        ("/static/..%2Fpage.py", 404),
    ],
)
async def test_only_the_files_of_the_page_are_served(path: str, status: int, stage: Stage) -> None:
    answer = await stage.browser.get(f"{stage.first.base_url}{path}")
    assert answer.status_code == status


async def test_token_is_the_viewers_and_signed_with_the_secret_of_the_site(stage: Stage) -> None:
    for here, other in ((stage.first, stage.second), (stage.second, stage.first)):
        await look_as(stage, here, "agent")
        answer = await stage.browser.get(f"{here.base_url}/bridge/token", params={"addon": "crm"})
        token = answer.json()["token"]
        claims = jwt.decode(token, stage.installed_on(here).shared_secret, algorithms=["HS256"])
        assert (claims["iss"], claims["sub"]) == (here.client_key, here.agent.account_id)
        assert answer.headers["cache-control"] == "no-store"
        with pytest.raises(jwt.InvalidSignatureError):
            jwt.decode(token, stage.installed_on(other).shared_secret, algorithms=["HS256"])


async def test_token_has_run_out_when_it_is_given_where_a_site_is_told_so(stage: Stage) -> None:
    changed = await stage.browser.patch(f"{stage.first.base_url}/sandbox/faults", json={"sessionSeconds": -120})
    assert changed.json()["sessionSeconds"] == -120
    for here, has_run_out in ((stage.first, True), (stage.second, False)):
        token = (await stage.browser.get(f"{here.base_url}/bridge/token", params={"addon": "crm"})).json()["token"]
        claims = jwt.decode(token, options={"verify_signature": False})
        assert (claims["exp"] < claims["iat"]) is has_run_out


@pytest.mark.parametrize(("role", "addon"), [("customer", "crm"), ("admin", "other"), ("admin", "")])
async def test_token_is_refused_without_app_or_access(role: str, addon: str, stage: Stage) -> None:
    await look_as(stage, stage.first, role)
    answer = await stage.browser.get(f"{stage.first.base_url}/bridge/token", params={"addon": addon})
    assert answer.status_code == 403


async def test_disabled_app_gets_neither_token_nor_frame_nor_answer(stage: Stage) -> None:
    await stage.cloud.disable(stage.first, "crm")
    for path, status in (
        ("/bridge/token?addon=crm", 403),
        ("/bridge/frame?addon=crm&module=contacts", 404),
        ("/bridge/request/crm/rest/api/3/myself", 403),
    ):
        assert (await stage.browser.get(f"{stage.first.base_url}{path}")).status_code == status
    assert (await stage.browser.get(f"{stage.second.base_url}/bridge/token?addon=crm")).status_code == 200


@pytest.mark.parametrize(
    ("role", "module", "status"),
    [("admin", "settings", 200), ("member", "settings", 403), ("member", "contacts", 200), ("admin", "nothing", 404)],
)
async def test_frame_is_addressed_for_those_who_may_open_it(role: str, module: str, status: int, stage: Stage) -> None:
    await look_as(stage, stage.first, role)
    answer = await stage.browser.get(
        f"{stage.first.base_url}/bridge/frame", params={"addon": "crm", "module": module, "ac.id": "9"}
    )
    assert answer.status_code == status
    if status == 200 and module == "contacts":
        assert answer.json()["url"].startswith("https://addon.example/contacts?id=9&")
        assert answer.json()["origin"] == "https://addon.example"


@pytest.mark.parametrize("role", ["admin", "agent", "member"])
async def test_request_is_answered_for_the_viewer_of_that_site(role: str, stage: Stage) -> None:
    for here in (stage.first, stage.second):
        await look_as(stage, here, role)
        answer = await stage.browser.get(f"{here.base_url}/bridge/request/crm/rest/api/3/myself")
        expected = {"admin": here.admin, "agent": here.agent, "member": here.member}[role]
        assert answer.json()["accountId"] == expected.account_id
        assert answer.json()["self"].startswith(here.base_url)


async def test_request_keeps_query_and_encoded_path(stage: Stage) -> None:
    here = stage.first
    answer = await stage.browser.get(
        f"{here.base_url}/bridge/request/crm/rest/api/3/user", params={"accountId": here.agent.account_id}
    )
    assert answer.json()["accountId"] == here.agent.account_id


class CheckedRest:
    """ASGI: what goes to `/rest/`, and so what the bridge sends there itself, is checked against Atlassian's documents."""

    def __init__(self, inner: ASGIApp, seen: list[CheckedTransport]) -> None:
        self._inner = inner
        self._transport = CheckedTransport(httpx.ASGITransport(app=inner))
        seen.append(self._transport)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/rest/"):
            await self._inner(scope, receive, send)
            return
        came = Request(scope, receive)
        asked = httpx.Request(came.method, str(came.url), headers=came.headers.raw, content=await came.body())
        answer = await self._transport.handle_async_request(asked)
        await Response(answer.content, answer.status_code, dict(answer.headers))(scope, receive, send)


async def test_search_of_the_issue_panel_is_as_documented(stage: Stage) -> None:
    """By the address that issue.js gives to AP.request, with a name that needs every kind of care."""
    script = (Path(web.__file__).parent / "static/issue.js").read_text("utf-8")
    search, shown = re.search(r"SEARCH = '(.+)'", script), re.search(r"SHOWN = (\d+)", script)
    assert search is not None
    assert shown is not None
    assert "new URLSearchParams({ jql, fields: 'summary', maxResults: SHOWN })" in script
    name = 'Ümlaut & Söhne "50 %" +\\'
    seen: list[CheckedTransport] = []
    checked = app.create(stage.cloud)
    checked.add_middleware(CheckedRest, seen=seen)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=checked)) as browser:
        for here in (stage.first, stage.second):
            own, other = (here.create_issue(here.member_id) for _ in range(2))
            for issue in (own, other):
                here.tracker.set_property(issue.issue_id, PROPERTY, {"name": name})
            query = {"jql": jql.open_issues(name, besides=own.number), "fields": "summary", "maxResults": shown[1]}
            answer = await browser.get(f"{here.base_url}/bridge/request/crm{search[1]}?{urlencode(query)}")
            assert [each["key"] for each in answer.json()["issues"]] == [other.key]
    assert [call for transport in seen for call in transport.calls] == [("GET", search[1], 200)] * 2


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/rest/api/3/group/bulk", 403),
        ("/rest/api/3/users/search", 403),
        ("/rest/api/3/user/email?accountId=x", 403),
        ("/rest/api/3/nothing", 404),
        ("/sandbox/state", 404),
        ("/people", 404),
    ],
)
async def test_request_beyond_the_apps_scopes_or_the_rest_api_is_refused(path: str, status: int, stage: Stage) -> None:
    answer = await stage.browser.get(f"{stage.first.base_url}/bridge/request/crm{path}")
    assert answer.status_code == status


async def test_request_of_a_portal_customer_is_refused(stage: Stage) -> None:
    await look_as(stage, stage.first, "customer")
    answer = await stage.browser.get(f"{stage.first.base_url}/bridge/request/crm/rest/api/3/myself")
    assert answer.status_code == 403


async def test_request_of_another_origin_is_refused(stage: Stage) -> None:
    url = f"{stage.first.base_url}/bridge/request/crm/rest/api/3/myself"
    for origin, status in ((stage.first.base_url, 200), (stage.second.base_url, 403), ("null", 403)):
        assert (await stage.browser.get(url, headers={"Origin": origin})).status_code == status
