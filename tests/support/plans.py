"""How does PostgreSQL carry out what a function of ours asks? A scope that has every statement explained as it runs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from addon.storage.database import Row, TenantScope

Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ExplainingScope(TenantScope):
    """As a TenantScope; `plans` are those of the statements so far."""

    plans: list[Node] = field(default_factory=list)

    async def fetch_all(self, sql: str, **values: object) -> Sequence[Row]:
        await self._explain(sql, values)
        return await TenantScope.fetch_all(self, sql, **values)

    async def fetch_one(self, sql: str, **values: object) -> Row | None:
        await self._explain(sql, values)
        return await TenantScope.fetch_one(self, sql, **values)

    async def fetch_val(self, sql: str, **values: object) -> Any:
        await self._explain(sql, values)
        return await TenantScope.fetch_val(self, sql, **values)

    async def _explain(self, sql: str, values: Mapping[str, object]) -> None:
        explained = await TenantScope.fetch_val(self, f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", **values)
        self.plans.append(json.loads(explained)[0]["Plan"])


def nodes(plan: Node) -> Iterator[Node]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


async def plans_of_functions(owner: asyncpg.Connection, sql: str, *arguments: object) -> list[Node]:
    """The plans of the statements inside the functions that `sql` calls. `owner` is a superuser, whatever its role is now."""
    written: list[str] = []

    def listen(_connection: object, message: asyncpg.PostgresLogMessage) -> None:
        written.append(str(message.message))

    owner.add_log_listener(listen)
    await owner.fetch(sql, *arguments)
    owner.remove_log_listener(listen)
    return [json.loads(text.partition("plan:\n")[2])["Plan"] for text in written if "plan:\n" in text]
