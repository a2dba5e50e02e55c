"""The store of issues against one that is too simple to be wrong: a list that is sorted anew for each question."""

import dataclasses
import random
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.issue_store import REMEMBERED, Issues, Range
from sandbox.issues import ORDERS, Issue, Order

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def create(store: Issues, at: datetime, *, written_at: datetime | None = None, project: str = "SD1") -> Issue:
    return store.create(project_id="1", project_key=project, reporter_id=None, summary="", at=at, written_at=written_at)


def look(issues: dict[int, Issue], part: Range) -> list[Issue]:
    kept = [each for each in issues.values() if part.holds(each)]
    return sorted(kept, key=lambda each: each.place(part.order), reverse=part.descending)


@pytest.mark.parametrize("seed", range(5))
def test_walk_and_recall_are_what_a_plain_list_says(seed: int) -> None:
    dice = random.Random(seed)
    store, plain = Issues(), dict[int, Issue]()
    history: list[tuple[datetime, dict[int, Issue]]] = []
    now = START
    for step in range(120):
        now += MINUTE * dice.randint(0, 1)
        match dice.randrange(4) if plain else 0:
            case 0 | 1:
                age = timedelta(days=dice.choice((0, 0, 3)))
                made = create(store, now - age, written_at=now, project=dice.choice(("SD1", "SD2")))
                plain[made.number] = made
            case 2:
                before = plain[dice.choice(list(plain))]
                plain[before.number] = dataclasses.replace(before, updated=now, summary=str(step))
                store.put(plain[before.number], written_at=now)
            case _:
                gone = dice.choice(list(plain))
                store.delete(gone, written_at=now)
                del plain[gone]
        history.append((now, dict(plain)))
        for order in ORDERS:
            check(store, plain, draw_range(dice, order, plain, now))
    for moment in (now - MINUTE * minutes for minutes in (0, 1, 7, 30)):
        then = next((issues for at, issues in reversed(history) if at <= moment), {})
        for order in ORDERS:
            part = draw_range(dice, order, then, now)
            assert list(store.walk(part, past=store.recall(moment))) == look(then, part)


def draw_range(dice: random.Random, order: Order, issues: dict[int, Issue], now: datetime) -> Range:
    bounds = [None, now - MINUTE * dice.randint(0, 60), now - timedelta(days=dice.randint(0, 4))]
    after = dice.choice([None, *(each.place(order) for each in issues.values())])
    is_key = order == "key"
    return Range(
        order=order,
        descending=dice.random() < 1 / 2,
        since=None if is_key else dice.choice(bounds),
        until=None if is_key else dice.choice(bounds),
        after=after,
    )


def check(store: Issues, plain: dict[int, Issue], part: Range) -> None:
    assert list(store.walk(part)) == look(plain, part)
    assert len(store) == len(plain)


def test_what_was_long_ago_is_forgotten() -> None:
    store = Issues()
    create(store, START)
    create(store, START + REMEMBERED + MINUTE)
    assert len(store.recall(START - MINUTE)) == 1


def test_issue_is_found_by_id_and_by_key_until_it_is_gone() -> None:
    store = Issues()
    made = create(store, START)
    for name in (made.issue_id, made.key, made.key.lower()):
        assert store.find(name) == made
    store.delete(made.number, written_at=START)
    for name in (made.issue_id, made.key, "9" * 5000, "", "-1", "٣"):
        assert store.find(name) is None
