from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.sync import probe
from addon.sync.order import ListKey
from addon.sync.probe import KnownList
from tests.unit.sync.builders import NOW, RUN

USERS = "users"
HOUR = timedelta(hours=1)


def a_list(phase: str, number: int, *, probed: int | None = None, changed: int | None = None) -> KnownList:
    """`probed` and `changed` are minutes ago."""
    return KnownList(
        key=ListKey(phase=phase, container=str(number)),
        run_id=RUN,
        length=10,
        fits=True,
        probed_at=None if probed is None else NOW - timedelta(minutes=probed),
        changed_at=None if changed is None else NOW - timedelta(minutes=changed),
    )


def names(lists: list[KnownList], points: int) -> list[str]:
    return [
        f"{each.key.phase[0]}{each.key.container}" for each in probe.choose(lists, users=USERS, points=points, now=NOW)
    ]


def test_groups_come_first_then_what_moved_then_the_rest_in_turn() -> None:
    lists = [
        a_list("organizations", 1, probed=8),
        a_list("organizations", 2, probed=16),
        a_list("organizations", 3, probed=4, changed=10),
        a_list("customers", 1),
        a_list(USERS, 1, probed=4),
    ]
    assert names(lists, 9) == ["u1", "o3", "c1", "o2", "o1"]
    assert names(lists, 3) == ["u1", "o3", "c1"]


def test_lists_that_always_move_leave_half_of_the_looks_to_the_others() -> None:
    moving = [a_list("customers", number, probed=4, changed=4) for number in range(10)]
    still = [a_list("organizations", number, probed=60) for number in range(10)]
    assert names([*moving, *still], 10)[5:] == ["o0", "o1", "o2", "o3", "o4"]


@pytest.mark.parametrize(
    ("quota", "tenants", "minutes_since_found", "minutes", "points"),
    [
        (65_000, 1, 60, 4, probe.QUIET_POINTS),
        (65_000, 1, 5, 4, probe.BUSY_POINTS),
        (65_000, 10, 60, 4, probe.QUIET_POINTS),
        (65_000, 10, 5, 4, 140),
        (65_000, 100, 5, 5.1, probe.QUIET_POINTS),
        (65_000, 1000, 60, 51.4, probe.QUIET_POINTS),
    ],
)
def test_pace_stretches_with_the_number_of_sites(
    quota: int, tenants: int, minutes_since_found: int, minutes: float, points: int
) -> None:
    found_at = NOW - timedelta(minutes=minutes_since_found)
    pace = probe.pace(quota=quota, tenants=tenants, found_at=found_at, now=NOW)
    assert pace.interval / timedelta(minutes=1) == pytest.approx(minutes, abs=0.5)
    assert pace.points == pytest.approx(points, abs=1)


@given(st.integers(1, 10_000_000), st.integers(1, 100_000), st.integers(0, 600))
def test_all_sites_together_stay_within_the_part_that_is_for_probes(quota: int, tenants: int, minutes: int) -> None:
    pace = probe.pace(quota=quota, tenants=tenants, found_at=NOW - timedelta(minutes=minutes), now=NOW)
    share = quota * 0.65 * 0.5 / tenants
    assert pace.interval >= probe.ROUND
    assert pace.points * (HOUR / pace.interval) <= max(share, 1) * 1.01


def test_issues_are_looked_for_since_the_round_before() -> None:
    assert probe.since(NOW - timedelta(minutes=9), NOW) == timedelta(minutes=9) + probe.INDEX_DELAY
    assert probe.since(None, NOW) == probe.ROUND + probe.INDEX_DELAY
