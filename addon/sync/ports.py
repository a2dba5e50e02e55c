"""What the engine needs from outside: a directory of people (one implementation per door) and a store."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from addon.crm.contact import ContactId
from addon.sync.cursor import Cursor
from addon.sync.filters import Membership
from addon.sync.order import ListKey, Stretch
from addon.sync.people import Known, Plan, Sighting
from addon.sync.scope import Scope
from lifecycle.tenant import AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class Containers:
    """A page of a phase's containers; `next_start` is None at the list's end. `is_refused`: Jira does not say what is left."""

    ids: Sequence[str]
    next_start: int | None
    is_refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """A page of people. `unreadable`: accounts of which Jira gave fallback values only (D8): they exist, no more is known.

    `listed`: everybody whom the page shows, in its order, also who is never synced; it covers `slots` places of the list.
    """

    sightings: Sequence[Sighting]
    unreadable: Sequence[AccountId] = ()
    next_start: int | None = None
    total: int | None = None
    listed: Sequence[AccountId] = ()
    slots: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Emails:
    """The answer to asking for emails by id: of an account that `found` lacks we know what `otherwise` says."""

    found: Mapping[AccountId, str]
    otherwise: Literal["hidden", "unavailable"]


class Directory(Protocol):
    """Whom a site knows, through one of the doors (Connect or Forge)."""

    @property
    def phases(self) -> Sequence[str]:
        """The phases of a whole scan, in order. Users come before customers: who is both counts as a user."""

    @property
    def points(self) -> int:
        """API points spent so far."""

    def page_size(self, phase: str) -> int | None:
        """How far apart the pages of a container are, where they can be read side by side; None where not."""

    async def may_browse(self) -> bool:
        """Whether Jira lets us see people; where not, its lists are empty instead of refused."""

    async def containers(self, phase: str, start: int) -> Containers: ...

    async def people(self, phase: str, container: str, start: int) -> People:
        """Raises ListClosed where the site has the list and does not let us read it."""

    async def emails(self, account_ids: Sequence[AccountId]) -> Emails: ...

    async def lookup(self, account_ids: Sequence[AccountId]) -> People:
        """Those of `account_ids` that still exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Glimpse:
    """What decides whether an account's email is asked for by id."""

    display_name: str
    active: bool
    email_checked_at: datetime | None


class Page(Protocol):
    """One transaction of a run, in which nobody else writes this tenant's links."""

    @property
    def sightings(self) -> Sequence[Sighting]:
        """Those to be planned. Left out are accounts that are as they were, like their contacts, and accounts that somebody
        read again after we had: theirs is the latest word (see `addon.sync.refresh`). `write` notes that the run met both.
        """

    @property
    def known(self) -> Known:
        """About `sightings`."""

    @property
    def scope(self) -> Scope: ...

    @property
    def new_ids(self) -> Iterator[ContactId]: ...

    async def write(
        self,
        plan: Plan,
        *,
        unreadable: Sequence[AccountId],
        cursor: Cursor,
        points: int,
        pages: Sequence[tuple[ListKey, Stretch]] = (),
        closed: Sequence[ListKey] = (),
    ) -> None:
        """Carry out the plan, remember who stands on these pages of lists, and move the run to `cursor`. `closed`: lists that
        Jira refuses to this run; what the run before remembered of them holds on.
        """


class Store(Protocol):
    """What we keep of one tenant, as far as a run needs it. Each method is one transaction.

    `page`, `move` and `finish` raise RunEnded when the run is no longer open (cancelled by turning the sync off).
    """

    async def glimpse(self, account_ids: Sequence[AccountId]) -> Mapping[AccountId, Glimpse]: ...

    def page(
        self, sightings: Sequence[Sighting], *, membership: Membership, read_at: datetime
    ) -> AbstractAsyncContextManager[Page]:
        """`read_at`: when Jira was asked. `membership`: what it says of the lists of the filters, see `Scope`."""

    async def move(self, cursor: Cursor, *, points: int) -> None:
        """Move the run to `cursor`: nothing but reading happened."""

    async def keep_unread(self, phase: str) -> None:
        """What the run before remembered of lists that this run did not read holds on: Jira does not tell which there are."""

    async def unseen(self, after: str, limit: int) -> Sequence[AccountId]:
        """Accounts that this run has not met, in order, behind `after`."""

    async def finish(self, *, is_patchy: bool) -> None:
        """End the run: the accounts still not met are gone (S10), unless they are too many (D9). `is_patchy`: see Cursor."""


class RunEnded(Exception):
    """The run is no longer open."""


class ListClosed(Exception):
    """Jira refuses a list of people; `reason` is the directory's own error. Others may be open."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(str(reason))
        self.reason = reason
