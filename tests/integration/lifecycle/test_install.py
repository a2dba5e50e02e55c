import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from addon.storage.database import Database
from lifecycle import qsh, store
from lifecycle.install import PREVIOUS_SECRET_FOR
from lifecycle.tenant import State
from tests.integration.lifecycle.conftest import Site, World
from tests.unit.lifecycle import atlassian
from tests.unit.lifecycle.atlassian import BASE_URL, NOW, an_install_body

REFUSED = {"code": "not-authenticated", "title": "Not authenticated"}


async def assert_refused(world: World, response: httpx.Response, logs: Any, reason: str) -> None:
    """401, one line with one reason code, nothing in the answer, nothing changed."""
    assert (response.status_code, response.json()) == (401, REFUSED)
    assert [line["reason"] for line in logs if line["event"] == "request refused"] == [reason]
    assert world.listener.heard == []
    assert await world.count_tenants() == 0


async def test_install_makes_a_tenant_of_its_own_for_each_site(world: World, alpha: Site, beta: Site) -> None:
    one, other = (await world.record(alpha)).tenant, (await world.record(beta)).tenant
    assert one.tenant_id != other.tenant_id
    assert (one.client_key, one.cloud_id, one.base_url, one.display_url, one.oauth_client_id) == (
        alpha.body["clientKey"],
        alpha.body["cloudId"],
        alpha.body["baseUrl"],
        alpha.body["displayUrl"],
        alpha.body["oauthClientId"],
    )
    assert (one.state, one.installed_at, one.uninstalled_at) == (State.INSTALLED, NOW, None)
    assert world.listener.heard == [
        ("installed", alpha.client_key, State.INSTALLED),
        ("installed", beta.client_key, State.INSTALLED),
    ]


async def test_secret_rests_sealed_for_its_tenant(world: World, alpha: Site, beta: Site) -> None:
    rows = await world.pool.fetch_all("SELECT CAST(tenant AS text) AS row FROM tenant")
    for site in (alpha, beta):
        assert not any(site.secret in row[0] or site.secret.encode().hex() in row[0] for row in rows)
        record = await world.record(site)
        opened = world.vault.open(record.sealed_secret, tenant_id=record.tenant.tenant_id)
        assert opened.reveal() == site.secret


async def test_links_fall_back_to_the_base_url(world: World) -> None:
    site = await world.install(displayUrl=None)
    assert (await world.record(site)).tenant.display_url == site.body["baseUrl"]


@pytest.mark.parametrize("audience", [BASE_URL, f"{BASE_URL}/", [f"{BASE_URL}/"], ["https://other.example", BASE_URL]])
async def test_audience_may_be_text_or_list_with_or_without_slash(world: World, audience: str | list[str]) -> None:
    assert (await world.post_signed("installed", an_install_body(), aud=audience)).status_code == 204


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"key": "forger"}, "bad-signature"),
        ({"key_id": "unknown"}, "unknown-key"),
        ({"key_id": "../install-keys/1"}, "unknown-key"),
        ({"key_id": "https://evil.example/key"}, "unknown-key"),
        ({"key_id": None}, "unknown-key"),
        ({"exp": int(NOW.timestamp()) - 60}, "expired"),
        ({"exp": None}, "malformed-token"),
        ({"iat": int(NOW.timestamp()) + 60}, "not-yet-valid"),
        ({"aud": "https://other.example"}, "wrong-audience"),
        ({"aud": f"{BASE_URL}.evil.example"}, "wrong-audience"),
        ({"aud": "https://crm.example"}, "wrong-audience"),
        ({"aud": None}, "wrong-audience"),
        ({"aud": []}, "wrong-audience"),
        ({"iss": "another-tenant"}, "wrong-issuer"),
        ({"iss": None}, "malformed-token"),
        ({"qsh": "00" * 32}, "wrong-qsh"),
        ({"qsh": "context-qsh"}, "wrong-qsh"),
        ({"qsh": None}, "wrong-qsh"),
    ],
)
async def test_forged_call_is_refused(world: World, changes: dict[str, Any], reason: str) -> None:
    for event in ("installed", "uninstalled"):
        with capture_logs() as logs:
            response = await world.post_signed(event, an_install_body(), **changes)
        await assert_refused(world, response, logs, reason)


