"""What a query means: conditions, the part of the order to walk, and what is refused."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox import fields, jql, jql_terms
from sandbox.issue_store import Range
from sandbox.issues import Issue, StatusCategory

NOW = datetime(2026, 11, 22, 9, 45, tzinfo=UTC)


def an_issue(*, age: timedelta = timedelta(0), **changes: Any) -> Issue:
    moment = NOW - age
    return Issue(
        **{
            "number": 10000,
            "key": "SD1-1",
            "project_id": "100",
            "project_key": "SD1",
            "reporter_id": "557058:a",
            "summary": "Cannot log in",
            "created": moment,
            "updated": moment,
            **changes,
        }
    )


KNOWN = an_issue()


def read_company(issue: Issue) -> list[str]:
    found = fields.follow(issue.properties.get("company"), "name")
    return [] if found is None else [found.casefold()]


VOCABULARY = jql_terms.Vocabulary(
    now=NOW,
    has_person={"557058:a", "557058:b"}.__contains__,
    project_of={"SD1": "SD1", "sd1": "SD1", "100": "SD1", "SD2": "SD2"}.get,
    issue_of={"SD1-1": KNOWN, "10000": KNOWN}.get,
    app_fields={"company": read_company, "cf[10100]": read_company, "issue.property[company].name": read_company},
)


def understand(text: str) -> jql_terms.Search:
    return jql_terms.understand(text, VOCABULARY)


def of_company(name: str) -> Issue:
    return an_issue(properties={"company": {"id": "1", "name": name}})


@pytest.mark.parametrize(
    ("text", "age", "holds"),
    [
        ("created >= -10m", timedelta(minutes=10), True),
        ("created > -10m", timedelta(minutes=10), False),
        ("CREATED >= -10m", timedelta(minutes=11), False),
        ("updated >= -2h", timedelta(minutes=119), True),
        ("updated <= '-1d'", timedelta(hours=25), True),
        ("created < -1w", timedelta(days=6), False),
        ("created <= -123456m", timedelta(days=80), False),
        ("created <= 5d", timedelta(0), True),
        (f"created >= -{'9' * 40}w", timedelta(days=9000), True),
        (f"created <= -{'9' * 9000}m", timedelta(days=9000), False),
        (f"created >= {'9' * 12}d", timedelta(days=9000), False),
        ("created >= -00000000000000000001d", timedelta(hours=20), True),
        ('created >= "2026-11-22 09:40"', timedelta(minutes=5), True),
        ('created >= "2026/11/22 09:41"', timedelta(minutes=5), False),
        ("created >= 2026-11-22", timedelta(hours=9), True),
        ("created >= 2026-11-22", timedelta(hours=10), False),
        ("NOT created >= -10m", timedelta(minutes=11), True),
    ],
)
def test_date_condition_compares(text: str, age: timedelta, holds: bool) -> None:  # noqa: FBT001 - a table's last column
    assert understand(text).holds(an_issue(age=age)) is holds


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("statusCategory = Done", False),
        ("statusCategory != Done", True),
        ('statusCategory in (new, "In Progress")', True),
        ("status not in ('To Do')", False),
        ("key = SD1-1", True),
        ("issue in (10000)", True),
        ("id != SD1-1", False),
        ("reporter = '557058:a' and project = sd1 AND created >= -1d", True),
        ("reporter != '557058:b'", True),
        ("reporter IN ('557058:b', EMPTY)", False),
        ("reporter is not empty AND NOT reporter is EMPTY", True),
        ("project not in (SD2)", True),
        ("project = SD2 OR reporter IS NULL OR key = SD1-1", True),
        ("project = SD2 AND key = SD1-1 OR key = SD1-1", True),
        ("project = SD2 AND (key = SD1-1 OR key = SD1-1)", False),
        ("NOT (project = SD2 OR statusCategory = Done)", True),
        ("NOT (project = SD1 AND statusCategory != Done)", False),
        ("summary ~ 'LOG cannot'", True),
        ("summary !~ log", False),
        ("NOT summary ~ 'log out'", True),
        ("reporter CHANGED", False),
        ("NOT reporter CHANGED AFTER -1h", True),
    ],
)
def test_conditions_and_their_joints(text: str, holds: bool) -> None:  # noqa: FBT001 - a table's last column
    assert understand(text).holds(an_issue()) is holds


@pytest.mark.parametrize(
    ("text", "empty", "acme", "other"),
    [
        ("Company = acme", False, True, False),
        ('"Company" != "ACME"', False, False, True),
        ("NOT company = Acme", False, False, True),
        ("cf[10100] IN (Acme, EMPTY)", True, True, False),
        ("Company NOT IN (Acme, EMPTY)", False, False, True),
        ("Company IS EMPTY", True, False, False),
        ("Company = EMPTY", True, False, False),
        ("Company != null", False, True, True),
        ("issue.property[company].name = Acme", False, True, False),
    ],
)
def test_empty_fields_are_never_unlike_a_value(text: str, *, empty: bool, acme: bool, other: bool) -> None:
    holds = understand(text).holds
    found = (holds(an_issue()), holds(of_company("Acme")), holds(of_company("Acme & Co")))
    assert found == (empty, acme, other)


@pytest.mark.parametrize(
    ("quoted", "name"),
    [
        (r'"Say \"A\""', 'Say "A"'),
        (r"'O\'Neill'", "O'Neill"),
        (r'"a\\b"', "a\\b"),
        (r'"caf\u00e9"', "café"),
        ('"and"', "and"),
        ('"<b>(x), [y]"', "<b>(x), [y]"),
    ],
)
def test_quoted_text_is_any_text(quoted: str, name: str) -> None:
    assert understand(f"Company = {quoted}").holds(of_company(name))


def test_reporter_change_is_seen_by_its_date() -> None:
    changed = an_issue(reporter_changes=(NOW - timedelta(days=3), NOW - timedelta(minutes=5)))
    holds: Callable[[str], bool] = lambda text: understand(text).holds(changed)  # noqa: E731 - read as a table below
    assert holds("reporter CHANGED AFTER -6m")
    assert not holds("reporter CHANGED AFTER -4m")
    assert holds('reporter changed after "2026-11-22 09:39" and reporter changed before -2d')
    assert not holds("reporter CHANGED BEFORE -4d")


def test_order_is_read_and_newest_comes_first_without_one() -> None:
    assert understand("project = SD1").part == Range()
    day = NOW - timedelta(days=1)
    assert understand("created >= -1d order by updated asc").part == Range(order="updated", descending=False)
    assert understand("updated >= -1d AND updated < -1h ORDER BY updated DESC").part == Range(
        order="updated", since=day, until=NOW - timedelta(hours=1)
    )
    assert understand("created >= -1d OR key = SD1-1").part.since is None
    assert understand("project = SD1 ORDER BY key ASC").part == Range(order="key", descending=False)
    assert understand("statusCategory = done and created > -1d").part.since == day
    assert understand("statusCategory = done").holds(an_issue(status=StatusCategory.DONE))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "order by created",
        "created >= -1m )",
        "; drop",
        "(created >= -1m",
        "NOT",
        "created >= -1m ORDER BY created, updated",
        "created >= -1m ORDER BY reporter",
        "created >= -1x",
        "created >= EMPTY",
        "created in (-1m)",
        "created CHANGED",
        "project IS EMPTY",
        "project in ()",
        "project in (SD1,)",
        "project in SD1",
        "Company ~ Acme",
        "Company > Acme",
        "Company = Acme Ltd",
        "Company = and",
        "Company is Acme",
        "Company was Acme",
        r'Company = "\q"',
        'Company = "Acme',
        "Companies = Acme",
        "issue.property[other].name = Acme",
        "reporter = '557058:nobody'",
        "reporter in ('557058:a', '557058:nobody')",
        "project = NOWHERE",
        "key = SD1-2",
        "status = Closed",
        "reporter = currentUser()",
        "(" * 60 + "key = SD1-1" + ")" * 60,
        "NOT " * 60 + "key = SD1-1",
    ],
)
def test_what_is_not_understood_is_an_error(text: str) -> None:
    with pytest.raises(jql.JqlError):
        understand(text)
