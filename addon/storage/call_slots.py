"""Which process may make how many calls to a site at the same time? Leases by the database's clock, shared by all.

Decides nothing: `addon.jira.slots` says what is wanted. A lease that nobody renews is over, whatever became of its holder.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg

from lifecycle.tenant import TenantId

LEASE = """
    WITH open AS (
        SELECT wanted.slot, wanted.rank, known.holder = $2 AND known.until > now() AS is_own
        FROM unnest($3::int[]) WITH ORDINALITY AS wanted (slot, rank)
        LEFT JOIN call_slot AS known ON known.tenant_id = $1 AND known.slot = wanted.slot
        WHERE known.slot IS NULL OR known.holder = $2 OR known.until <= now()
    ), chosen AS (
        SELECT slot FROM open ORDER BY is_own IS TRUE DESC, rank
        -- What is held already may be in use.
        LIMIT least($4::int, greatest(1, (SELECT count(*) FROM open) - $5::int, (SELECT count(*) FROM open WHERE is_own)))
    )
    INSERT INTO call_slot AS held (tenant_id, slot, holder, until)
    SELECT $1, slot, $2, now() + $6::interval FROM chosen ORDER BY slot
    ON CONFLICT (tenant_id, slot) DO UPDATE SET holder = excluded.holder, until = excluded.until
    -- Somebody may have been quicker.
    WHERE held.holder = excluded.holder OR held.until <= now()
    RETURNING slot
"""

END_OTHERS = """
    UPDATE call_slot SET until = now() WHERE tenant_id = $1 AND holder = $2 AND slot <> ALL($3::int[]) AND until > now()
"""

SET_FREE = """
    UPDATE call_slot SET until = least(until, now() + $3::interval)
    WHERE tenant_id = $1 AND holder = $2
"""

FORGET = """
    -- all tenants: leases that are long over mean nothing to anybody
    DELETE FROM call_slot WHERE until < now() - interval '1 day'
"""


async def lease(
    raw: asyncpg.Connection,
    tenant_id: TenantId,
    *,
    holder: UUID,
    among: Sequence[int],
    most: int,
    leave: int,
    last: timedelta,
) -> int:
    """See `addon.jira.slots.Leases`. Whatever the holder had beyond that ends."""
    kept = [row["slot"] for row in await raw.fetch(LEASE, tenant_id, holder, list(among), most, leave, last)]
    await raw.execute(END_OTHERS, tenant_id, holder, kept)
    return len(kept)


async def set_free(raw: asyncpg.Connection, tenant_id: TenantId, *, holder: UUID, after: timedelta) -> None:
    """See `addon.jira.slots.Leases`."""
    await raw.execute(SET_FREE, tenant_id, holder, after)


async def forget(raw: asyncpg.Connection) -> None:
    """Remove what is long over."""
    await raw.execute(FORGET)
