"""Which issues does a site have, in what order, and which did it have a while ago? A store; nobody hears of it from here."""

import bisect
import collections
import collections.abc
import dataclasses
import datetime as dt
import heapq
import operator
from typing import Any

from sandbox import issues

FIRST_ID = 10_000
MAX_ID_DIGITS = 19
REMEMBERED = dt.timedelta(hours=1)
"""How far back the site as it was can be asked for."""


_Placed = tuple[issues.Place, int]
"""Where an issue stands in an order, and its number."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Part of an order: from `since` to `until`, both with their ends, and only what follows the place `after`."""

    order: issues.Order = "created"
    descending: bool = True
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    after: issues.Place | None = None

    def holds(self, found: issues.Issue) -> bool:
        place = found.place(self.order)
        if self.order != "key":
            moment = place[0]
            if (self.since is not None and moment < self.since) or (self.until is not None and moment > self.until):
                return False
        return self.after is None or (place < self.after if self.descending else place > self.after)


class Issues:
    """All issues of one site."""

    def __init__(self) -> None:
        self._issues: dict[int, issues.Issue] = {}
        self._numbers: dict[str, int] = {}
        self._places: dict[issues.Order, list[_Placed]] = {moment: [] for moment in issues.MOMENTS}
        self._are_keys_sorted = False
        self._in_project: collections.Counter[str] = collections.Counter()
        self._next_number = FIRST_ID
        self._past: collections.deque[tuple[dt.datetime, int, issues.Issue | None]] = collections.deque()

    def __len__(self) -> int:
        return len(self._issues)

    def __iter__(self) -> collections.abc.Iterator[issues.Issue]:
        return iter(self._issues.values())

    def create(
        self,
        *,
        project_id: str,
        project_key: str,
        reporter_id: str | None,
        summary: str,
        at: dt.datetime,
        status: issues.StatusCategory = issues.StatusCategory.NEW,
        written_at: dt.datetime | None = None,
    ) -> issues.Issue:
        """The project's next issue; `written_at` is when the site gets it, which is when it says `at` if nothing is given."""
        self._in_project[project_key] += 1
        created = issues.Issue(
            number=self._next_number,
            key=f"{project_key}-{self._in_project[project_key]}",
            project_id=project_id,
            project_key=project_key,
            reporter_id=reporter_id,
            summary=summary,
            status=status,
            created=at,
            updated=at,
        )
        self._next_number += 1
        self._remember(created.number, None, written_at or at)
        self._issues[created.number] = created
        self._numbers[created.key] = created.number
        for moment in issues.MOMENTS:
            self._place(moment, created)
        self._are_keys_sorted = False
        return created

    def put(self, changed: issues.Issue, *, written_at: dt.datetime) -> None:
        """Replace an issue by what became of it; its key, its project and its creation stay."""
        before = self._issues[changed.number]
        self._remember(changed.number, before, written_at)
        if before.updated != changed.updated:
            self._unplace("updated", before)
            self._place("updated", changed)
        self._issues[changed.number] = changed

    def delete(self, number: int, *, written_at: dt.datetime) -> None:
        gone = self._issues.pop(number)
        self._remember(number, gone, written_at)
        del self._numbers[gone.key]
        for moment in issues.MOMENTS:
            self._unplace(moment, gone)
        self._are_keys_sorted = False

    def find(self, id_or_key: str) -> issues.Issue | None:
        """By id or, whatever the case of its letters, by key."""
        if id_or_key.isascii() and id_or_key.isdecimal():
            return self._issues.get(int(id_or_key)) if len(id_or_key) <= MAX_ID_DIGITS else None
        number = self._numbers.get(id_or_key.upper())
        return None if number is None else self._issues[number]

    def walk(
        self, part: Range, *, past: collections.abc.Mapping[int, issues.Issue | None] | None = None
    ) -> collections.abc.Iterator[issues.Issue]:
        """Issues in the order of `part`; those that `past` names as it has them (None: not there)."""
        present = self._walk_present(part)
        if not past:
            return present
        kept = (each for each in present if each.number not in past)
        old = sorted(
            (each for each in past.values() if each is not None and part.holds(each)),
            key=lambda each: each.place(part.order),
            reverse=part.descending,
        )
        return heapq.merge(kept, old, key=lambda each: each.place(part.order), reverse=part.descending)

    def recall(self, moment: dt.datetime) -> dict[int, issues.Issue | None]:
        """What has changed since `moment`, as it was then; None for what was not there yet."""
        recalled: dict[int, issues.Issue | None] = {}
        for at, number, before in reversed(self._past):
            if at <= moment:
                break
            recalled[number] = before
        return recalled

    def _walk_present(self, part: Range) -> collections.abc.Iterator[issues.Issue]:
        if part.order == "key" and not self._are_keys_sorted:
            self._places["key"] = sorted((each.place("key"), each.number) for each in self)
            self._are_keys_sorted = True
        places = self._places[part.order]
        first, last = 0, len(places)
        if part.since is not None:
            first = bisect.bisect_left(places, part.since, key=_moment_of)
        if part.until is not None:
            last = bisect.bisect_right(places, part.until, key=_moment_of)
        if part.after is not None and part.descending:
            last = min(last, bisect.bisect_left(places, part.after, key=operator.itemgetter(0)))
        elif part.after is not None:
            first = max(first, bisect.bisect_right(places, part.after, key=operator.itemgetter(0)))
        steps = range(last - 1, first - 1, -1) if part.descending else range(first, last)
        return (self._issues[places[step][1]] for step in steps)

    def _place(self, order: issues.Order, placed: issues.Issue) -> None:
        places, entry = self._places[order], (placed.place(order), placed.number)
        if not places or places[-1] < entry:
            places.append(entry)
        else:
            bisect.insort(places, entry)

    def _unplace(self, order: issues.Order, gone: issues.Issue) -> None:
        places = self._places[order]
        del places[bisect.bisect_left(places, (gone.place(order), gone.number))]

    def _remember(self, number: int, before: issues.Issue | None, at: dt.datetime) -> None:
        self._past.append((at, number, before))
        while self._past and self._past[0][0] < at - REMEMBERED:
            self._past.popleft()


def _moment_of(placed: _Placed) -> Any:
    return placed[0][0]
