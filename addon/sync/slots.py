"""When is it a tenant's turn for what happens once in a while? Pure. The turns of many tenants are spread over the period."""

from datetime import UTC, datetime, timedelta

from lifecycle.tenant import TenantId

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def latest(tenant_id: TenantId, period: timedelta, now: datetime) -> datetime:
    """The tenant's last turn before or at `now`: ids are random, and so are the places of their turns in the period."""
    first = EPOCH + (tenant_id.int % 1_000_000) / 1_000_000 * period
    return first + (now - first) // period * period
