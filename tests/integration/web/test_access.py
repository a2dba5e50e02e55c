"""Who gets through which door, and what everybody else is told."""

import httpx
import pytest
from starlette.routing import Mount, Route
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from addon import app
from addon.jira.errors import Unreachable
from addon.settings import Settings
from addon.storage.database import Database
from addon.web import routes
from addon.web.auth import Access, Door, Right
from addon.web.deps import WebDeps
from addon.web.headers import MAX_BODY_BYTES
from lifecycle import qsh
from lifecycle.caller import Binding
from tests.integration.web import contract
from tests.integration.web.desk import BASE_URL, MEMBER, VAULT, Desk, People

PUBLIC = {"/atlassian-connect.json", "/healthz", "/readyz", "/metrics", "/static/htmx.min.js", "/static"}
SETTINGS = "/pages/settings"
RULES = "/pages/company-rules"
SETTING_CALLS = (
    "/api/sync",
    "/api/attention",
    "/api/company-rules",
    "/api/fragments/sync",
    "/api/fragments/rules",
)
SHOWN = {"/pages/issue-context", "/api/issues/{id}"}  # to whom Jira shows the issue
BOUND = ("/pages/", "/webhooks/")  # to the very request, by its qsh
PAGES = [SETTINGS, RULES, "/pages/contacts", "/pages/contacts/1", "/pages/companies", "/pages/issue-context"]


def test_every_route_is_public_on_purpose_or_declares_its_access(deps: WebDeps) -> None:
    for route in routes.routes(deps):
        assert isinstance(route, (Route, Mount))
        if isinstance(route, Door):
            assert route.path not in PUBLIC
            assert isinstance(route.access, Access)
            is_bound = route.path.startswith(BOUND)
            assert route.access.binding is (Binding.REQUEST if is_bound else Binding.CONTEXT)
            assert route.path.startswith((*BOUND, "/api/"))
            assert (route.access.right is None) == route.path.startswith("/webhooks/"), "no person calls"
        else:
            assert route.path in PUBLIC


def test_settings_and_sync_need_the_right_of_settings(deps: WebDeps) -> None:
    rights = {route.path: route.access.right for route in routes.routes(deps) if isinstance(route, Door)}
    for path, right in rights.items():
        if path.startswith("/webhooks/"):
            continue
        is_setting = path in {SETTINGS, RULES} or path.startswith(SETTING_CALLS)
        # D5: an administrator merges contacts.
        is_merging = path.endswith("/contacts/{id}/merge")
        assert right is (Right.ADMIN if is_setting or is_merging else Right.SITE if path in SHOWN else Right.CRM), path


def calls(deps: WebDeps, *, of_people: bool = False) -> list[tuple[str, str]]:
    """Every method and path that is not public; `of_people`: those where somebody's right counts."""
    return [
        (method, route.path.replace("{id}", "1"))
        for route in routes.routes(deps)
        if isinstance(route, Door) and (route.access.right is not None or not of_people)
        for method in sorted(route.methods or ())
    ]


def is_refused(answer: httpx.Response, *, status: int, code: str) -> bool:
    """Whether the answer is this error in the form that its place has."""
    if answer.request.url.path.startswith("/pages/"):
        return answer.status_code == status and answer.headers["content-type"].startswith("text/html")
    contract.check(answer)
    return answer.status_code == status and answer.json()["code"] == code


async def test_every_door_stays_shut_without_a_token(deps: WebDeps, http: httpx.AsyncClient) -> None:
    for method, path in calls(deps):
        answer = await http.request(method, path)
        assert is_refused(answer, status=401, code="not-authenticated"), path
        assert answer.headers["www-authenticate"] == "JWT"


async def test_every_door_stays_shut_for_a_token_of_the_other_binding(deps: WebDeps, acme: Desk) -> None:
    for method, path in calls(deps):
        is_bound = path.startswith(BOUND)
        token = acme.token() if is_bound else acme.token(query_hash=qsh.hash_request(method, path, ""))
        answer = await acme.http.request(method, path, headers={"Authorization": f"JWT {token}"})
        assert is_refused(answer, status=401, code="not-authenticated"), path


async def test_every_door_stays_shut_for_a_token_of_another_secret(deps: WebDeps, acme: Desk, globex: Desk) -> None:
    for method, path in calls(deps):
        is_bound = path.startswith(BOUND)
        query_hash = qsh.hash_request(method, path, "") if is_bound else "context-qsh"
        token = acme.token(query_hash=query_hash, secret=globex.secret)
        answer = await acme.http.request(method, path, headers={"Authorization": f"JWT {token}"})
        assert is_refused(answer, status=401, code="not-authenticated"), path


@pytest.mark.parametrize("account_id", [MEMBER, None])
async def test_every_door_stays_shut_for_who_is_no_administrator(
    deps: WebDeps, acme: Desk, globex: Desk, account_id: str | None
) -> None:
    """D13. An administrator of one site is nobody on another."""
    visitor = acme.as_person(MEMBER if account_id else None)
    for method, path in calls(deps, of_people=True):
        query_hash = qsh.hash_request(method, path, "") if path.startswith("/pages/") else "context-qsh"
        headers = {"Authorization": f"JWT {visitor.token(query_hash=query_hash)}"}
        answer = await visitor.http.request(method, path, headers=headers)
        assert is_refused(answer, status=403, code="not-allowed"), path
    assert (await globex.get("/api/sync"))["enabled"] is False


