"""The store of a run on a real database: what it reads for a plan, what it leaves, and when it refuses."""

import asyncio
from dataclasses import replace

import pytest

from addon import errors
from addon.crm.contact import ContactId
from addon.storage import contacts, standing
from addon.sync import cursor as cursors
from addon.sync import plan as plans
from addon.sync.cursor import Cursor
from addon.sync.ports import RunEnded, Store
from lifecycle.tenant import AccountId
from tests.integration.storage.site import NOW, SOMEWHERE, Site, people
from tests.unit.sync.builders import a_sighting


async def test_store_is_the_engines(acme: Site) -> None:
    store: Store = await acme.turn_on()
    await store.move(SOMEWHERE, points=1)
    [run] = await acme.rows("SELECT phase FROM sync_run WHERE tenant_id = :tenant_id")
    assert run["phase"] == SOMEWHERE.phase


async def test_page_writes_contacts_accounts_history_and_cursor_at_once(acme: Site) -> None:
    existing = await acme.a_contact("A.", "USER-0@x.example")
    store = await acme.turn_on()
    cursor = replace(SOMEWHERE, next_containers=50)
    await acme.scan(store, people(3), cursor)
    links = await acme.links()
    assert links["user-000"] == existing
    assert len(set(links.values())) == 3
    run = await acme.run(store.run_id)
    assert (run.phase, run.seen, run.linked, run.created, run.updated, run.points) == ("users", 3, 1, 2, 0, 3)
    async with acme.database.tenant(acme.tenant_id) as scope:
        assert await standing.read(scope, store.run_id) == standing.Standing(cursor=cursor, failures=0, points=3)
    history = await acme.rows(
        "SELECT field, old, new FROM change WHERE tenant_id = :tenant_id AND run_id = :run_id"
        " AND contact_id = :contact_id ORDER BY change_id",
        run_id=store.run_id,
        contact_id=existing,
    )
    assert history == [
        {"field": "syncedJiraUser", "old": None, "new": "user-000"},
        {"field": "name", "old": "A.", "new": "Ana Ruiz"},
    ]