@pytest.mark.parametrize("event", ["installed", "uninstalled"])
async def test_token_that_atlassian_did_not_sign_is_refused(world: World, event: str) -> None:
    body = an_install_body()
    made = atlassian.claims(iss=body["clientKey"], aud=[BASE_URL])
    for token, reason in [
        (None, "no-token"),
        ("", "no-token"),
        ("rubbish", "malformed-token"),
        (atlassian.unsigned(made), "wrong-algorithm"),
        (atlassian.hs256(made, body["sharedSecret"]), "wrong-algorithm"),
    ]:
        with capture_logs() as logs:
            response = await world.post(event, body, token)
        await assert_refused(world, response, logs, reason)


async def test_install_token_replayed_to_another_url_is_refused(world: World, alpha: Site) -> None:
    token = atlassian.rs256(
        atlassian.claims(iss=alpha.client_key, aud=[BASE_URL], qsh=qsh.hash_request("POST", "/lifecycle/installed", ""))
    )
    assert (await world.post("uninstalled", alpha.body, token)).status_code == 401
    assert (await world.client.post("/base/lifecycle/installed?a=b", json=alpha.body, headers=jwt(token))).is_error
    assert await world.state(alpha) is State.INSTALLED


@pytest.mark.parametrize(
    "base_url",
    [
        "https://evil.example",
        "http://site.atlassian.net",
        "https://site.atlassian.net.evil.example",
        "https://user:pw@site.atlassian.net",
        "https://site.atlassian.net/path",
        "http://127.0.0.1:9000",
    ],
)
async def test_site_on_a_foreign_host_is_refused_without_asking_for_keys(world: World, base_url: str) -> None:
    with capture_logs() as logs:
        response = await world.post_signed("installed", an_install_body(baseUrl=base_url))
    await assert_refused(world, response, logs, "foreign-host")
    assert world.key_server.asked == []


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"", 400, "malformed-body"),
        (b"clientKey=1", 400, "malformed-body"),
        (b"[1]", 400, "malformed-body"),
        (b"[" * 100_000, 400, "malformed-body"),
        (b'{"clientKey": "' + b"x" * 1_000_000 + b'"}', 413, "body-too-large"),
        (b"{}", 422, "invalid-fields"),
        (b'{"clientKey": 7}', 422, "invalid-fields"),
    ],
    ids=["empty", "form", "list", "nested", "large", "lacking", "mistyped"],
)
async def test_bad_body_is_named(world: World, body: bytes, status: int, reason: str) -> None:
    for event in ("installed", "uninstalled"):
        with capture_logs() as logs:
            response = await world.post_signed(event, body)
        assert (response.status_code, response.json()["code"]) == (status, "invalid")
        assert [line["reason"] for line in logs] == [reason]
        if status == 422:
            assert "clientKey" in [item["field"] for item in response.json()["errors"]]
        assert await world.count_tenants() == 0


async def test_endless_body_is_cut_off(world: World) -> None:
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        while sent < 100_000_000:
            sent += 100_000
            yield b"x" * 100_000

    token = atlassian.rs256(atlassian.claims(iss="client", aud=[BASE_URL]))
    response = await world.client.post("/base/lifecycle/installed", content=endless(), headers=jwt(token))
    assert response.status_code == 413
    assert sent < 2_000_000


@pytest.mark.parametrize("status", [500, 502, 200])
async def test_unreachable_key_server_is_our_failure(world: World, status: int) -> None:
    world.key_server.answer = lambda _: httpx.Response(status)
    for event in ("installed", "uninstalled"):
        with capture_logs() as logs:
            response = await world.post_signed(event, an_install_body())
        assert (response.status_code, response.json()["code"]) == (503, "busy")
        assert [line["reason"] for line in logs] == ["keys-unreachable"]
        assert await world.count_tenants() == 0


async def test_nothing_waits_for_the_key_server_with_a_connection_in_hand(database_url: str) -> None:
    database = Database(database_url, max_size=1)
    await database.connect()
    world = World(database.pool)

    async def use_the_only_connection() -> None:
        assert await database.pool.fetch_val("SELECT 1") == 1

    world.key_server.before = use_the_only_connection
    await world.install()
    await world.close()
    await database.disconnect()


