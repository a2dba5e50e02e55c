"""Which pages of the lists does a run read side by side, and where does it go on after them? Pure."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from addon.sync.cursor import Place
from addon.sync.order import ListKey, Stretch
from addon.sync.ports import People

AT_ONCE = 8
# Below the 10 simultaneous requests per tenant that Atlassian recommends as the most.


def remembered(phase: str, read: Sequence[tuple[Place, People]]) -> Sequence[tuple[ListKey, Stretch]]:
    """Who stands where, for the probes to come."""
    return [
        (
            ListKey(phase=phase, container=call.container),
            Stretch(start=call.start, slots=page.slots, account_ids=page.listed),
        )
        for call, page in read
    ]


def next_calls(places: Sequence[Place], page_size: int | None) -> tuple[Sequence[Place], Sequence[Place]]:
    """The first places, and the pages to read of them at once: several of a place whose length is known."""
    taken: list[Place] = []
    calls: list[Place] = []
    for place in places:
        if len(calls) == AT_ONCE:
            break
        taken.append(place)
        calls.append(place)
        if page_size is not None and place.total is not None:
            starts = range(place.start + page_size, place.total, page_size)[: AT_ONCE - len(calls)]
            calls.extend(replace(place, start=start) for start in starts)
    return taken, calls


def moved(place: Place, answered: Sequence[tuple[Place, People]]) -> Place | None:
    """Where a place goes on after its pages, as far as one follows the other; None at its end.

    Jira may cut its pages smaller than asked for; what lies between two of them is then read next.
    """
    read = [(call, page) for call, page in answered if call.container == place.container]
    if not read:
        return None
    last = read[-1][1]
    for (_, page), (following, _) in pairwise(read):
        if page.next_start != following.start:
            last = page
            break
    if last.next_start is None:
        return None
    return replace(place, start=last.next_start, total=last.total)
