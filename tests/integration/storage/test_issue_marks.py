"""No change falls between two stools: what is marked while a job plans is planned by the next one, in whatever order."""

import asyncio
import itertools
import json
from datetime import timedelta

import asyncpg
import pytest

from addon.crm.company import CompanyId, CompanyRef
from addon.issues.facts import IssueFacts, IssueGone
from addon.storage import duties, issue_calls, issue_company, issue_marks, issue_state
from addon.storage.database import Database
from addon.storage.issue_calls import OpenCall
from lifecycle.tenant import AccountId
from tests.integration.storage.site import NOW, Site, a_site
from tests.support import plans
from tests.support.plans import ExplainingScope, nodes

ANN, BEN = AccountId("ann"), AccountId("ben")


@pytest.fixture
def site(acme: Site) -> Site:
    return acme


@pytest.fixture
async def other(database: Database) -> Site:
    return await a_site(database)


async def a_company(site: Site, name: str, reporter_id: AccountId) -> int:
    """A company, with a contact that is linked to the reporter's account."""
    async with site.database.tenant(site.tenant_id) as scope:
        company_id: int = await scope.fetch_val(
            """
            INSERT INTO company (tenant_id, name, name_key, created_at, updated_at)
            VALUES (:tenant_id, :name, lower(:name), :now, :now) RETURNING company_id
            """,
            name=name,
            now=NOW,
        )
        contact_id = await scope.fetch_val(
            """
            INSERT INTO contact (tenant_id, name, name_key, company_id, company_by, origin, created_at, updated_at)
            VALUES (:tenant_id, :name, lower(:name), :company_id, 'person', 'manual', :now, :now) RETURNING contact_id
            """,
            name=f"Contact of {reporter_id}",
            company_id=company_id,
            now=NOW,
        )
        await scope.execute(
            """
            INSERT INTO account (tenant_id, account_id, kind, active, display_name, email_state, contact_id, linked_by,
                linked_at, checked_at)
            VALUES (:tenant_id, :account_id, 'customer', true, :account_id, 'hidden', :contact_id, 'person', :now, :now)
            """,
            account_id=reporter_id,
            contact_id=contact_id,
            now=NOW,
        )
    return company_id


def facts(issue_id: int, reporter_id: AccountId | None, minute: int = 0) -> IssueFacts:
    return IssueFacts(issue_id=issue_id, reporter_id=reporter_id, updated_at=NOW + timedelta(minutes=minute))


async def learn(site: Site, *told: IssueFacts, is_backlog: bool = False) -> None:
    async with site.database.tenant(site.tenant_id) as scope:
        await issue_company.learn(scope, told, is_backlog=is_backlog)


async def plan(site: Site, *, is_backlog: bool = False) -> bool:
    async with site.database.tenant(site.tenant_id) as scope:
        await issue_state.read(scope)
        await issue_marks.expand(scope)
        return await issue_marks.plan(scope, is_backlog=is_backlog, now=NOW)


async def planned(site: Site) -> OpenCall | None:
    async with site.database.tenant(site.tenant_id) as scope:
        return await issue_calls.next_due(scope, now=NOW)


async def carry_out(site: Site) -> list[tuple[int, str | None]]:
    """Every planned call succeeds at once; what they wrote."""
    written: list[tuple[int, str | None]] = []
    while (found := await planned(site)) is not None:
        async with site.database.tenant(site.tenant_id) as scope:
            await issue_calls.fold(scope, found, now=NOW)
        written += [(item.issue_id, item.company.name if item.company else None) for item in found.call.items]
    return written


async def due(site: Site) -> list[tuple[int, bool]]:
    rows = await site.rows("SELECT issue_id, is_backlog FROM issue_due WHERE tenant_id = :tenant_id ORDER BY issue_id")
    return [(row["issue_id"], row["is_backlog"]) for row in rows]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_newest_facts_hold_in_whatever_order_they_come(site: Site, other: Site, order: tuple[int, ...]) -> None:
    told = [facts(7, ANN, 1), facts(7, BEN, 2), facts(7, ANN, 3)]
    for place in order:
        await learn(site, told[place])
    async with site.database.tenant(site.tenant_id) as scope:
        known = await issue_company.find(scope, 7)
    assert known is not None
    assert known.reporter_id == ANN
    async with other.database.tenant(other.tenant_id) as scope:
        assert await issue_company.find(scope, 7) is None