async def test_reinstall_keeps_the_tenant_and_replaces_the_secret(world: World, alpha: Site, beta: Site) -> None:
    await world.switch("enabled", alpha)
    before, bystander = await world.record(alpha), await world.record(beta)
    world.clock.advance(timedelta(seconds=60))
    again = await world.install(clientKey=alpha.client_key, baseUrl=alpha.body["baseUrl"])
    after = await world.record(alpha)
    assert after.tenant.tenant_id == before.tenant.tenant_id
    assert after.tenant.state is State.INSTALLED
    assert after.previous_sealed_secret == before.sealed_secret
    assert after.previous_secret_until == world.now() + PREVIOUS_SECRET_FOR
    assert world.vault.open(after.sealed_secret, tenant_id=after.tenant.tenant_id).reveal() == again.secret
    assert await world.record(beta) == bystander


async def test_site_that_was_renamed_keeps_its_tenant(world: World, alpha: Site) -> None:
    before = await world.record(alpha)
    await world.install(clientKey=alpha.client_key, baseUrl="https://renamed.atlassian.net", cloudId=None)
    after = (await world.record(alpha)).tenant
    assert (after.tenant_id, after.base_url) == (before.tenant.tenant_id, "https://renamed.atlassian.net")
    assert after.cloud_id == before.tenant.cloud_id


async def test_new_client_key_for_a_site_supersedes_the_old_one(world: World, alpha: Site, beta: Site) -> None:
    world.listener.heard.clear()
    imported = await world.install(baseUrl=alpha.body["baseUrl"].upper() + "/")
    old, new = (await world.record(alpha)).tenant, (await world.record(imported)).tenant
    assert (old.state, old.uninstalled_at, new.state) == (State.SUPERSEDED, NOW, State.INSTALLED)
    assert old.tenant_id != new.tenant_id
    assert await world.state(beta) is State.INSTALLED
    assert world.listener.heard == [
        ("uninstalled", alpha.client_key, State.SUPERSEDED),
        ("installed", imported.client_key, State.INSTALLED),
    ]


async def test_superseded_client_key_that_is_installed_again_takes_the_site_back(world: World, alpha: Site) -> None:
    imported = await world.install(baseUrl=alpha.body["baseUrl"])
    await world.install(clientKey=alpha.client_key, baseUrl=alpha.body["baseUrl"])
    assert (await world.state(alpha), await world.state(imported)) == (State.INSTALLED, State.SUPERSEDED)


async def test_concurrent_installs_of_one_site_leave_one_live_tenant(world: World) -> None:
    bodies = [an_install_body(baseUrl="https://busy.atlassian.net") for _ in range(6)]
    responses = await asyncio.gather(*(world.post_signed("installed", body) for body in [*bodies, *bodies]))
    assert {response.status_code for response in responses} == {204}
    async with world.pool.connection() as connection:
        assert len(await store.list_live_at(connection, "https://busy.atlassian.net")) == 1
    assert await world.count_tenants() == 6


async def test_failing_listener_undoes_the_installation(world: World) -> None:
    world.listener.failure = RuntimeError("no room")
    with pytest.raises(RuntimeError):
        await world.post_signed("installed", an_install_body())
    assert await world.count_tenants() == 0


@pytest.mark.parametrize("event", ["enabled", "disabled"])
async def test_switch_changes_its_own_tenant_alone(world: World, alpha: Site, beta: Site, event: str) -> None:
    assert (await world.switch(event, alpha)).status_code == 204
    assert (await world.state(alpha), await world.state(beta)) == (State(event), State.INSTALLED)
    assert world.listener.heard[-1] == (event, alpha.client_key, State(event))


async def test_tenant_goes_off_and_on_again(world: World, alpha: Site) -> None:
    for event in ("enabled", "enabled", "disabled", "disabled", "enabled"):
        assert (await world.switch(event, alpha)).status_code == 204
        assert await world.state(alpha) is State(event)


async def test_switch_whose_body_speaks_of_another_tenant_is_refused(world: World, alpha: Site, beta: Site) -> None:
    token = alpha.token("POST", "/lifecycle/disabled")
    with capture_logs() as logs:
        response = await world.post("disabled", {"clientKey": beta.client_key}, token)
    assert response.status_code == 401
    assert [line["reason"] for line in logs] == ["wrong-issuer"]
    assert (await world.state(alpha), await world.state(beta)) == (State.INSTALLED, State.INSTALLED)


