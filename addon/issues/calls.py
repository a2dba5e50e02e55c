"""Which calls write the companies of some issues for the fewest API points? Pure.

Source: Atlassian, "Issue properties": one value for up to 10,000 issues (`bulk`, transactional), different values for up to
100 (`mixed`), no value for many (`clear`); each of these starts a task, at which we look once at least. One issue alone
(`single`) is written or cleared at once. Every call and every look costs one point.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from addon.crm.company import CompanyRef

CallKind = Literal["single", "bulk", "mixed", "clear"]

PASSING_OVER: frozenset[CallKind] = frozenset({"mixed", "clear"})
# Calls that leave out, without a word, the issues which the app may not edit.

CHECKED_AT_ONCE = 1_000
# Issues of one question about permissions.

SINGLE_POINTS = 1
TASK_POINTS = 2  # the call, and one look at its task

FIRST_LOOK = timedelta(seconds=2)
LOOK_PER_ISSUE = timedelta(milliseconds=2)
LONGEST_LOOK = timedelta(minutes=5)
FIRST_ASK = timedelta(seconds=30)
ASK_PER_ISSUE = timedelta(milliseconds=10)
# What became of a call whose answer got lost is asked of its issues late enough for a task to have ended.

GIVE_UP_LOOKING = timedelta(hours=6)
# A task that goes on for so long is believed to be lost, and its issues are looked at themselves.


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most issues of one call; parameters so that tests can try all ways of a few issues."""

    bulk: int = 10_000
    mixed: int = 100


JIRA = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """An issue whose property has to change; `company` is None where it has to go.

    `is_alone`: it was refused before, and must not spoil a call for many.
    """

    issue_id: int
    company: CompanyRef | None
    is_alone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One write of Jira's. All of a `bulk` are of one company; a `clear` has none."""

    kind: CallKind
    items: tuple[Pending, ...]

    @property
    def points(self) -> int:
        """What it costs at the least to write; see `check_points`."""
        return SINGLE_POINTS if self.kind == "single" else TASK_POINTS

    @property
    def check_points(self) -> int:
        """What it costs to ask afterwards which of its issues were written."""
        return -(-len(self.items) // CHECKED_AT_ONCE) if self.kind in PASSING_OVER else 0


def plan_calls(pending: Sequence[Pending], limits: Limits = JIRA) -> Sequence[Call]:
    """Every issue in exactly one call, for the fewest points.

    A company's issues fill bulk calls; what is left of it, if it would not fill a mixed call, shares mixed calls with what
    is left of others. That is never dearer: a bulk call costs as much as a mixed one.
    """
    calls: list[Call] = [Call(kind="single", items=(each,)) for each in pending if each.is_alone]
    groups: defaultdict[CompanyRef | None, list[Pending]] = defaultdict(list)
    for each in pending:
        if not each.is_alone:
            groups[each.company].append(each)
    leftovers: list[Pending] = []
    for company, items in groups.items():
        for part in _parts(items, limits.bulk):
            if company is None:
                calls.append(_call("clear", part))
            elif len(part) >= limits.mixed:
                calls.append(_call("bulk", part))
            else:
                leftovers += part
    calls += [_shared(part) for part in _parts(leftovers, limits.mixed)]
    return calls


def halve(call: Call) -> Sequence[Call]:
    """The same issues in two calls, so that one which can't be written is found; one issue alone cannot be halved."""
    middle = len(call.items) // 2
    return [_call(call.kind, half) for half in (call.items[:middle], call.items[middle:])]


def look_delay(size: int, looks: int) -> timedelta:
    """How long after it was sent, or looked at, a task of so many issues is looked at (again)."""
    return min((FIRST_LOOK + LOOK_PER_ISSUE * size) * (1 << min(looks, 16)), LONGEST_LOOK)


def ask_delay(size: int) -> timedelta:
    """How long after a call was sent that got no answer its issues tell whether it was carried out."""
    return FIRST_ASK + ASK_PER_ISSUE * size


def _parts(items: Sequence[Pending], most: int) -> Iterator[tuple[Pending, ...]]:
    return (tuple(items[start : start + most]) for start in range(0, len(items), most))


def _call(kind: CallKind, items: tuple[Pending, ...]) -> Call:
    return Call(kind="single" if len(items) == 1 else kind, items=items)


def _shared(items: tuple[Pending, ...]) -> Call:
    return _call("bulk" if len({each.company for each in items}) == 1 else "mixed", items)
