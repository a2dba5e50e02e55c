import datetime as dt
from collections.abc import AsyncIterator

import httpx
import jwt
import pytest

from sandbox import errors, handshake, qsh
from sandbox.cloud import Cloud
from sandbox.installation import State
from tests.integration.sandbox.conftest import World
from tests.integration.sandbox.standin import BASE_URL, StandIn, a_descriptor

GZIP = {"Content-Encoding": "gzip"}


class Garbage(httpx.AsyncByteStream):
    """No gzip, whatever the headers say."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"ok"


async def public_key(world: World, kid: str) -> str:
    browser = await world.browser(world.sites[0])
    answer = await browser.get(f"/install-keys/{kid}")
    assert answer.status_code == 200
    return answer.text


async def test_install_is_signed_by_the_key_server_for_this_app_and_site(bare_world: World) -> None:
    for site in bare_world.sites:
        await bare_world.install(site)
    for site, heard in zip(bare_world.sites, bare_world.app.heard[::2], strict=True):
        kid = jwt.get_unverified_header(heard.token)["kid"]
        assert "/" in kid
        assert "." in kid
        claims = jwt.decode(
            heard.token,
            await public_key(bare_world, kid),
            algorithms=["RS256"],
            audience=BASE_URL,
            issuer=site.client_key,
            options={"require": ["exp", "iat", "iss", "aud", "qsh"]},
        )
        assert claims["qsh"] == qsh.compute("POST", "/lifecycle/installed", "")
        assert heard.event == heard.body["eventType"] == "installed"
        assert heard.body["clientKey"] == site.client_key
        assert heard.body["baseUrl"] == site.base_url
        assert heard.body["cloudId"] == site.cloud_id
        assert heard.body["sharedSecret"] == site.installations["stand-in"].shared_secret
        assert len(heard.body["sharedSecret"]) <= 128


async def test_enabled_is_signed_with_the_new_secret_and_does_not_carry_it(world: World) -> None:
    for site, heard in zip(world.sites, world.app.heard[1::2], strict=True):
        assert heard.event == "enabled"
        assert "sharedSecret" not in heard.body
        secret = site.installations["stand-in"].shared_secret
        claims = jwt.decode(heard.token, secret, algorithms=["HS256"], issuer=site.client_key)
        assert claims["qsh"] == qsh.compute("POST", "/lifecycle/enabled", "")


async def test_sites_have_different_client_keys_secrets_and_cloud_ids(world: World) -> None:
    first, second = world.sites
    assert first.client_key != second.client_key
    assert first.cloud_id != second.cloud_id
    assert first.installations["stand-in"].shared_secret != second.installations["stand-in"].shared_secret


async def test_app_that_refuses_installed_stays_incomplete_and_is_not_enabled(bare_world: World) -> None:
    bare_world.app.statuses["installed"] = 401
    site = bare_world.sites[0]
    await bare_world.install(site)
    assert site.installations["stand-in"].state is State.INCOMPLETE
    assert bare_world.app.events == ["installed"]
    client = await bare_world.client(site)
    assert (await client.get("/rest/api/3/myself")).status_code == 401


async def test_base_path_of_the_app_is_called_but_not_hashed(bare_world: World) -> None:
    bare_world.app.descriptor = a_descriptor(baseUrl=f"{BASE_URL}/crm/")
    await bare_world.install(bare_world.sites[0])
    heard = bare_world.app.heard[0]
    assert heard.path == "/crm/lifecycle/installed"
    claims = jwt.decode(heard.token, options={"verify_signature": False})
    assert claims["qsh"] == qsh.compute("POST", "/lifecycle/installed", "")
    assert claims["aud"] == [f"{BASE_URL}/crm/"]


async def test_reinstall_keeps_the_client_key_and_ends_the_old_secret(world: World) -> None:
    site = world.sites[0]
    before = site.installations["stand-in"]
    old_client = await world.client(site)
    after = await world.cloud.reinstall(site, "stand-in")
    assert after.client_key == before.client_key
    assert after.shared_secret != before.shared_secret
    assert after.account_id == before.account_id
    assert (await old_client.get("/rest/api/3/myself")).status_code == 401
    assert (await (await world.client(site)).get("/rest/api/3/myself")).status_code == 200


async def test_reimport_changes_the_client_key_without_an_uninstall(world: World) -> None:
    site, other = world.sites
    before, untouched = site.client_key, other.client_key
    after = await world.cloud.reimport(site, "stand-in")
    assert after.client_key == site.client_key != before
    assert other.client_key == untouched
    assert "uninstalled" not in world.app.events
    assert world.app.heard[-2].body["baseUrl"] == site.base_url


async def test_disabled_and_uninstalled_apps_lose_their_rights(world: World) -> None:
    site, other = world.sites
    client, other_client = await world.client(site), await world.client(other)
    await world.cloud.disable(site, "stand-in")
    assert (await client.get("/rest/api/3/myself")).status_code == 401
    await world.cloud.enable(site, "stand-in")
    assert (await client.get("/rest/api/3/myself")).status_code == 200
    await world.cloud.uninstall(site, "stand-in")
    assert (await client.get("/rest/api/3/myself")).status_code == 401
    assert (await other_client.get("/rest/api/3/myself")).status_code == 200
    assert world.app.events[-3:] == ["disabled", "enabled", "uninstalled"]


async def test_uninstalled_is_signed_by_the_key_server(world: World) -> None:
    site = world.sites[0]
    await world.cloud.uninstall(site, "stand-in")
    token = world.app.heard[-1].token
    kid = jwt.get_unverified_header(token)["kid"]
    claims = jwt.decode(token, await public_key(world, kid), algorithms=["RS256"], audience=BASE_URL)
    assert claims["iss"] == site.client_key


async def test_uninstall_goes_through_when_the_app_fails_or_does_not_answer(world: World) -> None:
    site = world.sites[0]
    world.app.statuses["uninstalled"] = 503
    assert (await world.cloud.uninstall(site, "stand-in")).state is State.UNINSTALLED
    assert world.app.events.count("uninstalled") == 1
    assert not world.cloud.deliveries[-1].is_accepted


async def test_impossible_moves_are_refused_and_not_told(world: World) -> None:
    """By the sandbox's hand, as a person does it who clicks what is there to click."""
    site, other = world.sites
    browser = await world.browser(site)

    async def move(to: str) -> int:
        return (await browser.post(f"/sandbox/{to}")).status_code

    told = len(world.app.events)
    assert await move("enable") == 409
    assert [await move("disable"), await move("disable")] == [200, 409]
    assert [await move("uninstall"), await move("uninstall")] == [200, 409]
    assert [await move("enable"), await move("disable")] == [409, 409]
    assert world.app.events[told:] == ["disabled", "uninstalled"]
    assert site.installations["stand-in"].state is State.UNINSTALLED
    assert other.installations["stand-in"].state is State.ENABLED


