"""The contact list and its search never read a tenant's contacts one and all, with statistics or without."""

import itertools
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from addon.storage import keyset, searching
from addon.storage.database import APP_ROLE, Database
from addon.storage.searching import USUAL, Search
from tests.integration.storage.site import Site, a_site
from tests.support.plans import ExplainingScope, Node, nodes, plans_of_functions

CONTACTS, OTHERS = 100_000, 10_000
QUERIES = [None, "person 77", "Family 500", "family 50012", "p", "zz", "com", "nobody", "@x4", "firm 7", "%"]
PATIENT = {"%"}  # nothing but reading everything finds a sign that is no part of a word, so it may take all its steps

FILL = """
    WITH firm AS (
        INSERT INTO company (tenant_id, name, name_key, created_at, updated_at)
        SELECT $1, 'firm ' || n, 'firm ' || n, now(), now() FROM generate_series(1, 1000) AS n RETURNING company_id
    ), numbered AS (SELECT company_id, row_number() OVER () AS n FROM firm),
    person AS (
        INSERT INTO contact (tenant_id, name, name_key, email, email_key, company_id, origin, created_at, updated_at)
        SELECT $1, name, name, email, email, company_id, 'manual', now(), now() - make_interval(secs => g.n)
        FROM generate_series(1, $2::int) AS g (n) CROSS JOIN
            LATERAL (SELECT 'person ' || g.n * 7919::bigint % 1000 || ' family ' || g.n AS name,
                     'p' || g.n || '@x' || g.n % 97 || '.example.com' AS email, g.n % 1500 + 1 AS firm) AS made
        LEFT JOIN numbered ON numbered.n = made.firm
        RETURNING contact_id
    )
    INSERT INTO account (tenant_id, account_id, kind, active, display_name, email_state, checked_at,
                         contact_id, linked_by, linked_at)
    SELECT $1, 'account ' || contact_id, 'user', true, 'x', 'visible', now(), contact_id, 'email', now()
    FROM person WHERE contact_id % 200 <> 0
"""


async def a_city(database: Database, owner: asyncpg.Connection, *, contacts: int) -> Site:
    """A tenant with very many contacts, and another with many, of which the planner knows nothing yet."""
    for table in ("contact", "account", "company", "contact_unlinked"):
        await owner.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)")
    other, site = await a_site(database), await a_site(database)
    for tenant, count in ((other, OTHERS), (site, contacts)):
        await owner.execute("SELECT set_config('app.tenant_id', $1, false)", str(tenant.tenant_id))
        await owner.execute(FILL, tenant.tenant_id, count)
        await tenant.switch(enabled=True)
    return site


def assert_frugal(plans: Iterable[Node], about: object, *, most: int) -> None:
    for plan in plans:
        for node in nodes(plan):
            kind, table = node["Node Type"], node.get("Relation Name")
            touched = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
            assert (kind, table) != ("Seq Scan", "contact"), (about, plan)
            assert touched <= (USUAL.many if "Sort" in kind else most), (about, kind, table, touched)


async def explain(site: Site, wanted: Search) -> list[Node]:
    async with site.database.tenant(site.tenant_id) as scope:
        explaining = ExplainingScope(scope.tenant_id, scope.connection)
        await searching.search_and_count(explaining, wanted)
    return explaining.plans


@pytest.mark.timeout(600)
async def test_list_and_search_touch_few_rows_with_statistics_and_without(
    database: Database, owner: asyncpg.Connection
) -> None:
    city = await a_city(database, owner, contacts=CONTACTS)
    company = (await city.rows("SELECT min(company_id) AS id FROM company WHERE tenant_id = :tenant_id"))[0]["id"]
    filters: list[dict[str, Any]] = [
        {},
        {"linked": True},
        {"linked": False},
        {"company_id": company},
        {"attention": True},
    ]
    searches = [
        Search(query=query, sort=sort, **more)
        for (query, more), sort in zip(
            itertools.product(QUERIES, filters), itertools.cycle(keyset.SORTS.values()), strict=False
        )
    ]
    for statistics in ("none", "fresh"):
        if statistics == "fresh":
            await owner.execute("ANALYZE")
        for wanted in searches:
            most = CONTACTS + 1 if wanted.query in PATIENT else USUAL.steps + 1
            assert_frugal(await explain(city, wanted), (statistics, wanted), most=most)
        await _look_at_later_pages(city)


async def test_trigrams_are_read_through_their_index_alone(database: Database, owner: asyncpg.Connection) -> None:
    """Row-level security keeps LIKE from any index, where the functions do not pass it."""
    city = await a_city(database, owner, contacts=60_000)
    await owner.execute(
        """
        LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0; SET auto_explain.log_analyze = on;
        SET auto_explain.log_nested_statements = on; SET auto_explain.log_format = json; SET client_min_messages = log
        """
    )
    await owner.execute("SELECT set_config('app.tenant_id', $1, false)", str(city.tenant_id))
    await owner.execute(f"SET ROLE {APP_ROLE}")
    for patterns in (["%family 50012%"], ["% zz%", "%.zz%"], ["%firm 77%"], ["%nobody%"]):
        plans = await plans_of_functions(owner, "SELECT * FROM search_contacts($1, 5000)", patterns)
        assert len(plans) >= 3  # the call, search_contacts, search_companies
        read = {node["Index Name"] for plan in plans for node in nodes(plan) if "Index Name" in node}
        assert (
            {"contact_by_text", "company_by_text"}
            <= read
            <= {"contact_by_text", "company_by_text", "contact_by_company"}
        )
        assert_frugal(plans, patterns, most=2000)


async def _look_at_later_pages(city: Site) -> None:
    for sort in keyset.SORTS.values():
        key = "person 500 family 50000" if sort.key_type is str else datetime.now(UTC) - timedelta(hours=14)
        cursor = keyset.write_cursor(searching.LIST, sort, keyset.Position(key=key, row_id=1))
        for query in (None, "person 77"):
            wanted = Search(query=query, sort=sort, cursor=cursor)
            async with city.database.tenant(city.tenant_id) as scope:
                explaining = ExplainingScope(scope.tenant_id, scope.connection)
                await searching.search(explaining, wanted)
            assert_frugal(explaining.plans, wanted, most=USUAL.steps + 1)
