"""How many API points may a tenant take now? Pure decisions about the hour's quota, which all tenants share.

Source: Atlassian, "Rate limiting": the quota is the app's over all tenants and is whole again with each UTC hour. Work
that nobody waits for leaves a part of it to people, and among the tenants that want points at the same time, what is left
goes to those who took least.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lifecycle.tenant import TenantId

HOUR = timedelta(hours=1)

BACKGROUND_PERCENT = 65
# What background work may take of an hour's quota; the rest is for people who wait.

LAST_PERCENT = 5
SMALL = 20
# The last of the quota is for calls that need no more than SMALL points: nobody could open a page without a look at what
# they may do.

WANTED_FOR = timedelta(minutes=3)
# A tenant that needed more points so long ago counts as one that still wants some.

SHARE_DELAY = timedelta(minutes=1)
# When to ask again for points that another tenant may leave; below WANTED_FOR, so that who waits is not forgotten.

EVERY_CALL = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """No calls before `until`: of one tenant (None: of all) to one endpoint, or EVERY_CALL. `what` follows "waiting for"."""

    tenant_id: TenantId | None
    endpoint: str
    until: datetime
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """The hour so far. `own` and `others`: what this tenant's background work took, and that of each that wants more."""

    taken: int
    background: int
    own: int
    others: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loan:
    """Points to spend within the hour; what is left of them is to be given back."""

    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """No points before `until`. `what` follows "waiting for"."""

    until: datetime
    what: str


def background(quota: int) -> int:
    """What work that nobody waits for may take of an hour."""
    return quota * BACKGROUND_PERCENT // 100


def hour_of(now: datetime) -> datetime:
    """The beginning of the UTC hour."""
    return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def grant(spent: Spent, *, quota: int, need: int, wanted: int, is_awaited: bool, now: datetime) -> Loan | Later:
    """Lend `wanted` points, or fewer, but not fewer than `need`. `is_awaited`: a person waits for what they pay."""
    left = quota - spent.taken - (quota * LAST_PERCENT // 100 if need > SMALL else 0)
    if not is_awaited:
        left = min(left, background(quota) - spent.background)
    hour_end = hour_of(now) + HOUR
    if left < need:
        return Later(until=hour_end, what="the hourly API budget")
    if is_awaited:
        return Loan(points=min(wanted, left))
    part = share(left, own=spent.own, others=spent.others)
    if spent.own <= min(spent.others, default=spent.own):
        # However many share: who took least goes on, or nobody would.
        part = max(part, need)
    if part < need:
        return Later(until=min(now + SHARE_DELAY, hour_end), what="this site's share of the hourly API budget")
    return Loan(points=min(wanted, part))


def is_wanting(outcome: Loan | Later, *, need: int, is_awaited: bool) -> bool:
    """Whether a tenant counts, for some time, as one of those that share: its work goes on, or waits for points.

    Work that was lent more than it needed, such as a single look at a site, leaves the others theirs.
    """
    return not is_awaited and (isinstance(outcome, Later) or outcome.points <= need)


def share(left: int, *, own: int, others: Sequence[int]) -> int:
    """What a tenant may take of `left` points, when it took `own` this hour and others that want more took `others`.

    As if water were poured over them: the lowest first, until all stand equally high. The only one may take it all.
    """
    heights = sorted([own, *others])
    while (level := (max(left, 0) + sum(heights)) // len(heights)) < heights[-1]:
        heights.pop()  # stands higher than the rest can rise to
    return max(level - own, 0)
