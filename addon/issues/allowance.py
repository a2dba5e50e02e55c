"""May work on issues that were there already take more API points in this hour? A share of the hour, which an admin sets.

Pure. It comes on top of the app's own budget (`addon.sync.quota`), which all work keeps.
"""

from dataclasses import dataclass
from datetime import datetime

from addon.sync import quota

PERCENT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """`per_hour`: the share, in points. `spent` of it in `hour`; None: nothing yet."""

    per_hour: int
    hour: datetime | None
    spent: int

    def taken(self, now: datetime) -> int:
        """Points that were taken in this hour."""
        return self.spent if self.hour == quota.hour_of(now) else 0

    def left(self, now: datetime) -> int:
        """Points that may be taken now."""
        return max(self.per_hour - self.taken(now), 0)


def of(*, points_per_hour: int, percent: int, hour: datetime | None, spent: int) -> Allowance:
    """`points_per_hour`: the app's quota; the share is one of what background work may take."""
    return Allowance(per_hour=quota.background(points_per_hour) * percent // PERCENT, hour=hour, spent=spent)


def until(now: datetime) -> datetime:
    """When the share is whole again."""
    return quota.hour_of(now) + quota.HOUR
