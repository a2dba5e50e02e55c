"""Turns come once in a period, and those of many tenants are spread over it."""

import itertools
import uuid
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from addon.sync import slots
from lifecycle.tenant import TenantId

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)

moments = st.datetimes(min_value=datetime(2025, 1, 1), max_value=datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - Hypothesis adds the zone
tenants = st.uuids(version=4).map(TenantId)
periods = st.sampled_from([timedelta(minutes=7), timedelta(hours=1), DAY])


@given(tenants, periods, moments)
def test_last_turn_is_less_than_a_period_ago(tenant_id: TenantId, period: timedelta, now: datetime) -> None:
    turn = slots.latest(tenant_id, period, now)
    assert turn <= now < turn + period


@given(tenants, periods, moments)
def test_turns_follow_each_other_by_a_period(tenant_id: TenantId, period: timedelta, now: datetime) -> None:
    assert slots.latest(tenant_id, period, now + period) == slots.latest(tenant_id, period, now) + period


def test_tenants_are_spread_over_the_period() -> None:
    places = sorted(NOW - slots.latest(TenantId(uuid.uuid4()), DAY, NOW) for _ in range(400))
    assert max(later - earlier for earlier, later in itertools.pairwise(places)) < timedelta(hours=1)