async def test_every_door_stays_shut_while_jira_does_not_say(deps: WebDeps, acme: Desk, people: People) -> None:
    people.trouble = Unreachable("permissions/check")
    for method, path in calls(deps, of_people=True):
        query_hash = qsh.hash_request(method, path, "") if path.startswith("/pages/") else "context-qsh"
        headers = {"Authorization": f"JWT {acme.token(query_hash=query_hash)}"}
        answer = await acme.http.request(method, path, headers=headers)
        assert is_refused(answer, status=503, code="busy"), path
        assert int(answer.headers["retry-after"]) > 0


async def test_token_in_the_address_is_refused_under_api(acme: Desk) -> None:
    answer = await acme.http.get(f"/api/contacts?jwt={acme.token()}")
    assert answer.status_code == 401


async def test_page_token_of_another_address_is_refused(acme: Desk) -> None:
    token = acme.page_token("/pages/contacts")
    assert (await acme.http.get(f"/pages/settings?jwt={token}")).status_code == 401
    assert (await acme.http.get(f"/pages/contacts?x=1&jwt={token}")).status_code == 401


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b'{"name": NaN}', b"\xff", b"[" * 100_000, b"1" * 5000])
async def test_body_that_is_no_json_object_is_400(acme: Desk, body: bytes) -> None:
    for method, path in (("POST", "/api/contacts"), ("PATCH", "/api/companies/1"), ("PUT", "/api/sync")):
        answer = await acme.call(method, path, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_body_of_another_type_is_415(acme: Desk, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    answer = await acme.call("POST", "/api/contacts", content=b'{"name": "Ada"}', headers=headers)
    assert answer.status_code == 415


async def test_json_with_a_charset_is_taken(acme: Desk) -> None:
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    answer = await acme.call("POST", "/api/contacts", content='{"name": "Zoë"}'.encode(), headers=headers)
    assert answer.json()["name"] == "Zoë"


async def test_body_beyond_a_megabyte_is_413(acme: Desk) -> None:
    body = b'{"name": "' + b"x" * 1024 * 1024 + b'"}'
    answer = await acme.call("POST", "/api/contacts", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert (await acme.get("/api/contacts"))["values"] == []


@pytest.mark.parametrize("size", [MAX_BODY_BYTES, MAX_BODY_BYTES + 1])
@pytest.mark.parametrize("event", ["installed", "uninstalled"])
async def test_body_too_long_for_a_hook_is_413_and_leaves_its_reason(database: Database, event: str, size: int) -> None:
    whole = app.wire(Settings(), database=database, vault=VAULT, http=app.http_client()).web_app()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(whole), base_url=BASE_URL) as client:
        with capture_logs() as logs:
            answer = await client.post(
                f"/lifecycle/{event}", content=b" " * size, headers={"Authorization": "JWT token"}
            )
    assert answer.status_code == 413
    assert [(line["event"], line["reason"]) for line in logs] == [("request refused", "body-too-large")]


async def test_wrong_method_and_unknown_address_are_problems(acme: Desk) -> None:
    answer = await acme.call("PUT", "/api/contacts", json={})
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "POST"}
    assert (await acme.call("GET", "/api/nothing")).json()["code"] == "not-found"
    assert (await acme.http.head("/api/contacts")).status_code == 405


@pytest.mark.parametrize(
    "path", ["/api/contacts/", "/pages/settings/", "/webhooks/user/", "/healthz/", "/lifecycle/installed/"]
)
async def test_address_with_a_slash_too_many_leads_nowhere(acme: Desk, path: str) -> None:
    for method in ("GET", "POST"):
        answer = await acme.http.request(method, f"{path}?jwt={acme.token()}")
        assert answer.status_code == 404
        assert "location" not in answer.headers


async def test_answers_carry_security_headers(acme: Desk) -> None:
    for answer in (
        await acme.call("GET", "/api/contacts"),
        await acme.call("GET", "/api/nothing"),
        await acme.page(SETTINGS),
        await acme.http.get(SETTINGS),
        await acme.http.get("/healthz"),
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-cache, no-store"
        assert answer.headers["strict-transport-security"].startswith("max-age=")
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", PAGES)
async def test_page_may_be_framed_by_its_own_site_alone(acme: Desk, globex: Desk, path: str) -> None:
    for desk, host in ((acme, "acme"), (globex, "globex")):
        answer = await desk.page(path)
        assert f"frame-ancestors https://{host}.atlassian.net" in answer.headers["content-security-policy"]


async def test_refused_page_says_what_to_do(acme: Desk) -> None:
    answer = await acme.as_person(MEMBER).page(SETTINGS)
    assert answer.status_code == 403
    assert "Only Jira administrators can open this" in answer.text
    assert "frame-ancestors https://acme.atlassian.net" in answer.headers["content-security-policy"]
    assert "https://connect-cdn.atl-paas.net/all.js" in answer.text, "or Jira takes the frame for a dead one"


async def test_log_names_the_site_of_whoever_is_refused_or_failed(acme: Desk, globex: Desk, people: People) -> None:
    async def asked(desk: Desk) -> list[tuple[str, str]]:
        with capture_logs(processors=[merge_contextvars]) as logs:
            await desk.http.get("/api/sync", headers={"Authorization": f"JWT {desk.token()}"})
        return [(line["event"], line["tenant_id"]) for line in logs]

    for desk in (acme, globex):
        tenant_id = str(desk.tenant.tenant_id)
        assert await asked(desk.as_person(MEMBER)) == [("request refused", tenant_id)]
    people.trouble = Unreachable("GET /rest/api/3/permissions/check")
    for desk in (acme, globex):
        assert await asked(desk) == [("request failed", str(desk.tenant.tenant_id))]
