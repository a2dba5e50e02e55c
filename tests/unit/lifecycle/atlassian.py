"""Atlassian as far as trust goes: a throw-away key pair, its key server, and tokens that are really signed."""

import itertools
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEYS_URL = "https://keys.atlassian.example"
KEY_ID = "micros/2026-11.ab12"
BASE_URL = "https://crm.example/base"
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)

_numbers = itertools.count(1)


@cache
def rsa_key(name: str) -> RSAPrivateKey:  # noqa: ARG001 - the name is the key of the cache
    """One key pair per name and session: making one takes a tenth of a second."""
    return generate_private_key(public_exponent=65537, key_size=2048)


def pem(name: str = "atlassian") -> bytes:
    return rsa_key(name).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


class KeyServer:
    """Publishes KEY_ID, counts requests, and answers as `answer` says where that is set."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.before: Callable[[], Awaitable[None]] | None = None
        self.answer: Callable[[httpx.Request], httpx.Response] | None = None

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.raw_path.decode())
        if self.before is not None:
            await self.before()
        if self.answer is not None:
            return self.answer(request)
        if request.url.path == f"/{KEY_ID}":
            return httpx.Response(200, content=pem())
        return httpx.Response(404)

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self))


def a_secret() -> str:
    return f"shared-secret-{uuid.uuid4()}-{uuid.uuid4()}"


def an_install_body(**fields: Any) -> dict[str, Any]:
    """`installed`, as Atlassian sends it; each call another site."""
    number = next(_numbers)
    return {
        "key": "crm-contact-sync",
        "clientKey": f"client-{number}",
        "cloudId": str(uuid.uuid4()),
        "sharedSecret": a_secret(),
        "serverVersion": "100300",
        "pluginsVersion": "1001.0.0",
        "baseUrl": f"https://site-{number}.atlassian.net",
        "displayUrl": f"https://jira.customer-{number}.example",
        "oauthClientId": f"oauth-{number}",
        "productType": "jira",
        "description": "Atlassian Jira",
        "eventType": "installed",
    } | fields


def claims(**changes: Any) -> dict[str, Any]:
    """Claims that stand at NOW; a change to None leaves the claim out."""
    made = {"iat": int(NOW.timestamp()), "exp": int(NOW.timestamp()) + 180} | changes
    return {name: value for name, value in made.items() if value is not None}


def rs256(payload: dict[str, Any], *, key: str = "atlassian", key_id: object = KEY_ID) -> str:
    headers = {} if key_id is None else {"kid": key_id}
    return jwt.encode(payload, rsa_key(key), algorithm="RS256", headers=headers)


def hs256(payload: dict[str, Any], secret: str) -> str:
    return jwt.encode(payload, secret, algorithm="HS256")


def unsigned(payload: dict[str, Any]) -> str:
    return jwt.encode(payload, "", algorithm="none")
