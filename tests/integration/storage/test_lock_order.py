"""Two transactions of a tenant want the same rows: one waits for the other, and none is broken off (decision 17)."""

import asyncio
import uuid
from datetime import timedelta

import httpx

from addon.crm.assignment import Tie
from addon.crm.company import CompanyId
from addon.crm.contact import ContactId
from addon.installs import SyncListener
from addon.issues.facts import IssueFacts, IssueGone
from addon.storage import assigning, attention, deliveries, issue_company, places, preview, sync_state
from addon.storage.database import TenantScope
from addon.storage.preview_store import PreviewStore
from addon.sync import plan as plans
from addon.sync.order import ListKey
from addon.sync.ports import RunEnded
from lifecycle.install import Installer
from lifecycle.keys import Keys
from lifecycle.tenant import AccountId, ClientKey
from lifecycle.vault import Vault
from tests.integration.storage.site import NOW, SOMEWHERE, Site, people

LATER = NOW + timedelta(minutes=1)


async def uninstall(site: Site) -> None:
    async with httpx.AsyncClient() as client:
        installer = Installer(
            base_url="https://crm.example",
            tenant_hosts=(),
            keys=Keys(client=client, keys_url="https://keys.example", clock=lambda: NOW),
            vault=Vault([bytes(32)]),
            listeners=[SyncListener(enqueue=site.enqueue, clock=lambda: NOW)],
            new_id=uuid.uuid4,
        )
        async with site.database.transaction() as connection:
            client_key = ClientKey(str(site.tenant_id))
            assert await installer.uninstall(connection, client_key, now=NOW) is not None


async def test_uninstall_while_a_run_writes_waits_for_its_page(acme: Site) -> None:
    store = await acme.turn_on()
    met = people(3)
    async with store.page(met, membership="inside", read_at=NOW) as page:
        leaving = asyncio.create_task(uninstall(acme))
        await acme.somebody_waits()
        plan = plans.plan_page(met, page.known, scope=page.scope, run_id=store.run_id, new_ids=page.new_ids, now=NOW)
        await page.write(plan, unreadable=(), cursor=SOMEWHERE, points=3)
    await leaving
    (tenant,) = await acme.rows("SELECT state, uninstalled_at FROM tenant WHERE tenant_id = :tenant_id")
    assert tenant == {"state": "uninstalled", "uninstalled_at": NOW}
    assert len(await acme.links()) == len(met)
    assert (await acme.run(store.run_id)).state == "cancelled"


async def test_sync_is_turned_on_while_a_preview_is_finished(acme: Site) -> None:
    async with acme.database.tenant(acme.tenant_id) as scope:
        await preview.begin(scope, enqueue=acme.enqueue, now=NOW)
        await scope.execute(
            """
            INSERT INTO preview_account (tenant_id, account_id, kind, active, display_name, email_state)
            VALUES (:tenant_id, 'ann', 'user', true, 'Ann', 'hidden')
            """
        )
    store = PreviewStore(
        database=acme.database, tenant_id=acme.tenant_id, number=acme.queue[-1].number, clock=lambda: NOW
    )
    async with acme.database.tenant(acme.tenant_id) as scope:
        await sync_state.lock_switch(scope)
        finishing = asyncio.create_task(store.finish(is_patchy=False))
        await acme.somebody_waits()
        await sync_state.switch(scope, enabled=True, include_inactive=None, enqueue=acme.enqueue, now=NOW)
    (ended,) = await asyncio.gather(finishing, return_exceptions=True)
    assert isinstance(ended, RunEnded)
    async with acme.database.tenant(acme.tenant_id) as scope:
        assert (await preview.read(scope, now=NOW)).state == "none"


