"""The search is compared with a model: a list in a secret order, read page by page, changed, and looked at again."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from addon.sync import bisect
from addon.sync.bisect import Findings, Look
from addon.sync.order import Order, Stretch
from lifecycle.tenant import AccountId

PAGE = 50
MANY = 10_000


@dataclass(slots=True, kw_only=True)
class Group:
    """A list of Jira's. Who is `hidden` takes a place and is not shown."""

    members: list[AccountId]
    hidden: set[AccountId] = field(default_factory=set)
    looks: list[Look] = field(default_factory=list)

    def show(self, place: int, count: int) -> list[AccountId]:
        return [who for who in self.members[place : place + count] if who not in self.hidden]

    def read(self) -> Order:
        starts = range(0, max(len(self.members), 1), PAGE)
        pages = [(start, self.members[start : start + PAGE]) for start in starts]
        return Order([Stretch(start=s, slots=len(p), account_ids=self.show(s, PAGE)) for s, p in pages])

    def search(self, order: Order, *, most: int = 1000, tail: int = 0) -> Findings:
        seen = dict(enumerate(self.members[order.length :][:tail], order.length))
        steps = bisect.search(order, len(self.members), seen, most=most)
        try:
            look = next(steps)
            while True:
                assert 0 <= look.place < len(self.members)
                self.looks.append(look)
                look = steps.send(self.show(look.place, look.count))
        except StopIteration as stop:
            findings: Findings = stop.value
            return findings

    @property
    def points(self) -> int:
        return sum(1 + 2 * look.count for look in self.looks)


def a_group(size: int, *, hidden: float = 0.0, seed: int = 1) -> Group:
    draw = random.Random(seed)
    members = [AccountId(f"{number:06}-old") for number in range(size)]
    return Group(members=members, hidden={who for who in members if draw.random() < hidden})


def after(order: Order, findings: Findings) -> Order:
    changed = findings.stretches
    kept = [changed.get(stretch.start, stretch) for stretch in order.stretches]
    return Order([stretch for stretch in kept if stretch is not None])


def shown(order: Order) -> list[AccountId]:
    return [who for stretch in order.stretches for who in stretch.account_ids]


@pytest.mark.parametrize("hidden", [0.0, 0.02])
@pytest.mark.parametrize("place", [0, 1, 49, 50, 51, 4_999, 5_000, 7_777, 9_999, 10_000])
def test_arrival_among_ten_thousand_is_found_in_some_fifteen_looks(place: int, hidden: float) -> None:
    group = a_group(MANY, hidden=hidden)
    order = group.read()
    group.members.insert(place, AccountId("new"))
    findings = group.search(order)
    assert (findings.arrived, findings.departed, findings.outcome) == (["new"], [], "settled")
    assert group.points <= 3 * 25
    assert after(order, findings).length == MANY + 1


def test_arrivals_everywhere_take_some_fifteen_looks_on_average() -> None:
    spent: list[int] = []
    draw = random.Random(7)
    for seed in range(40):
        group = a_group(MANY, hidden=0.02, seed=seed)
        order = group.read()
        group.members.insert(draw.randrange(MANY), AccountId("new"))
        assert group.search(order).arrived == ["new"]
        spent.append(group.points)
    assert sum(spent) / len(spent) <= 3 * 17


@pytest.mark.parametrize("place", [0, 49, 50, 5_000, 9_999])
def test_departure_among_ten_thousand_is_found_likewise(place: int) -> None:
    group = a_group(MANY)
    order = group.read()
    gone = group.members.pop(place)
    findings = group.search(order)
    assert (findings.arrived, findings.departed, findings.outcome) == ([], [gone], "settled")
    assert group.points <= 3 * 17
    assert shown(after(order, findings)) == group.members


def test_newcomers_behind_the_known_end_need_no_further_look() -> None:
    group = a_group(120)
    order = group.read()
    group.members += [AccountId("new-1"), AccountId("new-2")]
    findings = group.search(order, tail=10)
    assert (findings.arrived, group.looks) == (["new-1", "new-2"], [])
    assert shown(after(order, findings)) == group.members


