from collections.abc import Sequence
from datetime import timedelta

import pytest

from addon.storage import places, probe_state
from addon.storage.database import Database
from addon.sync import probe
from addon.sync.bisect import Findings
from addon.sync.order import ListKey, Stretch
from addon.sync.probe import KnownList, Pace
from lifecycle.tenant import AccountId, TenantId
from tests.integration.storage.site import NOW, a_site

GROUP = ListKey(phase="users", container="g")
DESK = ListKey(phase="customers", container="1")
RUN = 7


def ids(*names: str) -> Sequence[AccountId]:
    return [AccountId(name) for name in names]


def a_page(start: int, *names: str, slots: int | None = None) -> Stretch:
    return Stretch(start=start, slots=len(names) if slots is None else slots, account_ids=ids(*names))


PAGES = [(GROUP, a_page(0, "a", "b")), (GROUP, a_page(2, "c", slots=2)), (DESK, a_page(0))]


async def scanned(database: Database, tenant_id: TenantId, run_id: int = RUN) -> None:
    async with database.tenant(tenant_id) as scope:
        await places.write(scope, run_id, PAGES)
        await places.adopt(scope, run_id)


async def lengths(database: Database, tenant_id: TenantId) -> dict[ListKey, int]:
    async with database.tenant(tenant_id) as scope:
        return {each.key: each.length for each in await places.lists(scope)}


async def shown(database: Database, tenant_id: TenantId, key: ListKey) -> list[Stretch]:
    async with database.tenant(tenant_id) as scope:
        found = [await places.order(scope, each) for each in await places.lists(scope) if each.key == key]
    return [stretch for order in found for stretch in order.stretches]


async def the_group(database: Database, tenant_id: TenantId) -> KnownList:
    async with database.tenant(tenant_id) as scope:
        (found,) = [each for each in await places.lists(scope) if each.key == GROUP]
    return found


@pytest.fixture
async def acme(database: Database) -> TenantId:
    return (await a_site(database)).tenant_id


@pytest.fixture
async def globex(database: Database) -> TenantId:
    return (await a_site(database)).tenant_id


@pytest.fixture
async def both(database: Database, acme: TenantId, globex: TenantId) -> None:
    for tenant_id in (acme, globex):
        await scanned(database, tenant_id)


@pytest.mark.usefixtures("both")
async def test_order_that_a_run_read_is_there_once_it_is_adopted(database: Database, acme: TenantId) -> None:
    assert await lengths(database, acme) == {GROUP: 4, DESK: 0}
    assert await shown(database, acme, GROUP) == [a_page(0, "a", "b"), a_page(2, "c", slots=2)]


@pytest.mark.usefixtures("both")
async def test_next_run_replaces_the_order_only_at_its_end(
    database: Database, acme: TenantId, globex: TenantId
) -> None:
    async with database.tenant(acme) as scope:
        await places.write(scope, RUN + 1, [(GROUP, a_page(0, "z"))])
    assert await lengths(database, acme) == {GROUP: 4, DESK: 0}
    async with database.tenant(acme) as scope:
        await places.adopt(scope, RUN + 1)
    assert await shown(database, acme, GROUP) == [a_page(0, "z")]
    assert await lengths(database, acme) == {GROUP: 1}
    assert await lengths(database, globex) == {GROUP: 4, DESK: 0}


@pytest.mark.usefixtures("both")
async def test_what_a_search_found_is_learned(database: Database, acme: TenantId, globex: TenantId) -> None:
    merged = a_page(0, "a", "new", "b", "c", slots=5)
    findings = Findings(arrived=ids("new"), departed=(), stretches={0: merged, 2: None}, outcome="settled")
    memory = places.Memory(database=database, tenant_id=acme)
    await memory.learn(await the_group(database, acme), findings, NOW)
    assert await shown(database, acme, GROUP) == [merged]
    group = await the_group(database, acme)
    assert (group.length, group.fits, group.probed_at, group.changed_at) == (5, True, NOW, NOW)
    assert await lengths(database, globex) == {GROUP: 4, DESK: 0}


@pytest.mark.usefixtures("both")
async def test_finding_about_an_order_that_was_replaced_changes_nothing(database: Database, acme: TenantId) -> None:
    memory = places.Memory(database=database, tenant_id=acme)
    before = await the_group(database, acme)
    await scanned(database, acme, RUN + 1)
    assert (await memory.order(before)).stretches == []
    findings = Findings(arrived=ids("new"), departed=(), stretches={0: a_page(0, "new"), 2: None}, outcome="settled")
    await memory.learn(before, findings, NOW)
    assert await shown(database, acme, GROUP) == [a_page(0, "a", "b"), a_page(2, "c", slots=2)]
    assert (await the_group(database, acme)).changed_at is None


@pytest.mark.usefixtures("both")
async def test_list_that_fits_no_more_fits_again_after_the_next_run(database: Database, acme: TenantId) -> None:
    memory = places.Memory(database=database, tenant_id=acme)
    await memory.learn(
        await the_group(database, acme), Findings(arrived=(), departed=(), stretches={}, outcome="unfit"), NOW
    )
    await memory.note_probed([DESK], NOW)
    async with database.tenant(acme) as scope:
        assert {(each.key, each.fits, each.probed_at) for each in await places.lists(scope)} == {
            (GROUP, False, NOW),
            (DESK, True, NOW),
        }
    await scanned(database, acme, RUN + 1)
    async with database.tenant(acme) as scope:
        assert all(each.fits for each in await places.lists(scope))


@pytest.mark.usefixtures("both")
async def test_forgetting_leaves_the_other_tenant_alone(database: Database, acme: TenantId, globex: TenantId) -> None:
    async with database.tenant(acme) as scope:
        await places.forget(scope)
    assert await lengths(database, acme) == {}
    assert await shown(database, acme, GROUP) == []
    assert await lengths(database, globex) == {GROUP: 4, DESK: 0}


async def test_round_that_begins_says_when_the_next_is_due(
    database: Database, acme: TenantId, globex: TenantId
) -> None:
    for tenant_id in (acme, globex):
        async with database.tenant(tenant_id) as scope:
            assert await probe_state.freshness(scope) is None
            await probe_state.watch(scope, now=NOW)
            await probe_state.watch(scope, now=NOW + timedelta(days=1))
    async with database.tenant(acme) as scope:
        await probe_state.begin(scope, Pace(interval=timedelta(minutes=6), points=20), rounds=3, now=NOW)
        await probe_state.end(scope, began=NOW + timedelta(hours=1), has_met_strangers=True)
        probed, fresh = await probe_state.read(scope), await probe_state.freshness(scope)
        assert await probe_state.tenants(scope) == 2
    assert probed == probe_state.Probed(probed_at=NOW + timedelta(hours=1), found_at=NOW + timedelta(hours=1))
    assert fresh == probe_state.Freshness(users=timedelta(minutes=6), customers=timedelta(minutes=18))
    async with database.tenant(globex) as scope:
        assert await probe_state.read(scope) == probe_state.Probed(probed_at=None, found_at=NOW)
        untouched = await probe_state.freshness(scope)
    assert untouched == probe_state.Freshness(users=probe.ROUND, customers=probe.ROUND)
