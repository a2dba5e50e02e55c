import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.sync import cursor as cursors
from addon.sync.cursor import Cursor, Place

PHASES = ("users", "customers")

places = st.builds(
    Place,
    container=st.text(max_size=8),
    start=st.integers(min_value=0, max_value=10**7),
    total=st.none() | st.integers(min_value=0, max_value=10**7),
)
any_cursor = st.builds(
    Cursor,
    phase=st.sampled_from([*PHASES, cursors.VERIFY, cursors.DONE]),
    next_containers=st.none() | st.integers(min_value=0),
    places=st.lists(places, max_size=4).map(tuple),
    verified_to=st.text(max_size=8),
)


@given(any_cursor)
def test_cursor_survives_its_json_form(cursor: Cursor) -> None:
    assert Cursor.from_json(json.loads(json.dumps(cursor.to_json()))) == cursor


def test_run_goes_through_the_phases_and_then_verifies() -> None:
    cursor = cursors.first(PHASES)
    assert (cursor.phase, cursor.next_containers) == ("users", 0)
    second = cursors.following(cursor, PHASES)
    assert (second.phase, second.next_containers) == ("customers", 0)
    assert cursors.following(second, PHASES) == Cursor(phase=cursors.VERIFY, next_containers=None)


def test_phase_is_read_once_every_container_is_listed_and_read_to_its_end() -> None:
    cursor = cursors.first(PHASES)
    assert not cursor.is_phase_read
    listed = cursor.listed(["a", "b"], None)
    assert not listed.is_phase_read
    half = listed.read(listed.places[:1], [None])
    assert [place.container for place in half.places] == ["b"]
    assert half.read(half.places, [None]).is_phase_read
    assert not cursor.listed([], 50).is_phase_read


def test_place_that_goes_on_stays_in_front() -> None:
    cursor = Cursor(phase="users", next_containers=None, places=(Place(container="a"), Place(container="b")))
    moved = cursor.read(cursor.places[:1], [Place(container="a", start=50, total=120)])
    assert [(place.container, place.start) for place in moved.places] == [("a", 50), ("b", 0)]


@pytest.mark.parametrize(
    ("next_containers", "places_left", "remaining"),
    [
        (50, [], None),  # there may be more containers
        (None, [], 0),
        (None, [Place(container="a", start=50, total=120)], 70),
        (None, [Place(container="a", start=50, total=120), Place(container="b")], None),
        (None, [Place(container="a", start=50, total=120), Place(container="b", total=10)], 80),
        (None, [Place(container="a", start=50, total=40)], 0),  # the container shrank meanwhile
    ],
)
def test_remaining_counts_people_where_every_size_is_known(
    next_containers: int | None, places_left: list[Place], remaining: int | None
) -> None:
    assert Cursor(phase="users", next_containers=next_containers, places=places_left).remaining == remaining
