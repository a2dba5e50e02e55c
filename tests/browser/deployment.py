"""What is deployed for the browser tests? Jira sites, the add-on and its worker, each a process of its own, over one database.

Tests drive the sites by their control calls alone, as nothing here shares memory with them.
"""

import asyncio
import base64
import contextlib
import dataclasses
import os
import pathlib
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import httpx

from tests.support import sockets
from tests.support.world import ADDON_KEY, VAULT_KEY

TOOLS = pathlib.Path(sys.executable).parent
PATIENCE_S = 60
BACKLOG_S = 120  # a minute until the worker's clock begins, and the time that its jobs take
POLL_S = 0.05
STOP_S = 10
SITES = 64  # at least one for each test
PEOPLE = 40


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class JiraSite:
    """One site, and the hand on it."""

    base_url: str
    descriptor_url: str
    http: httpx.AsyncClient

    @property
    def addon_url(self) -> str:
        return self.descriptor_url.rpartition("/")[0]

    async def call(self, method: str, path: str, body: object = None) -> Any:
        answer = await self.http.request(method, f"{self.base_url}/sandbox/{path}", json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    async def install(self) -> None:
        """The add-on, by the signed handshake."""
        installed = await self.call("POST", "install", {"descriptorUrl": self.descriptor_url})
        assert installed["state"] == "enabled", installed

    async def add_person(self, name: str, email: str | None, **more: object) -> str:
        """Their account's id."""
        added = await self.call("POST", "people", {"displayName": name, "email": email, **more})
        return str(added["accountId"])

    async def change_person(self, account_id: str, **fields: object) -> None:
        await self.call("PATCH", f"people/{account_id}", fields)

    async def break_with(self, **faults: object) -> None:
        """Also mends: `healthy=True`."""
        await self.call("PATCH", "faults", faults)

    async def api(self, method: str, path: str, body: object = None) -> Any:
        """A call of the add-on's API on behalf of the site's administrator."""
        given = await self.http.get(f"{self.base_url}/bridge/token", params={"addon": ADDON_KEY})
        answer = await self.http.request(
            method, f"{self.addon_url}{path}", json=body, headers={"Authorization": f"JWT {given.json()['token']}"}
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    async def sync(self) -> None:
        """Turn the sync on and wait for the first run to end."""
        await self.api("PUT", "/api/sync", {"enabled": True})
        deadline = time.monotonic() + PATIENCE_S
        while True:
            status = await self.api("GET", "/api/sync")
            if status["state"] == "idle" and status["lastRun"]:
                return
            assert time.monotonic() < deadline, status
            await asyncio.sleep(POLL_S)

    async def written(self, issue: str) -> None:
        """Wait until an issue that was there already says a company."""
        deadline = time.monotonic() + BACKLOG_S
        while True:
            shown = await self.call("GET", f"issues/{issue}")
            if shown["properties"]:
                return
            assert time.monotonic() < deadline, shown
            await asyncio.sleep(POLL_S)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """`addon_url` is on another host than the sites: their pages and ours are strangers to the browser."""

    addon_url: str
    database_url: str
    unused: Iterator[str]
    http: httpx.AsyncClient

    async def let_minutes_pass(self) -> None:
        """By the records: everybody was read from Jira longer ago."""
        connection = await asyncpg.connect(self.database_url)
        await connection.execute("UPDATE account SET checked_at = checked_at - interval '10 minutes'")
        await connection.close()

    def next_site(self) -> JiraSite:
        """A site that no test has had yet; the add-on is not installed there."""
        base_url = next(self.unused, None)
        assert base_url is not None, "there are more tests than SITES"
        return JiraSite(base_url=base_url, descriptor_url=f"{self.addon_url}/atlassian-connect.json", http=self.http)


@contextlib.asynccontextmanager
async def deploy(database_url: str, folder: pathlib.Path) -> AsyncIterator[Deployment]:
    """Runs as long as the block; what the processes say goes to files in `folder`."""
    async with contextlib.AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=PATIENCE_S))
        sandbox = (str(TOOLS / "jira-sandbox"), "--port", "0", "--sites", str(SITES), "--people", str(PEOPLE))
        await stack.enter_async_context(_process(folder / "sandbox", {}, *sandbox))
        sites = await _addresses(folder / "sandbox")
        port = sockets.a_free_port()
        addon_url = f"http://127.0.0.1:{port}"
        settings = {
            "CRM_SYNC_ADDON_KEY": ADDON_KEY,
            "CRM_SYNC_BASE_URL": addon_url,
            "CRM_SYNC_PORT": str(port),
            "CRM_SYNC_DATABASE_URL": database_url,
            "CRM_SYNC_SECRET_KEYS": base64.b64encode(VAULT_KEY).decode(),
            "CRM_SYNC_TENANT_HOSTS": "localhost",
            "CRM_SYNC_INSTALL_KEYS_URL": f"{sites[0]}/install-keys",
            "CRM_SYNC_HOST_SCRIPT_URL": f"{sites[0]}/atlassian-connect/all.js",
        }
        tool = str(TOOLS / "crm-sync")
        serving = await stack.enter_async_context(_process(folder / "serve", settings, tool, "serve"))
        await _answering(http, f"{addon_url}/readyz", serving, folder / "serve")
        await stack.enter_async_context(_process(folder / "worker", settings, tool, "worker"))
        yield Deployment(addon_url=addon_url, database_url=database_url, unused=iter(sites), http=http)


@contextlib.asynccontextmanager
async def _process(log: pathlib.Path, environment: dict[str, str], *command: str) -> AsyncIterator[Process]:
    with log.open("wb") as output:
        running = await asyncio.create_subprocess_exec(
            *command, env={**os.environ, **environment}, stdout=output, stderr=output
        )
    try:
        yield running
    finally:
        if running.returncode is None:
            running.terminate()
        try:
            await asyncio.wait_for(running.wait(), STOP_S)
        except TimeoutError:
            running.kill()
            await running.wait()


async def _addresses(log: pathlib.Path) -> list[str]:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        found = [line.split()[0] for line in _said(log).splitlines() if " ready: " in line]
        if len(found) == SITES:
            return found
        assert time.monotonic() < deadline, _said(log)
        await asyncio.sleep(POLL_S)


async def _answering(http: httpx.AsyncClient, address: str, serving: Process, log: pathlib.Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        with contextlib.suppress(httpx.TransportError):
            if (await http.get(address)).is_success:
                return
        assert time.monotonic() < deadline, _said(log)
        assert serving.returncode is None, _said(log)
        await asyncio.sleep(POLL_S)


def _said(log: pathlib.Path) -> str:
    """The end of what a process has written."""
    return log.read_text("utf-8")[-4000:]
