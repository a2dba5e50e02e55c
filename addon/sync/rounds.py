"""How does a round of probes go? It looks where somebody may have come or gone, and has only those people read again.

Knows neither SQL nor HTTP. Whom it does not find, the next whole scan does; whom it takes for gone is believed only when
Jira, asked by id, does not know them any more.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from addon.sync import bisect, probe
from addon.sync.bisect import Findings, Look
from addon.sync.order import ListKey, Order
from addon.sync.probe import KnownList
from lifecycle.tenant import AccountId

MOST_CAME = 100
MOST_WENT = 20
# More at once are no case for single looks. The second is what a run believes without asking (D9).

TAIL = 10
# People asked for behind a list's known end.

LOOK_POINTS = 3  # a request, and one person


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Who stands from a place on, None where the record says nothing. `total`: the list's length, where Jira tells it."""

    account_ids: Sequence[AccountId | None]
    total: int | None
    is_last: bool


class Window(Protocol):
    """A site, as far as probes look into it."""

    @property
    def users(self) -> str:
        """The phase whose lists tell their length."""

    @property
    def points(self) -> int:
        """API points spent so far."""

    async def may_browse(self) -> bool: ...

    async def look(self, key: ListKey, place: int, count: int) -> Shown:
        """Raises ListClosed."""

    async def reporters(self, since: timedelta, *, most: int) -> Sequence[AccountId]:
        """Who reported the newest issues of so long a time, of about `most` issues."""


class Memory(Protocol):
    """What we remember of a site's lists. Each method is one transaction."""

    async def strangers(self, account_ids: Sequence[AccountId]) -> Sequence[AccountId]:
        """Those of `account_ids` that we do not know."""

    async def order(self, known: KnownList) -> Order:
        """Empty where another run's order has taken its place."""

    async def note_probed(self, keys: Sequence[ListKey], now: datetime) -> None: ...

    async def learn(self, known: KnownList, findings: Findings, now: datetime) -> None:
        """Write down how a list differs from its order, unless another run's order has taken its place."""


Refresh = Callable[[Sequence[AccountId], bool], Awaitable[None]]
"""Reads accounts again. The flag: they stand in one of the lists that a whole scan reads."""


class ListClosed(Exception):
    """Jira does not show this list any more: it was deleted, or closed to the app. The next whole scan draws conclusions."""


class NotBelieved(Exception):
    """The lists shrank because the app may not see people any more (D8)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`has_met_strangers`: a list showed people of whom no event had told. `wants_scan`: a list fits its order no more."""

    has_met_strangers: bool
    wants_scan: bool


async def work(
    lists: Sequence[KnownList],
    window: Window,
    memory: Memory,
    refresh: Refresh,
    *,
    points: int,
    since: timedelta,
    now: datetime,
) -> Outcome:
    """One round, for about `points`; what its looks show may cost more. Raises NotBelieved and what its parts raise."""
    began = window.points
    reporters = await memory.strangers(await window.reporters(since, most=points))
    if reporters:
        await refresh(reporters, False)
    done: list[ListKey] = []
    has_met_strangers = wants_scan = False
    for known in probe.choose(lists, users=window.users, points=points, now=now):
        left = points - (window.points - began)
        if left <= 0:
            break
        try:
            end = await _look_behind(known, window)
            if end.length == known.length:
                done.append(known.key)
                continue
            findings = await _follow(known, end, window, memory, points=max(left, probe.FOLLOW_UP_POINTS))
        except ListClosed:
            done.append(known.key)
            continue
        except Exception:
            # Trouble with this list must not come first in the next round too, and keep it from all others.
            await memory.note_probed([*done, known.key], now)
            raise
        strangers = await memory.strangers(findings.arrived)
        if strangers:
            await refresh(strangers, True)
        if findings.departed:
            await refresh(findings.departed, False)
        # Only now: if reading them failed, the next round must come upon them again.
        await memory.learn(known, findings, now)
        has_met_strangers = has_met_strangers or bool(strangers)
        wants_scan = wants_scan or findings.outcome == "unfit"
    await memory.note_probed(done, now)
    return Outcome(has_met_strangers=has_met_strangers, wants_scan=wants_scan)


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    length: int
    seen: Mapping[int, AccountId]


async def _look_behind(known: KnownList, window: Window) -> _End:
    """How long a list is now, and who stands behind its known end."""
    count = 1 if known.key.phase == window.users else TAIL
    place, seen = known.length, dict[int, AccountId]()
    while True:
        shown = await window.look(known.key, place, count)
        seen.update({each: who for each, who in enumerate(shown.account_ids, place) if who is not None})
        place += len(shown.account_ids)
        if shown.total is not None:
            # Where Jira hides people after cutting the page, places within it are not certain.
            return _End(length=shown.total, seen=seen if count == 1 and shown.total > known.length else {})
        if shown.is_last or not shown.account_ids or place - known.length > MOST_CAME:
            return _End(length=place, seen=seen)


async def _follow(known: KnownList, end: _End, window: Window, memory: Memory, *, points: int) -> Findings:
    """Find who came and went in a list that changed its length."""
    growth = end.length - known.length
    if growth < 0 and not await window.may_browse():
        raise NotBelieved
    if not known.fits or not -MOST_WENT <= growth <= MOST_CAME:
        return Findings(arrived=list(end.seen.values()), departed=(), stretches={}, outcome="unfit")
    order = await memory.order(known)
    if order.length != known.length:
        return Findings(arrived=list(end.seen.values()), departed=(), stretches={}, outcome="unfit")
    search = bisect.search(order, end.length, end.seen, most=points // LOOK_POINTS)
    try:
        look: Look = next(search)
        while True:
            shown = await window.look(known.key, look.place, look.count)
            look = search.send([who for who in shown.account_ids if who is not None])
    except StopIteration as stop:
        findings: Findings = stop.value
        return findings
