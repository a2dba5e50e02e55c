"""When is it a tenant's turn for what happens once in a while? Pure. The turns of many tenants are spread over the period."""

from datetime import UTC, datetime, timedelta

from lifecycle.tenant import TenantId

WHOLE_SCAN = timedelta(days=1)
# A site is read from beginning to end as often as this at least.

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def latest(tenant_id: TenantId, period: timedelta, now: datetime) -> datetime:
    """The tenant's last turn before or at `now`: ids are random, and so are the places of their turns in the period."""
    first = EPOCH + (tenant_id.int % 1_000_000) / 1_000_000 * period
    return first + (now - first) // period * period


def next_scan(tenant_id: TenantId, last_began: datetime | None, now: datetime) -> datetime:
    """When the tenant's next whole scan is due; in the past where one is due by now."""
    turn = latest(tenant_id, WHOLE_SCAN, now)
    return turn if last_began is None or last_began < turn else turn + WHOLE_SCAN
