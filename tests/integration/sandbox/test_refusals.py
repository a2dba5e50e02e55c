import math
import time
from typing import Any

import pytest

from sandbox import viewer
from tests.integration.sandbox.conftest import World
from tests.integration.sandbox.standin import a_descriptor

MEMBERS = "/rest/api/3/group/member"
OTHER_SECRET = "another-secret-that-is-long-enough-for-hs256"


def without(claim: str) -> Any:
    return lambda claims: {name: value for name, value in claims.items() if name != claim}


@pytest.mark.parametrize(
    ("spoiled", "reason"),
    [
        ({"secret": OTHER_SECRET}, "signature"),
        ({"secret": "", "algorithm": "none"}, "signature"),
        ({"algorithm": "HS512"}, "signature"),
        ({"issuer": "another-app"}, "unknown-issuer"),
        ({"change": without("exp")}, "no-exp"),
        ({"change": without("iat")}, "no-iat"),
        ({"change": without("qsh")}, "no-qsh"),
        ({"change": without("iss")}, "unknown-issuer"),
        ({"change": lambda claims: {**claims, "exp": int(time.time()) - 1}}, "expired"),
        ({"change": lambda claims: {**claims, "exp": "soon"}}, "expired"),
        ({"change": lambda claims: {**claims, "iat": "x"}}, "expired"),
        ({"change": lambda claims: {**claims, "exp": math.nan}}, "expired"),
        ({"change": lambda claims: {**claims, "iat": int(time.time()) + 300}}, "too-early"),
        ({"change": lambda claims: {**claims, "nbf": int(time.time()) + 300}}, "too-early"),
        ({"change": lambda claims: {**claims, "aud": ["other-client"]}}, "audience"),
        ({"change": lambda claims: {**claims, "aud": "other-client"}}, "audience"),
        ({"change": lambda claims: {**claims, "aud": None}}, "audience"),
        ({"change": lambda claims: {**claims, "qsh": "0" * 64}}, "qsh"),
        ({"change": lambda claims: {**claims, "qsh": "context-qsh"}}, "qsh"),
    ],
)
async def test_wrong_token_is_refused(world: World, spoiled: dict[str, Any], reason: str) -> None:
    for site in world.sites:
        client = await world.client(site, **spoiled)
        answer = await client.get("/rest/api/3/myself")
        assert answer.status_code == 401
        assert answer.json()["errorMessages"] == ["Client must be authenticated to access this resource."]
        assert answer.headers["X-Sandbox-Reason"] == reason


async def test_audience_may_be_named_in_every_documented_way(world: World) -> None:
    for site in world.sites:
        for audience in (site.client_key, [site.client_key], ["other-client", site.client_key]):
            client = await world.client(site, change=lambda claims, aud=audience: {**claims, "aud": aud, "nbf": 0})
            assert (await client.get("/rest/api/3/myself")).status_code == 200


@pytest.mark.parametrize("authorization", [None, "", "JWT", "JWT x.y.z", "Bearer abc", "Basic YTpi"])
async def test_missing_or_foreign_credentials_are_refused(world: World, authorization: str | None) -> None:
    browser = await world.browser(world.sites[0])
    headers = {} if authorization is None else {"Authorization": authorization}
    assert (await browser.get("/rest/api/3/myself", headers=headers)).status_code == 401


@pytest.mark.parametrize(
    ("method", "other_url"),
    [
        ("POST", "/rest/api/3/myself"),
        ("GET", "/rest/api/3/serverInfo"),
        ("GET", "/rest/api/3/myself?expand=groups"),
    ],
)
async def test_token_for_another_request_is_refused(world: World, method: str, other_url: str) -> None:
    site = world.sites[0]
    client = await world.client(site)
    foreign = client.build_request(method, other_url)
    signed = next(client.auth.auth_flow(foreign)) if client.auth else foreign
    browser = await world.browser(site)
    answer = await browser.get("/rest/api/3/myself", headers={"Authorization": signed.headers["Authorization"]})
    assert answer.headers["X-Sandbox-Reason"] == "qsh"


async def test_token_of_another_site_is_refused(world: World) -> None:
    first, second = world.sites
    client = await world.client(first, secret=second.installations["stand-in"].shared_secret)
    assert (await client.get("/rest/api/3/myself")).status_code == 401


