"""A whole world in one process: real PostgreSQL, the real add-on, a sandbox Jira with several sites. Tests drive it.

Both sides talk HTTP through ASGI transports; every call of the add-on to Jira is checked against Atlassian's documents.
"""

import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import httpx

from addon import app
from addon.jobs import Jobs
from addon.queue.worker import Again, Handler, Worker
from addon.settings import Settings
from addon.storage import sync_state
from addon.storage.database import SESSION_SETTINGS, Database
from addon.storage.sync_state import SyncStatus
from addon.sync.work import Work
from lifecycle import store
from lifecycle.tenant import ClientKey, TenantId
from lifecycle.vault import Vault
from sandbox import app as sandbox_app
from sandbox import frame, handshake
from sandbox.cloud import Cloud
from sandbox.installation import State
from sandbox.person import AccountType, Person
from sandbox.site import Site
from tests.support.openapi import CheckedTransport
from tests.support.sockets import LateTransport

ADDON_URL = "http://localhost:8080"
ADDON_KEY = "crm-contact-sync"
VAULT_KEY = bytes(range(32))
API_POINTS_PER_HOUR = 65_000


@dataclass(slots=True)
class Clock:
    """The time of the world. It stands still unless a test moves it."""

    # Far from the ends of an hour and of a day, which begin budgets and files of their own.
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(hour=9, minute=10, second=0, microsecond=0))

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """`jira` records the calls that the add-on made, which `way` leads to the sites."""

    database: Database
    cloud: Cloud
    parts: app.Parts
    jira: CheckedTransport
    way: LateTransport
    clock: Clock
    addon: httpx.AsyncClient

    async def add_site(self, port: int, *, people: int = 60, seed: int = 1) -> "Tenant":
        """A site with the add-on installed and enabled."""
        site = self.cloud.create_site(base_url=f"http://localhost:{port}", people=people, seed=seed)
        installed = await self.cloud.install(site, f"{ADDON_URL}/atlassian-connect.json")
        assert installed.state is State.ENABLED
        async with self.database.transaction() as connection:
            record = await store.find_by_client_key(connection, ClientKey(site.client_key))
        assert record is not None
        return Tenant(world=self, site=site, tenant_id=record.tenant.tenant_id)

    def jobs(self) -> Jobs:
        return replace(self.parts.jobs(), spread=lambda: 0.5)

    def worker(self) -> Worker:
        hurried = {kind: self._without_waiting(handler) for kind, handler in self.jobs().handlers().items()}
        return Worker(self.database.url, hurried, SESSION_SETTINGS)

    def _without_waiting(self, handler: Handler) -> Handler:
        """The same handler in a world where waiting is only a matter of the clock."""

        async def run(work: Work) -> Again | None:
            outcome = await handler(work)
            if outcome is None:
                return None
            self.clock.advance(outcome.delay)
            return Again()

        return run

    async def work(self) -> None:
        """Run a worker until no job is left."""
        await self.worker().run(until_empty=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """One site and what the add-on keeps of it."""

    world: World
    site: Site
    tenant_id: TenantId

    async def switch(self, *, enabled: bool | None = None, include_inactive: bool | None = None) -> SyncStatus:
        async with self.world.database.tenant(self.tenant_id) as scope:
            return await sync_state.switch(
                scope,
                enabled=enabled,
                include_inactive=include_inactive,
                enqueue=app.enqueue,
                now=self.world.clock(),
            )

    async def run(self) -> sync_state.Run:
        """A run from beginning to end."""
        async with self.world.database.tenant(self.tenant_id) as scope:
            begun = await sync_state.request_run(scope, trigger="person", enqueue=app.enqueue, now=self.world.clock())
        await self.world.work()
        async with self.world.database.tenant(self.tenant_id) as scope:
            return await sync_state.run(scope, begun.id)

    async def turn_on(self) -> sync_state.Run:
        """Turn the sync on and let the first run end."""
        status = await self.switch(enabled=True)
        assert status.run is not None
        await self.world.work()
        async with self.world.database.tenant(self.tenant_id) as scope:
            return await sync_state.run(scope, status.run.id)

    async def turn_off(self) -> None:
        await self.switch(enabled=False)
        await self.world.work()

    async def status(self) -> SyncStatus:
        async with self.world.database.tenant(self.tenant_id) as scope:
            return await sync_state.read(scope)

    async def call(
        self, method: str, path: str, *, body: object = None, account_id: str | None = None, accept: str = "*/*"
    ) -> httpx.Response:
        """A call of our page's script, on behalf of the site's administrator or of `account_id`."""
        installed = self.site.installations[ADDON_KEY]
        token = frame.sign_session_token(
            installed, account_id=account_id or self.site.admin.account_id, now=self.world.clock()
        )
        return await self.world.addon.request(
            method, f"{ADDON_URL}{path}", json=body, headers={"Authorization": f"JWT {token}", "Accept": accept}
        )

    async def submit(self, method: str, path: str, fields: Sequence[tuple[str, str]]) -> httpx.Response:
        """A form that the administrator sends from our page."""
        installed = self.site.installations[ADDON_KEY]
        token = frame.sign_session_token(installed, account_id=self.site.admin.account_id, now=self.world.clock())
        headers = {"Authorization": f"JWT {token}", "Content-Type": "application/x-www-form-urlencoded"}
        return await self.world.addon.request(method, f"{ADDON_URL}{path}", content=urlencode(fields), headers=headers)

    async def hear(
        self, path: str, body: object, *, delivery_id: str | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """A webhook of the site's arrives."""
        token = handshake.sign_call(self.site.installations[ADDON_KEY], path, self.world.clock())
        headers = {"Authorization": f"JWT {token}", **(headers or {})}
        if delivery_id is not None:
            headers["X-Atlassian-Webhook-Identifier"] = delivery_id
        return await self.world.addon.post(f"{ADDON_URL}{path}", json=body, headers=headers)

    async def get(self, path: str) -> Any:
        response = await self.call("GET", path)
        assert response.status_code == HTTPStatus.OK, response.text
        return response.json()

    async def contacts(self) -> list[dict[str, Any]]:
        """All contacts, by the API."""
        found: list[dict[str, Any]] = []
        page: dict[str, Any] = {"values": [], "next": ""}
        while page["next"] is not None:
            cursor = f"&cursor={page['next']}" if page["next"] else ""
            page = await self.get(f"/api/contacts?limit=200{cursor}")
            found.extend(page["values"])
        return found

    async def contact_of(self, account_id: str) -> dict[str, Any]:
        """The one contact that is linked to an account."""
        [found] = [
            contact
            for contact in await self.contacts()
            if account_id in [account["accountId"] for account in contact["linkedAccounts"]]
        ]
        return found

    async def type_contact(self, **attributes: Any) -> dict[str, Any]:
        """A contact made by hand (S11)."""
        response = await self.call("POST", "/api/contacts", body=attributes)
        assert response.status_code == HTTPStatus.CREATED, response.text
        made: dict[str, Any] = response.json()
        return made

    async def changes_of(self, contact_id: str) -> list[dict[str, Any]]:
        page = await self.get(f"/api/contacts/{contact_id}/changes?limit=200")
        changes: list[dict[str, Any]] = page["values"]
        return changes

    def a_user(self, name: str, email: str | None, **more: Any) -> Person:
        """A new Atlassian user of this site, with access to a product."""
        group = self.site.licence_group_id("jira-software")
        assert group is not None
        return self.site.add_person(_person(name, email, AccountType.ATLASSIAN, more), group_ids=[group])

    def a_customer(self, name: str, email: str | None, **more: Any) -> Person:
        """A new portal-only customer of this site's first desk."""
        return self.site.add_person(
            _person(name, email, AccountType.CUSTOMER, more), desk_ids=[next(iter(self.site.desks))]
        )

    async def attention(self) -> list[tuple[str, str]]:
        async with self.world.database.tenant(self.tenant_id) as scope:
            rows = await scope.fetch_all(
                "SELECT kind, account_id FROM attention WHERE tenant_id = :tenant_id ORDER BY attention_id"
            )
        return [(row["kind"], row["account_id"]) for row in rows]


def _person(name: str, email: str | None, account_type: AccountType, more: dict[str, Any]) -> Person:
    prefix = "qm:a713c8ea:" if account_type is AccountType.CUSTOMER else "712020:"
    account_id = f"{prefix}{uuid.uuid4()}"
    return Person(account_id=account_id, account_type=account_type, display_name=name, email=email, **more)


@asynccontextmanager
async def build(database: Database, *, points_per_hour: int = API_POINTS_PER_HOUR) -> AsyncIterator[World]:
    clock = Clock()
    late = LateTransport()
    jira = CheckedTransport(late)
    async with app.http_client(jira) as to_jira:
        config = Settings(
            base_url=ADDON_URL,
            addon_key=ADDON_KEY,
            tenant_hosts=("localhost",),
            install_keys_url="http://localhost:9001/install-keys",
            database_url=None,
            api_points_per_hour=points_per_hour,
        )
        parts = app.wire(config, database=database, vault=Vault([VAULT_KEY]), http=to_jira, clock=clock)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=parts.web_app())) as to_addon:
            cloud = Cloud(client=to_addon, now=clock)
            late.target = httpx.ASGITransport(app=sandbox_app.create(cloud))
            yield World(database=database, cloud=cloud, parts=parts, jira=jira, way=late, clock=clock, addon=to_addon)
