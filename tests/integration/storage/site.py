"""One tenant's rows on a real database, and the few things that a test does to them."""

import asyncio
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from addon.crm.contact import email_key
from addon.storage import departures, sync_state
from addon.storage.database import Database, TenantScope
from addon.storage.run_store import RunStore
from addon.storage.sync_state import Run, SyncStatus
from addon.sync import plan as plans
from addon.sync.cursor import Cursor
from addon.sync.people import Sighting
from addon.sync.work import Work
from lifecycle.tenant import TenantId
from tests.support.patience import PATIENCE_S
from tests.unit.sync.builders import a_sighting

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SOMEWHERE = Cursor(phase="users", next_containers=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One tenant; `queue` holds what was to be done for it."""

    database: Database
    tenant_id: TenantId
    queue: list[Work]

    async def rows(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        async with self.database.tenant(self.tenant_id) as scope:
            return [dict(row) for row in await scope.fetch_all(sql, **values)]

    async def do(self, sql: str, **values: Any) -> None:
        async with self.database.tenant(self.tenant_id) as scope:
            await scope.execute(sql, **values)

    async def enqueue(self, scope: TenantScope, work: Work) -> None:
        assert scope.tenant_id == work.tenant_id == self.tenant_id
        self.queue.append(work)

    async def switch(self, **settings: bool | None) -> SyncStatus:
        async with self.database.tenant(self.tenant_id) as scope:
            return await sync_state.switch(
                scope,
                enabled=settings.get("enabled"),
                include_inactive=settings.get("include_inactive"),
                enqueue=self.enqueue,
                now=NOW,
            )

    async def request_run(self) -> Run:
        async with self.database.tenant(self.tenant_id) as scope:
            return await sync_state.request_run(scope, trigger="person", enqueue=self.enqueue, now=NOW)

    async def run(self, run_id: int) -> Run:
        async with self.database.tenant(self.tenant_id) as scope:
            return await sync_state.run(scope, run_id)

    async def turn_on(self) -> RunStore:
        status = await self.switch(enabled=True)
        assert status.run is not None
        return self.store(status.run.id)

    def store(self, run_id: int) -> RunStore:
        return RunStore(database=self.database, tenant_id=self.tenant_id, run_id=run_id, clock=lambda: NOW)

    async def scan(
        self,
        store: RunStore,
        sightings: Sequence[Sighting],
        cursor: Cursor = SOMEWHERE,
        *,
        then: Callable[[], object] | None = None,
    ) -> None:
        """A page as the engine writes it; `then` is called before it is committed."""
        async with store.page(sightings, membership="inside", read_at=NOW) as page:
            plan = plans.plan_page(
                page.sightings, page.known, scope=page.scope, run_id=store.run_id, new_ids=page.new_ids, now=NOW
            )
            await page.write(plan, unreadable=(), cursor=cursor, points=3)
            if then is not None:
                then()

    async def whole_run(self, sightings: Sequence[Sighting]) -> Run:
        begun = await self.request_run()
        store = self.store(begun.id)
        if sightings:
            await self.scan(store, sightings)
        await store.finish(is_patchy=False)
        return await self.run(begun.id)

    async def clear(self) -> bool:
        async with self.database.tenant(self.tenant_id) as scope:
            return await departures.clear_links(scope, now=NOW)

    async def somebody_waits(self, *, sessions: int = 1) -> None:
        """Until so many sessions of this database wait for a lock."""
        waiting = 0
        async with asyncio.timeout(PATIENCE_S):
            while waiting < sessions:
                # Within a transaction PostgreSQL would go on to show those sessions that it showed first.
                await self.database.pool.execute("SELECT pg_stat_clear_snapshot()")
                waiting = await self.database.pool.fetch_val(
                    """
                    SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
                    WHERE NOT granted AND datname = current_database()
                    """
                )

    async def a_contact(self, name: str, email: str | None, **columns: Any) -> int:
        async with self.database.tenant(self.tenant_id) as scope:
            contact_id = await scope.fetch_val(
                """
                INSERT INTO contact (tenant_id, name, name_key, email, email_key, origin, phone, created_at, updated_at)
                VALUES (:tenant_id, :name, :name, :email, :email_key, :origin, :phone, :now, :now) RETURNING contact_id
                """,
                name=name,
                email=email,
                email_key=email_key(email) if email else None,
                now=NOW,
                **({"origin": "manual", "phone": None} | columns),
            )
        return int(contact_id)

    async def links(self) -> dict[str, int | None]:
        rows = await self.rows("SELECT account_id, contact_id FROM account WHERE tenant_id = :tenant_id")
        return {row["account_id"]: row["contact_id"] for row in rows}

    async def attention(self) -> set[tuple[str, str]]:
        rows = await self.rows("SELECT kind, account_id FROM attention WHERE tenant_id = :tenant_id")
        return {(row["kind"], row["account_id"]) for row in rows}

    async def everything(self) -> list[Any]:
        tables = ("account", "contact", "change", "sync_run", "attention", "sync_setting")
        return [
            await self.rows(f"SELECT t::text AS row FROM {table} AS t WHERE tenant_id = :tenant_id ORDER BY 1")
            for table in tables
        ]


async def a_site(database: Database) -> Site:
    tenant_id = TenantId(uuid.uuid4())
    async with database.transaction() as connection:
        await connection.execute(
            """
            INSERT INTO tenant (tenant_id, client_key, base_url, sealed_secret, state, installed_at, updated_at)
            VALUES (:id, CAST(:id AS uuid)::text, CAST(:id AS uuid)::text, 'x', 'enabled', :now, :now)
            """,
            {"id": tenant_id, "now": NOW},
        )
    return Site(database=database, tenant_id=tenant_id, queue=[])


def people(count: int, **fields: Any) -> list[Sighting]:
    return [a_sighting(f"user-{n:03}", email=f"user-{n}@x.example", **fields) for n in range(count)]