async def test_issue_is_marked_when_it_is_new_or_has_another_reporter(site: Site) -> None:
    await learn(site, facts(7, ANN), facts(8, ANN), facts(8, BEN, 1))
    assert await due(site) == [(7, False), (8, False)]
    assert await plan(site)
    assert (await carry_out(site), await due(site)) == ([], [])
    await learn(site, facts(7, ANN, 5), facts(8, ANN, 0))
    assert await due(site) == []
    await learn(site, facts(7, None, 6))
    assert await due(site) == [(7, False)]


async def test_backlog_becomes_urgent_by_an_event_and_never_the_other_way(site: Site) -> None:
    await learn(site, facts(7, ANN), facts(8, ANN), is_backlog=True)
    await learn(site, facts(8, BEN, 1))
    await learn(site, facts(8, ANN, 2), is_backlog=True)
    assert await due(site) == [(7, True), (8, False)]


async def test_reporter_marked_while_the_job_looks_is_found_by_the_next_look(site: Site) -> None:
    company_id = await a_company(site, "Acme", ANN)
    await learn(site, facts(7, ANN))
    await site.do("UPDATE company SET name = 'Acme 1' WHERE tenant_id = :tenant_id")
    async with site.database.tenant(site.tenant_id) as scope:
        # Marked already, and changed once more by somebody who has not committed yet.
        await scope.execute("UPDATE company SET name = 'Acme 2' WHERE tenant_id = :tenant_id")
        assert await asyncio.create_task(plan(site))
    assert await carry_out(site) == [(7, "Acme 1")]
    assert await plan(site)
    assert await carry_out(site) == [(7, "Acme 2")]
    async with site.database.tenant(site.tenant_id) as scope:
        found = await issue_company.find(scope, 7)
    assert found is not None
    assert found.written == CompanyRef(company_id=CompanyId(company_id), name="Acme 2")


async def test_issue_marked_while_the_job_plans_is_planned_by_the_next_one(site: Site) -> None:
    await a_company(site, "Acme", ANN)
    await a_company(site, "Other", BEN)
    await learn(site, facts(7, ANN))
    async with site.database.tenant(site.tenant_id) as scope:
        assert await issue_marks.plan(scope, is_backlog=False, now=NOW)
        later = asyncio.create_task(learn(site, facts(7, BEN, 1)))
        done, _ = await asyncio.wait([later], timeout=0.3)
        assert not done, "it waits for whoever has taken the mark"
    await later
    assert await carry_out(site) == [(7, "Acme")]
    assert await plan(site)
    assert await carry_out(site) == [(7, "Other")]


async def test_issue_with_a_call_on_its_way_waits_for_it(site: Site) -> None:
    await a_company(site, "Acme", ANN)
    await learn(site, facts(7, ANN))
    assert await plan(site)
    await learn(site, facts(7, None, 1))
    assert not await plan(site)
    async with site.database.tenant(site.tenant_id) as scope:
        assert not await duties.is_due(scope, "issues"), "nothing that the job could do"
    assert await carry_out(site) == [(7, "Acme")]
    async with site.database.tenant(site.tenant_id) as scope:
        assert await duties.is_due(scope, "issues")
    assert await plan(site)
    assert await carry_out(site) == [(7, None)]


async def test_call_is_taken_by_one_worker_only(site: Site) -> None:
    await a_company(site, "Acme", ANN)
    await learn(site, facts(7, ANN))
    await plan(site)
    found = await planned(site)
    assert found is not None
    async with site.database.tenant(site.tenant_id) as scope:
        sent = await issue_calls.begin(scope, found, now=NOW)
        assert sent is not None
        assert await issue_calls.begin(scope, found, now=NOW) is None
        # Two ask what became of it, and both hear that it was not carried out.
        await issue_calls.take_back(scope, sent, until=NOW)
        again = await issue_calls.next_due(scope, now=NOW)
        assert again is not None
        assert await issue_calls.begin(scope, again, now=NOW) is not None
        await issue_calls.take_back(scope, sent, until=NOW)
        assert await issue_calls.next_due(scope, now=NOW) is None, "what was sent again may have arrived"


async def test_while_off_events_leave_nothing_and_gone_issues_are_forgotten(site: Site, other: Site) -> None:
    for each in (site, other):
        async with each.database.tenant(each.tenant_id) as scope:
            await issue_company.hear(scope, [facts(7, ANN)], enqueue=each.enqueue)
    assert (await due(site), site.queue) == ([], [])
    for each in (site, other):
        await each.turn_on()
        async with each.database.tenant(each.tenant_id) as scope:
            await issue_company.hear(scope, [facts(7, ANN), facts(8, ANN)], enqueue=each.enqueue)
    assert [work.kind for work in site.queue].count("issues") == 1
    async with site.database.tenant(site.tenant_id) as scope:
        await issue_company.hear(scope, [IssueGone(issue_id=7)], enqueue=site.enqueue)
    assert (await due(site), await due(other)) == ([(8, False)], [(7, False), (8, False)])


