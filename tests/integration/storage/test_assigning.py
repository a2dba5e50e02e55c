"""Which contacts are marked for the rules, by the database and by what moves in Jira's lists; how the marks are worked off."""

import asyncio
from collections.abc import Sequence

import pytest

from addon.crm import draft
from addon.storage import assigning, contacts, duties, organizations, places, rule_steps, rule_work
from addon.storage.database import TenantScope
from addon.storage.organizations import Standing
from addon.sync.bisect import Findings
from addon.sync.filters import Named
from addon.sync.order import ListKey, Stretch
from lifecycle.tenant import AccountId
from tests.integration.storage.site import NOW, Site, people
from tests.unit.sync.builders import a_sighting

ONE = ListKey(phase="organizations", container="1")
OTHER = ListKey(phase="organizations", container="2")
DESK = ListKey(phase="customers", container="1")
MANY = 2 * assigning.CONTACTS_AT_ONCE + 1


def a_page(*names: str) -> Stretch:
    return Stretch(start=0, slots=len(names), account_ids=[AccountId(name) for name in names])


async def adopted(site: Site, run_id: int, *pages: tuple[ListKey, Stretch]) -> None:
    async with site.database.tenant(site.tenant_id) as scope:
        await places.write(scope, run_id, pages)
        await places.adopt(scope, run_id)


async def marked(site: Site) -> set[str]:
    """The names of the contacts that are marked; no contact is any more."""
    rows = await site.rows(
        """
        SELECT name FROM company_due d JOIN contact c USING (tenant_id, contact_id) WHERE d.tenant_id = :tenant_id
        """
    )
    await site.do("DELETE FROM company_due WHERE tenant_id = :tenant_id")
    return {row["name"] for row in rows}


async def linked(site: Site, count: int = 3) -> None:
    """As many people, with accounts; nothing is marked."""
    sighted = [a_sighting(f"user-{n:03}", display_name=f"P{n}", email=f"p{n}@x.example") for n in range(count)]
    await site.scan(await site.turn_on(), sighted)
    assert len(await marked(site)) == count


async def name_of(site: Site, account_id: str) -> str:
    [row] = await site.rows(
        """
        SELECT name FROM account a JOIN contact c USING (tenant_id, contact_id)
        WHERE a.tenant_id = :tenant_id AND account_id = :account_id
        """,
        account_id=account_id,
    )
    return str(row["name"])


async def ready(site: Site) -> None:
    """The sync is on, everybody was read, and the organizations, too."""
    await site.whole_run([])
    await site.do(
        """
        INSERT INTO company_rule (tenant_id, organizations_read_at) VALUES (:tenant_id, :now)
        ON CONFLICT (tenant_id) DO UPDATE SET organizations_read_at = EXCLUDED.organizations_read_at
        """,
        now=NOW,
    )


async def assign(site: Site) -> int:
    """Work the marks off; in how many parts."""
    async with site.database.tenant(site.tenant_id) as scope:
        await duties.call(scope, "companies", enqueue=site.enqueue)
    [turn] = {work.number for work in site.queue if work.kind == "companies"}
    parts = 0
    while await _part(site, turn):
        parts += 1
    site.queue.clear()
    return parts


async def _part(site: Site, turn: int) -> bool:
    async with site.database.tenant(site.tenant_id) as scope:
        return await assigning.carry_on(scope, turn, enqueue=site.enqueue, now=NOW)


async def test_contacts_whose_rules_may_answer_otherwise_are_marked(acme: Site) -> None:
    first = await acme.a_contact("First", "first@x.example")
    second = await acme.a_contact("Second", None)
    assert await marked(acme) == {"First", "Second"}
    await acme.do("UPDATE contact SET phone = '1' WHERE tenant_id = :tenant_id")
    assert await marked(acme) == set()
    await acme.do(
        "UPDATE contact SET email_key = 'new@x.example' WHERE tenant_id = :tenant_id AND contact_id = :id", id=first
    )
    assert await marked(acme) == {"First"}
    await acme.do("UPDATE contact SET company_by = 'person' WHERE tenant_id = :tenant_id")
    await acme.do("UPDATE contact SET email_key = 'other@x.example' WHERE tenant_id = :tenant_id")
    assert await marked(acme) == set()
    await acme.do("UPDATE contact SET company_by = NULL WHERE tenant_id = :tenant_id AND contact_id = :id", id=second)
    assert await marked(acme) == {"Second"}


