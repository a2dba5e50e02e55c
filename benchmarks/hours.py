"""What does a site cost per hour, quiet or busy, and how long does a newcomer stay unknown when every webhook is lost?

Everything in one process, on a clock that is moved on by hand: two hours of the site take a minute. Points are counted by
the site itself; whole scans come once a day and are told apart.
"""

import contextlib
import pathlib
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx

from addon import app
from addon.queue.worker import Again, Handler, Worker
from addon.settings import Settings
from addon.storage import embedded, schema, sync_state
from addon.storage.database import SESSION_SETTINGS, Database
from addon.sync import probe
from addon.sync.work import Work
from benchmarks.figure import Figure
from lifecycle import store
from lifecycle.tenant import ClientKey, TenantId
from lifecycle.vault import Vault
from sandbox import app as sandbox_app
from sandbox.cloud import Cloud
from sandbox.faults import WebhookFaults
from sandbox.person import AccountType, Person
from sandbox.site import Site

ADDON_URL = "http://localhost:8080"
SITE_URL = "http://localhost:9000"
TICK = timedelta(minutes=1)
HOUR = timedelta(hours=1)
QUIET = 12 * HOUR  # in which the names of the site's organizations are read once
ARRIVAL_EACH = timedelta(minutes=6)  # ten an hour
QUOTA = 65_000
MOST_UNKNOWN_MINUTES = 10

USERS, DESK_CUSTOMERS = 7, 2
# Of ten newcomers; the last one comes by an organization.


@dataclass(slots=True)
class Clock:
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(minute=0, second=30, microsecond=0))

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """A site with its sync on, and the add-on that looks after it."""

    clock: Clock
    parts: app.Parts
    site: Site
    tenant_id: TenantId

    async def work(self) -> None:
        """What is due, and whatever follows from it."""
        await self.parts.schedules().tend()
        handlers = {kind: self._hurried(handler) for kind, handler in self.parts.jobs().handlers().items()}
        await Worker(self.parts.database.url, handlers, SESSION_SETTINGS).run(until_empty=True)

    def _hurried(self, handler: Handler) -> Handler:
        """The same handler, where waiting is only a matter of the clock."""

        async def run(work: Work) -> Again | None:
            outcome = await handler(work)
            if outcome is None:
                return None
            self.clock.now += outcome.delay
            return Again()

        return run

    async def tick(self) -> None:
        self.clock.now += TICK
        await self.work()

    async def points(self) -> tuple[int, int]:
        """Spent so far: by whole scans, and by everything else."""
        async with self.parts.database.tenant(self.tenant_id) as scope:
            scans = int(await scope.fetch_val("SELECT sum(points) FROM sync_run WHERE tenant_id = :tenant_id"))
        return scans, self.site.points_spent - scans

    async def is_known(self, account_id: str) -> bool:
        async with self.parts.database.tenant(self.tenant_id) as scope:
            found = await scope.fetch_val(
                """
                SELECT true FROM account WHERE tenant_id = :tenant_id AND account_id = :account_id
                    AND contact_id IS NOT NULL
                """,
                account_id=account_id,
            )
        return bool(found)


async def measure(people: int) -> AsyncIterator[Figure]:
    async with _build(people) as hours:
        scan, _ = await hours.points()
        yield Figure(name=f"points of a whole scan of {people} people, once a day", value=scan, unit="points")
        await _pass(hours, probe.BUSY_FOR + TICK)  # after a run somebody may have been missed
        quiet = await _pass(hours, QUIET) / (QUIET / HOUR)
        yield Figure(name="points per hour, quiet, without the daily scan", value=quiet, unit="points", goal=300)
        # The first hour finds what changed lately; the second one is as all that follow.
        await _busy_hour(hours, number=0)
        busy, unknown = await _busy_hour(hours, number=1)
        yield Figure(name="points per hour, 10 arrivals, every webhook lost", value=busy, unit="points", goal=3000)
        yield Figure(
            name="longest that one of them stayed unknown",
            value=unknown / timedelta(minutes=1),
            unit="min",
            goal=MOST_UNKNOWN_MINUTES,
        )