async def test_what_somebody_waits_for_is_found_without_reading_all_that_may_wait(
    site: Site, other: Site, database_url: str
) -> None:
    owner = await asyncpg.connect(database_url)
    for each in (site, other):
        await owner.execute("SELECT set_config('app.tenant_id', $1, false)", str(each.tenant_id))
        await owner.execute(
            "INSERT INTO issue_due SELECT $1, n, true FROM generate_series(1, 5000) AS n", each.tenant_id
        )
    await owner.execute("ANALYZE issue_due")
    await owner.close()
    async with site.database.tenant(site.tenant_id) as scope:
        explaining = ExplainingScope(scope.tenant_id, scope.connection)
        assert not await duties.is_due(explaining, "issues")
    read = [node for plan in explaining.plans for node in nodes(plan) if node.get("Relation Name") == "issue_due"]
    assert {node.get("Index Name") for node in read} == {"issue_due_awaited"}


async def test_refusal_ends_where_nothing_has_to_be_written_any_more(site: Site, other: Site) -> None:
    for each in (site, other):
        await a_company(each, "Acme", ANN)
        await learn(each, facts(7, ANN))
        await plan(each)
        await carry_out(each)
        await each.do("UPDATE company SET name = 'Acme 2' WHERE tenant_id = :tenant_id")
        await plan(each)
        found = await planned(each)
        assert found is not None
        async with each.database.tenant(each.tenant_id) as scope:
            await issue_calls.refuse(scope, found, now=NOW)
    await site.do("UPDATE company SET name = 'Acme' WHERE tenant_id = :tenant_id")
    async with site.database.tenant(site.tenant_id) as scope:
        await issue_marks.expand(scope)
        # Whoever learns of the issue holds it, and waits for the mark: it is not waited for.
        await scope.execute("SELECT 1 FROM issue_company WHERE tenant_id = :tenant_id FOR UPDATE")
        assert not await asyncio.create_task(plan(site))
    assert await refused(site) == 1
    assert await plan(site)
    assert (await carry_out(site), await due(site)) == ([], [])
    assert (await refused(site), await refused(other)) == (0, 1)


async def refused(site: Site) -> int:
    async with site.database.tenant(site.tenant_id) as scope:
        return (await issue_state.status(scope)).refused


async def test_halves_of_what_is_refused_wait_as_backlog_after_so_many(site: Site, other: Site) -> None:
    for each in (site, other):
        await a_company(each, "Acme", ANN)
        await learn(each, *(facts(number, ANN) for number in range(400)))
        await plan(each)
    splits = 0
    while True:
        async with site.database.tenant(site.tenant_id) as scope:
            found = await issue_calls.next_due(scope, now=NOW, with_backlog=False)
            if found is None:
                break
            await issue_calls.split(scope, found, now=NOW)
        splits += 1
    assert splits == issue_calls.MAX_REFUSED_IN_ROW
    async with other.database.tenant(other.tenant_id) as scope:
        assert await issue_calls.next_due(scope, now=NOW, with_backlog=False) is not None


async def test_call_hurries_for_an_issue_that_somebody_waits_for(site: Site, other: Site) -> None:
    for each in (site, other):
        await a_company(each, "Acme", ANN)
        await a_company(each, "Other", BEN)
        await learn(each, facts(7, ANN), facts(8, BEN), is_backlog=True)
        await plan(each, is_backlog=True)
    await learn(site, facts(7, BEN, 1))
    await learn(other, facts(7, BEN, 1), is_backlog=True)
    for each, expected in ((site, NOW), (other, None)):
        async with each.database.tenant(each.tenant_id) as scope:
            assert await issue_calls.next_look(scope, with_backlog=False) is None
            await issue_calls.hurry(scope)
            assert await issue_calls.next_look(scope, with_backlog=False) == expected


async def test_choice_reads_the_marks_once_and_joins_them_with_nothing(site: Site) -> None:
    async with site.database.tenant(site.tenant_id) as scope:
        explained = await scope.raw.fetchval(
            f"EXPLAIN (FORMAT JSON) {issue_marks.CHOSEN}", scope.tenant_id, True, 10_000, False, 10_000
        )
    [plan_of_choice] = json.loads(explained)
    assert [node["CTE Name"] for node in plans.nodes(plan_of_choice["Plan"]) if "CTE Name" in node] == ["wanted"]
