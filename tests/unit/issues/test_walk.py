"""The reading of old issues goes on from wherever it stood, and leaves none out."""

from datetime import UTC, datetime, timedelta

import pytest

from addon.issues import allowance, walk
from addon.issues.walk import CatchUp, Place

NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)


def test_open_issues_come_first_then_the_rest_then_the_end() -> None:
    place = Place()
    assert walk.query(place, NOW) == "statusCategory != Done ORDER BY created DESC"
    place = walk.next_phase(place)
    assert walk.query(place, NOW) == "statusCategory = Done ORDER BY created DESC"
    assert walk.next_phase(place) == Place(phase="done")
    with pytest.raises(ValueError, match="nothing is left"):
        walk.query(Place(phase="done"), NOW)


def test_token_goes_with_the_query_that_it_was_given_for() -> None:
    jql = walk.query(Place(), NOW)
    place = walk.following(Place(), jql=jql, read=100, last=NOW - timedelta(hours=1), token="t")
    assert (place.token, place.is_read, place.unlooked) == ("t", False, 100)
    assert walk.query(place, NOW + timedelta(days=1)) == jql


def test_without_its_token_it_goes_on_from_the_age_of_the_last_issue() -> None:
    last = NOW - timedelta(minutes=90, seconds=59)
    place = walk.without_token(walk.following(Place(), jql="j", read=100, last=last, token="t"))
    assert walk.query(place, NOW) == "statusCategory != Done AND created <= -90m ORDER BY created DESC"
    assert NOW - timedelta(minutes=90) >= last, "the last issue itself is read again rather than left out"


def test_last_page_ends_the_phase_and_keeps_where_it_stood() -> None:
    last = NOW - timedelta(hours=1)
    place = walk.following(Place(last=last), jql="j", read=0, last=None, token=None)
    assert (place.is_read, place.last) == (True, last)


@pytest.mark.parametrize(
    "place",
    [
        Place(),
        Place(phase="rest", token="t", jql="j", last=NOW, unlooked=300),
        Place(phase="rest", last=NOW, is_read=True),
    ],
)
def test_place_survives_being_kept(place: Place) -> None:
    assert Place.from_json(place.phase, place.to_json()) == place
    assert Place.from_json("open", None) == Place()


@pytest.mark.parametrize(
    ("since", "ago"),
    [
        (timedelta(), "-10m"),
        (timedelta(hours=1), "-70m"),
        (timedelta(seconds=30), "-11m"),
        (timedelta(days=2), "-49h"),
        (timedelta(days=89, hours=23), "-2160h"),
        (timedelta(days=400), "-401d"),
    ],
)
def test_catching_up_asks_rather_too_far_back(since: timedelta, ago: str) -> None:
    asked = walk.catch_up(NOW - since, NOW)
    expected = f"(created >= {ago} OR reporter CHANGED AFTER {ago}) ORDER BY created DESC"
    assert (asked.jql, asked.began, asked.token) == (expected, NOW, None)
    assert CatchUp.from_json(asked.to_json()) == asked


def test_share_is_one_of_what_background_work_may_take_of_this_hour() -> None:
    hour = NOW.replace(minute=0)
    now = allowance.of(points_per_hour=65_000, percent=25, hour=hour, spent=10_000)
    assert now.left(NOW) == 65_000 * 65 // 100 * 25 // 100 - 10_000
    assert now.left(NOW + timedelta(hours=1)) == now.per_hour
    assert allowance.of(points_per_hour=65_000, percent=0, hour=None, spent=0).left(NOW) == 0
    assert allowance.of(points_per_hour=100, percent=10, hour=hour, spent=999).left(NOW) == 0
    assert allowance.until(NOW) == hour + timedelta(hours=1)
