"""How far has a run read, so that another worker can go on from there? Pure values and their JSON form.

A run reads phase after phase. A phase has containers (groups, desks, organizations), which are listed page by page; of
each the people are read page by page. The cursor holds the containers listed and not yet read to their end, so its size
does not grow with the site.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

VERIFY = "verifying"
DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where to go on in one container. `total` is how many it holds, once Jira has said so."""

    container: str
    start: int = 0
    total: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Where to go on in a run. `next_containers` is where the list of containers goes on, None at its end.

    `verified_to` is the account up to which, in the phase VERIFY, the unseen ones were looked up. `is_patchy`: Jira refused
    a list of this run.
    """

    phase: str
    next_containers: int | None = 0
    places: Sequence[Place] = ()
    verified_to: str = ""
    is_patchy: bool = False

    def listed(self, containers: Sequence[str], following: int | None) -> "Cursor":
        """After a page of the container list."""
        places = (*self.places, *(Place(container=container) for container in containers))
        return replace(self, next_containers=following, places=places)

    def read(self, places: Sequence[Place], following: Sequence[Place | None]) -> "Cursor":
        """After `places`, the first of ours, were read on; None for one at its end."""
        going_on = tuple(place for place in following if place is not None)
        return replace(self, places=(*going_on, *self.places[len(places) :]))

    @property
    def is_phase_read(self) -> bool:
        return self.next_containers is None and not self.places

    @property
    def remaining(self) -> int | None:
        """How many people of the phase are still to be read; None while a container's size is unknown."""
        if self.next_containers is not None:
            return None
        sizes = [None if place.total is None else max(place.total - place.start, 0) for place in self.places]
        known = [size for size in sizes if size is not None]
        return sum(known) if len(known) == len(sizes) else None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Cursor":
        return cls(**{**data, "places": tuple(Place(**place) for place in data["places"])})


def first(phases: Sequence[str]) -> Cursor:
    """Where a run begins."""
    return Cursor(phase=phases[0])


def following(cursor: Cursor, phases: Sequence[str]) -> Cursor:
    """Where a run goes on when all of the cursor's phase is read: the next phase, and VERIFY after the last."""
    index = phases.index(cursor.phase) + 1
    if index < len(phases):
        return Cursor(phase=phases[index], is_patchy=cursor.is_patchy)
    return Cursor(phase=VERIFY, next_containers=None, is_patchy=cursor.is_patchy)