async def test_page_that_fails_leaves_nothing(acme: Site) -> None:
    store = await acme.turn_on()
    before = await acme.everything()
    with pytest.raises(ZeroDivisionError):
        await acme.scan(store, people(3), then=lambda: 1 // 0)
    assert await acme.everything() == before


async def test_page_written_twice_changes_nothing(acme: Site) -> None:
    store = await acme.turn_on()
    await acme.scan(store, people(3))
    before, links = await acme.run(store.run_id), await acme.links()
    await acme.scan(store, people(3))
    after = await acme.run(store.run_id)
    assert (after.seen, after.created, after.linked) == (before.seen, before.created, before.linked)
    assert await acme.links() == links


async def test_held_account_stays_held_when_its_email_is_not_shown_again(acme: Site) -> None:
    """A list that shows no email must not look as if nobody else had it."""
    for name in ("One", "Two"):
        await acme.a_contact(name, "ana@x.example")
    await acme.turn_on()
    await acme.whole_run([a_sighting(email="ana@x.example")])
    run = await acme.whole_run([a_sighting()])
    assert (run.created, run.held) == (0, 1)
    assert await acme.links() == {"ana": None}
    assert await acme.attention() == {("ambiguous-email", "ana")}


async def test_account_whose_contact_was_deleted_is_matched_by_the_email_we_know(acme: Site) -> None:
    await acme.turn_on()
    await acme.whole_run([a_sighting(email="ana@x.example")])
    await acme.switch(enabled=False)
    assert not await acme.clear()
    await acme.do("DELETE FROM contact WHERE tenant_id = :tenant_id")
    typed = await acme.a_contact("Ana", "ana@x.example")
    await acme.switch(enabled=True)
    await acme.whole_run([a_sighting()])
    assert await acme.links() == {"ana": typed}


async def test_contact_is_bare_until_somebody_types_into_it(acme: Site) -> None:
    bare = await acme.a_contact("Ana", None, origin="sync")
    typed = await acme.a_contact("Bo", None, origin="sync", phone="+34 600")
    manual = await acme.a_contact("Ci", None)
    store = await acme.turn_on()
    for contact_id, account_id in ((bare, "ana"), (typed, "bo"), (manual, "ci")):
        await acme.scan(store, [a_sighting(account_id)])
        await acme.do(
            "UPDATE account SET contact_id = :contact_id WHERE tenant_id = :tenant_id AND account_id = :id",
            contact_id=contact_id,
            id=account_id,
        )
    async with store.page(
        [a_sighting(name, display_name="?") for name in ("ana", "bo", "ci")], membership="inside", read_at=NOW
    ) as page:
        assert {c.contact_id: c.is_bare for c in page.known.contacts} == {bare: True, typed: False, manual: False}


async def test_known_holds_everybody_who_shares_a_contact(acme: Site) -> None:
    store = await acme.turn_on()
    await acme.scan(store, [a_sighting("ana", email="a@x.example"), a_sighting("qm:ana", email="a@x.example")])
    await acme.scan(store, [a_sighting("bo", email="b@x.example")])
    async with store.page([a_sighting("ana", email="B@x.example")], membership="inside", read_at=NOW) as page:
        assert {account.account_id for account in page.known.accounts} == {"ana", "qm:ana", "bo"}
        assert len(page.known.contacts) == 2


async def test_nobody_unseen_is_dropped_before_the_run_is_finished(acme: Site) -> None:
    await acme.turn_on()
    await acme.whole_run(people(3))
    begun = await acme.request_run()
    store = acme.store(begun.id)
    await acme.scan(store, people(1))
    assert await store.unseen("", 90) == ["user-001", "user-002"]
    assert await store.unseen("user-001", 90) == ["user-002"]
    assert await store.unseen("", 1) == ["user-001"]
    assert len(await acme.links()) == 3
    await store.finish(is_patchy=False)
    assert list(await acme.links()) == ["user-000"]
    run = await acme.run(begun.id)
    assert (run.state, run.unlinked, run.total) == ("done", 2, run.seen)
    assert len(await acme.rows("SELECT 1 FROM contact WHERE tenant_id = :tenant_id")) == 3  # S10: the contact stays


async def test_unreadable_account_counts_as_met_and_keeps_what_we_know(acme: Site) -> None:
    await acme.turn_on()
    await acme.whole_run(people(1))
    begun = await acme.request_run()
    store = acme.store(begun.id)
    async with store.page([], membership="inside", read_at=NOW) as page:
        plan = plans.plan_page([], page.known, scope=page.scope, run_id=begun.id, new_ids=page.new_ids, now=NOW)
        await page.write(plan, unreadable=[AccountId("user-000")], cursor=SOMEWHERE, points=1)
    await store.finish(is_patchy=False)
    (account,) = await acme.rows("SELECT * FROM account WHERE tenant_id = :tenant_id")
    assert (account["display_name"], account["email"]) == ("Ana Ruiz", "user-0@x.example")


@pytest.mark.parametrize(("gone", "unlinked", "waits"), [(20, 20, set()), (21, 0, {("mass-unlink", "")})])
async def test_too_many_departures_wait_for_a_person(
    acme: Site, gone: int, unlinked: int, waits: set[tuple[str, str]]
) -> None:
    await acme.turn_on()
    await acme.whole_run(people(30))
    run = await acme.whole_run(people(30 - gone))
    assert (run.state, run.unlinked) == ("done", unlinked)
    assert len(await acme.links()) == 30 - unlinked
    assert await acme.attention() == waits


async def test_guard_is_settled_when_everybody_is_back(acme: Site) -> None:
    await acme.turn_on()
    await acme.whole_run(people(30))
    await acme.whole_run(people(5))
    await acme.whole_run(people(30))
    assert (await acme.attention(), len(await acme.links())) == (set(), 30)


async def test_run_that_was_cancelled_writes_nothing_more(acme: Site) -> None:
    store = await acme.turn_on()
    await acme.scan(store, people(1))
    await acme.switch(enabled=False)
    before = await acme.everything()
    with pytest.raises(RunEnded):
        await acme.scan(store, people(2))
    with pytest.raises(RunEnded):
        await store.move(SOMEWHERE, points=1)
    with pytest.raises(RunEnded):
        await store.finish(is_patchy=False)
    await acme.switch(enabled=True)  # another run is open now, and this one is still not
    with pytest.raises(RunEnded):
        await acme.scan(store, people(2))
    assert (await acme.everything())[:3] == before[:3]


async def test_contact_cannot_be_deleted_while_a_page_is_about_to_link_it(acme: Site) -> None:
    """S9: the check waits for the page, and then sees the link."""
    contact_id = ContactId(await acme.a_contact("Ana", "user-0@x.example"))
    store = await acme.turn_on()

    async def delete() -> None:
        async with acme.database.tenant(acme.tenant_id) as scope:
            await contacts.delete(scope, contact_id)

    async with store.page(people(1), membership="inside", read_at=NOW) as page:
        deleting = asyncio.create_task(delete())
        await acme.somebody_waits()
        plan = plans.plan_page(
            people(1), page.known, scope=page.scope, run_id=store.run_id, new_ids=page.new_ids, now=NOW
        )
        await page.write(plan, unreadable=(), cursor=SOMEWHERE, points=1)
    with pytest.raises(errors.ContactSynced):
        await deleting
    assert await acme.links() == {"user-000": contact_id}


async def test_total_is_what_is_left_or_what_the_last_whole_run_met(acme: Site) -> None:
    store = await acme.turn_on()
    unknown = Cursor(phase="users", next_containers=None, places=[cursors.Place(container="a")])
    await acme.scan(store, people(3), unknown)
    assert (await acme.run(store.run_id)).total is None
    known = Cursor(phase="users", next_containers=None, places=[cursors.Place(container="a", start=50, total=60)])
    await acme.scan(store, people(3), known)
    assert (await acme.run(store.run_id)).total == 13
    await store.finish(is_patchy=False)
    begun = await acme.request_run()
    assert begun.total == 3
    await acme.store(begun.id).move(unknown, points=1)
    assert (await acme.run(begun.id)).total == 3
