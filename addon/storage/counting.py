"""How many contacts has a tenant, and how many of them are linked? Counted anew where that is quick, else remembered.

PostgreSQL counts by looking at every row: at a million contacts that takes a second, for which no page can wait.
"""

import time
from dataclasses import dataclass

from addon.storage.database import TenantScope

QUICK_MS = 25
PATIENCE = 20
# A count is stale after this many times what it took, so that counting takes a twentieth of the time at most.


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """`linked`: contacts with at least one account. `is_stale`: remembered for so long that it is time to count again."""

    contacts: int
    linked: int
    is_stale: bool = False


async def read(scope: TenantScope, *, is_exact: bool) -> Counts:
    """`is_exact`: count, however long it takes; else what was remembered will do."""
    if not is_exact:
        remembered = await _remembered(scope)
        if remembered is not None:
            return remembered
    began = time.perf_counter()
    counts = await _count(scope)
    await _remember(scope, counts, took_ms=int((time.perf_counter() - began) * 1000))
    return counts


async def _remembered(scope: TenantScope) -> Counts | None:
    row = await scope.fetch_one(
        """
        SELECT contacts, linked, clock_timestamp() - counted_at > took_ms * :patience * interval '1 ms' AS is_stale
        FROM contact_count WHERE tenant_id = :tenant_id
        """,
        patience=PATIENCE,
    )
    return None if row is None else Counts(**row)


async def _count(scope: TenantScope) -> Counts:
    row = await scope.fetch_one(
        """
        SELECT (SELECT count(*) FROM contact WHERE tenant_id = :tenant_id) AS contacts,
               (SELECT count(DISTINCT contact_id) FROM account
                WHERE tenant_id = :tenant_id AND contact_id IS NOT NULL) AS linked
        """
    )
    if row is None:
        raise LookupError("a query of counts gave no row")
    return Counts(**row)


async def _remember(scope: TenantScope, counts: Counts, *, took_ms: int) -> None:
    if took_ms <= QUICK_MS:
        # Of a site that was large once, nothing old must stay.
        await scope.execute("DELETE FROM contact_count WHERE tenant_id = :tenant_id")
        return
    await scope.execute(
        """
        INSERT INTO contact_count (tenant_id, contacts, linked, took_ms, counted_at)
        VALUES (:tenant_id, :contacts, :linked, :took_ms, clock_timestamp())
        ON CONFLICT (tenant_id) DO UPDATE SET contacts = EXCLUDED.contacts, linked = EXCLUDED.linked,
            took_ms = EXCLUDED.took_ms, counted_at = EXCLUDED.counted_at
        """,
        contacts=counts.contacts,
        linked=counts.linked,
        took_ms=took_ms,
    )
