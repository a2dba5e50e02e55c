"""Which tables does the database have, and how does a row get into any of them? Read from PostgreSQL's own catalogue."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import asyncpg

from lifecycle.tenant import TenantId

# Read before a tenant is known, or no tenant's at all. Whatever is not named here must be isolated.
SHARED = {
    "tenant",
    "alembic_version",
    "pgqueuer",
    "pgqueuer_log",
    "pgqueuer_schedules",
    "pgqueuer_statistics",
    # Jira's quota is one for all tenants, and what one may take depends on what the others took.
    "api_budget",
    "api_pause",
    # Leases of seconds by which processes agree; they hold no data of a site.
    "call_slot",
}

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ROWS_EACH = 2

TABLES = """
    SELECT c.relname AS name, c.relrowsecurity AS is_secured, c.relforcerowsecurity AS is_forced,
        (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid AND p.polroles = '{0}') AS policies,
        ARRAY(SELECT a.attname::text FROM pg_index i, unnest(i.indkey) WITH ORDINALITY AS k (attnum, place)
              JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
              WHERE i.indrelid = c.oid AND i.indisprimary ORDER BY k.place) AS primary_key,
        pg_get_userbyid(c.relowner) AS owner
    FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY c.relname
"""
COLUMNS = """
    SELECT a.attname AS name, format_type(a.atttypid, NULL) AS type,
        ARRAY(SELECT pg_get_constraintdef(k.oid) FROM pg_constraint k
              WHERE k.conrelid = a.attrelid AND k.contype = 'c' AND a.attnum = ANY(k.conkey)) AS checks
    FROM pg_attribute a
    WHERE a.attrelid = $1::text::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull
        AND NOT a.atthasdef AND a.attidentity = '' ORDER BY a.attnum
"""
PARENTS = """
    SELECT confrelid::regclass::text AS parent,
        ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY AS k (attnum, place)
              JOIN pg_attribute USING (attnum) WHERE attrelid = conrelid ORDER BY place) AS columns,
        ARRAY(SELECT attname::text FROM unnest(confkey) WITH ORDINALITY AS k (attnum, place)
              JOIN pg_attribute USING (attnum) WHERE attrelid = confrelid ORDER BY place) AS parent_columns
    FROM pg_constraint WHERE contype = 'f' AND conrelid = $1::text::regclass ORDER BY conname
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    name: str
    is_secured: bool
    is_forced: bool
    policies: int
    primary_key: list[str]
    owner: str


@dataclass(slots=True, kw_only=True)
class Filler:
    """Puts rows into any table: every column that must have a value gets one, by its type, its checks and its parents."""

    owner: asyncpg.Connection
    number: int = 0
    made: dict[tuple[str, TenantId], list[Mapping[str, Any]]] = field(default_factory=dict)

    async def rows(self, table: str, tenant_id: TenantId) -> list[Mapping[str, Any]]:
        key = table, tenant_id
        if key not in self.made:
            count = 1 if await self._is_one_for_a_tenant(table) else ROWS_EACH
            self.made[key] = [await self._row(table, tenant_id, place) for place in range(count)]
        return self.made[key]

    async def _is_one_for_a_tenant(self, table: str) -> bool:
        (found,) = [each for each in await tables(self.owner) if each.name == table]
        return found.primary_key == ["tenant_id"]

    async def _row(self, table: str, tenant_id: TenantId, place: int) -> Mapping[str, Any]:
        required = {column["name"]: column for column in await self.owner.fetch(COLUMNS, table)}
        values: dict[str, Any] = {"tenant_id": tenant_id}
        for parent in await self.owner.fetch(PARENTS, table):
            if parent["parent"] in SHARED or not set(parent["columns"]) <= set(required):
                continue
            parents = await self.rows(parent["parent"], tenant_id)
            row = parents[place % len(parents)]
            values |= {own: row[its] for own, its in zip(parent["columns"], parent["parent_columns"], strict=True)}
        for name, column in required.items():
            values.setdefault(name, self._value(column["type"], column["checks"]))
        # A trigger may have made the row already, from its parent's.
        made = await self.owner.fetchrow(
            f"{insert(table, values)} ON CONFLICT DO NOTHING RETURNING *", *values.values()
        )
        return values if made is None else dict(made)

    def _value(self, kind: str, checks: list[str]) -> Any:
        self.number += 1
        for check in checks:
            if allowed := re.findall(r"'([^']*)'::text", check):
                return allowed[self.number % len(allowed)]
        values: dict[str, Any] = {
            "text": f"value {self.number}",
            "text[]": [f"value {self.number}"],
            "uuid": uuid.uuid4(),
            "bigint": self.number,
            "integer": self.number,
            "smallint": self.number,
            "boolean": bool(self.number % 2),
            "timestamp with time zone": NOW,
            "date": NOW.date(),
            "jsonb": "{}",
            "bytea": b"value",
        }
        return values[kind]


async def tables(connection: asyncpg.Connection) -> list[Table]:
    return [Table(**row) for row in await connection.fetch(TABLES)]


async def tenant_tables(connection: asyncpg.Connection) -> list[str]:
    return [table.name for table in await tables(connection) if table.name not in SHARED]


async def become(owner: asyncpg.Connection, tenant_id: TenantId) -> None:
    """The policies bind the owner too, unless it is a superuser."""
    await owner.execute("SELECT set_config('app.tenant_id', $1, false)", str(tenant_id))


def insert(table: str, row: Mapping[str, Any]) -> str:
    marks = ", ".join(f"${place}" for place in range(1, len(row) + 1))
    return f'INSERT INTO "{table}" ({", ".join(row)}) VALUES ({marks})'
