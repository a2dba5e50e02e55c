"""What does a JQL query ask for? A small part of the language, read strictly: what is not understood is refused.

Conditions on `created`, `updated`, `reporter` and `project`, joined by AND, and ORDER BY one of the two dates. Pure.
Source: Atlassian, "JQL fields" and "JQL operators". Dates are in the time zone of the asking app's user: UTC.
"""

import collections.abc
import dataclasses
import datetime as dt
import operator
import re

from sandbox import issues

TOKEN = re.compile(r"""\s*(?:"([^"\\]*)"|'([^'\\]*)'|([<>]=?|!=|=|[(),])|([\w./-]+))""")
RELATIVE = re.compile(r"-(\d{1,4})([mhdw])")
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
DATE_FORMATS = ("%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M", "%Y-%m-%d", "%Y/%m/%d")
COMPARISONS: collections.abc.Mapping[str, collections.abc.Callable[[dt.datetime, dt.datetime], bool]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
}


class JqlError(Exception):
    """The query is not understood, or not allowed; the message is Jira's kind of message."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DateCondition:
    field: issues.Moment
    comparison: str
    moment: dt.datetime

    def holds(self, issue: issues.Issue) -> bool:
        return COMPARISONS[self.comparison](issue.place(self.field)[0], self.moment)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TextCondition:
    field: str
    value: str

    def holds(self, issue: issues.Issue) -> bool:
        if self.field == "reporter":
            return issue.reporter_id == self.value
        return self.value.casefold() in (issue.project_key.casefold(), issue.project_id)


Condition = DateCondition | TextCondition


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    conditions: tuple[Condition, ...]
    order_by: issues.Moment = "created"
    descending: bool = True

    def holds(self, issue: issues.Issue) -> bool:
        return all(condition.holds(issue) for condition in self.conditions)

    @property
    def since(self) -> dt.datetime | None:
        """The earliest moment, of the one that orders the answer, that the conditions let through."""
        bounds = [
            each.moment
            for each in self.conditions
            if isinstance(each, DateCondition) and each.field == self.order_by and each.comparison in {">=", ">"}
        ]
        return max(bounds, default=None)

    @property
    def projects(self) -> list[str]:
        return [each.value for each in self.conditions if isinstance(each, TextCondition) and each.field == "project"]


def parse(text: str, now: dt.datetime) -> Query:
    """Raises JqlError, also for a query without any condition."""
    reader = _Reader(_split(text))
    if reader.peek().casefold() in {"", "order"}:
        raise JqlError("Unbounded JQL queries are not allowed here. Please add a search restriction to your query.")
    conditions = [_read_condition(reader, now)]
    while reader.skip("and"):
        conditions.append(_read_condition(reader, now))
    if not reader.skip("order"):
        reader.expect_end()
        return Query(conditions=tuple(conditions))
    if not reader.skip("by"):
        raise _not_expected(reader.peek())
    order_by = _find_moment(reader.take())
    if order_by is None:
        raise JqlError("Results can be ordered by created or updated only.")
    descending = not reader.skip("asc")
    if descending:
        reader.skip("desc")
    reader.expect_end()
    return Query(conditions=tuple(conditions), order_by=order_by, descending=descending)


class _Reader:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._next = 0

    def peek(self) -> str:
        return self._tokens[self._next] if self._next < len(self._tokens) else ""

    def take(self) -> str:
        taken = self.peek()
        self._next += 1
        return taken

    def skip(self, word: str) -> bool:
        found = self.peek().casefold() == word
        self._next += found
        return found

    def expect_end(self) -> None:
        if self._next < len(self._tokens):
            raise _not_expected(self.peek())


def _split(text: str) -> list[str]:
    tokens: list[str] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        matched = TOKEN.match(text, position)
        if matched is None:
            raise _not_expected(text[position:].strip()[:1])
        tokens.append(matched[matched.lastindex or 0])
        position = matched.end()
    return tokens


def _read_condition(reader: _Reader, now: dt.datetime) -> Condition:
    field, comparison, value = reader.take().casefold(), reader.take(), reader.take()
    moment = _find_moment(field)
    if moment is not None and comparison in COMPARISONS:
        return DateCondition(field=moment, comparison=comparison, moment=_read_date(field, value, now))
    if field in {"reporter", "project"} and comparison == "=" and value:
        return TextCondition(field=field, value=value)
    if moment is None and field not in {"reporter", "project"}:
        raise JqlError(f"Field '{field}' does not exist or you do not have permission to view it.")
    raise JqlError(f"The operator '{comparison}' is not supported by the '{field}' field.")


def _find_moment(word: str) -> issues.Moment | None:
    return next((moment for moment in issues.MOMENTS if moment == word.casefold()), None)


def _read_date(field: str, value: str, now: dt.datetime) -> dt.datetime:
    relative = RELATIVE.fullmatch(value)
    if relative is not None:
        return now - dt.timedelta(**{UNITS[relative[2]]: int(relative[1])})
    for form in DATE_FORMATS:
        try:
            return dt.datetime.strptime(value, form).replace(tzinfo=dt.UTC)
        except ValueError:
            continue
    raise JqlError(f"Date value '{value}' for field '{field}' is invalid. Valid formats include: 'yyyy-MM-dd HH:mm'.")


def _not_expected(found: str) -> JqlError:
    return JqlError(f"Error in the JQL Query: '{found}' was not expected here.")