async def test_app_that_brings_a_cookie_is_refused_and_a_person_is_not(world: World) -> None:
    first, second = world.sites
    browser = await world.browser(first)
    browser.cookies.set(viewer.cookie_name(first), first.member_id.replace(":", "%3A"))
    for _ in range(2):
        assert (await browser.get("/rest/api/3/myself")).status_code == 200
    kept = {"Cookie": "; ".join(f"{each.name}={each.value}" for each in browser.cookies.jar)}
    for site in (first, second):
        client = await world.client(site)
        assert (await client.get("/rest/api/3/myself", headers=kept)).headers["X-Sandbox-Reason"] == "cookie"
        for _ in range(2):
            assert (await client.get("/rest/api/3/myself")).status_code == 200


async def test_answers_of_jsm_and_connect_have_their_own_error_shape(world: World) -> None:
    browser = await world.browser(world.sites[0])
    assert "errorMessage" in (await browser.get("/rest/servicedeskapi/servicedesk")).json()
    answer = await browser.get("/rest/atlassian-connect/1/addons/stand-in/properties")
    assert answer.json()["statusCode"] == 401


@pytest.mark.parametrize(
    ("scopes", "path", "status"),
    [
        ([], "/rest/api/3/myself", 403),
        ([], "/rest/atlassian-connect/1/addons/stand-in/properties", 200),
        (["read"], "/rest/api/3/myself", 200),
        (["READ"], "/rest/api/3/group/bulk", 403),
        (["PROJECT_ADMIN"], "/rest/api/3/group/bulk", 403),
        (["ADMIN"], "/rest/api/3/group/bulk", 200),
        (["ADMIN"], "/rest/api/3/myself", 200),
        (["ADMIN"], "/rest/servicedeskapi/servicedesk", 200),
        (["ADMIN"], "/rest/api/3/user/email/bulk?accountId=x", 403),
        (["ACCESS_EMAIL_ADDRESSES"], "/rest/api/3/user/email/bulk?accountId=x", 200),
        (["ACCESS_EMAIL_ADDRESSES"], "/rest/api/3/myself", 403),
        (["ADMIN", "ACCESS_EMAIL_ADDRESSES", "ACT_AS_USER"], "/rest/api/3/users/search", 403),
        (["ADMIN", "ACCESS_EMAIL_ADDRESSES", "ACT_AS_USER"], "/rest/api/3/users", 403),
    ],
)
async def test_scopes_decide_what_an_app_may_call(bare_world: World, scopes: list[str], path: str, status: int) -> None:
    bare_world.app.descriptor = a_descriptor(scopes=scopes, modules={})
    for site in bare_world.sites:
        await bare_world.install(site)
        client = await bare_world.client(site)
        assert (await client.get(path)).status_code == status


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/rest/api/3/nothing"),
        ("DELETE", "/rest/api/3/user"),
        ("GET", "/rest/api/2/myself"),
        ("GET", "/rest/api/3/issue/TEST-1"),
        ("GET", "/rest/api/3/myself/"),
        ("GET", "/rest/"),
    ],
)
async def test_unknown_operation_is_not_found(world: World, method: str, path: str) -> None:
    client = await world.client(world.sites[0], checks_requests=False)
    assert (await client.request(method, path)).status_code == 404


async def test_get_with_a_body_is_refused(world: World) -> None:
    client = await world.client(world.sites[0], checks_requests=False)
    answer = await client.request("GET", "/rest/api/3/myself", json={})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        f"{MEMBERS}?groupname=jira-software-users&maxResults=51",
        f"{MEMBERS}?groupname=jira-software-users&maxResults=0",
        f"{MEMBERS}?groupname=jira-software-users&maxResults=ten",
        f"{MEMBERS}?groupname=jira-software-users&maxResults=99999999999",
        f"{MEMBERS}?groupname=jira-software-users&startAt=-1",
        f"{MEMBERS}?groupname=jira-software-users&includeInactiveUsers=yes",
        MEMBERS,
        f"{MEMBERS}?groupname=a&groupId=b",
        "/rest/api/3/group/bulk?maxResults=51",
        "/rest/api/3/group/bulk?accessType=owner",
        "/rest/api/3/group/bulk?applicationKey=jira-nothing",
        "/rest/api/3/groups/picker?maxResults=0",
        "/rest/api/3/user",
        "/rest/api/3/user/bulk",
        "/rest/api/3/user/bulk?accountId=x&maxResults=201",
        "/rest/api/3/user/bulk?" + "&".join(f"accountId={number}" for number in range(201)),
        f"/rest/api/3/user/bulk?accountId={'x' * 129}",
        "/rest/api/3/user/search",
        "/rest/api/3/user/search?query=a&maxResults=1001",
        "/rest/api/3/user/groups",
        "/rest/api/3/user/email/bulk",
        "/rest/api/3/user/email/bulk?" + "&".join(f"accountId={number}" for number in range(91)),
        "/rest/api/3/mypermissions",
        "/rest/api/3/mypermissions?permissions=NO_SUCH",
        "/rest/servicedeskapi/organization/one",
        "/rest/servicedeskapi/servicedesk?limit=0",
        "/rest/servicedeskapi/servicedesk?start=-1",
    ],
)
async def test_bad_parameters_are_refused(world: World, path: str) -> None:
    client = await world.client(world.sites[0], checks_requests=False)
    answer = await client.get(path)
    assert answer.status_code == 400, answer.text


