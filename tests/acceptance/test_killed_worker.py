"""A worker killed in the middle of a run: another one goes on, and the contacts are exactly those of an unbroken run.

Real processes and a real SIGKILL; Jira answers over real sockets.
"""

import asyncio
import base64
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from addon import app
from addon.settings import Settings
from addon.storage import company_rules, sync_state
from addon.storage.database import Database
from lifecycle import store
from lifecycle.tenant import ClientKey, TenantId
from lifecycle.vault import Vault
from sandbox import app as sandbox_app
from sandbox.cloud import Cloud
from sandbox.site import Site
from tests.support import sockets
from tests.support.world import ADDON_KEY, ADDON_URL, VAULT_KEY

PEOPLE = 800
SOME = 200  # people met before the worker is killed
PATIENCE_S = 90


@asynccontextmanager
async def cloud_on_sockets(to_addon: httpx.AsyncClient) -> AsyncIterator[tuple[Cloud, list[Site]]]:
    """Two sites with the same people."""
    cloud = Cloud(client=to_addon)
    listeners, sites = [], []
    for _ in range(2):
        listening, port = sockets.listen("localhost")
        listeners.append(listening)
        sites.append(cloud.create_site(base_url=f"http://localhost:{port}", people=PEOPLE, seed=7, customers_share=0.5))
    async with sockets.serving(sandbox_app.create(cloud), listeners):
        yield cloud, sites


async def start_worker(database_url: str) -> Process:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CRM_SYNC_")}
    environment |= {
        "CRM_SYNC_DATABASE_URL": database_url,
        "CRM_SYNC_SECRET_KEYS": base64.b64encode(VAULT_KEY).decode(),
        "CRM_SYNC_TENANT_HOSTS": "localhost",
    }
    command = Path(sys.executable).with_name("crm-sync")
    return await asyncio.create_subprocess_exec(command, "worker", env=environment, stderr=asyncio.subprocess.DEVNULL)


async def wait_for(database: Database, tenant_id: TenantId, *, seen: int) -> sync_state.Run:
    """Until the run has met so many people, or ended."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            async with database.tenant(tenant_id) as scope:
                status = await sync_state.read(scope)
            if status.run is None:
                assert status.last_run is not None
                return status.last_run
            if status.run.seen >= seen:
                return status.run
            await asyncio.sleep(0.05)


async def contacts_of(database: Database, tenant_id: TenantId) -> list[tuple[object, ...]]:
    """Everything that must not depend on who did the work, or when."""
    async with database.tenant(tenant_id) as scope:
        rows = await scope.fetch_all(
            """
            SELECT contact.name, contact.email, contact.version, array_agg(account_id ORDER BY account_id) AS accounts
            FROM contact JOIN account USING (tenant_id, contact_id) WHERE contact.tenant_id = :tenant_id
            GROUP BY contact.contact_id, contact.name, contact.email, contact.version ORDER BY accounts
            """
        )
        history = await scope.fetch_all(
            """
            SELECT account_id, field, old, new, cause FROM change WHERE tenant_id = :tenant_id
            ORDER BY account_id, field, cause, old, new
            """
        )
    return [tuple(row.values()) for row in (*rows, *history)]


@pytest.mark.timeout(PATIENCE_S * 2)
async def test_run_of_a_killed_worker_is_finished_by_another(database: Database) -> None:
    tenants: list[TenantId] = []
    async with app.http_client() as http:

        def parts(keys_url: str) -> app.Parts:
            config = Settings(
                base_url=ADDON_URL, addon_key=ADDON_KEY, tenant_hosts=("localhost",), install_keys_url=keys_url
            )
            return app.wire(config, database=database, vault=Vault([VAULT_KEY]), http=http)

        late = sockets.LateTransport()
        async with httpx.AsyncClient(transport=late) as to_addon, cloud_on_sockets(to_addon) as (cloud, both):
            late.target = httpx.ASGITransport(app=parts(f"{both[0].base_url}/install-keys").web_app())
            for site in both:
                await cloud.install(site, f"{ADDON_URL}/atlassian-connect.json")
                async with database.transaction() as connection:
                    record = await store.find_by_client_key(connection, ClientKey(site.client_key))
                assert record is not None
                tenants.append(record.tenant.tenant_id)
            broken, unbroken = tenants

            await turn_on(database, broken)
            first = await start_worker(database.url)
            run = await wait_for(database, broken, seen=SOME)
            first.send_signal(signal.SIGKILL)
            assert await first.wait() == -signal.SIGKILL
            assert run.state == "running", "the worker was too quick to be killed in the middle"

            second = await start_worker(database.url)
            await turn_on(database, unbroken)
            runs = [await wait_for(database, tenant_id, seen=sys.maxsize) for tenant_id in tenants]
            second.terminate()
            assert await second.wait() == 0

    assert [(run.state, run.seen, run.created, run.linked) for run in runs] == [
        ("done", runs[1].seen, runs[1].created, runs[1].linked)
    ] * 2
    assert await contacts_of(database, broken) == await contacts_of(database, unbroken)


async def turn_rules_off(database: Database, tenant_id: TenantId) -> None:
    """The rules give companies when they come to it, which does depend on who did the work."""
    async with database.tenant(tenant_id) as scope:
        await company_rules.change(scope, by_organization=False, by_domain=False)


async def turn_on(database: Database, tenant_id: TenantId) -> None:
    await turn_rules_off(database, tenant_id)
    async with database.tenant(tenant_id) as scope:
        await sync_state.switch(scope, enabled=True, include_inactive=None, enqueue=app.enqueue, now=app.now())
