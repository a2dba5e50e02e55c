"""How do we reach PostgreSQL, and how does one tenant's code see that tenant's rows alone?

`Database` wraps the pool; `TenantScope` is one transaction of one tenant. Every session runs as the role APP_ROLE, which
owns nothing and cannot bypass row-level security, whatever role the address logs in with. The package `databases` is
used in this module only, so that it can be replaced here; `lifecycle`, `addon.installs`, `addon.jira.sites` and
`addon.queue.jobs` name its types for what they are handed.

A child task does not join its parent's transaction in `databases` 0.9: never `gather` inside a scope.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import asyncpg
import databases
from databases.core import Connection

from lifecycle.tenant import TenantId

APP_ROLE = "crm_sync_app"
SESSION_SETTINGS = {
    # A start-up parameter, so that RESET ROLE and the pool's RESET ALL lead back to it and never to the login role.
    "role": APP_ROLE,
    "application_name": "crm-sync",
    # A forgotten transaction must not hold locks that a whole tenant waits for.
    "idle_in_transaction_session_timeout": "60s",
    # What is asked for here is asked by key, of a working set in memory: an index in the right order beats a sort, also where
    # the planner has no statistics yet, and compiling a plan takes longer than carrying it out.
    "random_page_cost": "1",
    "jit": "off",
}

CLOSING_S = 1.0
# A process must end within 10 s of SIGTERM, of which its jobs may take 7.

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TenantScope:
    """One transaction in which the database shows the rows of `tenant_id` and no others.

    Every statement must name the parameter `:tenant_id`, which is bound here: SQLAlchemy refuses a statement
    without it (ArgumentError). Row-level security holds even where a statement compares it with nothing.
    """

    tenant_id: TenantId
    connection: Connection

    async def fetch_all(self, sql: str, **values: object) -> Sequence[Row]:
        rows = await self.connection.fetch_all(sql, {"tenant_id": self.tenant_id, **values})
        return [row._mapping for row in rows]  # noqa: SLF001 - the documented way to the row in `databases` 0.9

    async def fetch_one(self, sql: str, **values: object) -> Row | None:
        row = await self.connection.fetch_one(sql, {"tenant_id": self.tenant_id, **values})
        return None if row is None else row._mapping  # noqa: SLF001 - as above

    async def fetch_val(self, sql: str, **values: object) -> Any:
        """The first column of the first row; None without a row."""
        return await self.connection.fetch_val(sql, {"tenant_id": self.tenant_id, **values})

    async def execute(self, sql: str, **values: object) -> None:
        await self.connection.execute(sql, {"tenant_id": self.tenant_id, **values})

    @property
    def raw(self) -> asyncpg.Connection:
        """The asyncpg connection of this transaction, for bulk work (COPY, unnest). Its `$1` is ours to bind."""
        connection: asyncpg.Connection = self.connection.raw_connection
        return connection


class Database:
    """A pool of connections that act as APP_ROLE."""

    def __init__(self, url: str, *, min_size: int = 1, max_size: int = 10) -> None:
        self.url = url
        # `databases` 0.9 drops most of an address, `sslmode` among it. So it is shown no more than the scheme, and hands the
        # whole to asyncpg, which reads it as it does for migrations and the queue; what it would add is taken out.
        self.pool = databases.Database(
            "postgresql://",
            dsn=url,
            database=None,
            min_size=min_size,
            max_size=max_size,
            server_settings=SESSION_SETTINGS,
        )

    async def connect(self) -> None:
        await self.pool.connect()

    async def disconnect(self) -> None:
        """Close all connections. One that a piece of work lost when it was broken off is not waited for."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSING_S):
                await self.pool.disconnect()

    @asynccontextmanager
    async def tenant(self, tenant_id: TenantId) -> AsyncIterator[TenantScope]:
        """One transaction of one tenant: committed at the end of the block, rolled back by an exception."""
        async with self.pool.connection() as connection, connection.transaction():
            yield await enter(connection, tenant_id)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """One transaction of no tenant: it sees the tenant registry and the queue, and no tenant's data."""
        async with self.pool.connection() as connection, connection.transaction():
            yield connection


async def enter(connection: Connection, tenant_id: TenantId) -> TenantScope:
    """From here to its end, the transaction that `connection` is in belongs to one tenant."""
    await connection.execute(
        "SELECT set_config('app.tenant_id', CAST(:tenant_id AS text), true)", {"tenant_id": str(tenant_id)}
    )
    return TenantScope(tenant_id, connection)
