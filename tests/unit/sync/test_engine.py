import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from addon.sync import cursor as cursors
from addon.sync import engine, pages
from addon.sync.cursor import Cursor
from addon.sync.filters import CUSTOMERS, Filters
from addon.sync.order import ListKey
from addon.sync.people import Known, Sighting
from addon.sync.ports import Directory, ListClosed, RunEnded, Store
from lifecycle.tenant import AccountId
from tests.unit.sync.builders import NOW, RUN, a_contact, a_sighting, an_account
from tests.unit.sync.memory import PAGE, Clock, MemoryDirectory, MemoryStore


class Outage(Exception):
    """Jira does not answer."""


def people(count: int, prefix: str = "user", **fields: Any) -> list[Sighting]:
    return [a_sighting(f"{prefix}-{number}", email=f"{prefix}-{number}@x.example", **fields) for number in range(count)]


async def carry_on(directory: Directory, store: MemoryStore, clock: Clock | None = None) -> bool:
    port: Store = store
    run = engine.Run(run_id=RUN, cursor=store.cursor or cursors.first(directory.phases), scope=store.scope)
    return await engine.work(run, directory, port, clock or Clock())


def emails_of(sightings: Sequence[Sighting]) -> dict[str, str | None]:
    return {sighting.account_id: sighting.email for sighting in sightings}


async def test_scan_links_everybody_of_every_phase() -> None:
    users, customers = people(20), people(7, "qm:customer", kind="customer")
    directory = MemoryDirectory(
        groups={"a": users[:11], "b": users[9:], "empty": []}, desks={"1": customers, "2": [*customers, *users[:2]]}
    )
    store = MemoryStore()
    assert await carry_on(directory, store)
    assert store.linked == emails_of([*users, *customers])
    assert {a.account_id: a.kind for a in store.known.accounts if a.account_id == "user-0"} == {"user-0": "user"}
    assert store.finished
    assert store.points == directory.points - len(directory.called("may_browse"))


async def test_closed_list_is_left_out_unless_a_filter_names_it() -> None:
    def directory() -> MemoryDirectory:
        # One page of the first; of the second one page, and then no more.
        desks = {"1": people(PAGE, "first"), "2": people(2 * PAGE, "second")}
        failures: list[Exception | None] = [None, None, ListClosed(Outage())]
        return MemoryDirectory(desks=desks, failures=failures, phases=("groups", CUSTOMERS))

    store = MemoryStore()
    assert await carry_on(directory(), store)
    assert (store.closed, store.is_patchy, store.finished) == ([ListKey(phase=CUSTOMERS, container="2")], True, True)
    assert set(store.linked) == {s.account_id for s in (*people(PAGE, "first"), *people(PAGE, "second"))}
    named = replace(store.scope, filters=Filters(projects=("1", "2")))
    with pytest.raises(Outage):
        await carry_on(directory(), MemoryStore(scope=named))


async def test_whom_others_read_since_is_met_and_left_as_they_wrote_it() -> None:
    """The page was read before the account changed, and is written after somebody else wrote the change."""
    known = Known(
        accounts=[
            an_account("user-0", email="new@x.example", display_name="Renamed", contact_id=1, seen_in_run=RUN - 1)
        ],
        contacts=[a_contact(1, name="Renamed", email="new@x.example")],
    )
    store = MemoryStore(known=known, overtaken=frozenset({AccountId("user-0")}))
    assert await carry_on(MemoryDirectory(groups={"a": people(2)}), store)
    assert store.linked == {"user-0": "new@x.example", "user-1": "user-1@x.example"}
    assert {a.display_name for a in store.known.accounts if a.account_id == "user-0"} == {"Renamed"}


async def test_slice_ends_in_time_and_the_next_goes_on_where_it_stood() -> None:
    users = people(40)
    directory, store = MemoryDirectory(groups={"a": users}), MemoryStore()
    slices = 0
    while not await carry_on(directory, store, Clock(tick=engine.SLICE / 3)):
        slices += 1
    assert slices > 1
    assert store.linked == emails_of(users)
    starts = directory.called("people")
    assert len(starts) == len(set(starts))  # no page was read twice
    assert len(directory.called("may_browse")) == 1


async def test_slice_that_starts_late_still_makes_a_step() -> None:
    directory, store = MemoryDirectory(groups={"a": people(5)}), MemoryStore()
    assert not await carry_on(directory, store, Clock(tick=engine.SLICE * 2))
    assert store.cursor is not None


async def test_pages_of_a_group_are_read_side_by_side_once_its_size_is_known() -> None:
    directory = MemoryDirectory(groups={"a": people(PAGE * 30)})
    reads: list[int] = []

    class Watched(MemoryStore):
        async def move(self, cursor: Cursor, *, points: int) -> None:
            reads.append(len(directory.called("people")))
            await super().move(cursor, points=points)

    await carry_on(directory, Watched())
    assert max(after - before for before, after in itertools.pairwise(reads)) == pages.AT_ONCE


@pytest.mark.parametrize("cap", [1, 2, PAGE])
async def test_pages_smaller_than_asked_for_leave_nobody_out(cap: int) -> None:
    users = people(17)
    store = MemoryStore()
    await carry_on(MemoryDirectory(groups={"a": users}, cap=cap), store)
    assert store.linked == emails_of(users)


