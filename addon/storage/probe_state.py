"""When is a site probed next, and how fresh does that keep it? One row per tenant, from its first whole scan on."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from addon.storage.database import TenantScope
from addon.sync import probe
from addon.sync.probe import Pace


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """`probed_at`: when the last round began. `found_at`: when one last found somebody of whom no event had told."""

    probed_at: datetime | None
    found_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How long somebody of whom no event told stays unknown at most: a user of Jira, and a customer who asks nothing."""

    users: timedelta
    customers: timedelta


async def watch(scope: TenantScope, *, now: datetime) -> None:
    """From now on the site is probed. It counts as moving, since a first run reads for long."""
    await scope.execute(
        """
        INSERT INTO probe_state (tenant_id, due_at, found_at, interval_s, rounds)
        VALUES (:tenant_id, :due_at, :now, :interval_s, 1) ON CONFLICT DO NOTHING
        """,
        now=now,
        due_at=now + probe.ROUND,
        interval_s=int(probe.ROUND.total_seconds()),
    )


async def forget(scope: TenantScope) -> None:
    await scope.execute("DELETE FROM probe_state WHERE tenant_id = :tenant_id")


async def read(scope: TenantScope) -> Probed | None:
    """None where there is nothing to compare with yet."""
    row = await scope.fetch_one("SELECT probed_at, found_at FROM probe_state WHERE tenant_id = :tenant_id")
    return None if row is None else Probed(**row)


async def begin(scope: TenantScope, pace: Pace, *, rounds: int, now: datetime) -> None:
    """A round begins; `rounds` of them look at every list. The next is due whatever becomes of this one."""
    await scope.execute(
        """
        UPDATE probe_state SET due_at = :due_at, interval_s = :interval_s, rounds = :rounds
        WHERE tenant_id = :tenant_id
        """,
        due_at=now + pace.interval,
        interval_s=int(pace.interval.total_seconds()),
        rounds=rounds,
    )


async def end(scope: TenantScope, *, began: datetime, has_met_strangers: bool) -> None:
    """The round that began then has looked at all it meant to."""
    await scope.execute(
        """
        UPDATE probe_state SET probed_at = :began,
            found_at = CASE WHEN :has_met_strangers THEN :began ELSE found_at END
        WHERE tenant_id = :tenant_id
        """,
        began=began,
        has_met_strangers=has_met_strangers,
    )


async def tenants(scope: TenantScope) -> int:
    """How many sites share the app's quota."""
    # all tenants: the registry says no more than that they are there
    found: int = await scope.fetch_val(
        "SELECT count(*) FROM tenant WHERE state IN ('installed', 'enabled') OR tenant_id = :tenant_id"
    )
    return found


async def freshness(scope: TenantScope) -> Freshness | None:
    """None while nothing is probed."""
    row = await scope.fetch_one("SELECT interval_s, rounds FROM probe_state WHERE tenant_id = :tenant_id")
    if row is None:
        return None
    interval = timedelta(seconds=row["interval_s"])
    return Freshness(users=interval, customers=interval * row["rounds"])
