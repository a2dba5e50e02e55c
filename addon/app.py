"""How are the parts put together? The only composition root: settings in, a running web app or worker out."""

import base64
import secrets
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path

import asyncpg
import httpx
from sqlalchemy.exc import DBAPIError
from starlette.applications import Starlette

from addon import descriptor, errors, settings
from addon.installs import SyncListener
from addon.jira.accounts import JiraAccounts
from addon.jira.issues import JiraIssues
from addon.jira.names import JiraNames
from addon.jira.permissions import JiraPermissions
from addon.jira.sites import Sites
from addon.jira.throttle import Throttle
from addon.jobs import Jobs
from addon.queue import jobs as queue
from addon.queue.worker import Worker
from addon.schedules import Schedules
from addon.settings import Settings
from addon.storage import embedded, schema
from addon.storage.database import SESSION_SETTINGS, Database, TenantScope
from addon.storage.ledger import Ledger
from addon.sync.work import Work
from addon.web import routes as web
from addon.web.deps import WebDeps
from lifecycle import hooks
from lifecycle.caller import Callers
from lifecycle.install import Installer
from lifecycle.keys import Keys
from lifecycle.vault import Vault

KEY_FILE = "secret.key"
CALLS_AT_ONCE = 200  # to all sites together; each tenant's runs make at most pages.AT_ONCE


def now() -> datetime:
    """The clock of the running system."""
    return datetime.now(UTC)


async def enqueue(scope: TenantScope, work: Work) -> None:
    """The `Enqueue` of the running system."""
    await queue.enqueue(scope.connection, work)


async def database_url(config: Settings) -> str:
    """The address of the database; where none is set, of the embedded one, which is started for it.

    Raises ConfigurationError where there can be no embedded one.
    """
    if config.database_url is not None:
        return config.database_url.get_secret_value()
    try:
        return (await embedded.start(config.data_dir)).url
    except embedded.Unusable as exc:
        raise errors.ConfigurationError([f"{settings.PREFIX}DATA_DIR: {exc}"]) from exc


def key_ring(config: Settings) -> tuple[bytes, ...]:
    """The keys that seal secrets. With the embedded database and none set, one is made and kept beside it.

    Raises ConfigurationError where that cannot be done, or what is kept is no key.
    """
    if config.secret_keys is not None:
        return settings.decode_keys(config.secret_keys.get_secret_value())
    path = config.data_dir / KEY_FILE
    try:
        return settings.decode_keys(_kept_key(path))
    except OSError as exc:
        raise errors.ConfigurationError([f"{settings.PREFIX}DATA_DIR: {exc.filename}: {exc.strerror}"]) from exc
    except ValueError as exc:
        # Its own text would repeat what is in the file.
        problem = (
            f"{path} is no key of {settings.SECRET_KEY_BYTES} bytes in base64: put it back from where it is backed up"
        )
        raise errors.ConfigurationError([f"{settings.PREFIX}DATA_DIR: {problem}"]) from exc