async def test_two_who_open_a_list_in_opposite_orders_have_it_read_once(acme: Site) -> None:
    await acme.turn_on()
    shown = [AccountId(name) for name in ("ann", "ben", "cora")]

    async def ask(account_ids: list[AccountId]) -> None:
        async with acme.database.tenant(acme.tenant_id) as scope:
            await deliveries.ask(scope, account_ids, enqueue=acme.enqueue, now=LATER)

    await ask(shown)
    async with acme.database.tenant(acme.tenant_id) as scope:
        await deliveries.close_all(scope, now=NOW)
    async with acme.database.tenant(acme.tenant_id) as scope:
        await scope.execute(
            "SELECT 1 FROM webhook_delivery WHERE tenant_id = :tenant_id AND account_id = 'ben' FOR UPDATE"
        )
        asking = [asyncio.create_task(ask(each)) for each in (shown, shown[::-1])]
        await acme.somebody_waits(sessions=2)
    await asyncio.gather(*asking)
    listed = await acme.rows("SELECT account_id FROM webhook_delivery WHERE tenant_id = :tenant_id AND done_at IS NULL")
    assert {row["account_id"] for row in listed} == set(shown)


async def test_issue_that_goes_while_it_is_told_of_is_forgotten(acme: Site) -> None:
    await acme.turn_on()

    async def tell(scope: TenantScope, told: IssueFacts | IssueGone) -> None:
        await issue_company.hear(scope, [told], enqueue=acme.enqueue)

    async def go() -> None:
        async with acme.database.tenant(acme.tenant_id) as scope:
            await tell(scope, IssueGone(issue_id=7))

    async with acme.database.tenant(acme.tenant_id) as scope:
        await tell(scope, IssueFacts(issue_id=7, reporter_id=AccountId("ann"), updated_at=NOW))
    async with acme.database.tenant(acme.tenant_id) as scope:
        await scope.execute(
            "SELECT 1 FROM issue_company WHERE tenant_id = :tenant_id AND issue_id = 7 FOR NO KEY UPDATE"
        )
        going = asyncio.create_task(go())
        await acme.somebody_waits()
        await tell(scope, IssueFacts(issue_id=7, reporter_id=AccountId("ben"), updated_at=LATER))
    await going
    for table in ("issue_company", "issue_due"):
        assert not await acme.rows(f"SELECT issue_id FROM {table} WHERE tenant_id = :tenant_id")


async def test_question_that_is_asked_anew_while_somebody_looks_stays_and_nobody_waits(acme: Site) -> None:
    await acme.turn_on()
    companies = await acme.rows(
        """
        INSERT INTO company (tenant_id, name, name_key, created_at, updated_at)
        VALUES (:tenant_id, 'Acme', 'acme', :now, :now), (:tenant_id, 'Globex', 'globex', :now, :now)
        RETURNING company_id
        """,
        now=NOW,
    )
    tie = Tie(companies=tuple(CompanyId(row["company_id"]) for row in companies))
    contact_id = ContactId(await acme.a_contact("Ann", "ann@x.example"))

    async def ask(scope: TenantScope) -> None:
        await assigning.note_ties(scope, {contact_id: tie}, now=NOW)

    async def look() -> int:
        async with acme.database.tenant(acme.tenant_id) as scope:
            return len((await attention.page(scope, cursor=None, limit=9)).items)

    async with acme.database.tenant(acme.tenant_id) as scope:
        await ask(scope)
    await acme.do(
        "UPDATE contact SET company_id = :company_id, company_by = 'person' WHERE tenant_id = :tenant_id",
        company_id=tie.companies[0],
    )
    async with acme.database.tenant(acme.tenant_id) as scope:
        await sync_state.lock_switch(scope)
        await scope.execute("UPDATE contact SET company_id = NULL, company_by = NULL WHERE tenant_id = :tenant_id")
        await ask(scope)
        assert await asyncio.wait_for(look(), timeout=30) == 0
    assert await look() == 1


async def test_lists_are_noted_as_probed_only_while_no_run_replaces_them(acme: Site) -> None:
    await acme.turn_on()
    key = ListKey(phase="users", container="")
    await acme.do(
        "INSERT INTO account_list (tenant_id, phase, container, run_id, length) VALUES (:tenant_id, 'users', '', 1, 0)"
    )
    memory = places.Memory(database=acme.database, tenant_id=acme.tenant_id)
    async with acme.database.tenant(acme.tenant_id) as scope:
        await sync_state.lock_switch(scope)
        noting = asyncio.create_task(memory.note_probed([key], NOW))
        await acme.somebody_waits()
        assert not noting.done()
    await noting
    (known,) = await acme.rows("SELECT probed_at FROM account_list WHERE tenant_id = :tenant_id")
    assert known["probed_at"] == NOW
