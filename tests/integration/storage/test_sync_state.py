"""The switch and the run records on a real database: what turning on and off does, and who waits for whom."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from addon import errors
from addon.storage import departures, standing, sync_state
from addon.sync.ports import RunEnded
from tests.integration.storage.site import NOW, Site, people
from tests.unit.sync.builders import a_sighting


async def test_switch_starts_and_ends_runs_with_one_job_each(acme: Site) -> None:
    on = await acme.switch(enabled=True)
    again = await acme.switch(enabled=True)
    assert on.run is not None
    assert again.run == on.run
    assert (on.state, on.run.trigger) == ("running", "turned-on")
    off = await acme.switch(enabled=False)
    assert (off.state, off.run, off.last_run and off.last_run.state) == ("off", None, "cancelled")
    await acme.switch(enabled=True)
    assert [(work.kind, work.number) for work in acme.queue][:2] == [("run", on.run.id), ("clear-links", 2)]
    assert [work.kind for work in acme.queue] == ["run", "clear-links", "run"]
    assert len({(work.kind, work.number) for work in acme.queue}) == 3


async def test_run_is_joined_while_one_is_going_and_refused_while_the_sync_is_off(acme: Site) -> None:
    with pytest.raises(errors.Invalid):
        await acme.request_run()
    store = await acme.turn_on()
    assert (await acme.request_run()).id == store.run_id
    await store.finish(is_patchy=False)
    assert (await acme.request_run()).id != store.run_id


async def test_including_the_inactive_reads_again_whom_the_run_has_passed(acme: Site) -> None:
    store = await acme.turn_on()
    await acme.scan(store, people(1, active=False))
    status = await acme.switch(include_inactive=True)
    assert status.run is not None
    assert status.run.id != store.run_id
    assert (await acme.run(store.run_id)).state == "cancelled"
    await acme.scan(acme.store(status.run.id), people(1, active=False))
    assert len(await acme.links()) == 1
    assert (await acme.switch(include_inactive=True)).run == replace(
        status.run, phase="users", seen=1, created=1, points=3, total=1
    )


async def test_off_remembers_every_link_and_on_brings_it_back(acme: Site) -> None:
    await acme.turn_on()
    await acme.whole_run(people(3))
    links = await acme.links()
    status = await acme.switch(enabled=False)
    assert (status.linked, status.contacts) == (0, 3)
    assert not await acme.clear()
    assert await acme.links() == dict.fromkeys(links)
    assert len(await acme.rows("SELECT 1 FROM change WHERE tenant_id = :tenant_id AND cause = 'turned-off'")) == 3
    await acme.do("UPDATE contact SET email = NULL, email_key = NULL WHERE tenant_id = :tenant_id")
    await acme.switch(enabled=True)
    await acme.whole_run(people(3))
    assert await acme.links() == links


async def test_off_forgets_whoever_had_no_link_and_what_waited(acme: Site) -> None:
    for name in ("One", "Two"):
        await acme.a_contact(name, "ana@x.example")
    await acme.turn_on()
    await acme.whole_run([a_sighting(email="ana@x.example")])
    await acme.switch(enabled=False)
    assert not await acme.clear()
    assert (await acme.links(), await acme.attention()) == ({}, set())


async def test_links_are_cleared_a_part_at_a_time(acme: Site) -> None:
    contact_id = await acme.a_contact("Everybody", None)
    await acme.switch(enabled=True)
    await acme.do(
        """
        INSERT INTO account (tenant_id, account_id, kind, active, display_name, email_state, checked_at,
            contact_id, linked_by, linked_at)
        SELECT :tenant_id, 'user-' || number, 'user', true, 'Ana', 'hidden', :now, :contact_id, 'account', :now
        FROM generate_series(1, :links) AS number
        """,
        contact_id=contact_id,
        links=departures.CLEARED_AT_ONCE + 1,
        now=NOW,
    )
    await acme.switch(enabled=False)
    assert [await acme.clear(), await acme.clear()] == [True, False]
    assert set((await acme.links()).values()) == {None}


async def test_turning_off_waits_for_the_page_at_hand_and_no_page_follows(acme: Site) -> None:
    store = await acme.turn_on()
    async with store.page([], membership="inside", read_at=NOW):
        switching = asyncio.create_task(acme.switch(enabled=False))
        await acme.somebody_waits()
    assert (await switching).state == "off"
    with pytest.raises(RunEnded):
        await acme.scan(store, people(1))


async def test_failures_are_counted_in_a_row_and_forgotten_by_a_page(acme: Site) -> None:
    store = await acme.turn_on()
    async with acme.database.tenant(acme.tenant_id) as scope:
        for _ in range(2):
            await standing.note_failure(scope, store.run_id, error="Jira did not answer.")
        status = await sync_state.read(scope)
    assert status.run is not None
    assert (status.state, status.run.failures, status.run.error) == ("waiting", 2, "Jira did not answer.")
    await acme.scan(store, people(1))
    run = await acme.run(store.run_id)
    assert (run.failures, run.error) == (0, None)


async def test_run_that_failed_stays_failed(acme: Site) -> None:
    store = await acme.turn_on()
    async with acme.database.tenant(acme.tenant_id) as scope:
        await standing.fail(scope, store.run_id, error="Jira refuses.", now=NOW)
        await standing.note_failure(scope, store.run_id, error="too late")
        assert await standing.read(scope, store.run_id) is None
        status = await sync_state.read(scope)
    assert (status.state, status.last_run and status.last_run.error) == ("failing", "Jira refuses.")
    with pytest.raises(RunEnded):
        await acme.scan(store, people(1))


async def test_runs_are_listed_newest_first(acme: Site) -> None:
    await acme.turn_on()
    made = [(await acme.whole_run(people(1))).id for _ in range(3)]
    async with acme.database.tenant(acme.tenant_id) as scope:
        assert [run.id for run in await sync_state.runs(scope, before=None, limit=2)] == [made[2], made[1]]
        assert [run.id for run in await sync_state.runs(scope, before=made[1], limit=9)] == [made[0]]
        with pytest.raises(errors.NotFound):
            await sync_state.run(scope, made[2] + 1000)


async def test_times_are_those_of_the_clock(acme: Site) -> None:
    store = await acme.turn_on()
    await acme.scan(store, people(1))
    await store.finish(is_patchy=False)
    run = await acme.run(store.run_id)
    assert (run.started_at, run.finished_at) == (NOW, NOW)
    (account,) = await acme.rows("SELECT checked_at, linked_at FROM account WHERE tenant_id = :tenant_id")
    assert set(account.values()) == {NOW}
    assert timedelta(0) == run.started_at.utcoffset()