async def _pass(hours: Hours, time: timedelta) -> int:
    """Let time go by; what it cost but for whole scans."""
    _, before = await hours.points()
    for _ in range(time // TICK):
        await hours.tick()
    _, after = await hours.points()
    return after - before


async def _busy_hour(hours: Hours, *, number: int) -> tuple[int, timedelta]:
    """Points, and how long a newcomer stayed unknown at most; the last ones are waited for."""
    _, before = await hours.points()
    began, came, longest = hours.clock(), dict[str, datetime](), timedelta()
    spent = 0
    while came or hours.clock() - began < HOUR:
        elapsed = hours.clock() - began
        if elapsed < HOUR and elapsed % ARRIVAL_EACH == timedelta():
            came[_arrive(hours.site, number * 10 + elapsed // ARRIVAL_EACH)] = hours.clock()
        await hours.tick()
        for account_id in [each for each in came if await hours.is_known(each)]:
            longest = max(longest, hours.clock() - came.pop(account_id))
        if hours.clock() - began == HOUR:
            spent = (await hours.points())[1] - before
        if hours.clock() - began > 3 * HOUR:
            raise RuntimeError(f"{len(came)} newcomers were never found")
    return spent, longest


def _arrive(site: Site, number: int) -> str:
    """Users, customers of a desk and of an organization, in turn."""
    is_user = number % 10 < USERS
    person = Person(
        account_id=f"712020:newcomer-{number}",
        account_type=AccountType.ATLASSIAN if is_user else AccountType.CUSTOMER,
        display_name=f"Newcomer {number}",
        email=f"newcomer{number}@example.com",
    )
    group = site.licence_group_id("jira-software")
    if is_user and group is not None:
        site.add_person(person, group_ids=[group])
    elif number % 10 < USERS + DESK_CUSTOMERS:
        site.add_person(person, desk_ids=[list(site.desks)[number % len(site.desks)]])
    else:
        site.add_person(person, organization_ids=[list(site.organizations)[number % len(site.organizations)]])
    return person.account_id


@contextlib.asynccontextmanager
async def _build(people: int) -> AsyncIterator[Hours]:
    """A site whose first run is done."""
    clock = Clock()
    async with contextlib.AsyncExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crm-bench-")))
        server = await embedded.start(folder)
        stack.callback(server.leave)
        await schema.upgrade(server.url)
        database = Database(server.url)
        await database.connect()
        stack.push_async_callback(database.disconnect)
        config = Settings(
            tenant_hosts=("localhost",), install_keys_url=f"{SITE_URL}/install-keys", api_points_per_hour=10**9
        )
        # The first run takes what it needs; the hours are lived under the quota that Atlassian grants.
        to_addon = await stack.enter_async_context(httpx.AsyncClient(transport=_Later()))
        cloud = Cloud(client=to_addon, now=clock)
        to_jira = await stack.enter_async_context(app.http_client(httpx.ASGITransport(app=sandbox_app.create(cloud))))
        vault = Vault([bytes(range(32))])
        first = app.wire(config, database=database, vault=vault, http=to_jira, clock=clock)
        _Later.target = httpx.ASGITransport(app=first.web_app())
        site = cloud.create_site(base_url=SITE_URL, people=people, seed=1)
        await cloud.install(site, f"{ADDON_URL}/atlassian-connect.json")
        async with database.transaction() as connection:
            record = await store.find_by_client_key(connection, ClientKey(site.client_key))
        if record is None:
            raise LookupError("the installation left no tenant")
        tenant_id = record.tenant.tenant_id
        async with database.tenant(tenant_id) as scope:
            await sync_state.switch(scope, enabled=True, include_inactive=None, enqueue=app.enqueue, now=clock())
        await first.worker().run(until_empty=True)
        site.faults.webhooks = WebhookFaults(lost=1.0)
        clock.now += HOUR  # what the first run took of this hour's quota is forgotten
        granted = config.model_copy(update={"api_points_per_hour": QUOTA})
        parts = app.wire(granted, database=database, vault=vault, http=to_jira, clock=clock)
        yield Hours(clock=clock, parts=parts, site=site, tenant_id=tenant_id)


class _Later(httpx.AsyncBaseTransport):
    """Leads to the add-on, which is made after the cloud that calls it."""

    target: httpx.AsyncBaseTransport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self.target.handle_async_request(request)
