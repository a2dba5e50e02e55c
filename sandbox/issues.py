"""Which issues does a site have, and in what order? As little of an issue as tells who reported it and when."""

import bisect
import collections.abc
import dataclasses
import datetime as dt
import operator
from typing import Literal

FIRST_ID = 10_000
Moment = Literal["created", "updated"]
MOMENTS: tuple[Moment, ...] = ("created", "updated")
Place = tuple[dt.datetime, int]
"""When, and the issue's number, which decides between issues of the same moment."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """`created` and `updated` are aware UTC."""

    number: int
    key: str
    project_id: str
    project_key: str
    reporter_id: str
    summary: str
    created: dt.datetime
    updated: dt.datetime

    @property
    def issue_id(self) -> str:
        return str(self.number)

    def place(self, moment: Moment) -> Place:
        return (self.created if moment == "created" else self.updated), self.number


class Issues:
    """All issues of one site."""

    def __init__(self) -> None:
        self._issues: dict[int, Issue] = {}
        self._places: dict[Moment, list[Place]] = {moment: [] for moment in MOMENTS}
        self._in_project: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._issues)

    def create(self, *, project_id: str, project_key: str, reporter_id: str, summary: str, at: dt.datetime) -> Issue:
        """The project's next issue."""
        count = self._in_project[project_key] = self._in_project.get(project_key, 0) + 1
        created = Issue(
            number=FIRST_ID + len(self._issues),
            key=f"{project_key}-{count}",
            project_id=project_id,
            project_key=project_key,
            reporter_id=reporter_id,
            summary=summary,
            created=at,
            updated=at,
        )
        self._issues[created.number] = created
        for moment in MOMENTS:
            bisect.insort(self._places[moment], created.place(moment))
        return created

    def change_reporter(self, number: int, reporter_id: str, *, at: dt.datetime) -> Issue:
        before = self._issues[number]
        changed = dataclasses.replace(before, reporter_id=reporter_id, updated=at)
        places = self._places["updated"]
        del places[bisect.bisect_left(places, before.place("updated"))]
        bisect.insort(places, changed.place("updated"))
        self._issues[number] = changed
        return changed

    def find(self, id_or_key: str) -> Issue | None:
        if id_or_key.isdecimal():
            return self._issues.get(int(id_or_key))
        return next((each for each in self._issues.values() if each.key == id_or_key), None)

    def walk(
        self, moment: Moment, *, since: dt.datetime | None, after: Place | None, descending: bool
    ) -> collections.abc.Iterator[Issue]:
        """Issues by `moment`, none from before `since`, and none up to the place `after` in the order that is asked for."""
        places = self._places[moment]
        first = 0 if since is None else bisect.bisect_left(places, since, key=operator.itemgetter(0))
        last = len(places)
        if after is not None and descending:
            last = bisect.bisect_left(places, after)
        elif after is not None:
            first = max(first, bisect.bisect_right(places, after))
        steps = range(last - 1, first - 1, -1) if descending else range(first, last)
        return (self._issues[places[step][1]] for step in steps)
