"""On which stage does a sequence play? Two sites of a sandbox Jira, the add-on, and a PostgreSQL that may be stopped hard.

One cluster serves many sequences; each gets sites, tenants and a clock of its own.
"""

import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
from starlette.applications import Starlette

from addon import app
from addon.storage.database import Database
from lifecycle import store
from lifecycle.tenant import ClientKey, TenantId
from lifecycle.vault import Vault
from sandbox import app as sandbox_app
from sandbox import frame
from sandbox.cloud import Cloud
from sandbox.keys import InstallKeys
from sandbox.site import Site
from tests.machine import doom
from tests.machine.cluster import Cluster, command
from tests.machine.doom import Doom, DoomedDatabase, DoomedTransport
from tests.support.sockets import LateTransport
from tests.support.world import ADDON_KEY, ADDON_URL, VAULT_KEY, Clock

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
SITES = 2
FIRST_PORT, PORTS = (
    10_000,
    50_000,
)  # nobody listens there: Jira answers in this process, or through a socket of another kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    site: Site
    tenant_id: TenantId


@dataclass(slots=True, kw_only=True)
class Scene:
    """One sequence's world. `jira` is the sandbox as an ASGI app."""

    cluster: Cluster
    database: Database
    cloud: Cloud
    parts: app.Parts
    addon: httpx.AsyncClient
    jira: Starlette
    clock: Clock
    tenants: Sequence[Tenant]

    @asynccontextmanager
    async def doomed(self, fate: Doom) -> AsyncIterator[app.Parts]:
        """The parts of a worker process that meets its doom; here it is part of this process."""
        database = DoomedDatabase(self.cluster.url, fate)
        await database.connect()
        async with app.http_client(DoomedTransport(httpx.ASGITransport(app=self.jira), fate)) as http:
            yield app.wire(self.parts.config, database=database, vault=Vault([VAULT_KEY]), http=http, clock=self.clock)
        await database.disconnect()

    async def call(self, tenant: Tenant, method: str, path: str, body: object = None) -> httpx.Response:
        """A call of our page's script on behalf of the site's administrator."""
        token = frame.sign_session_token(
            tenant.site.installations[ADDON_KEY], account_id=tenant.site.admin.account_id, now=self.clock()
        )
        return await self.addon.request(
            method, f"{ADDON_URL}{path}", json=body, headers={"Authorization": f"JWT {token}"}
        )


class Stage:
    """What many sequences share."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._keys = InstallKeys("2026-03/machine.install")
        self._numbers = itertools.count()

    @asynccontextmanager
    async def scene(self) -> AsyncIterator[Scene]:
        async with AsyncExitStack() as stack:
            await command(self.cluster.url, "TRUNCATE tenant, pgqueuer, pgqueuer_log CASCADE")
            database = Database(self.cluster.url, max_size=6)
            await database.connect()
            stack.push_async_callback(database.disconnect)
            clock, late_jira, late_addon = Clock(START), LateTransport(), LateTransport()
            to_jira = await stack.enter_async_context(app.http_client(late_jira))
            to_addon = await stack.enter_async_context(httpx.AsyncClient(transport=late_addon))
            cloud = Cloud(client=to_addon, now=clock, install_keys=self._keys)
            sites = [self._build(cloud) for _ in range(SITES)]
            config = doom.settings(f"{sites[0].base_url}/install-keys")
            parts = app.wire(config, database=database, vault=Vault([VAULT_KEY]), http=to_jira, clock=clock)
            jira = sandbox_app.create(cloud)
            late_jira.target = httpx.ASGITransport(app=jira)
            late_addon.target = httpx.ASGITransport(app=parts.web_app(), raise_app_exceptions=False)
            yield Scene(
                cluster=self.cluster,
                database=database,
                cloud=cloud,
                parts=parts,
                addon=to_addon,
                jira=jira,
                clock=clock,
                tenants=[await _install(cloud, database, site) for site in sites],
            )

    def _build(self, cloud: Cloud) -> Site:
        number = next(self._numbers)
        port = FIRST_PORT + number % PORTS
        site = cloud.create_site(base_url=f"http://localhost:{port}", people=3, seed=number % SITES + 1)
        # Two groups, one desk and one organization are enough: each costs a call in every scan.
        needed = {*site.group_members.owners(site.admin_id), site.licence_group_id("jira-software")}
        for group_id in site.groups.keys() - needed:
            for account_id in list(site.group_members.members(group_id)):
                site.group_members.remove(group_id, account_id)
            del site.groups[group_id]
        site.desks = dict(list(site.desks.items())[:1])
        site.organizations = dict(list(site.organizations.items())[:1])
        return site


async def _install(cloud: Cloud, database: Database, site: Site) -> Tenant:
    await cloud.install(site, f"{ADDON_URL}/atlassian-connect.json")
    async with database.transaction() as connection:
        record = await store.find_by_client_key(connection, ClientKey(site.client_key))
    assert record is not None
    return Tenant(site=site, tenant_id=record.tenant.tenant_id)