def test_first_one_of_an_empty_list_is_found() -> None:
    group = a_group(0)
    order = group.read()
    group.members.append(AccountId("new"))
    assert group.search(order).arrived == ["new"]


def test_search_that_may_not_go_on_keeps_what_it_found_and_is_carried_on() -> None:
    group = a_group(2_000)
    order = group.read()
    for place in (1_900, 1_000, 100):
        group.members.insert(place, AccountId(f"new-{place}"))
    found: list[AccountId] = []
    for _ in range(10):
        findings = group.search(order, most=14)
        order = after(order, findings)
        found += findings.arrived
        if findings.outcome == "settled":
            break
    assert sorted(found) == ["new-100", "new-1000", "new-1900"]
    assert shown(order) == group.members


def test_list_in_another_order_ends_the_search() -> None:
    group = a_group(3_000)
    order = group.read()
    random.Random(3).shuffle(group.members)
    group.members.append(AccountId("new"))
    findings = group.search(order, most=60)
    assert findings.outcome != "settled" or findings.arrived == ["new"]
    assert len(group.looks) <= 60


def _moved(members: Sequence[AccountId], places: Sequence[int], *, prefix: str) -> list[AccountId]:
    result = list(members)
    for number, place in enumerate(places):
        result.insert(place % (len(result) + 1), AccountId(f"{prefix}-{number}"))
    return result


@settings(max_examples=200, deadline=None)
@given(
    size=st.integers(0, 400),
    hidden=st.sampled_from([0.0, 0.02, 0.3]),
    places=st.lists(st.integers(0, 10_000), min_size=1, max_size=5),
    seed=st.integers(0, 1000),
)
def test_whoever_came_is_found_and_nobody_else(size: int, hidden: float, places: list[int], seed: int) -> None:
    group = a_group(size, hidden=hidden, seed=seed)
    order = group.read()
    group.members = _moved(group.members, places, prefix="new")
    findings = group.search(order)
    newcomers = {who for who in group.members if who.startswith("new")}
    assert (findings.outcome, set(findings.arrived)) == ("settled", newcomers)
    repaired = after(order, findings)
    assert repaired.length == len(group.members)
    assert sorted(shown(repaired)) == sorted(who for who in group.members if who not in group.hidden)


@settings(max_examples=200, deadline=None)
@given(
    size=st.integers(1, 400),
    hidden=st.sampled_from([0.0, 0.02]),
    gone=st.lists(st.integers(0, 10_000), min_size=1, max_size=4),
    seed=st.integers(0, 1000),
)
@example(size=1, hidden=0.02, gone=[0], seed=206)  # the only place of a list, where nobody was shown, went
def test_whoever_went_is_found_and_nobody_else(size: int, hidden: float, gone: list[int], seed: int) -> None:
    group = a_group(size, hidden=hidden, seed=seed)
    order = group.read()
    departed = {group.members.pop(place % len(group.members)) for place in gone if group.members}
    findings = group.search(order)
    visible = departed - group.hidden
    assert not findings.arrived
    assert set(findings.departed) <= visible
    if not departed & group.hidden:
        assert (findings.outcome, set(findings.departed)) == ("settled", visible)


@settings(max_examples=150, deadline=None)
@given(
    size=st.integers(0, 300),
    places=st.lists(st.integers(0, 10_000), max_size=4),
    gone=st.lists(st.integers(0, 10_000), max_size=4),
    seed=st.integers(0, 1000),
)
def test_mixed_changes_end_the_search_and_invent_nobody(
    size: int, places: list[int], gone: list[int], seed: int
) -> None:
    group = a_group(size, hidden=0.05, seed=seed)
    order = group.read()
    before = set(group.members)
    for place in gone:
        if group.members:
            group.members.pop(place % len(group.members))
    group.members = _moved(group.members, places, prefix="new")
    findings = group.search(order, most=200)
    assert set(findings.arrived) <= set(group.members) - before
    assert not set(findings.departed) & set(findings.arrived)
    assert len(group.looks) <= 200
    assert findings.outcome != "settled" or after(order, findings).length == len(group.members)
