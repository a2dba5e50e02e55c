import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lifecycle import errors, keys
from tests.unit.lifecycle.atlassian import KEY_ID, KEYS_URL, Clock, KeyServer, pem, rsa_key


class World:
    def __init__(self) -> None:
        self.server = KeyServer()
        self.clock = Clock()
        self.client = self.server.client()
        self.keys = keys.Keys(client=self.client, keys_url=f"{KEYS_URL}/", clock=self.clock)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    yield made
    await made.client.aclose()


def spki(key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


async def test_key_is_fetched_once_and_kept(world: World) -> None:
    for _ in range(3):
        assert await world.keys.find(KEY_ID) == rsa_key("atlassian").public_key()
        world.clock.advance(timedelta(days=365))
    assert world.server.asked == [f"/{KEY_ID}"]


async def test_concurrent_questions_share_one_request(world: World) -> None:
    found = await asyncio.gather(*(world.keys.find(KEY_ID) for _ in range(20)))
    assert len(set(map(id, found))) == 1
    assert len(world.server.asked) == 1


async def test_concurrent_questions_for_an_unreachable_key_all_fail_together(world: World) -> None:
    world.server.answer = lambda _: httpx.Response(500)
    outcomes = await asyncio.gather(*(world.keys.find(KEY_ID) for _ in range(5)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [errors.KeysUnreachable] * 5
    assert len(world.server.asked) == 1


async def test_unknown_key_is_asked_for_again_only_after_a_while(world: World) -> None:
    for _ in range(3):
        with pytest.raises(errors.UnknownKey):
            await world.keys.find("unknown")
    assert len(world.server.asked) == 1
    world.clock.advance(keys.UNKNOWN_FOR)
    with pytest.raises(errors.UnknownKey):
        await world.keys.find("unknown")
    assert len(world.server.asked) == 2


async def test_unreachable_server_is_asked_again_at_once(world: World) -> None:
    world.server.answer = lambda _: httpx.Response(503)
    with pytest.raises(errors.KeysUnreachable):
        await world.keys.find(KEY_ID)
    world.server.answer = None
    await world.keys.find(KEY_ID)


@pytest.mark.parametrize("status", [400, 403, 404, 410])
async def test_status_that_says_there_is_none_is_unknown(world: World, status: int) -> None:
    world.server.answer = lambda _: httpx.Response(status)
    with pytest.raises(errors.UnknownKey):
        await world.keys.find(KEY_ID)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(429),
        httpx.Response(204),
        httpx.Response(302, headers={"location": f"{KEYS_URL}/other"}),
        httpx.Response(200, text="<html>maintenance</html>"),
        httpx.Response(200, content=b""),
        httpx.Response(200, content=pem() * 100),
        httpx.Response(200, content=spki(ec.generate_private_key(ec.SECP256R1()).public_key())),
        httpx.Response(200, content=spki(rsa.generate_private_key(65537, 1024).public_key())),
    ],
    ids=["500", "429", "204", "redirect", "html", "empty", "endless", "elliptic", "weak"],
)
async def test_answer_that_is_no_usable_key_is_a_failure_of_the_server(world: World, answer: httpx.Response) -> None:
    world.server.answer = lambda _: answer
    with pytest.raises(errors.KeysUnreachable):
        await world.keys.find(KEY_ID)
    assert len(world.server.asked) == 1


@pytest.mark.parametrize("exception", [httpx.ConnectError("no"), httpx.ReadTimeout("slow"), TimeoutError()])
async def test_broken_connection_is_a_failure_of_the_server(world: World, exception: Exception) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise exception

    world.server.answer = fail
    with pytest.raises(errors.KeysUnreachable):
        await world.keys.find(KEY_ID)


async def test_caller_that_hangs_up_does_not_take_the_answer_from_the_others(world: World) -> None:
    impatient = asyncio.create_task(world.keys.find(KEY_ID))
    patient = asyncio.create_task(world.keys.find(KEY_ID))
    await asyncio.sleep(0)
    impatient.cancel()
    assert await patient == rsa_key("atlassian").public_key()
    assert len(world.server.asked) == 1


@pytest.mark.parametrize(
    "key_id",
    [
        "",
        "/etc/passwd",
        "../secret",
        "a/../b",
        "a/..",
        "a..b",
        "./a",
        "a//b",
        "a/",
        "https://evil.example/key",
        "//evil.example/key",
        "a?b=c",
        "a#b",
        "a\\b",
        "a%2fb",
        "a b",
        "a\n",
        "a@evil.example",
        "ключ",
        "a" * 257,
    ],
)
async def test_key_id_that_could_lead_elsewhere_is_never_asked_for(world: World, key_id: str) -> None:
    with pytest.raises(errors.UnknownKey):
        await world.keys.find(key_id)
    assert world.server.asked == []


@pytest.mark.parametrize("key_id", ["0e50fccb-239d-4991-a5db-dc850ba3f236", "micros/abc.1/2026_11", "2026.11", "a"])
async def test_key_id_need_not_be_a_uuid(world: World, key_id: str) -> None:
    world.server.answer = lambda _: httpx.Response(200, content=pem())
    await world.keys.find(key_id)
    assert world.server.asked == [f"/{key_id}"]


async def test_caches_are_bounded(world: World) -> None:
    world.server.answer = lambda _: httpx.Response(200, content=pem())
    for number in range(keys.MAX_KEYS + 1):
        await world.keys.find(f"key-{number}")
    await world.keys.find(f"key-{keys.MAX_KEYS}")
    assert len(world.server.asked) == keys.MAX_KEYS + 1
    await world.keys.find("key-0")
    assert len(world.server.asked) == keys.MAX_KEYS + 2
