"""How are single accounts read again? For hints, for a list that a person has open, for what a probe found.

The latest reading wins, in whatever order hints came and whatever they said. Knows neither SQL nor HTTP. It runs beside a
whole run of the same tenant: each of its transactions is short and holds the same lock.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from addon.crm import contact as crm
from addon.crm.contact import ContactId, EmailKey
from addon.sync import plan as plans
from addon.sync.engine import LOOKUP_SIZE, MayNotBrowse
from addon.sync.filters import Membership
from addon.sync.people import Known, Plan, Sighting
from addon.sync.ports import Directory, Emails
from addon.sync.scope import Scope
from lifecycle.tenant import AccountId


class SyncOff(Exception):
    """The sync is off: nothing of Jira matters (S16)."""


class RefreshPage(Protocol):
    """One transaction in which nobody else writes this tenant's links."""

    @property
    def run_id(self) -> int | None:
        """The newest run: to it, whoever is met now has been met, so that it takes nobody of them for gone."""

    @property
    def newer(self) -> Collection[AccountId]:
        """Of the accounts asked for, those that somebody read again after we had."""

    @property
    def known(self) -> Known: ...

    @property
    def scope(self) -> Scope: ...

    @property
    def new_ids(self) -> Iterator[ContactId]: ...

    async def write(self, plan: Plan, *, unreadable: Sequence[AccountId], gone: Sequence[AccountId]) -> None:
        """Carry out the plan, and unlink who is gone (S10), unless they are too many to believe (D9)."""


class RefreshStore(Protocol):
    """What we keep of one tenant, as far as reading single accounts needs it."""

    def page(
        self, account_ids: Sequence[AccountId], email_keys: Sequence[EmailKey], *, read_at: datetime
    ) -> AbstractAsyncContextManager[RefreshPage]:
        """`read_at`: when Jira was asked. Raises SyncOff."""


async def refresh(
    account_ids: Sequence[AccountId],
    directory: Directory,
    store: RefreshStore,
    clock: Callable[[], datetime],
    *,
    membership: Membership = "unknown",
) -> Sequence[AccountId]:
    """Read accounts again and have contacts follow them (S7, S10, S13). Gives those of which Jira showed fallback values
    only (D8): about them nothing was learned.

    `membership`: whether lists that the filters mean name them (D11), which an answer by id does not say.
    Raises SyncOff, MayNotBrowse, and whatever the directory raises; what was written before stays.
    """
    waiting = list(dict.fromkeys(account_ids))
    asked: set[AccountId] = set()
    unreadable: list[AccountId] = []
    while waiting:
        batch, waiting = waiting[:LOOKUP_SIZE], waiting[LOOKUP_SIZE:]
        asked.update(batch)
        reading = await _refresh(batch, directory, store, clock, membership)
        unreadable += reading.unreadable
        waiting += [account_id for account_id in reading.left_behind if account_id not in {*asked, *waiting}]
    return unreadable


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """What is left to do. `left_behind`: who shares a contact with somebody who is gone, and may lead it now (D3)."""

    unreadable: Sequence[AccountId]
    left_behind: Sequence[AccountId]


async def _refresh(
    account_ids: Sequence[AccountId],
    directory: Directory,
    store: RefreshStore,
    clock: Callable[[], datetime],
    membership: Membership,
) -> _Reading:
    read_at = clock()
    found = await directory.lookup(account_ids)
    met = {*(sighting.account_id for sighting in found.sightings), *found.unreadable}
    missing = [account_id for account_id in account_ids if account_id not in met]
    # An app that lost its permission gets empty answers, which must not look like deletions (D8).
    if missing and not await directory.may_browse():
        raise MayNotBrowse
    sightings = await _with_emails(found.sightings, directory)
    keys = [crm.email_key(sighting.email) for sighting in sightings if sighting.email]
    async with store.page(account_ids, keys, read_at=read_at) as page:
        plan = plans.plan_page(
            [sighting for sighting in sightings if sighting.account_id not in page.newer],
            page.known,
            scope=replace(page.scope, membership=membership),
            run_id=page.run_id,
            new_ids=page.new_ids,
            now=clock(),
        )
        gone = [account_id for account_id in missing if account_id not in page.newer]
        await page.write(plan, unreadable=found.unreadable, gone=gone)
        return _Reading(unreadable=found.unreadable, left_behind=_left_behind(page.known, gone))


def _left_behind(known: Known, gone: Sequence[AccountId]) -> Sequence[AccountId]:
    contacts = {account.contact_id for account in known.accounts if account.account_id in gone} - {None}
    return [a.account_id for a in known.accounts if a.contact_id in contacts and a.account_id not in gone]


async def _with_emails(sightings: Sequence[Sighting], directory: Directory) -> Sequence[Sighting]:
    """Ask for every email that the records did not show: a hint may be about nothing else."""
    hidden = [sighting.account_id for sighting in sightings if not sighting.email]
    if not hidden:
        return sightings
    answer = await directory.emails(hidden)
    return [sighting if sighting.email else _answered(sighting, answer) for sighting in sightings]


def _answered(sighting: Sighting, answer: Emails) -> Sighting:
    email = answer.found.get(sighting.account_id)
    return replace(sighting, email=email, email_state="visible" if email else answer.otherwise)
