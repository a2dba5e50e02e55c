"""Which issues does a person's search show on one page, and what stands in its columns? By JQL; it changes nothing."""

import collections.abc
import dataclasses
import datetime as dt
import itertools
from typing import Any

from sandbox import fields, issue_search, issue_store, issues, person, site

PAGE_SIZE = 50
MOST_FOUND = 1000
"""Jira's own list counts and turns pages no further either: it says "1000+"."""
Columns = collections.abc.Sequence[fields.CustomField]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`values` are what the fields of apps show, in the order of the columns; empty for nothing."""

    issue: issues.Issue
    reporter: person.Person | None
    values: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    rows: tuple[Row, ...]
    total: int
    is_more: bool
    """Whether even more than `total` match."""
    page: int
    pages: int

    @property
    def first(self) -> int:
        """The place of the first issue shown, counted from 1; 0 if none is."""
        return (self.page - 1) * PAGE_SIZE + 1 if self.rows else 0

    @property
    def last(self) -> int:
        return (self.page - 1) * PAGE_SIZE + len(self.rows)


NOTHING = Listing(rows=(), total=0, is_more=False, page=1, pages=1)


def columns_of(here: site.Site) -> Columns:
    """The fields that apps have added."""
    return fields.list_custom(here)


def list_issues(here: site.Site, text: str, *, page: int, now: dt.datetime) -> Listing:
    """A page past the end is the last page. Raises jql.JqlError; no text at all is every issue, the newest change first."""
    found = list(itertools.islice(_find(here, text.strip(), now), MOST_FOUND + 1))
    total = min(len(found), MOST_FOUND)
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(page, 1), pages)
    start = (page - 1) * PAGE_SIZE
    columns = columns_of(here)
    rows = tuple(build_row(here, each, columns) for each in found[start : min(start + PAGE_SIZE, total)])
    return Listing(rows=rows, total=total, is_more=len(found) > total, page=page, pages=pages)


def build_row(here: site.Site, issue: issues.Issue, columns: Columns) -> Row:
    return Row(
        issue=issue,
        reporter=None if issue.reporter_id is None else here.people[issue.reporter_id],
        values=tuple(_show(column.read(issue.properties)) for column in columns),
    )


def _find(here: site.Site, text: str, now: dt.datetime) -> collections.abc.Iterator[issues.Issue]:
    if not text:
        return here.issues.walk(issue_store.Range(order="updated"))
    query = issue_search.prepare(here, text, now=now, sees=_sees)
    return issue_search.run(here, query, now=now, sees=_sees)


def _sees(_: issues.Issue) -> bool:
    """Everyone who meets this page sees every issue."""
    return True


def _show(value: Any) -> str:
    """A field's value as Jira writes it: lists with commas."""
    if value is None:
        return ""
    return ", ".join(value) if isinstance(value, list) else str(value)
