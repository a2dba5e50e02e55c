import pytest

from addon.sync import guard


@pytest.mark.parametrize(
    ("gone", "links", "is_plausible"),
    [
        (0, 0, True),
        (1, 1, True),
        (20, 20, True),
        (21, 21, False),
        (21, 400, False),
        (20, 1000, True),
        (50, 1000, True),
        (51, 1000, False),
        (5_000, 100_000, True),
        (5_001, 100_000, False),
    ],
)
def test_more_than_20_and_more_than_5_percent_wait_for_a_person(gone: int, links: int, is_plausible: bool) -> None:  # noqa: FBT001 - a column of the table
    assert guard.is_plausible(gone=gone, links=links) is is_plausible
