"""Where a measurement takes place: sites in a process of their own, the add-on and a worker as in production."""

import asyncio
import base64
import contextlib
import json
import os
import pathlib
import secrets
import sys
import tempfile
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from addon import app
from addon.jira.auth import ConnectAuth
from addon.storage import embedded, sync_state
from addon.storage.database import Database
from lifecycle import store
from lifecycle.tenant import ClientKey, TenantId
from lifecycle.vault import Vault
from sandbox.demo import ADDON_KEY, Admin
from sandbox.installation import Installation, State
from sandbox.troupe import Stage as Places
from sandbox.troupe import free_port, wait_for

COMMAND = str(pathlib.Path(sys.executable).with_name("crm-sync"))

POLL_S = 0.25
PATIENCE_S = 120  # a site and an add-on that are measured are busy
NO_QUOTA = 1_000_000_000  # points an hour: the benchmarks measure us, not the quota


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """One installed site: its administrator, and how to sign for it. `installed` is what the site signs with."""

    admin: Admin
    installed: Installation
    client: httpx.AsyncClient
    base_url: str
    auth: ConnectAuth
    database: Database
    tenant_id: TenantId

    async def switch(self, *, enabled: bool) -> dict[str, Any]:
        answer: dict[str, Any] = await self.admin.call("PUT", "/api/sync", {"enabled": enabled})
        return answer

    async def change_person(self, account_id: str, change: dict[str, Any]) -> None:
        """What the site tells of by a webhook."""
        answer = await self.client.patch(f"{self.base_url}/sandbox/people/{quote(account_id, safe='')}", json=change)
        answer.raise_for_status()

    async def run(self) -> sync_state.Run:
        """A run from beginning to end, begun by the switch or by hand.

        Looked at in the database and seldom: who asks the API all the time takes the time away from what is measured.
        """
        sync = await self.admin.call("GET", "/api/sync")
        begun = await (self.admin.call("POST", "/api/sync/runs") if sync["enabled"] else self.switch(enabled=True))
        run_id = int(begun["id"] if sync["enabled"] else begun["run"]["id"])
        while True:
            await asyncio.sleep(POLL_S)
            async with self.database.tenant(self.tenant_id) as scope:
                found = await sync_state.run(scope, run_id)
            if found.state == "done":
                return found
            if found.state != "running":
                raise RuntimeError(f"the run ended as {found.state}: {found.error}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A database, the tenants, the web app, and the worker whose memory is looked at."""

    database: Database
    tenants: list[Tenant]
    folder: pathlib.Path
    addon_url: str
    web: Process
    worker: Process
    environment: dict[str, str]

    async def end_worker(self) -> None:
        """Have the web app alone, where a worker's time is not meant."""
        self.worker.terminate()
        await self.worker.wait()

    def another_worker(self) -> contextlib.AbstractAsyncContextManager[Process]:
        """One that works as long as the block."""
        return process(self.folder, "another-worker", self.environment, COMMAND, "worker")

    def peak_mib(self) -> float:
        """The most memory that the worker ever held, in MiB (Linux: VmHWM)."""
        status = pathlib.Path(f"/proc/{self.worker.pid}/status").read_text(encoding="ascii")
        [line] = [line for line in status.splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) / 1024


@contextlib.asynccontextmanager
async def build(
    *sizes: int, customers_share: float = 0.0, issues: tuple[int, int] = (0, 0), points_per_hour: int = NO_QUOTA
) -> AsyncIterator[Stage]:
    """Sites of these sizes, with the add-on installed on each and its sync off. `issues`: how many the first one has
    besides, and of how many companies.
    """
    async with contextlib.AsyncExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crm-bench-")))
        sites = await stack.enter_async_context(
            process(
                folder,
                "site",
                {},
                sys.executable,
                "-m",
                "benchmarks.site",
                *map(str, (customers_share, *issues, *sizes)),
            )
        )
        base_urls = json.loads(await first_line(sites))
        server = await embedded.start(folder)
        stack.callback(server.leave)
        key = secrets.token_bytes(32)
        addon_url = f"http://localhost:{free_port(8080)}"
        places = Places(site=base_urls[0], addon=addon_url, data_dir=folder)
        environment = {
            **places.environment(),
            "CRM_SYNC_DATABASE_URL": server.url,
            "CRM_SYNC_SECRET_KEYS": base64.b64encode(key).decode(),
            "CRM_SYNC_API_POINTS_PER_HOUR": str(points_per_hour),
        }
        async with process(folder, "migrate", environment, COMMAND, "migrate") as migrating:
            await migrating.wait()
        web = await stack.enter_async_context(process(folder, "serve", environment, COMMAND, "serve"))
        worker = await stack.enter_async_context(process(folder, "worker", environment, COMMAND, "worker"))
        client = await stack.enter_async_context(
            app.http_client()
        )  # which brings no cookies back: Jira would refuse them
        client.timeout = httpx.Timeout(PATIENCE_S)
        await wait_for(client, f"{addon_url}/readyz", places)
        database = Database(server.url)
        await database.connect()
        stack.push_async_callback(database.disconnect)
        tenants = [await _install(client, database, Vault([key]), url, places) for url in base_urls]
        yield Stage(
            database=database,
            tenants=tenants,
            folder=folder,
            addon_url=addon_url,
            web=web,
            worker=worker,
            environment=environment,
        )


async def _install(
    client: httpx.AsyncClient, database: Database, vault: Vault, base_url: str, places: Places
) -> Tenant:
    here = Places(site=base_url, addon=places.addon, data_dir=places.data_dir)
    answer = await client.post(
        f"{base_url}/sandbox/install", json={"descriptorUrl": f"{places.addon}/atlassian-connect.json"}
    )
    answer.raise_for_status()
    client_key = ClientKey(answer.json()["clientKey"])
    async with database.transaction() as connection:
        record = await store.find_by_client_key(connection, client_key)
    if record is None:
        raise LookupError("the installation left no tenant")
    secret = vault.open(record.sealed_secret, tenant_id=record.tenant.tenant_id)
    auth = ConnectAuth(
        addon_key=ADDON_KEY,
        client_key=client_key,
        secret=secret,
        base_url=base_url,
        clock=app.now,
    )
    return Tenant(
        admin=Admin(client=client, stage=here),
        installed=Installation(
            addon_key=ADDON_KEY,
            client_key=client_key,
            shared_secret=secret.reveal(),
            descriptor={},
            descriptor_url="",
            state=State.ENABLED,
            base_url=places.addon,
            account_id="",
            oauth_client_id="",
        ),
        client=client,
        base_url=base_url,
        auth=auth,
        database=database,
        tenant_id=record.tenant.tenant_id,
    )


@contextlib.asynccontextmanager
async def process(
    folder: pathlib.Path, name: str, environment: dict[str, str], *command: str
) -> AsyncIterator[Process]:
    """A process that runs as long as the block; what it says of its troubles goes to a file in `folder`."""
    with (folder / f"{name}.log").open("wb") as log:
        running = await asyncio.create_subprocess_exec(
            *command, env={**os.environ, **environment}, stdout=asyncio.subprocess.PIPE, stderr=log
        )
    try:
        yield running
    finally:
        if running.returncode is None:
            running.terminate()
            await running.wait()


async def first_line(running: Process) -> bytes:
    """What a process says first."""
    if running.stdout is None:
        raise LookupError("the process was started without a pipe")
    return await running.stdout.readline()


async def pause(seconds: float = POLL_S) -> None:
    """Between two looks at something that is on its way."""
    await asyncio.sleep(seconds)