async def test_switch_signed_by_another_tenant_is_refused(world: World, alpha: Site, beta: Site) -> None:
    forged = Site(body=alpha.body, secret=beta.secret)
    with capture_logs() as logs:
        assert (await world.switch("disabled", forged)).status_code == 401
    assert [line["reason"] for line in logs] == ["bad-signature"]
    assert await world.state(alpha) is State.INSTALLED


async def test_switch_with_a_token_of_the_other_switch_is_refused(world: World, alpha: Site) -> None:
    token = alpha.token("POST", "/lifecycle/enabled")
    assert (await world.post("disabled", {"clientKey": alpha.client_key}, token)).status_code == 401
    assert await world.state(alpha) is State.INSTALLED


async def test_switch_with_a_bad_body_is_named(world: World, alpha: Site) -> None:
    token = alpha.token("POST", "/lifecycle/enabled")
    assert (await world.post("enabled", b"x", token)).status_code == 400
    assert (await world.post("enabled", b"{}", token)).status_code == 422
    assert (await world.post("enabled", b"x" * 1_000_001, token)).status_code == 413
    assert await world.state(alpha) is State.INSTALLED


async def test_uninstall_stops_its_own_tenant_alone_and_keeps_the_row(world: World, alpha: Site, beta: Site) -> None:
    assert (await world.post_signed("uninstalled", alpha.body)).status_code == 204
    stopped = (await world.record(alpha)).tenant
    assert (stopped.state, stopped.uninstalled_at) == (State.UNINSTALLED, NOW)
    assert await world.state(beta) is State.INSTALLED
    assert world.listener.heard[-1] == ("uninstalled", alpha.client_key, State.UNINSTALLED)


async def test_uninstall_of_a_stopped_or_unknown_tenant_is_a_success(world: World, alpha: Site) -> None:
    await world.post_signed("uninstalled", alpha.body)
    heard = list(world.listener.heard)
    world.clock.advance(timedelta(seconds=20))
    assert (await world.post_signed("uninstalled", alpha.body)).status_code == 204
    assert (await world.post_signed("uninstalled", an_install_body())).status_code == 204
    assert (await world.record(alpha)).tenant.uninstalled_at == NOW
    assert world.listener.heard == heard


async def test_uninstalled_tenant_cannot_switch_itself_on(world: World, alpha: Site) -> None:
    await world.post_signed("uninstalled", alpha.body)
    with capture_logs() as logs:
        assert (await world.switch("enabled", alpha)).status_code == 401
    assert [line["reason"] for line in logs] == ["tenant-not-active"]


async def test_reinstall_after_uninstall_takes_up_the_tenant_without_its_old_secret(world: World, alpha: Site) -> None:
    before = await world.record(alpha)
    await world.post_signed("uninstalled", alpha.body)
    await world.install(clientKey=alpha.client_key, baseUrl=alpha.body["baseUrl"])
    after = await world.record(alpha)
    assert after.tenant.tenant_id == before.tenant.tenant_id
    assert (after.tenant.uninstalled_at, after.previous_sealed_secret) == (None, None)


async def test_uninstall_with_the_tenants_own_token_is_refused(world: World, alpha: Site) -> None:
    assert (await world.switch("uninstalled", alpha)).status_code == 401
    assert await world.state(alpha) is State.INSTALLED


async def test_one_key_serves_many_calls(world: World, alpha: Site, beta: Site) -> None:
    await world.post_signed("uninstalled", alpha.body)
    await world.post_signed("uninstalled", beta.body)
    assert len(world.key_server.asked) == 1


async def test_hooks_answer_post_alone(world: World) -> None:
    for event in ("installed", "enabled", "disabled", "uninstalled"):
        assert (await world.client.get(f"/base/lifecycle/{event}")).status_code == 405


async def test_log_holds_no_secret_and_no_token(world: World) -> None:
    body = an_install_body()
    token = atlassian.rs256(atlassian.claims(iss=body["clientKey"], aud=[BASE_URL]))
    with capture_logs() as logs:
        await world.post_signed("installed", body)
        await world.post("installed", body, token)
    assert len(logs) == 2
    assert body["sharedSecret"] not in str(logs)
    assert token not in str(logs)


def jwt(token: str) -> dict[str, str]:
    return {"authorization": f"JWT {token}"}
