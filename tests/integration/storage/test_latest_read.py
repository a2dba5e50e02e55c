"""Of several readers of one account the one that asked Jira last is believed, in whatever order they write."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest

from addon.crm.contact import email_key
from addon.storage import choice, sync_state
from addon.storage.refresh_store import RefreshStore
from addon.storage.run_store import RunStore
from addon.sync import plan as plans
from addon.sync.people import Sighting
from tests.integration.storage.site import NOW, SOMEWHERE, Site
from tests.unit.sync.builders import a_sighting

LATE = NOW + timedelta(minutes=5)
EARLIER, LATER = NOW + timedelta(minutes=1), NOW + timedelta(minutes=2)
ANA = a_sighting().account_id

Reader = Callable[[Site, Sighting, datetime], Awaitable[None]]


async def run(site: Site, sighting: Sighting, read_at: datetime) -> None:
    """A page of a run, written at LATE."""
    [newest] = await site.rows("SELECT max(run_id) AS id FROM sync_run WHERE tenant_id = :tenant_id")
    store = RunStore(database=site.database, tenant_id=site.tenant_id, run_id=newest["id"], clock=lambda: LATE)
    async with store.page([sighting], membership="inside", read_at=read_at) as page:
        plan = plans.plan_page(
            page.sightings, page.known, scope=page.scope, run_id=newest["id"], new_ids=page.new_ids, now=LATE
        )
        await page.write(plan, unreadable=(), cursor=SOMEWHERE, points=0)


async def refresh(site: Site, sighting: Sighting, read_at: datetime) -> None:
    """A single account, as after a webhook, written at LATE."""
    store = RefreshStore(database=site.database, tenant_id=site.tenant_id, clock=lambda: LATE)
    keys = [email_key(sighting.email)] if sighting.email else []
    async with store.page([sighting.account_id], keys, read_at=read_at) as page:
        wanted = [] if sighting.account_id in page.newer else [sighting]
        plan = plans.plan_page(wanted, page.known, scope=page.scope, run_id=page.run_id, new_ids=page.new_ids, now=LATE)
        await page.write(plan, unreadable=(), gone=())


@pytest.mark.parametrize("stale", [run, refresh])
@pytest.mark.parametrize("fresh", [run, refresh])
@pytest.mark.parametrize("is_stale_written_first", [True, False])
@pytest.mark.parametrize("known_as", ["Ana before", "Ana old", "Ana new"])
async def test_latest_read_wins(
    acme: Site, stale: Reader, fresh: Reader, *, is_stale_written_first: bool, known_as: str
) -> None:
    await acme.turn_on()
    await run(acme, a_sighting(display_name=known_as), NOW)
    readings = [
        (stale, a_sighting(display_name="Ana old"), EARLIER),
        (fresh, a_sighting(display_name="Ana new"), LATER),
    ]
    for read, sighting, read_at in readings if is_stale_written_first else reversed(readings):
        await read(acme, sighting, read_at)
    [row] = await acme.rows(
        """
        SELECT contact.name, checked_at FROM account JOIN contact USING (tenant_id, contact_id)
        WHERE tenant_id = :tenant_id AND account_id = :account_id
        """,
        account_id=ANA,
    )
    assert (row["name"], row["checked_at"]) == ("Ana new", LATER)


async def met(site: Site) -> tuple[int, int]:
    """Ana is met by a run, which ends, and by the next one, which goes on; their numbers."""
    first = (await site.turn_on()).run_id
    await run(site, a_sighting(), NOW)
    await site.store(first).finish(is_patchy=False)
    second = (await site.request_run()).id
    await run(site, a_sighting(), LATER)
    return first, second


async def test_who_a_later_run_has_met_is_not_gone_for_what_is_learned_for_an_earlier_one(acme: Site) -> None:
    first, second = await met(acme)
    before = await acme.links()
    async with acme.database.tenant(acme.tenant_id) as scope:
        await sync_state.lock_switch(scope)
        await choice.unlink(scope, first, met=[ANA], gone=[], read_at=EARLIER, now=LATE)
    await acme.store(second).finish(is_patchy=False)
    assert await acme.links() == before
    assert before[ANA] is not None


@pytest.mark.parametrize(("read_at", "is_believed"), [(EARLIER, False), (LATE, True)])
async def test_who_was_met_after_somebody_asked_is_not_gone(
    acme: Site, read_at: datetime, *, is_believed: bool
) -> None:
    first, _ = await met(acme)
    async with acme.database.tenant(acme.tenant_id) as scope:
        await sync_state.lock_switch(scope)
        await choice.unlink(scope, first, met=[], gone=[ANA], read_at=read_at, now=LATE)
    assert (ANA in await acme.links()) != is_believed
    assert (await acme.run(first)).unlinked == is_believed


@pytest.mark.parametrize("first", [run, refresh])
async def test_held_account_is_counted_whoever_meets_it_first(acme: Site, first: Reader) -> None:
    for name in ("Ana One", "Ana Two"):
        await acme.a_contact(name, "ana@x.example")
    begun = await acme.turn_on()
    await first(acme, a_sighting(email="ana@x.example"), EARLIER)
    await run(acme, a_sighting(email="ana@x.example"), LATER)
    ended = await acme.run(begun.run_id)
    assert (ended.seen, ended.held, ended.created, ended.linked) == (1, 1, 0, 0)


async def test_contact_that_the_same_run_removes_again_is_not_counted_as_created(acme: Site) -> None:
    await acme.a_contact("Ana", "ana@x.example")
    begun = await acme.turn_on()
    await run(acme, a_sighting("bo", email=None), EARLIER)
    await run(acme, a_sighting(email=None), EARLIER)
    await run(acme, a_sighting(kind="customer", email="ana@x.example"), LATER)
    ended = await acme.run(begun.run_id)
    assert (ended.seen, ended.created, ended.linked) == (2, 1, 1)
