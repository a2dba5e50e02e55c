"""Of several readers of one account the one that asked Jira last is believed, in whatever order they write."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest

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
    async with store.page([sighting.account_id], [], read_at=read_at) as page:
        wanted = [] if sighting.account_id in page.newer else [sighting]
        plan = plans.plan_page(wanted, page.known, scope=page.scope, run_id=None, new_ids=page.new_ids, now=LATE)
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
