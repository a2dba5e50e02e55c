from datetime import timedelta
from typing import Any

import httpx
import pytest
from structlog.contextvars import get_contextvars, merge_contextvars
from structlog.testing import capture_logs

from lifecycle.install import PREVIOUS_SECRET_FOR
from tests.integration.lifecycle.conftest import Site, World
from tests.unit.lifecycle import atlassian
from tests.unit.lifecycle.atlassian import BASE_URL, NOW

REFUSED = {"code": "not-authenticated", "title": "Not authenticated"}
CONTEXT = {"qsh": "context-qsh"}


async def get(world: World, path: str, token: str | None = None, **options: Any) -> httpx.Response:
    headers = {} if token is None else {"authorization": f"JWT {token}"}
    return await world.client.get(f"/base{path}", headers=headers, **options)


def assert_refused(response: httpx.Response, logs: Any, reason: str) -> None:
    assert (response.status_code, response.json()) == (401, REFUSED)
    assert [line["reason"] for line in logs] == [reason]


async def test_each_tenant_is_itself(world: World, alpha: Site, beta: Site) -> None:
    for site in (alpha, beta):
        response = await get(world, "/pages/contacts", site.token("GET", "/pages/contacts", sub="557058:abc"))
        assert response.json() == {"clientKey": site.client_key, "accountId": "557058:abc"}


async def test_call_of_the_product_itself_has_no_account(world: World, alpha: Site) -> None:
    response = await get(world, "/pages/contacts", alpha.token("GET", "/pages/contacts"))
    assert response.json()["accountId"] is None


async def test_token_may_come_in_the_query(world: World, alpha: Site) -> None:
    query = "xdm_e=https%3A%2F%2Fone.atlassian.net&lic=none&q=a+b"
    token = alpha.token("GET", "/pages/contacts", query)
    assert (await get(world, f"/pages/contacts?{query}&jwt={token}")).status_code == 200
    assert (await get(world, f"/pages/contacts?{query}&jwt={token}", token)).status_code == 200


async def test_path_is_hashed_as_it_was_sent(world: World, alpha: Site) -> None:
    path = "/pages/a%2Fb%20c%C3%A9"
    assert (await get(world, path, alpha.token("GET", path))).status_code == 200


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"exp": int(NOW.timestamp()) - 60}, "expired"),
        ({"exp": None}, "malformed-token"),
        ({"iat": int(NOW.timestamp()) + 60}, "not-yet-valid"),
        ({"iss": "nobody"}, "unknown-tenant"),
        ({"iss": "crm-contact-sync"}, "unknown-tenant"),
        ({"iss": "nul\x00"}, "malformed-token"),
        ({"iss": None}, "malformed-token"),
        ({"qsh": None}, "wrong-qsh"),
        ({"qsh": "00" * 32}, "wrong-qsh"),
        ({"qsh": "é"}, "wrong-qsh"),
        (CONTEXT, "wrong-binding"),
    ],
)
async def test_page_refuses_a_token_that_is_not_for_it(
    world: World, alpha: Site, changes: dict[str, Any], reason: str
) -> None:
    token = alpha.token("GET", "/pages/contacts", **changes)
    with capture_logs() as logs:
        response = await get(world, "/pages/contacts", token)
    assert_refused(response, logs, reason)


async def test_token_signed_by_another_tenant_is_refused(world: World, alpha: Site, beta: Site) -> None:
    forged = Site(body=alpha.body, secret=beta.secret).token("GET", "/pages/contacts")
    with capture_logs() as logs:
        response = await get(world, "/pages/contacts", forged)
    assert_refused(response, logs, "bad-signature")


async def test_unsigned_and_publicly_signed_tokens_are_refused(world: World, alpha: Site) -> None:
    made = atlassian.claims(iss=alpha.client_key, aud=[BASE_URL])
    for token in (atlassian.unsigned(made), atlassian.rs256(made)):
        with capture_logs() as logs:
            response = await get(world, "/pages/contacts", token)
        assert_refused(response, logs, "wrong-algorithm")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/pages/contacts"),
        ("GET", "/pages/companies"),
        ("GET", "/pages/contacts/7"),
        ("GET", "/pages/contacts?a=b"),
    ],
)
async def test_token_replayed_to_another_request_is_refused(world: World, alpha: Site, method: str, path: str) -> None:
    token = alpha.token("GET", "/pages/contacts")
    with capture_logs() as logs:
        response = await world.client.request(method, f"/base{path}", headers={"authorization": f"JWT {token}"})
    assert_refused(response, logs, "wrong-qsh")


async def test_missing_or_contradicting_tokens_are_refused(world: World, alpha: Site) -> None:
    token, other = (alpha.token("GET", "/pages/contacts", sub=sub) for sub in ("one", "two"))
    requests = [
        get(world, "/pages/contacts"),
        get(world, "/pages/contacts?jwt="),
        get(world, f"/pages/contacts?jwt={other}", token),
        get(world, f"/pages/contacts?jwt={other}&jwt={token}"),
        world.client.get("/base/pages/contacts", headers={"authorization": f"Bearer {token}"}),
        world.client.get("/base/pages/contacts", headers={"authorization": "JWT"}),
    ]
    for request in requests:
        with capture_logs() as logs:
            response = await request
        assert_refused(response, logs, "no-token")


