"""Where in a list did somebody come or go? Pure: a search that says which place to look at next and is told who is there.

A list that grew by one shows everybody before the newcomer where they were and everybody behind one place further: so
the newcomer is found by halving, first among the pages of the remembered order and then inside one of them. Some 15 looks
at one person each find one among 10,000.

What it cannot see: one who came and one who went between the same two looks, since they leave no shift behind.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from addon.sync.order import Order, Stretch
from lifecycle.tenant import AccountId

READ_MOST = 100
# Places read at once where single looks do not tell: two pages of a group. A longer muddle is for a whole scan.

Outcome = Literal["settled", "unfinished", "unfit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Who stands at `count` places from `place` on? The answer may hold fewer: Jira hides some."""

    place: int
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """`arrived` stand in the list and not in the order, `departed` the other way round.

    `stretches`: what the order becomes there, by `start`; None for a stretch that another one swallowed. `unfinished`: a
    search of the new order goes on where this one stopped. `unfit`: the order is not the list's any more.
    """

    arrived: Sequence[AccountId]
    departed: Sequence[AccountId]
    stretches: Mapping[int, Stretch | None]
    outcome: Outcome


Search = Generator[Look, Sequence[AccountId], Findings]


def search(order: Order, length: int, seen: Mapping[int, AccountId], *, most: int) -> Search:
    """Compare `order` with a list that is now `length` long, in about `most` looks. `seen`: who was met already, by place."""
    steps = _Steps(order=order, growth=length - order.length, most=most, seen=dict(seen))
    outcome = yield from steps.settle()
    return Findings(
        arrived=list(dict.fromkeys(steps.arrived)),
        departed=list(dict.fromkeys(steps.departed)),
        stretches=steps.stretches,
        outcome=outcome,
    )


class _Enough(Exception):
    """So many looks were not granted."""


class _Unfit(Exception):
    """The list contradicts its order."""


@dataclass(slots=True, kw_only=True)
class _Steps:
    """`growth` is how much longer the list became. The search goes from left to right, one changed stretch at a time."""

    order: Order
    growth: int
    most: int
    seen: dict[int, AccountId | None]
    looks: int = 0
    arrived: list[AccountId] = field(default_factory=list)
    departed: list[AccountId] = field(default_factory=list)
    stretches: dict[int, Stretch | None] = field(default_factory=dict)

    def settle(self) -> Generator[Look, Sequence[AccountId], Outcome]:
        first, shift = 0, 0
        end = len(self.order.stretches)
        if not end:
            return "unfit"
        try:
            if self._are_all_newcomers_seen():
                yield from self._compare(self._first_touched(), end, 0, self.growth)
                return "settled"
            while shift != self.growth:
                if first == end:
                    return "unfit"
                low, high = yield from self._bracket(first, shift)
                high, following = yield from self._end(high, shift)
                yield from self._compare(low, high, shift, following)
                first, shift = high, following
        except _Enough:
            return "unfinished"
        except _Unfit:
            return "unfit"
        return "settled"

    def _are_all_newcomers_seen(self) -> bool:
        newcomers = [place for place, who in self.seen.items() if self._is_new(who)]
        return 0 < len(newcomers) == self.growth

    def _first_touched(self) -> int:
        place = min(place for place, who in self.seen.items() if self._is_new(who))
        numbers = range(len(self.order.stretches))
        return max((number for number in numbers if self.order.starts[number] <= place), default=0)

    def _is_new(self, who: AccountId | None) -> bool:
        return who is not None and who not in self.order.homes

    def _at(self, place: int) -> Generator[Look, Sequence[AccountId], AccountId | None]:
        """Who stands at a place; None if hidden."""
        if place not in self.seen:
            self._count()
            found = yield Look(place=place)
            self.seen[place] = found[0] if found else None
        return self.seen[place]

    def _count(self) -> None:
        if self.looks >= self.most:
            raise _Enough
        self.looks += 1

    def _bracket(self, first: int, shift: int) -> Generator[Look, Sequence[AccountId], tuple[int, int]]:
        """The first stretch behind which the shift is another; several where what stands between them is hidden."""
        low, high = first, len(self.order.stretches)
        while high - low > 1:
            middle = (low + high) // 2
            for number in sorted(range(low + 1, high), key=lambda each: abs(each - middle)):
                is_shifted = yield from self._is_shifted(number, shift)
                if is_shifted is not None:
                    break
            else:
                break
            low, high = (low, number) if is_shifted else (number, high)
        return low, high

    def _is_shifted(self, number: int, shift: int) -> Generator[Look, Sequence[AccountId], bool | None]:
        """Whether the list is shifted otherwise where a stretch begins; None where nobody can tell.

        If somebody came, the last one of the stretch before stands where this one began; if somebody went, the first one
        of this stretch stands where the one before ended. So the place beside the border tells without a doubt.
        """
        start = self.order.starts[number] + shift
        place = start if self.growth > shift else start - 1
        if place >= self.order.length + self.growth:
            return True
        who = (yield from self._at(place)) if place >= 0 else None
        if who is None:
            return None
        if who not in self.order.homes:
            return True if self.growth > shift else None
        is_here = self.order.homes[who] >= number
        return not is_here if self.growth > shift else is_here

    def _end(self, number: int, shift: int) -> Generator[Look, Sequence[AccountId], tuple[int, int]]:
        """The stretch `number`, where the shift is not `shift` any more, or the next where it can be told; and that shift."""
        step = 1 if self.growth > shift else -1
        for behind in range(number, len(self.order.stretches)):
            for candidate in range(shift + step, self.growth, step):
                is_shifted = yield from self._is_shifted(behind, candidate)
                if is_shifted is None:
                    break
                if not is_shifted:
                    return behind, candidate
            else:
                return behind, self.growth
        return len(self.order.stretches), self.growth

    def _compare(self, low: int, high: int, before: int, behind: int) -> Generator[Look, Sequence[AccountId], None]:
        """Find who differs in the stretches from `low` to before `high`, between these two shifts."""
        begin, end = self.order.starts[low] + before, self.order.starts[high] + behind
        known = [who for stretch in self.order.stretches[low:high] for who in stretch.account_ids]
        inside = _Inside(begin=begin, end=end, known=known, homes=self.order.homes)
        for noted in sorted(self.seen):
            inside.note(noted, self.seen[noted])
        while not inside.explains(behind - before):
            place = inside.next_place()
            if place is None:
                members = yield from self._read(begin, end)
                if any(not low <= self.order.homes.get(who, low) < high for who in members):
                    raise _Unfit
                break
            who = yield from self._at(place)
            inside.note(place, who)
        else:
            members = inside.members()
        self._keep(low, high, end - begin, known, members)

    def _read(self, begin: int, end: int) -> Generator[Look, Sequence[AccountId], Sequence[AccountId]]:
        if end == begin:
            return []
        if end - begin > READ_MOST:
            raise _Unfit
        self._count()
        return list((yield Look(place=begin, count=end - begin)))

    def _keep(self, low: int, high: int, slots: int, known: Sequence[AccountId], members: Sequence[AccountId]) -> None:
        before, after = set(known), set(members)
        self.arrived.extend(who for who in members if who not in self.order.homes)
        self.departed.extend(who for who in known if who not in after)
        first, *others = self.order.stretches[low:high]
        if before != after or slots != sum(stretch.slots for stretch in (first, *others)):
            self.stretches[first.start] = Stretch(start=first.start, slots=slots, account_ids=members)
            self.stretches.update({stretch.start: None for stretch in others})


