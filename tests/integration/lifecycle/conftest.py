"""The four hooks, and one route of each binding, on a real database with two live tenants."""

import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import databases
import httpx
import pytest
from databases.core import Connection
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from addon.storage.database import Database
from lifecycle import errors, hooks, qsh, store
from lifecycle.caller import Binding, Callers
from lifecycle.install import Installer
from lifecycle.keys import Keys
from lifecycle.tenant import ClientKey, State, Tenant
from lifecycle.vault import Vault
from tests.unit.lifecycle import atlassian
from tests.unit.lifecycle.atlassian import BASE_URL, KEYS_URL, Clock, KeyServer

TENANT_HOSTS = ("*.atlassian.net", "localhost")
RING = [bytes(range(32))]


class Listener:
    """Writes down what it hears, and fails when told to."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, ClientKey, State]] = []
        self.failure: Exception | None = None

    async def on_installed(self, connection: Connection, tenant: Tenant) -> None:
        await self._hear("installed", connection, tenant)

    async def on_enabled(self, connection: Connection, tenant: Tenant) -> None:
        await self._hear("enabled", connection, tenant)

    async def on_disabled(self, connection: Connection, tenant: Tenant) -> None:
        await self._hear("disabled", connection, tenant)

    async def on_uninstalled(self, connection: Connection, tenant: Tenant) -> None:
        await self._hear("uninstalled", connection, tenant)

    async def _hear(self, event: str, connection: Connection, tenant: Tenant) -> None:
        record = await store.find(connection, tenant.tenant_id)
        assert record is not None
        assert record.tenant == tenant
        self.heard.append((event, tenant.client_key, tenant.state))
        if self.failure is not None:
            raise self.failure


@dataclass(kw_only=True)
class Site:
    """An installation as its Jira knows it."""

    body: dict[str, Any]
    secret: str = field(repr=False)

    @property
    def client_key(self) -> ClientKey:
        return ClientKey(self.body["clientKey"])

    def token(self, method: str, path: str, query: str = "", **changes: Any) -> str:
        """Signed for one request, `path` being relative to our base URL."""
        made = {"iss": self.client_key, "qsh": qsh.hash_request(method, path, query)} | changes
        return atlassian.hs256(atlassian.claims(**made), self.secret)


class World:
    def __init__(self, pool: databases.Database) -> None:
        self.pool = pool
        self.clock = Clock()
        self.key_server = KeyServer()
        self.keys_client = self.key_server.client()
        self.listener = Listener()
        self.vault = Vault(RING)
        keys = Keys(client=self.keys_client, keys_url=KEYS_URL, clock=self.clock)
        self.callers = Callers(database=pool, vault=self.vault, base_url=BASE_URL, clock=self.clock)
        self.installer = Installer(
            base_url=BASE_URL,
            tenant_hosts=TENANT_HOSTS,
            keys=keys,
            vault=self.vault,
            listeners=[self.listener],
            new_id=uuid.uuid4,
        )
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app=self._app()), base_url="https://crm.example")

    def _app(self) -> Starlette:
        lifecycle_routes = hooks.routes(
            database=self.pool,
            installer=self.installer,
            callers=self.callers,
            base_url=BASE_URL,
            clock=self.clock,
        )
        return Starlette(
            routes=[
                Mount(
                    "/base",
                    routes=[
                        *lifecycle_routes,
                        Route("/pages/{rest:path}", self._answer(Binding.REQUEST), methods=["GET", "POST"]),
                        Route("/api/{rest:path}", self._answer(Binding.CONTEXT)),
                    ],
                )
            ],
            exception_handlers={errors.LifecycleError: render},
        )

    def _answer(self, binding: Binding) -> Any:
        async def endpoint(request: Request) -> Response:
            caller = await self.callers.identify(request, binding)
            return JSONResponse({"clientKey": caller.tenant.client_key, "accountId": caller.account_id})

        return endpoint

    async def close(self) -> None:
        await self.client.aclose()
        await self.keys_client.aclose()

    async def post_signed(
        self,
        event: str,
        body: dict[str, Any] | bytes,
        *,
        key: str = "atlassian",
        key_id: object = atlassian.KEY_ID,
        **changes: Any,
    ) -> httpx.Response:
        """`installed` or `uninstalled`, signed by Atlassian for this body unless `changes` say otherwise."""
        client_key = body["clientKey"] if isinstance(body, dict) else "client"
        path = f"/lifecycle/{event}"
        made = {"iss": client_key, "aud": [BASE_URL], "qsh": qsh.hash_request("POST", path, "")} | changes
        token = atlassian.rs256(atlassian.claims(**made), key=key, key_id=key_id)
        return await self.post(event, body, token)

    async def post(self, event: str, body: dict[str, Any] | bytes, token: str | None) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {} if token is None else {"authorization": f"JWT {token}"}
        return await self.client.post(f"/base/lifecycle/{event}", content=content, headers=headers)

    async def install(self, **fields: Any) -> Site:
        body = atlassian.an_install_body(**fields)
        response = await self.post_signed("installed", body)
        assert response.status_code == 204, response.text
        return Site(body=body, secret=body["sharedSecret"])

    async def switch(self, event: str, site: Site, **changes: Any) -> httpx.Response:
        """`enabled` or `disabled`, signed by the tenant."""
        body = {"clientKey": site.client_key, "baseUrl": site.body["baseUrl"], "eventType": event}
        return await self.post(event, body, site.token("POST", f"/lifecycle/{event}", **changes))

    async def record(self, site: Site) -> store.Record:
        async with self.pool.connection() as connection:
            record = await store.find_by_client_key(connection, site.client_key)
        assert record is not None
        return record

    async def state(self, site: Site) -> State:
        return (await self.record(site)).tenant.state

    async def count_tenants(self) -> int:
        count: int = await self.pool.fetch_val("SELECT count(*) FROM tenant")
        return count

    def now(self) -> datetime:
        return self.clock.now


async def render(_: Request, error: Exception) -> Response:
    assert isinstance(error, errors.LifecycleError)
    answer: dict[str, object] = {"code": error.code, "title": error.title}
    if isinstance(error, errors.InvalidFields):
        answer["errors"] = [{"field": item.field, "problem": item.problem} for item in error.problems]
    return JSONResponse(answer, error.status)


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    made = World(database.pool)
    yield made
    await made.close()


@pytest.fixture
async def alpha(world: World) -> Site:
    return await world.install()


@pytest.fixture
async def beta(world: World) -> Site:
    return await world.install()
