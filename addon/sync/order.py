"""In which order did a list of Jira's show people, when it was last read? Pure values, cut into the pages of that reading.

The order itself is Jira's secret (groups go by a hidden username); it only has to stay the same from one look to the next.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from lifecycle.tenant import AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class ListKey:
    """One list of people: a container (group, desk, organization) of a phase of the directory."""

    phase: str
    container: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """One page of a list. `slots` places of it hold `account_ids`, in this order; the others were hidden, who knows which.

    `start` is where the page began when it was read. It names the page for ever, though others before it may grow.
    """

    start: int
    slots: int
    account_ids: Sequence[AccountId]


@dataclass(frozen=True, slots=True)
class Order:
    """A whole list. Places are counted over all slots, as Jira counts them."""

    stretches: Sequence[Stretch]
    starts: Sequence[int] = field(init=False)
    """Where each stretch begins now, and behind the last where the list ends."""
    homes: dict[AccountId, int] = field(init=False)
    """The number of the stretch that holds an account."""

    def __post_init__(self) -> None:
        starts = tuple(accumulate((stretch.slots for stretch in self.stretches), initial=0))
        homes: dict[AccountId, int] = {}
        for number, stretch in enumerate(self.stretches):
            for account_id in stretch.account_ids:
                # Who slid from one page to the next while they were read stands in both; the first counts.
                homes.setdefault(account_id, number)
        object.__setattr__(self, "starts", starts)
        object.__setattr__(self, "homes", homes)

    @property
    def length(self) -> int:
        return self.starts[-1]