@dataclass(slots=True, kw_only=True)
class _Inside:
    """A part of the list, from the place `begin` to before `end`, and the accounts that stood in it."""

    begin: int
    end: int
    known: Sequence[AccountId]
    homes: Mapping[AccountId, int]
    ranks: dict[AccountId, int] = field(init=False)
    anchors: list[tuple[int, int]] = field(init=False)
    """Places of known accounts, with their rank; one before the first and one behind the last."""
    marked: dict[int, AccountId | None] = field(default_factory=dict)
    """Places of strangers, and None for those where nobody is shown."""

    def __post_init__(self) -> None:
        self.ranks = {who: rank for rank, who in enumerate(self.known)}
        self.anchors = [(self.begin - 1, -1), (self.end, len(self.known))]

    def note(self, place: int, who: AccountId | None) -> None:
        if not self.begin <= place < self.end:
            return
        rank = self.ranks.get(who) if who is not None else None
        left = max(anchor for anchor in self.anchors if anchor[0] <= place)
        right = min(anchor for anchor in self.anchors if anchor[0] >= place)
        if rank is not None and left[1] < rank < right[1]:
            self.anchors = sorted({*self.anchors, (place, rank)})
        elif who is not None and who not in self.homes:
            self.marked[place] = who
        elif left[0] < place < right[0]:
            # Hidden, or one who has another place in the order: it says nothing.
            self.marked[place] = None

    def explains(self, growth: int) -> bool:
        """Whether those who came and went, as far as found, make the list so much longer."""
        came = sum(who is not None for who in self.marked.values())
        return came - len(self._gone()) == growth

    def _gone(self) -> set[int]:
        """The ranks between accounts that now stand side by side."""
        return {
            rank
            for (place, before), (following, behind) in pairwise(self.anchors)
            if len(self._between(place, following)) == following - place - 1
            for rank in range(before + 1, behind)
        }

    def _between(self, place: int, following: int) -> list[int]:
        return [marked for marked in sorted(self.marked) if place < marked < following]

    def next_place(self) -> int | None:
        """The middle of the widest gap in which something is not explained; None where single looks tell no more."""
        gaps: list[tuple[int, int]] = []
        for (place, before), (following, behind) in pairwise(self.anchors):
            marked = self._between(place, following)
            if following - place - len(marked) == behind - before:
                continue
            gaps.extend(
                (right - left, left) for left, right in pairwise([place, *marked, following]) if right - left > 1
            )
        if not gaps:
            return None
        width, left = max(gaps)
        return left + width // 2

    def members(self) -> list[AccountId]:
        """Who stands here now, in order, as far as single looks tell."""
        gone = self._gone()
        placed: list[tuple[float, AccountId]] = [(r, who) for r, who in enumerate(self.known) if r not in gone]
        for place, who in self.marked.items():
            if who is not None:
                left = max(anchor for anchor in self.anchors if anchor[0] < place)
                right = min(anchor for anchor in self.anchors if anchor[0] > place)
                skipped = len([each for each in self._between(left[0], right[0]) if each < place])
                rank = min(left[1] + place - left[0] - skipped, right[1])
                # Behind everybody of a lower rank, before the one of this rank, strangers in the order of their places.
                placed.append((rank - 1 + (place - self.begin + 1) / (self.end - self.begin + 2), who))
        return [who for _, who in sorted(placed, key=lambda pair: pair[0])]