async def test_run_without_permission_to_see_people_changes_nothing() -> None:
    known = Known(accounts=[an_account(email="a@x.example", contact_id=1)], contacts=[a_contact(email="a@x.example")])
    store = MemoryStore(known=known)
    with pytest.raises(engine.MayNotBrowse):
        await carry_on(MemoryDirectory(browsing=itertools.repeat(False)), store)
    assert (store.known, store.cursor, store.finished) == (known, None, False)


async def test_permission_lost_during_the_scan_looks_like_no_deletion() -> None:
    known = Known(accounts=[an_account(email="a@x.example", contact_id=1)], contacts=[a_contact(email="a@x.example")])
    store = MemoryStore(known=known)
    with pytest.raises(engine.MayNotBrowse):
        await carry_on(MemoryDirectory(browsing=iter([True, False])), store)
    assert (store.known, store.finished) == (known, False)


async def test_account_that_is_neither_listed_nor_found_is_gone_and_the_one_found_stays() -> None:
    known = Known(
        accounts=[
            an_account("gone", email="gone@x.example", contact_id=1),
            an_account("unlisted", email="u@x.example", contact_id=2),
        ],
        contacts=[a_contact(1, email="gone@x.example"), a_contact(2, email="u@x.example")],
    )
    directory = MemoryDirectory(unlisted=[a_sighting("unlisted", email="u@x.example")])
    store = MemoryStore(known=known)
    await carry_on(directory, store)
    assert directory.called("lookup") == [["gone", "unlisted"]]
    assert store.linked == {"unlisted": "u@x.example"}
    assert len(store.known.contacts) == 2


async def test_unseen_accounts_are_looked_up_in_batches() -> None:
    accounts = [an_account(f"user-{number:03}") for number in range(engine.LOOKUP_SIZE + 1)]
    directory = MemoryDirectory()
    await carry_on(directory, MemoryStore(known=Known(accounts=accounts, contacts=())))
    assert [len(asked) for asked in directory.called("lookup") if isinstance(asked, list)] == [engine.LOOKUP_SIZE, 1]


async def test_emails_that_no_list_shows_are_asked_for_by_id() -> None:
    directory = MemoryDirectory(
        groups={"a": [a_sighting("ana"), a_sighting("bo"), a_sighting("ci", email="ci@x.example")]},
        hidden={"ana": "ana@x.example"},
    )
    store = MemoryStore()
    await carry_on(directory, store)
    assert directory.called("emails") == [["ana", "bo"]]
    assert store.linked == {"ana": "ana@x.example", "bo": None, "ci": "ci@x.example"}
    states = {account.account_id: (account.email_state, account.email_checked_at) for account in store.known.accounts}
    assert states == {"ana": ("visible", NOW), "bo": ("hidden", NOW), "ci": ("visible", None)}


@pytest.mark.parametrize(
    ("before", "is_asked"),
    [
        ({"email_checked_at": NOW - timedelta(days=1)}, False),
        ({"email_checked_at": NOW - timedelta(days=7, seconds=1)}, True),
        ({"email_checked_at": None}, True),
        ({"email_checked_at": NOW, "display_name": "Ana Gil"}, True),
        ({"email_checked_at": NOW, "active": False}, True),
    ],
)
async def test_email_is_asked_for_when_an_account_is_new_changed_or_not_asked_for_long(
    before: dict[str, Any],
    is_asked: bool,  # noqa: FBT001 - a column of the table
) -> None:
    known = Known(
        accounts=[an_account(email="ana@x.example", contact_id=1, **before)],
        contacts=[a_contact(email="ana@x.example")],
    )
    directory = MemoryDirectory(groups={"a": [a_sighting()]})
    await carry_on(directory, MemoryStore(known=known))
    assert bool(directory.called("emails")) is is_asked


async def test_email_outage_takes_no_email_away() -> None:
    known = Known(
        accounts=[an_account(email="ana@x.example", contact_id=1)], contacts=[a_contact(email="ana@x.example")]
    )
    store = MemoryStore(known=known)
    directory = MemoryDirectory(groups={"a": [a_sighting("ana"), a_sighting("bo")]}, otherwise="unavailable")
    await carry_on(directory, store)
    states = {account.account_id: account.email_state for account in store.known.accounts}
    assert store.linked["ana"] == "ana@x.example"
    assert states == {"ana": "visible", "bo": "unavailable"}


async def test_failed_call_leaves_the_run_where_its_last_page_was_written() -> None:
    users = people(PAGE * 4)
    directory = MemoryDirectory(groups={"a": users}, failures=[None, None, Outage()])
    store = MemoryStore()
    with pytest.raises(Outage):
        await carry_on(directory, store)
    assert len(store.linked) == PAGE
    assert await carry_on(directory, store)
    assert store.linked == emails_of(users)


async def test_run_that_is_cancelled_stops_at_the_next_page() -> None:
    store = MemoryStore(pages_until_ended=1)
    with pytest.raises(RunEnded):
        await carry_on(MemoryDirectory(groups={"a": people(PAGE * 4)}), store)
    assert len(store.linked) == PAGE
    assert not store.finished


async def test_whole_run_again_changes_nothing() -> None:
    directory = MemoryDirectory(groups={"a": people(10)}, desks={"1": people(5, "qm:c", kind="customer")})
    store = MemoryStore()
    await carry_on(directory, store)
    before = store.known
    store.cursor = None
    await carry_on(directory, store)
    assert store.known == before
