from datetime import UTC, datetime, timedelta

import pytest

from sandbox import jql
from sandbox.issues import Issue

NOW = datetime(2026, 11, 22, 9, 45, tzinfo=UTC)


def an_issue(*, age: timedelta = timedelta(0), reporter_id: str = "557058:a", project_key: str = "SD1") -> Issue:
    moment = NOW - age
    return Issue(
        number=10000,
        key=f"{project_key}-1",
        project_id="100",
        project_key=project_key,
        reporter_id=reporter_id,
        summary="Help",
        created=moment,
        updated=moment,
    )


@pytest.mark.parametrize(
    ("text", "age", "holds"),
    [
        ("created >= -10m", timedelta(minutes=10), True),
        ("created > -10m", timedelta(minutes=10), False),
        ("CREATED >= -10m", timedelta(minutes=11), False),
        ("updated >= -2h", timedelta(minutes=119), True),
        ("updated <= '-1d'", timedelta(hours=25), True),
        ("created < -1w", timedelta(days=6), False),
        ('created >= "2026-11-22 09:40"', timedelta(minutes=5), True),
        ('created >= "2026/11/22 09:41"', timedelta(minutes=5), False),
        ("created >= 2026-11-22", timedelta(hours=9), True),
        ("created >= 2026-11-22", timedelta(hours=10), False),
    ],
)
def test_date_condition_compares(text: str, age: timedelta, holds: bool) -> None:  # noqa: FBT001 - a table's last column
    assert jql.parse(text, NOW).holds(an_issue(age=age)) is holds


def test_all_conditions_hold_at_once() -> None:
    query = jql.parse("reporter = '557058:a' and project = sd1 AND created >= -1d", NOW)
    assert query.holds(an_issue())
    assert not query.holds(an_issue(reporter_id="557058:b"))
    assert not query.holds(an_issue(project_key="SD2"))
    assert query.projects == ["sd1"]


def test_order_is_read_and_newest_comes_first_without_one() -> None:
    plain = jql.parse("created >= -1d", NOW)
    assert (plain.order_by, plain.descending) == ("created", True)
    ordered = jql.parse("created >= -1d order by updated asc", NOW)
    assert (ordered.order_by, ordered.descending, ordered.since) == ("updated", False, None)
    assert jql.parse("updated >= -1d ORDER BY updated DESC", NOW).since == NOW - timedelta(days=1)


@pytest.mark.parametrize("text", ["", "  ", "order by created", "created >= -99999d", "created >= -1m )", "; drop"])
def test_what_is_not_understood_is_an_error(text: str) -> None:
    with pytest.raises(jql.JqlError):
        jql.parse(text, NOW)