async def test_incomplete_install_can_be_removed_but_not_enabled(bare_world: World) -> None:
    bare_world.app.statuses["installed"] = 401
    site = bare_world.sites[0]
    await bare_world.install(site)
    for move in (bare_world.cloud.enable, bare_world.cloud.disable):
        with pytest.raises(errors.Refusal, match="incomplete"):
            await move(site, "stand-in")
    assert (await bare_world.cloud.uninstall(site, "stand-in")).state is State.UNINSTALLED


async def test_app_that_cannot_be_reached_is_noted_as_such() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json=a_descriptor())
        raise httpx.ConnectError("refused")

    async with httpx.AsyncClient(transport=httpx.MockTransport(refuse)) as client:
        cloud = Cloud(client=client)
        site = cloud.create_site(base_url="http://localhost:9001", people=3)
        installed = await cloud.install(site, f"{BASE_URL}/descriptor.json")
    assert installed.state is State.INCOMPLETE
    assert [(each.event, each.status) for each in cloud.deliveries] == [(handshake.Event.INSTALLED, None)]


async def test_answer_that_cannot_be_read_is_as_good_as_none() -> None:
    async def answer_garbage(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json=a_descriptor())
        is_hook = "/lifecycle/" in request.url.path
        return httpx.Response(200) if is_hook else httpx.Response(200, headers=GZIP, stream=Garbage())

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer_garbage)) as client:
        cloud = Cloud(client=client)
        sites = [cloud.create_site(base_url=f"http://localhost:{port}", people=3) for port in (9001, 9002)]
        for site in sites:
            await cloud.install(site, f"{BASE_URL}/descriptor.json")
            site.change_person(site.agent_id, display_name="Another Name")
        attempts = await cloud.deliver()
    assert [(each.posting.site, each.status) for each in attempts] == [(site, None) for site in sites]
    assert len(cloud.webhooks.waiting) == 2


async def test_tokens_carry_the_clouds_own_time() -> None:
    stand_in = StandIn()
    noon = dt.datetime(2030, 1, 1, 12, tzinfo=dt.UTC)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=stand_in.app())) as client:
        cloud = Cloud(client=client, now=lambda: noon)
        await cloud.install(
            cloud.create_site(base_url="http://localhost:9001", people=3), f"{BASE_URL}/descriptor.json"
        )
    claims = jwt.decode(stand_in.heard[0].token, options={"verify_signature": False})
    assert (claims["iat"], claims["exp"]) == (noon.timestamp(), noon.timestamp() + 180)


async def test_unknown_key_id_is_not_found(bare_world: World) -> None:
    browser = await bare_world.browser(bare_world.sites[0])
    assert (await browser.get("/install-keys/2026-11/unknown.install")).status_code == 404
    assert (await browser.get("/install-keys/")).status_code == 404
