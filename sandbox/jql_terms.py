"""What does a JQL query mean on a site? Its conditions as one question about an issue, and the part of the order to walk.

Pure: what the site knows comes in as a `Vocabulary`. A condition that is not met by issues without a value says so as Jira
does: `!=` and `NOT IN` leave out issues whose field is empty. Dates are in the time zone of the asking app's user: UTC.
"""

import collections.abc
import dataclasses
import datetime as dt
import operator
import re
from typing import Any

from sandbox import issue_store, issues, jql

RELATIVE = re.compile(r"([+-]?)(\d+)([mhdw])", re.ASCII)
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
MAX_DIGITS = 12
DATE_FORMATS = ("%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M", "%Y-%m-%d", "%Y/%m/%d")
EARLIEST, LATEST = dt.datetime.min.replace(tzinfo=dt.UTC), dt.datetime.max.replace(tzinfo=dt.UTC)
COMPARISONS: collections.abc.Mapping[str, collections.abc.Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
}
OPPOSITES = {">=": "<", "<": ">=", ">": "<=", "<=": ">", "=": "!=", "in": "not in", "is": "is not", "~": "!~"}
OPPOSITES |= {right: left for left, right in OPPOSITES.items()}
EQUALITIES = frozenset({"=", "!=", "in", "not in"})
EMPTINESS = frozenset({"is", "is not"})
ISSUE_NAMES = frozenset({"key", "issue", "issuekey", "id"})
Holds = collections.abc.Callable[[issues.Issue], bool]
Values = collections.abc.Callable[[issues.Issue], collections.abc.Collection[str]]
"""An issue's values of one field, without regard to the case of letters; none at all for an empty field."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """`project_of` knows keys, ids and names, and `issue_of` ids and keys; None for what is not there for the asking one.

    `app_fields` are the fields that apps have added, by each of their names in small letters.
    """

    now: dt.datetime
    has_person: collections.abc.Callable[[str], bool]
    project_of: collections.abc.Callable[[str], str | None]
    issue_of: collections.abc.Callable[[str], issues.Issue | None]
    app_fields: collections.abc.Mapping[str, Values]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    holds: Holds
    part: issue_store.Range


def understand(text: str, vocabulary: Vocabulary) -> Search:
    """Raises jql.JqlError."""
    query = jql.parse(text)
    order = _find_order(query.order_by)
    since, until = _find_bounds(query.root, order, vocabulary)
    return Search(
        holds=_read_node(query.root, vocabulary, is_negated=False),
        part=issue_store.Range(order=order, descending=query.is_descending, since=since, until=until),
    )


def _find_order(name: str) -> issues.Order:
    wanted = name.casefold() or "created"
    if wanted in ISSUE_NAMES:
        return "key"
    for order in issues.ORDERS:
        if order == wanted:
            return order
    raise jql.JqlError(f"Not able to sort using field '{name}'.")


def _read_node(node: jql.Node, known: Vocabulary, *, is_negated: bool) -> Holds:
    match node:
        case jql.Clause():
            return _read_clause(node, known, is_negated=is_negated)
        case jql.Not():
            return _read_node(node.part, known, is_negated=not is_negated)
        case jql.All() | jql.Any():
            parts = [_read_node(part, known, is_negated=is_negated) for part in node.parts]
            if isinstance(node, jql.All) is is_negated:
                return lambda issue: any(holds(issue) for holds in parts)
            return lambda issue: all(holds(issue) for holds in parts)


def _read_clause(clause: jql.Clause, known: Vocabulary, *, is_negated: bool) -> Holds:
    field = clause.field.casefold()
    if clause.operator.startswith("changed"):
        return _read_change(clause, known, is_negated=is_negated)
    sign = OPPOSITES[clause.operator] if is_negated else clause.operator
    if field in issues.MOMENTS:
        return _read_moment(clause, sign, known)
    if field == "summary":
        _check_operator(clause, frozenset({"~", "!~"}))
        words = str(_only(clause)).casefold().split()
        return lambda issue: all(word in issue.summary.casefold() for word in words) is (sign == "~")
    if field in known.app_fields:
        _check_operator(clause, EQUALITIES | EMPTINESS)
        return _compare(sign, clause.operands, known.app_fields[field])
    if field == "reporter":
        _check_operator(clause, EQUALITIES | EMPTINESS)
        return _compare(sign, _check_values(clause, known.has_person), _reporters)
    if field not in SYSTEM_FIELDS:
        raise jql.JqlError(f"Field '{clause.field}' does not exist or you do not have permission to view it.")
    _check_operator(clause, EQUALITIES)
    return _compare(sign, *SYSTEM_FIELDS[field](clause, known))


def _read_moment(clause: jql.Clause, sign: str, known: Vocabulary) -> Holds:
    _check_operator(clause, COMPARISONS.keys())
    moment = _read_date(clause.field, _only(clause), known.now)
    compare = COMPARISONS[sign]
    if clause.field.casefold() == "created":
        return lambda issue: compare(issue.created, moment)
    return lambda issue: compare(issue.updated, moment)


def _read_change(clause: jql.Clause, known: Vocabulary, *, is_negated: bool) -> Holds:
    if clause.field.casefold() != "reporter":
        raise jql.JqlError(f"The operator 'changed' is not supported by the '{clause.field}' field.")
    moment = _read_date(clause.field, _only(clause), known.now) if clause.operands else EARLIEST
    compare = COMPARISONS["<" if clause.operator == "changed before" else ">"]
    return lambda issue: any(compare(at, moment) for at in issue.reporter_changes) is not is_negated


def _compare(sign: str, operands: collections.abc.Collection[jql.Operand], values_of: Values) -> Holds:
    wanted = frozenset(each.casefold() for each in operands if each is not None)
    wants_empty = None in operands

    def is_one_of(issue: issues.Issue) -> bool:
        values = values_of(issue)
        return not wanted.isdisjoint(values) if values else wants_empty

    def is_none_of(issue: issues.Issue) -> bool:
        values = values_of(issue)
        return bool(values) and wanted.isdisjoint(values)

    return is_one_of if sign in {"=", "in", "is"} else is_none_of


def _find_bounds(
    node: jql.Node, order: issues.Order, known: Vocabulary
) -> tuple[dt.datetime | None, dt.datetime | None]:
    """The earliest and latest moment, of the one that orders the answer, that the conditions let through."""
    since: list[dt.datetime] = []
    until: list[dt.datetime] = []
    for each in node.parts if isinstance(node, jql.All) else (node,):
        if isinstance(each, jql.Clause) and each.field.casefold() == order and each.operator in COMPARISONS:
            (since if each.operator.startswith(">") else until).append(_read_date(each.field, _only(each), known.now))
    return max(since, default=None), min(until, default=None)


def _read_date(field: str, value: jql.Operand, now: dt.datetime) -> dt.datetime:
    text = value or ""
    relative = RELATIVE.fullmatch(text)
    if relative is not None:
        return _shift(now, relative[1] == "-", relative[2], UNITS[relative[3]])
    for form in DATE_FORMATS:
        try:
            return dt.datetime.strptime(text, form).replace(tzinfo=dt.UTC)
        except ValueError:
            continue
    raise jql.JqlError(
        f"Date value '{text}' for field '{field}' is invalid. Valid formats include: 'yyyy-MM-dd HH:mm', '-5d'."
    )


def _shift(now: dt.datetime, is_past: bool, digits: str, unit: str) -> dt.datetime:  # noqa: FBT001 - one of the two signs
    try:
        by = dt.timedelta(**{unit: int(digits.lstrip("0")[: MAX_DIGITS + 1] or "0")})
        return now - by if is_past else now + by
    except OverflowError:
        return EARLIEST if is_past else LATEST


def _check_operator(clause: jql.Clause, allowed: collections.abc.Collection[str]) -> None:
    if clause.operator not in allowed:
        raise jql.JqlError(f"The operator '{clause.operator}' is not supported by the '{clause.field}' field.")
    if None in clause.operands and not EMPTINESS & set(allowed):
        raise jql.JqlError(f"The field '{clause.field}' does not support searching for EMPTY values.")


def _check_values(clause: jql.Clause, is_known: collections.abc.Callable[[str], object]) -> tuple[jql.Operand, ...]:
    for each in clause.operands:
        if each is not None and not is_known(each):
            raise jql.JqlError(f"The value '{each}' does not exist for the field '{clause.field}'.")
    return clause.operands


def _only(clause: jql.Clause) -> jql.Operand:
    [operand] = clause.operands
    return operand


def _reporters(issue: issues.Issue) -> tuple[str, ...]:
    return () if issue.reporter_id is None else (issue.reporter_id.casefold(),)


Read = tuple[collections.abc.Collection[jql.Operand], Values]


def _read_issue(clause: jql.Clause, known: Vocabulary) -> Read:
    found = [known.issue_of(each or "") for each in _check_values(clause, known.issue_of)]
    return [each.issue_id for each in found if each is not None], lambda issue: (issue.issue_id,)


def _read_project(clause: jql.Clause, known: Vocabulary) -> Read:
    keys = [known.project_of(each or "") for each in _check_values(clause, known.project_of)]
    return keys, lambda issue: (issue.project_key.casefold(),)


def _read_status(clause: jql.Clause, _: Vocabulary) -> Read:
    names = {name: each for each in issues.StatusCategory for name in (each.label.casefold(), str(each))}
    _check_values(clause, lambda value: value.casefold() in names)
    return [str(names[(each or "").casefold()]) for each in clause.operands], lambda issue: (str(issue.status),)


SYSTEM_FIELDS: collections.abc.Mapping[str, collections.abc.Callable[[jql.Clause, Vocabulary], Read]] = {
    **dict.fromkeys(ISSUE_NAMES, _read_issue),
    "project": _read_project,
    "statuscategory": _read_status,
    "status": _read_status,
}
