from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.sync import quota
from addon.sync.quota import Later, Loan, Spent

NOW = datetime(2026, 11, 22, 9, 20, tzinfo=UTC)
HOUR_END = datetime(2026, 11, 22, 10, tzinfo=UTC)
BUDGET = "the hourly API budget"
SHARE = "this site's share of the hourly API budget"

points = st.integers(0, 100_000)


@pytest.mark.parametrize(
    ("left", "own", "others", "part"),
    [
        (900, 0, [], 900),
        (900, 5_000, [], 900),
        (900, 0, [0], 450),
        (900, 0, [0, 0], 300),
        (901, 0, [0, 0], 300),
        # Who came later catches up first.
        (900, 0, [600], 750),
        (900, 600, [0], 150),
        # Who stands higher than the others can rise gets nothing more.
        (900, 2_000, [0, 0], 0),
        (900, 0, [2_000, 0], 450),
        (0, 0, [], 0),
        (0, 0, [7], 0),
        (-40, 0, [], 0),
    ],
)
def test_share_is_poured_to_the_lowest_first(left: int, own: int, others: list[int], part: int) -> None:
    assert quota.share(left, own=own, others=others) == part


@given(left=points, taken=st.lists(points, min_size=1, max_size=30))
def test_shares_are_fair_and_never_more_than_there_is(left: int, taken: list[int]) -> None:
    shares = [quota.share(left, own=own, others=taken[:i] + taken[i + 1 :]) for i, own in enumerate(taken)]
    assert left - len(taken) < sum(shares) <= left
    levels = [own + part for own, part in zip(taken, shares, strict=True)]
    # Whoever gets something ends at the same height, and nobody who gets something ends above one who gets nothing.
    served = {level for level, part in zip(levels, shares, strict=True) if part}
    assert len(served) <= 1
    assert all(level >= max(served, default=0) for level, part in zip(levels, shares, strict=True) if not part)


@given(left=points, own=points, others=st.lists(points, max_size=30), more=st.integers(0, 1_000))
def test_share_grows_with_what_is_left_and_shrinks_with_what_was_taken(
    left: int, own: int, others: list[int], more: int
) -> None:
    part = quota.share(left, own=own, others=others)
    assert quota.share(left + more, own=own, others=others) >= part
    assert quota.share(left, own=own + more, others=others) <= part
    assert quota.share(left, own=own, others=[*others, 0]) <= part


def grant(spent: Spent, *, need: int = 100, is_awaited: bool = False, now: datetime = NOW) -> Loan | Later:
    return quota.grant(spent, quota=10_000, need=need, wanted=1_000, is_awaited=is_awaited, now=now)


def a_spent(taken: int = 0, background: int | None = None, own: int = 0, others: list[int] | None = None) -> Spent:
    return Spent(
        taken=taken,
        background=taken if background is None else background,
        own=own,
        others=[] if others is None else others,
    )


@pytest.mark.parametrize(
    ("spent", "is_awaited", "outcome"),
    [
        (a_spent(), False, Loan(points=1_000)),
        (a_spent(6_000), False, Loan(points=500)),
        (a_spent(6_401), False, Later(until=HOUR_END, what=BUDGET)),
        # What people took counts for the whole, not for the 65 %.
        (a_spent(3_000, background=0), False, Loan(points=1_000)),
        (a_spent(9_300, background=6_000), False, Loan(points=200)),
        (a_spent(9_450, background=6_000), False, Later(until=HOUR_END, what=BUDGET)),
        # People may use the rest.
        (a_spent(6_500), True, Loan(points=1_000)),
        (a_spent(9_400), True, Loan(points=100)),
        (a_spent(9_401), True, Later(until=HOUR_END, what=BUDGET)),
        # While another wants points too.
        (a_spent(6_000, own=3_000, others=[3_000]), False, Loan(points=250)),
        (a_spent(5_000, own=5_000, others=[0]), False, Later(until=NOW + quota.SHARE_DELAY, what=SHARE)),
        (a_spent(5_000, own=0, others=[5_000]), False, Loan(points=1_000)),
        (a_spent(5_000, own=5_000, others=[0]), True, Loan(points=1_000)),
    ],
)
def test_loan_by_what_the_hour_has_left(spent: Spent, is_awaited: bool, outcome: Loan | Later) -> None:  # noqa: FBT001 - a column of the table
    assert grant(spent, is_awaited=is_awaited) == outcome


@pytest.mark.parametrize(("taken", "is_lent"), [(9_401, True), (9_980, True), (9_981, False)])
def test_last_points_are_for_small_calls(taken: int, is_lent: bool) -> None:  # noqa: FBT001 - a column of the table
    small = quota.grant(
        a_spent(taken, background=0), quota=10_000, need=quota.SMALL, wanted=quota.SMALL, is_awaited=True, now=NOW
    )
    assert isinstance(small, Loan) is is_lent
    assert isinstance(grant(a_spent(taken, background=0), is_awaited=True), Later)


@pytest.mark.parametrize(
    ("outcome", "is_awaited", "is_wanting"),
    [
        (Loan(points=100), False, True),
        (Loan(points=101), False, False),
        (Later(until=HOUR_END, what=BUDGET), False, True),
        (Loan(points=100), True, False),
        (Later(until=HOUR_END, what=BUDGET), True, False),
    ],
)
def test_who_needed_more_still_wants_some(outcome: Loan | Later, is_awaited: bool, is_wanting: bool) -> None:  # noqa: FBT001 - columns of the table
    assert quota.is_wanting(outcome, need=100, is_awaited=is_awaited) is is_wanting


def test_wait_for_a_share_ends_with_the_hour() -> None:
    late = HOUR_END - timedelta(seconds=10)
    outcome = grant(a_spent(5_000, own=5_000, others=[0]), now=late)
    assert outcome == Later(until=HOUR_END, what=SHARE)


@given(
    taken=st.lists(st.integers(0, 100), min_size=1, max_size=2_000),
    need=st.integers(1, 200),
    more=st.integers(0, 50),
)
def test_somebody_always_goes_on_while_there_is_enough_for_one(taken: list[int], need: int, more: int) -> None:
    background = min(sum(taken), 6_500 - need - more)
    if background < 0:
        return
    outcomes = [
        grant(a_spent(background, own=own, others=taken[:i] + taken[i + 1 :]), need=need)
        for i, own in enumerate(taken)
        if own == min(taken)
    ]
    assert all(isinstance(outcome, Loan) and outcome.points >= need for outcome in outcomes)


@given(
    taken=st.integers(0, 10_000),
    own=st.integers(0, 10_000),
    others=st.lists(st.integers(0, 10_000), max_size=5),
    need=st.integers(1, 300),
    is_awaited=st.booleans(),
)
def test_no_loan_leads_beyond_the_quota(taken: int, own: int, others: list[int], need: int, is_awaited: bool) -> None:  # noqa: FBT001 - drawn
    outcome = grant(a_spent(taken, own=own, others=others), need=need, is_awaited=is_awaited)
    if isinstance(outcome, Loan):
        assert need <= outcome.points
        assert taken + outcome.points <= (10_000 if is_awaited else 6_500)


def test_hours_are_those_of_utc() -> None:
    in_india = datetime.fromisoformat("2026-11-22T14:50:00+05:30")
    assert quota.hour_of(in_india) == datetime(2026, 11, 22, 9, tzinfo=UTC)
