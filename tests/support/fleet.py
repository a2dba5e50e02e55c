"""Many sites on real sockets, the add-on's web app beside them, and worker processes that a test may do anything to."""

import asyncio
import base64
import collections
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import httpx
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from addon import app
from addon.settings import Settings
from addon.storage.database import Database
from lifecycle import store
from lifecycle.tenant import ClientKey, TenantId
from lifecycle.vault import Vault
from sandbox import app as sandbox_app
from sandbox import frame
from sandbox.cloud import Cloud
from sandbox.person import Person, PersonKind
from sandbox.site import Site
from tests.support import processes, sockets
from tests.support.processes import WorkerProcess
from tests.support.world import ADDON_KEY, ADDON_URL, VAULT_KEY

POINTS_PER_HOUR = 1_000_000_000
PAUSE_S = 0.1
WEBHOOKS_AT_ONCE = 5


@dataclass(slots=True)
class Traffic:
    """The REST calls that sites were asked, by their `Host`: how many at the same time at most; paths and statuses."""

    most_at_once: collections.Counter[str] = field(default_factory=collections.Counter)
    calls: dict[str, list[str]] = field(default_factory=lambda: collections.defaultdict(list))
    statuses: dict[str, collections.Counter[int]] = field(
        default_factory=lambda: collections.defaultdict(collections.Counter)
    )
    _going: collections.Counter[str] = field(default_factory=collections.Counter)

    def watch(self, inner: ASGIApp) -> ASGIApp:
        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or not scope["path"].startswith("/rest/"):
                await inner(scope, receive, send)
                return
            host = dict(scope["headers"])[b"host"].decode("ascii")
            self.calls[host].append(scope["path"])

            async def note_status(message: Message) -> None:
                if message["type"] == "http.response.start":
                    self.statuses[host][message["status"]] += 1
                await send(message)

            self._going[host] += 1
            self.most_at_once[host] = max(self.most_at_once[host], self._going[host])
            try:
                await inner(scope, receive, note_status)
            finally:
                self._going[host] -= 1

        return watched


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """A site, and the tenant that it is to the add-on."""

    site: Site
    tenant_id: TenantId

    @property
    def host(self) -> str:
        return httpx.URL(self.site.base_url).netloc.decode("ascii")

    def truth(self) -> list[tuple[str, str, str | None]]:
        """Whom a complete sync knows: account, and the name and address of its contact; a user's before a customer's (D3)."""
        known = [
            each
            for each in self.site.people.values()
            if each.active
            and not each.deleted
            and each.kind is not PersonKind.APP
            and self.site.is_reachable(each.account_id)
        ]
        primary: dict[str, Person] = {}
        for each in sorted(known, key=lambda person: person.kind is not PersonKind.USER):
            primary.setdefault((each.email or each.account_id).casefold(), each)
        shown = [(each.account_id, primary[(each.email or each.account_id).casefold()]) for each in known]
        return sorted((account_id, person.display_name, person.email) for account_id, person in shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """`workers`: those that are alive. `fallen`: those that are not, and when they ended (`time.monotonic_ns`)."""

    database: Database
    cloud: Cloud
    residents: list[Resident]
    traffic: Traffic
    addon: httpx.AsyncClient
    folder: Path
    environment: dict[str, str]
    workers: list[WorkerProcess] = field(default_factory=list)
    fallen: list[tuple[WorkerProcess, int]] = field(default_factory=list)

    async def start_worker(self) -> WorkerProcess:
        started = await processes.start(self.folder, self.environment)
        self.workers.append(started)
        return started

    async def end_worker(self, worker: WorkerProcess, number: signal.Signals) -> int:
        self.workers.remove(worker)
        code = await worker.end(number)
        self.fallen.append((worker, time.monotonic_ns()))
        return code

    async def call(self, resident: Resident, method: str, path: str, body: object = None) -> httpx.Response:
        """A call of our page's script, on behalf of the site's administrator."""
        installed = resident.site.installations[ADDON_KEY]
        token = frame.sign_session_token(installed, account_id=resident.site.admin.account_id, now=app.now())
        return await self.addon.request(
            method, f"{ADDON_URL}{path}", json=body, headers={"Authorization": f"JWT {token}"}
        )

    async def switch(self, resident: Resident, *, enabled: bool) -> None:
        response = await self.call(resident, "PUT", "/api/sync", {"enabled": enabled})
        assert response.status_code == HTTPStatus.OK, response.text

    async def deliver(self) -> None:
        """Have the sites send their webhooks, each of which must be stored at once."""
        attempts = await self.cloud.deliver(at_once=WEBHOOKS_AT_ONCE)
        assert {attempt.status for attempt in attempts} <= {HTTPStatus.NO_CONTENT}

    async def settle(self, *, patience_s: float) -> None:
        """Until no job is left and no hint is open."""
        async with asyncio.timeout(patience_s):
            while True:
                await self.deliver()
                if not await self._is_busy():
                    return
                await asyncio.sleep(PAUSE_S)

    async def _is_busy(self) -> bool:
        async with self.database.transaction() as connection:
            return bool(await connection.fetch_val("SELECT EXISTS (SELECT FROM pgqueuer)"))

    async def linked(self, resident: Resident) -> list[tuple[str, str, str | None]]:
        """Whom the add-on knows, as `Resident.truth`."""
        async with self.database.tenant(resident.tenant_id) as scope:
            rows = await scope.fetch_all(
                """
                SELECT account_id, contact.name, contact.email FROM account JOIN contact USING (tenant_id, contact_id)
                WHERE tenant_id = :tenant_id
                """
            )
        return sorted((row["account_id"], row["name"], row["email"]) for row in rows)


@asynccontextmanager
async def build(database: Database, folder: Path, *, people: int, seeds: Sequence[int]) -> AsyncIterator[Fleet]:
    """A site for each seed, with the add-on installed and its sync off. Whatever workers are left at the end are killed."""
    late, traffic = sockets.LateTransport(), Traffic()
    async with app.http_client() as http, httpx.AsyncClient(transport=late) as to_addon:
        cloud = Cloud(client=to_addon)
        listeners = []
        for seed in seeds:
            listening, port = sockets.listen("localhost")
            listeners.append(listening)
            cloud.create_site(base_url=f"http://localhost:{port}", people=people, seed=seed)
        async with sockets.serving(traffic.watch(sandbox_app.create(cloud)), listeners):
            here = list(cloud.sites.values())
            config = Settings(
                base_url=ADDON_URL,
                addon_key=ADDON_KEY,
                tenant_hosts=("localhost",),
                install_keys_url=f"{here[0].base_url}/install-keys",
                api_points_per_hour=POINTS_PER_HOUR,
            )
            parts = app.wire(config, database=database, vault=Vault([VAULT_KEY]), http=http)
            late.target = httpx.ASGITransport(app=parts.web_app())
            residents = [await _install(cloud, database, site) for site in here]
            fleet = Fleet(
                database=database,
                cloud=cloud,
                residents=residents,
                traffic=traffic,
                addon=to_addon,
                folder=folder,
                environment={
                    "CRM_SYNC_DATABASE_URL": database.url,
                    "CRM_SYNC_SECRET_KEYS": base64.b64encode(VAULT_KEY).decode(),
                    "CRM_SYNC_TENANT_HOSTS": "localhost",
                    "CRM_SYNC_API_POINTS_PER_HOUR": str(POINTS_PER_HOUR),
                },
            )
            try:
                yield fleet
            finally:
                for worker in list(fleet.workers):
                    await fleet.end_worker(worker, signal.SIGKILL)


async def _install(cloud: Cloud, database: Database, site: Site) -> Resident:
    await cloud.install(site, f"{ADDON_URL}/atlassian-connect.json")
    async with database.transaction() as connection:
        record = await store.find_by_client_key(connection, ClientKey(site.client_key))
    assert record is not None
    return Resident(site=site, tenant_id=record.tenant.tenant_id)