async def test_contact_that_loses_one_of_several_accounts_is_marked(acme: Site) -> None:
    await linked(acme)
    kept = await name_of(acme, "user-000")
    await acme.do(
        """
        UPDATE account a SET contact_id = k.contact_id FROM account k
        WHERE a.tenant_id = :tenant_id AND k.tenant_id = :tenant_id AND k.account_id = 'user-000'
            AND a.account_id IN ('user-001', 'user-002')
        """
    )
    assert await marked(acme) == {kept}
    await acme.do("DELETE FROM account WHERE tenant_id = :tenant_id AND account_id = 'user-001'")
    assert await marked(acme) == {kept}
    await acme.do(
        "UPDATE account SET contact_id = NULL, linked_by = NULL WHERE tenant_id = :tenant_id AND account_id = 'user-002'"
    )
    assert await marked(acme) == {kept}
    # S12: the last one goes, and what is there stays.
    await acme.do("DELETE FROM account WHERE tenant_id = :tenant_id AND account_id = 'user-000'")
    assert await marked(acme) == set()


async def test_whole_scan_marks_whom_it_finds_elsewhere(acme: Site) -> None:
    await linked(acme)
    zero, one, two = [await name_of(acme, f"user-00{number}") for number in range(3)]
    await adopted(acme, 0, (DESK, a_page("user-002")))
    await adopted(acme, 1, (ONE, a_page("user-000", "user-001")), (DESK, a_page("user-002")))
    assert await marked(acme) == {zero, one}
    await adopted(acme, 2, (ONE, a_page("user-001", "user-000")), (DESK, a_page()))
    assert await marked(acme) == set()
    await adopted(acme, 3, (ONE, a_page("user-000")), (OTHER, a_page("user-001", "user-002", "stranger")))
    assert await marked(acme) == {one, two}
    await adopted(acme, 4)
    assert await marked(acme) == {zero, one, two}


@pytest.mark.parametrize(("key", "moves"), [(ONE, True), (DESK, False)])
async def test_probe_marks_whom_it_finds_elsewhere(acme: Site, key: ListKey, *, moves: bool) -> None:
    await linked(acme)
    await adopted(acme, 1, (key, a_page("user-000", "user-001")))
    await marked(acme)
    async with acme.database.tenant(acme.tenant_id) as scope:
        [known] = await places.lists(scope)
        found = Findings(outcome="settled", arrived=(), departed=(), stretches={0: a_page("user-001", "user-002")})
        await places.learn(scope, known, found, NOW)
    changed = {await name_of(acme, "user-000"), await name_of(acme, "user-002")}
    assert await marked(acme) == (changed if moves else set())


async def test_members_of_an_organization_that_gets_a_company_are_marked(acme: Site) -> None:
    await linked(acme)
    await adopted(acme, 1, (ONE, a_page("user-000")), (OTHER, a_page("user-001")))
    await marked(acme)
    async with acme.database.tenant(acme.tenant_id) as scope:
        await organizations.begin(scope, enqueue=acme.enqueue, now=NOW)
        names = [Named(id="1", name="One")]
        assert await organizations.write(scope, Standing(start=0, failures=0), names, 50, now=NOW)
        # A page that is read twice, as after a crash.
        assert not await organizations.write(scope, Standing(start=0, failures=0), names, 50, now=NOW)
    assert await marked(acme) == {await name_of(acme, "user-000")}


async def test_marks_wait_until_the_rules_can_be_asked(acme: Site) -> None:
    await acme.a_contact("Early", "early@x.example")
    assert await assign(acme) == 0
    await linked_scan(acme)
    assert await assign(acme) == 0
    await ready(acme)
    assert await assign(acme) == 1
    assert await marked(acme) == set()


async def linked_scan(site: Site) -> None:
    await site.scan(await site.turn_on(), people(1))


async def test_job_of_a_turn_that_is_over_does_nothing(acme: Site) -> None:
    await linked(acme)
    await ready(acme)
    await acme.a_contact("Ana", "ana@x.example")
    async with acme.database.tenant(acme.tenant_id) as scope:
        await duties.call(scope, "companies", enqueue=acme.enqueue)
    turn = acme.queue[-1].number
    assert await _part(acme, turn)
    assert not await _part(acme, turn)
    await acme.a_contact("Ben", "ben@x.example")
    assert not await _part(acme, turn)
    assert await marked(acme) == {"Ben"}


async def test_mark_that_is_made_while_the_job_ends_has_a_job_of_its_own(acme: Site) -> None:
    await linked(acme)
    await ready(acme)
    await acme.a_contact("Ana", "ana@x.example")
    await assign(acme)
    await acme.a_contact("Ben", "ben@x.example")
    async with acme.database.tenant(acme.tenant_id) as scope:
        await duties.call(scope, "companies", enqueue=acme.enqueue)
    turn = acme.queue[-1].number
    assert await _part(acme, turn)
    async with acme.database.tenant(acme.tenant_id) as scope:
        assert not await assigning.carry_on(scope, turn, enqueue=acme.enqueue, now=NOW)
        typing = asyncio.create_task(_type(acme))
        await acme.somebody_waits()
    await typing
    assert acme.queue[-1].number == turn + 1
    assert await _part(acme, turn + 1)
    assert await marked(acme) == set()