async def test_api_takes_a_context_token_from_the_header(world: World, alpha: Site, beta: Site) -> None:
    for site in (alpha, beta):
        token = site.token("GET", "/pages/contacts", sub="557058:abc", **CONTEXT)
        response = await get(world, "/api/contacts?limit=1", token)
        assert response.json() == {"clientKey": site.client_key, "accountId": "557058:abc"}


async def test_api_refuses_a_context_token_in_the_query(world: World, alpha: Site) -> None:
    token = alpha.token("GET", "/api/contacts", **CONTEXT)
    with capture_logs() as logs:
        response = await get(world, f"/api/contacts?jwt={token}")
    assert_refused(response, logs, "no-token")


@pytest.mark.parametrize("changes", [{}, {"qsh": None}])
async def test_api_refuses_a_token_that_is_bound_to_a_request(
    world: World, alpha: Site, changes: dict[str, Any]
) -> None:
    token = alpha.token("GET", "/api/contacts", **changes)
    with capture_logs() as logs:
        response = await get(world, "/api/contacts", token)
    assert_refused(response, logs, "wrong-binding")


async def test_old_secret_is_accepted_shortly_after_a_reinstall(world: World, alpha: Site, beta: Site) -> None:
    again = await world.install(clientKey=alpha.client_key, baseUrl=alpha.body["baseUrl"])
    lasting: dict[str, Any] = {"exp": int((NOW + PREVIOUS_SECRET_FOR).timestamp()) + 600}
    tokens = {site: site_.token("GET", "/pages/x", **lasting) for site, site_ in [("old", alpha), ("new", again)]}
    world.clock.advance(PREVIOUS_SECRET_FOR - timedelta(seconds=1))
    assert (await get(world, "/pages/x", tokens["old"])).status_code == 200
    assert (await get(world, "/pages/x", tokens["new"])).status_code == 200
    world.clock.advance(timedelta(seconds=1))
    with capture_logs() as logs:
        assert_refused(await get(world, "/pages/x", tokens["old"]), logs, "bad-signature")
    assert (await get(world, "/pages/x", tokens["new"])).status_code == 200
    assert (await get(world, "/pages/x", beta.token("GET", "/pages/x", **lasting))).status_code == 200


@pytest.mark.parametrize("stop", ["disabled", "uninstalled", "superseded"])
async def test_stopped_tenant_is_refused_and_its_neighbour_is_not(
    world: World, alpha: Site, beta: Site, stop: str
) -> None:
    if stop == "disabled":
        await world.switch("disabled", alpha)
    elif stop == "uninstalled":
        await world.post_signed("uninstalled", alpha.body)
    else:
        await world.install(baseUrl=alpha.body["baseUrl"])
    with capture_logs() as logs:
        response = await get(world, "/pages/x", alpha.token("GET", "/pages/x"))
    assert_refused(response, logs, "tenant-not-active")
    assert (await get(world, "/pages/x", beta.token("GET", "/pages/x"))).status_code == 200


async def test_secret_moved_to_another_tenants_row_lets_nobody_in(world: World, alpha: Site, beta: Site) -> None:
    stolen = (await world.record(beta)).sealed_secret
    await world.pool.execute(
        "UPDATE tenant SET sealed_secret = :stolen WHERE client_key = :client_key",
        {"stolen": stolen, "client_key": alpha.client_key},
    )
    with capture_logs() as logs:
        response = await get(world, "/pages/x", Site(body=alpha.body, secret=beta.secret).token("GET", "/pages/x"))
    assert (response.status_code, response.json()["code"]) == (503, "busy")
    assert [line["reason"] for line in logs] == ["secret-unreadable"]


async def test_log_names_a_tenant_that_is_proven_or_whose_secret_does_not_open(
    world: World, alpha: Site, beta: Site
) -> None:
    tenant_id = str((await world.record(alpha)).tenant.tenant_id)
    forged = Site(body=alpha.body, secret=beta.secret).token("GET", "/pages/x")
    expired = alpha.token("GET", "/pages/x", exp=int(NOW.timestamp()) - 60)
    own = alpha.token("GET", "/pages/x")

    async def refused(path: str, token: str) -> tuple[str, str | None]:
        with capture_logs(processors=[merge_contextvars]) as logs:
            await get(world, path, token)
        [line] = logs
        return line["reason"], line.get("tenant_id")

    assert await refused("/pages/x", forged) == ("bad-signature", None)
    assert await refused("/pages/x", expired) == ("expired", tenant_id)
    assert await refused("/pages/y", own) == ("wrong-qsh", tenant_id)
    await world.pool.execute(
        "UPDATE tenant SET sealed_secret = CAST('lost' AS bytea) WHERE client_key = :client_key",
        {"client_key": alpha.client_key},
    )
    assert await refused("/pages/x", own) == ("secret-unreadable", tenant_id)
    assert (await get(world, "/pages/x", beta.token("GET", "/pages/x"))).status_code == 200
    assert get_contextvars() == {}


async def test_log_names_the_path_without_its_query(world: World, alpha: Site) -> None:
    token = alpha.token("GET", "/pages/other")
    with capture_logs() as logs:
        await get(world, f"/pages/contacts?jwt={token}&query=person@example.com")
    assert [line["path"] for line in logs] == ["/base/pages/contacts"]
    assert token not in str(logs)
    assert "person" not in str(logs)
