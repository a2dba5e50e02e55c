"""How often is a site probed for what no event told, and which of its lists are looked at next? Pure decisions.

A round of probes looks at the end of some lists: for one API point each while nothing changed. Sites where nobody came
lately get few points; once a probe finds somebody of whom no event had told, the next rounds look at far more lists.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from addon.sync.order import ListKey
from addon.sync.quota import BACKGROUND_PERCENT

ROUND = timedelta(minutes=4)
# Two rounds fit into the ten minutes in which a newcomer shall be found.

QUIET_POINTS = 18  # 270 an hour: 300 with what else a site costs, such as the list of failed deliveries
BUSY_POINTS = 200  # 3,000 an hour
BUSY_FOR = timedelta(minutes=45)
# A site with ten newcomers an hour is hardly ever without one for so long.

FOLLOW_UP_POINTS = 60
# At least so many for what a look showed: halving a list of 10,000 takes some 50.

PROBE_PERCENT = 50
# Of what the background may take; the rest is for whole scans.

INDEX_DELAY = timedelta(minutes=2)
# A new issue may be found by JQL only after a while.


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownList:
    """A list as we remember it, since the run `run_id` read it. `fits`: its remembered order still is the list's."""

    key: ListKey
    run_id: int
    length: int
    fits: bool
    probed_at: datetime | None
    changed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """A round each `interval`, for `points`."""

    interval: timedelta
    points: int


def pace(*, quota: int, tenants: int, found_at: datetime, now: datetime) -> Pace:
    """`quota`: the app's points per hour, which `tenants` share. `found_at`: when a probe last found a stranger."""
    share = quota * BACKGROUND_PERCENT * PROBE_PERCENT // 100 // 100 // max(tenants, 1)
    affordable = max(QUIET_POINTS, int(share * (ROUND / timedelta(hours=1))))
    wanted = BUSY_POINTS if now - found_at < BUSY_FOR else QUIET_POINTS
    points = min(wanted, affordable)
    stretch = max(1.0, points * (timedelta(hours=1) / ROUND) / max(share, 1))
    return Pace(interval=ROUND * stretch, points=points)


def choose(lists: Sequence[KnownList], *, users: str, points: int, now: datetime) -> Sequence[KnownList]:
    """The lists to look at in a round: those of the phase `users` first, where most newcomers show; of the others half by
    what changed lately, and the rest in turn.
    """
    in_turn = sorted(
        lists, key=lambda each: (each.probed_at is not None, each.probed_at, each.key.phase, each.key.container)
    )
    groups = [each for each in in_turn if each.key.phase == users][:points]
    others = [each for each in in_turn if each.key.phase != users]
    left = points - len(groups)
    moving = [each for each in others if each.changed_at is not None and now - each.changed_at < BUSY_FOR][: left // 2]
    return [*groups, *moving, *(each for each in others if each not in moving)][:points]


def rounds_for_all(lists: Sequence[KnownList], *, users: str, points: int) -> int:
    """How many rounds of so many points it takes until every list was looked at, when nothing changes."""
    groups = sum(each.key.phase == users for each in lists)
    others = len(lists) - groups
    return max(1, -(-others // max(points - groups, 1)))


def since(probed_at: datetime | None, now: datetime) -> timedelta:
    """How far back a round looks for new issues."""
    return (now - probed_at if probed_at is not None else ROUND) + INDEX_DELAY