async def _type(site: Site) -> None:
    async with site.database.tenant(site.tenant_id) as scope:
        await contacts.create(scope, draft.read_new_contact({"name": "Cem", "email": "cem@x.example"}), now=NOW)
        await duties.call(scope, "companies", enqueue=site.enqueue)


async def many(scope: TenantScope) -> None:
    await scope.execute(
        """
        INSERT INTO contact (tenant_id, name, name_key, email, email_key, origin, synced_version, created_at, updated_at)
        SELECT :tenant_id, n, n, n || '@firm.example', n || '@firm.example', 'sync', 1, :now, :now
        FROM (SELECT 'p' || generate_series(1, :many) AS n) AS made
        """,
        many=MANY,
        now=NOW,
    )


async def a_firm(site: Site) -> int:
    [row] = await site.rows(
        """
        INSERT INTO company (tenant_id, name, name_key, created_at, updated_at)
        VALUES (:tenant_id, 'Firm', 'firm', :now, :now) RETURNING company_id
        """,
        now=NOW,
    )
    await site.do(
        "INSERT INTO company_domain (tenant_id, company_id, domain) VALUES (:tenant_id, :id, 'firm.example')",
        id=row["company_id"],
    )
    return int(row["company_id"])


async def companies(site: Site) -> Sequence[tuple[int | None, str | None, int]]:
    rows = await site.rows(
        """
        SELECT company_id, company_by, count(*) FROM contact WHERE tenant_id = :tenant_id AND email_key LIKE '%firm.example'
        GROUP BY 1, 2
        """
    )
    return [(row["company_id"], row["company_by"], row["count"]) for row in rows]


async def test_many_contacts_are_assigned_in_parts(acme: Site) -> None:
    await linked(acme)
    await ready(acme)
    firm = await a_firm(acme)
    async with acme.database.tenant(acme.tenant_id) as scope:
        await many(scope)
    assert await assign(acme) == 3
    assert await companies(acme) == [(firm, "domain", MANY)]
    [history] = await acme.rows(
        "SELECT count(*), count(DISTINCT contact_id) AS contacts FROM change WHERE tenant_id = :tenant_id AND new = 'Firm'"
    )
    assert (history["count"], history["contacts"]) == (MANY, MANY)
    # To the sync nobody has edited them.
    [untouched] = await acme.rows(
        "SELECT count(*) FROM contact WHERE tenant_id = :tenant_id AND version = 2 AND synced_version = 2"
    )
    assert untouched["count"] == MANY


async def test_many_contacts_are_previewed_applied_and_undone_in_parts(acme: Site) -> None:
    await linked(acme)
    await ready(acme)
    async with acme.database.tenant(acme.tenant_id) as scope:
        await many(scope)
    await assign(acme)
    firm = await a_firm(acme)
    async with acme.database.tenant(acme.tenant_id) as scope:
        await rule_work.preview(scope, enqueue=acme.enqueue, now=NOW)
    number = acme.queue[-1].number
    for step, parts, left in (
        (None, 3, (None, None, MANY)),
        (rule_work.apply, 3, (firm, "domain", MANY)),
        (rule_work.undo, 3, (None, None, MANY)),
    ):
        async with acme.database.tenant(acme.tenant_id) as scope:
            if step is not None:
                await step(scope, number, enqueue=acme.enqueue, now=NOW)
        done = 0
        while await _step(acme, number):
            done += 1
        assert (done, await companies(acme)) == (parts, [left])
    assert await marked(acme) == set()


async def test_applying_that_is_broken_off_can_be_undone(acme: Site) -> None:
    await linked(acme)
    await ready(acme)
    async with acme.database.tenant(acme.tenant_id) as scope:
        await many(scope)
    await assign(acme)
    firm = await a_firm(acme)
    async with acme.database.tenant(acme.tenant_id) as scope:
        await rule_work.preview(scope, enqueue=acme.enqueue, now=NOW)
    number = acme.queue[-1].number
    while await _step(acme, number):
        pass
    async with acme.database.tenant(acme.tenant_id) as scope:
        await rule_work.apply(scope, number, enqueue=acme.enqueue, now=NOW)
    assert await _step(acme, number)
    await acme.switch(enabled=False)
    assert not await _step(acme, number)
    assert (firm, "domain", assigning.CONTACTS_AT_ONCE) in await companies(acme)
    async with acme.database.tenant(acme.tenant_id) as scope:
        work = await rule_work.read(scope)
        assert work is not None
        assert (work.state, work.applied + work.left_alone) == ("applied", MANY)
        await rule_work.undo(scope, number, enqueue=acme.enqueue, now=NOW)
    while await _step(acme, number):
        pass
    assert await companies(acme) == [(None, None, MANY)]


async def _step(site: Site, number: int) -> bool:
    async with site.database.tenant(site.tenant_id) as scope:
        return await rule_steps.carry_on(scope, number, enqueue=site.enqueue, now=NOW)