def _kept_key(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    made = base64.b64encode(secrets.token_bytes(settings.SECRET_KEY_BYTES)).decode()
    # Two processes that start together must agree on one key: whoever links a whole file first has made it.
    candidate = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    candidate.touch(mode=0o600)
    candidate.write_text(made, encoding="ascii")
    try:
        path.hardlink_to(candidate)
    except FileExistsError:
        return path.read_text(encoding="ascii")
    finally:
        candidate.unlink()
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a process of ours is made of."""

    config: Settings
    database: Database
    vault: Vault
    http: httpx.AsyncClient
    sites: Sites
    ledger: Ledger
    clock: Callable[[], datetime] = now

    def web_app(self) -> Starlette:
        config, clock = self.config, self.clock
        callers = Callers(database=self.database.pool, vault=self.vault, base_url=config.base_url, clock=clock)
        installer = Installer(
            base_url=config.base_url,
            tenant_hosts=config.tenant_hosts,
            keys=Keys(client=self.http, keys_url=config.install_keys_url, clock=clock),
            vault=self.vault,
            listeners=[SyncListener(enqueue=enqueue, clock=clock)],
            new_id=uuid.uuid4,
        )
        deps = WebDeps(
            database=self.database,
            callers=callers,
            permissions=JiraPermissions(self.sites.client, clock),
            names=JiraNames(self.sites.client),
            issues=JiraIssues(self.sites.client),
            accounts=JiraAccounts(self.sites.client, clock),
            ledger=self.ledger,
            enqueue=enqueue,
            clock=clock,
            base_url=config.base_url,
            host_script_url=config.host_script_url,
            descriptor=descriptor.load(config.base_url, config.addon_key),
        )
        lifecycle_hooks = hooks.routes(
            database=self.database.pool, installer=installer, callers=callers, base_url=config.base_url, clock=clock
        )
        return web.application(deps, lifecycle_hooks)

    def jobs(self) -> Jobs:
        return Jobs(
            database=self.database,
            sites=self.sites,
            enqueue=enqueue,
            clock=self.clock,
            points_per_hour=self.config.api_points_per_hour,
        )

    def worker(self) -> Worker:
        return Worker(self.database.url, self.jobs().handlers(), SESSION_SETTINGS, self.schedules().table())

    def schedules(self) -> Schedules:
        retention = timedelta(days=self.config.retention_days)
        return Schedules(database=self.database, enqueue=enqueue, clock=self.clock, retention=retention)


def http_client(transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """The client for the sites of all tenants. It follows no redirection, and keeps no cookie: the next site would get it."""
    return httpx.AsyncClient(
        transport=transport,
        limits=httpx.Limits(max_connections=CALLS_AT_ONCE),
        follow_redirects=False,
        cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
    )


@asynccontextmanager
async def assemble(config: Settings) -> AsyncIterator[Parts]:
    """Connect everything. Raises ConfigurationError when the database is not at our schema."""
    vault = Vault(key_ring(config))
    async with AsyncExitStack() as stack:
        url = await database_url(config)
        database = Database(url)
        with usable_database():
            await _require_schema(config, url)
            await database.connect()
        stack.push_async_callback(database.disconnect)
        http = await stack.enter_async_context(http_client())
        yield wire(config, database=database, vault=vault, http=http)


def wire(
    config: Settings, *, database: Database, vault: Vault, http: httpx.AsyncClient, clock: Callable[[], datetime] = now
) -> Parts:
    """Put the parts together around what is open already."""
    ledger = Ledger(database, quota=config.api_points_per_hour)
    sites = Sites(
        database=database.pool,
        vault=vault,
        http=http,
        addon_key=config.addon_key,
        clock=clock,
        throttle=Throttle(ledger, clock),
    )
    return Parts(config=config, database=database, vault=vault, http=http, sites=sites, ledger=ledger, clock=clock)


@contextmanager
def usable_database() -> Iterator[None]:
    """Raises ConfigurationError where the database cannot be reached, or does not let us in."""
    try:
        yield
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, DBAPIError) as exc:
        cause: BaseException = exc
        while cause.__cause__ is not None:  # SQLAlchemy wraps what asyncpg says
            cause = cause.__cause__
        # The type alone: the text may repeat the address.
        raise errors.ConfigurationError([f"the database cannot be used: {type(cause).__name__}"]) from exc


async def _require_schema(config: Settings, url: str) -> None:
    """The embedded database is brought to the newest schema; any other is its operator's to migrate."""
    if config.database_url is None:
        await upgrade(url)
        return
    current, newest = await _known_revision(url), schema.newest_revision()
    if current != newest:
        raise errors.ConfigurationError(
            [f"the database is at schema {current or 'none'}, this version needs {newest}: run `crm-sync migrate`"]
        )


async def upgrade(url: str) -> None:
    """Bring the database to the newest schema. Raises ConfigurationError where a newer version has migrated it."""
    await _known_revision(url)
    await schema.upgrade(url)


async def _known_revision(url: str) -> str | None:
    """What the database is at; None for an empty one. Raises ConfigurationError where a newer version has migrated it."""
    current = await schema.current_revision(url)
    if current is not None and not schema.is_known(current):
        problem = f"the database is newer than this version: it is at schema {current}"
        raise errors.ConfigurationError([f"{problem}, and this version knows none after {schema.newest_revision()}"])
    return current