UNUSABLE = (
    (rb'"\ud800"', "half a surrogate pair"),
    (rb'{"\ud800": 1}', "half a surrogate pair in a key"),
    (b"1e400", "more than a number holds"),
    (b"NaN", "no JSON"),
    (b"[" * 16_000 + b"]" * 16_000, "too deep"),
    (b"[" * 100_000 + b"]" * 100_000, "too deep and too long"),
)


@pytest.mark.parametrize("body", [body for body, _ in UNUSABLE], ids=[name for _, name in UNUSABLE])
async def test_value_that_could_never_be_read_again_is_not_stored(world: World, body: bytes) -> None:
    client = await world.client(world.sites[0], checks_requests=False)
    headers = {"Content-Type": "application/json"}
    for path in (
        "/rest/api/3/issue/10000/properties/colour",
        "/rest/atlassian-connect/1/addons/stand-in/properties/colour",
    ):
        assert (await client.put(path, content=body, headers=headers)).status_code == 400
        assert (await client.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/rest/api/3/permissions/check", b'{"accountId": ["x"], "globalPermissions": ["ADMINISTER"]}'),
        ("/rest/api/3/permissions/check", b'{"accountId": {}, "globalPermissions": ["ADMINISTER"]}'),
        ("/rest/api/3/search/jql", rb'{"jql": "\ud800"}'),
        ("/rest/api/3/search/jql", rb'{"jql": "summary ~ \"\ud800\""}'),
    ],
)
async def test_bad_body_is_refused(world: World, path: str, body: bytes) -> None:
    client = await world.client(world.sites[0], checks_requests=False)
    answer = await client.post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(
    "path",
    [
        f"{MEMBERS}?groupname=nobodies",
        "/rest/api/3/user?accountId=nobody",
        "/rest/api/3/user/email?accountId=nobody",
        "/rest/api/3/user/groups?accountId=nobody",
        "/rest/servicedeskapi/servicedesk/99",
        "/rest/servicedeskapi/servicedesk/99/organization",
        "/rest/servicedeskapi/organization/99999",
        "/rest/servicedeskapi/organization/99999/user",
        "/rest/atlassian-connect/1/addons/stand-in/properties/nothing",
        "/rest/atlassian-connect/1/addons/another-app/properties",
    ],
)
async def test_what_is_not_there_is_not_found(world: World, path: str) -> None:
    for site in world.sites:
        assert (await (await world.client(site)).get(path)).status_code == 404


async def test_customers_need_the_opt_in_header(world: World) -> None:
    client = await world.client(world.sites[0])
    path = "/rest/servicedeskapi/servicedesk/1/customer"
    assert (await client.get(path)).status_code == 412
    assert (await client.get(path, headers={"X-ExperimentalApi": "true"})).status_code == 412
    assert (await client.get(path, headers={"X-ExperimentalApi": "opt-in"})).status_code == 200


async def test_unknown_host_has_no_site(world: World) -> None:
    browser = await world.browser(world.sites[0], checks_requests=False)
    answer = await browser.get("http://localhost:9999/_edge/tenant_info")
    assert answer.status_code == 404


async def test_person_at_the_pages_may_call_what_their_permissions_allow(world: World) -> None:
    site = world.sites[0]
    browser = await world.browser(site)
    browser.cookies.set(viewer.cookie_name(site), site.member_id.replace(":", "%3A"))
    assert (await browser.get("/rest/api/3/myself")).json()["accountId"] == site.member_id
    assert (await browser.get("/rest/api/3/group/bulk")).status_code == 403
    assert (await browser.get("/rest/api/3/user/email?accountId=x")).status_code == 403
    assert (await browser.get("/rest/api/3/users/search")).status_code == 403
    browser.cookies.set(viewer.cookie_name(site), "admin")
    assert (await browser.get("/rest/api/3/group/bulk")).status_code == 200
    site.deactivate_person(site.admin_id)
    assert (await browser.get("/rest/api/3/group/bulk")).status_code == 401
