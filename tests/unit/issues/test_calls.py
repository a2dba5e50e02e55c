"""Every issue in one call, every call within Jira's limits, and no way to write them for fewer points."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.crm.company import CompanyId, CompanyRef
from addon.issues import calls
from addon.issues.calls import Call, Limits, Pending, plan_calls

SMALL = Limits(bulk=4, mixed=3)


def a_company(number: int) -> CompanyRef:
    return CompanyRef(company_id=CompanyId(number), name=f"Company {number}")


def pending(*sizes: int, cleared: int = 0) -> list[Pending]:
    """So many issues of each company, and so many that lose theirs."""
    companies = [a_company(number) for number, size in enumerate(sizes, start=1) for _ in range(size)]
    wanted = [*companies, *[None] * cleared]
    return [Pending(issue_id=place, company=company) for place, company in enumerate(wanted, start=1)]


def shape(planned: Sequence[Call]) -> list[tuple[str, int]]:
    return sorted((call.kind, len(call.items)) for call in planned)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (pending(), []),
        (pending(1), [("single", 1)]),
        (pending(2), [("bulk", 2)]),
        (pending(1, 1), [("mixed", 2)]),
        (pending(99), [("bulk", 99)]),
        (pending(100), [("bulk", 100)]),
        (pending(60, 60), [("bulk", 20), ("mixed", 100)]),
        (pending(60, 41), [("mixed", 100), ("single", 1)]),
        (pending(500, 30, 20), [("bulk", 500), ("mixed", 50)]),
        (pending(10_000), [("bulk", 10_000)]),
        (pending(10_001), [("bulk", 10_000), ("single", 1)]),
        (pending(25_000), [("bulk", 5_000), ("bulk", 10_000), ("bulk", 10_000)]),
        (pending(cleared=1), [("single", 1)]),
        (pending(cleared=10_002), [("clear", 2), ("clear", 10_000)]),
        (pending(2, cleared=2), [("bulk", 2), ("clear", 2)]),
    ],
)
def test_plan_of_a_shape(wanted: list[Pending], expected: list[tuple[str, int]]) -> None:
    assert shape(plan_calls(wanted)) == expected


def test_issue_that_was_refused_before_spoils_no_call_for_many() -> None:
    suspect = Pending(issue_id=999, company=a_company(1), is_alone=True)
    assert shape(plan_calls([*pending(50), suspect])) == [("bulk", 50), ("single", 1)]


@st.composite
def some_pending(draw: st.DrawFn) -> list[Pending]:
    sizes = draw(st.lists(st.integers(0, 9), max_size=6))
    drawn = draw(st.permutations(pending(*sizes, cleared=draw(st.integers(0, 9)))))
    suspects = draw(st.sets(st.sampled_from([each.issue_id for each in drawn]))) if drawn else set()
    return [Pending(issue_id=each.issue_id, company=each.company, is_alone=each.issue_id in suspects) for each in drawn]


@given(some_pending())
def test_every_issue_is_written_once_within_the_limits(wanted: list[Pending]) -> None:
    planned = plan_calls(wanted, SMALL)
    assert Counter(each for call in planned for each in call.items) == Counter(wanted)
    for call in planned:
        companies = {each.company for each in call.items}
        match call.kind:
            case "single":
                assert len(call.items) == 1
            case "bulk":
                assert len(companies) == 1
                assert None not in companies
                assert 2 <= len(call.items) <= SMALL.bulk
            case "mixed":
                assert None not in companies
                assert 2 <= len(call.items) <= SMALL.mixed
            case "clear":
                assert companies == {None}
                assert 2 <= len(call.items) <= SMALL.bulk
        assert len(call.items) == 1 or not any(each.is_alone for each in call.items)


@cache
def least_points(sizes: tuple[int, ...], limits: Limits) -> int:
    """By trying every first call that could be made."""
    if not any(sizes):
        return 0
    first = next(place for place, size in enumerate(sizes) if size)
    costs = [1 + least_points(without(sizes, {first: 1}), limits)]
    costs += [
        2 + least_points(without(sizes, {first: taken}), limits)
        for taken in range(2, min(limits.bulk, sizes[first]) + 1)
    ]
    costs += [2 + least_points(without(sizes, taken), limits) for taken in shares(sizes, first, limits.mixed)]
    return min(costs)


def without(sizes: tuple[int, ...], taken: dict[int, int]) -> tuple[int, ...]:
    return tuple(sorted(size - taken.get(place, 0) for place, size in enumerate(sizes)))


def shares(sizes: tuple[int, ...], first: int, most: int) -> Iterator[dict[int, int]]:
    """What a mixed call can take, one of `first` at least."""

    def fill(place: int, left: int) -> Iterator[dict[int, int]]:
        if place == len(sizes):
            yield {}
            return
        least = 1 if place == first else 0
        for taken in range(least, min(left, sizes[place]) + 1):
            for rest in fill(place + 1, left - taken):
                yield {place: taken, **rest}

    yield from fill(first, most)


@given(
    st.lists(st.integers(0, 7), max_size=4), st.sampled_from([SMALL, Limits(bulk=3, mixed=2), Limits(bulk=5, mixed=2)])
)
def test_no_way_costs_fewer_points(sizes: list[int], limits: Limits) -> None:
    planned = plan_calls(pending(*sizes), limits)
    assert sum(call.points for call in planned) == least_points(tuple(sorted(sizes)), limits)


@pytest.mark.parametrize(
    ("wanted", "points"),
    [
        (pending(100), 0),
        (pending(1), 0),
        (pending(30, 30), 1),
        (pending(cleared=1_000), 1),
        (pending(cleared=1_001), 2),
    ],
)
def test_what_jira_passes_over_is_asked_for_a_thousand_at_a_time(wanted: list[Pending], points: int) -> None:
    [call] = plan_calls(wanted)
    assert call.check_points == points


@given(st.integers(2, 40))
def test_halves_hold_the_same_issues_and_end_as_singles(size: int) -> None:
    [call] = plan_calls(pending(size))
    open_calls, singles = [call], []
    while open_calls:
        halves = calls.halve(open_calls.pop())
        singles += [half for half in halves if half.kind == "single"]
        open_calls += [half for half in halves if half.kind != "single"]
    assert sorted(each.issue_id for half in singles for each in half.items) == list(range(1, size + 1))
    assert all(len(half.items) == 1 for half in singles)


def test_looks_at_a_task_come_later_and_later_but_come() -> None:
    delays = [calls.look_delay(10_000, looks) for looks in range(100)]
    assert delays[0] == timedelta(seconds=22)
    assert delays == sorted(delays)
    assert delays[-1] == calls.LONGEST_LOOK
    assert calls.look_delay(1, 0) < timedelta(seconds=3)
