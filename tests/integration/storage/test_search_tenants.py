"""The functions that find contacts by trigrams pass row-level security, and still tell nobody of another tenant."""

import uuid

import asyncpg
import pytest

from addon.storage import searching
from addon.storage.database import APP_ROLE, Database
from addon.storage.searching import Effort, Search
from tests.integration.storage.site import Site, a_site

ROLE = "crm_sync_search"
FUNCTIONS = ("search_companies", "search_contacts")
EVERYTHING = ["%", "%%", "% a%", "%@%", "%' OR true OR '%"]


@pytest.fixture
async def sites(database: Database) -> tuple[Site, Site]:
    """Each with a contact and a company that the other would like to know."""
    made = await a_site(database), await a_site(database)
    for site in made:
        company_id = await site.rows(
            """
            INSERT INTO company (tenant_id, name, name_key, created_at, updated_at)
            VALUES (:tenant_id, 'acme', 'acme', now(), now()) RETURNING company_id
            """
        )
        contact_id = await site.a_contact("ada at acme", "ada@acme.example")
        await site.do(
            "UPDATE contact SET company_id = :company_id WHERE tenant_id = :tenant_id AND contact_id = :contact_id",
            company_id=company_id[0]["company_id"],
            contact_id=contact_id,
        )
    return made


async def ids_of(site: Site, table: str) -> set[int]:
    return {row["id"] for row in await site.rows(f"SELECT {table}_id AS id FROM {table} WHERE tenant_id = :tenant_id")}


async def test_functions_find_their_own_tenants_rows_alone(sites: tuple[Site, Site]) -> None:
    for site in sites:
        async with site.database.tenant(site.tenant_id) as scope:
            contacts = await scope.raw.fetch("SELECT contact_id FROM search_contacts($1, 100)", EVERYTHING)
            companies = await scope.raw.fetch("SELECT * FROM search_companies($1, 100) AS company_id", EVERYTHING)
        assert {row["contact_id"] for row in contacts} == await ids_of(site, "contact")
        assert {row["company_id"] for row in companies} == await ids_of(site, "company")


@pytest.mark.parametrize("tenant", [None, "", str(uuid.UUID(int=0))])
async def test_functions_without_a_known_tenant_find_nothing(sites: tuple[Site, Site], tenant: str | None) -> None:
    async with sites[0].database.transaction() as connection:
        raw = connection.raw_connection
        if tenant is not None:
            await raw.execute("SELECT set_config('app.tenant_id', $1, true)", tenant)
        assert await raw.fetch("SELECT * FROM search_contacts($1, 100)", EVERYTHING) == []
        assert await raw.fetch("SELECT * FROM search_companies($1, 100)", EVERYTHING) == []


async def test_functions_with_a_forged_tenant_fail(sites: tuple[Site, Site]) -> None:
    forged = f"{sites[1].tenant_id}' OR true --"
    for function in FUNCTIONS:
        async with sites[0].database.transaction() as connection:
            await connection.raw_connection.execute("SELECT set_config('app.tenant_id', $1, true)", forged)
            with pytest.raises(asyncpg.DataError):
                await connection.raw_connection.fetch(f"SELECT * FROM {function}($1, 100)", EVERYTHING)


async def test_caller_cannot_put_a_table_of_its_own_under_the_functions(sites: tuple[Site, Site]) -> None:
    async with sites[0].database.tenant(sites[0].tenant_id) as scope:
        await scope.raw.execute("CREATE TEMPORARY TABLE contact ON COMMIT DROP AS SELECT * FROM public.contact LIMIT 0")
        found = await scope.raw.fetch("SELECT contact_id FROM search_contacts($1, 100)", EVERYTHING)
    assert {row["contact_id"] for row in found} == await ids_of(sites[0], "contact")


async def test_search_by_trigrams_never_meets_another_tenant(sites: tuple[Site, Site]) -> None:
    effort = Effort(few=0, some=0, sample=1, steps=1, many=1000)
    for site in sites:
        await site.a_contact("zoe", None)  # the walk ends before the one that fits
        async with site.database.tenant(site.tenant_id) as scope:
            page = await searching.search(scope, Search(query="ada@acme"), effort=effort)
        assert {one.contact_id for one in page.items} < await ids_of(site, "contact")
        assert len(page.items) == 1


async def test_role_of_the_functions_may_do_nothing_else(owner: asyncpg.Connection) -> None:
    role = await owner.fetchrow(
        """
        SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolcanlogin, rolinherit, rolreplication
        FROM pg_roles WHERE rolname = $1
        """,
        ROLE,
    )
    assert not any(role.values())
    assert not await owner.fetchval(
        "SELECT pg_has_role($1, $2, 'MEMBER') OR pg_has_role($2, $1, 'MEMBER')", APP_ROLE, ROLE
    )
    assert not await owner.fetchval("SELECT has_schema_privilege($1, 'public', 'CREATE')", ROLE)
    granted = await owner.fetch(
        """
        SELECT DISTINCT table_name, privilege_type FROM information_schema.column_privileges
        WHERE grantee = $1 ORDER BY table_name
        """,
        ROLE,
    )
    assert [tuple(row) for row in granted] == [("company", "SELECT"), ("contact", "SELECT")]
    assert not await owner.fetchval("SELECT has_column_privilege($1, 'contact', 'phone', 'SELECT')", ROLE)
    policies = await owner.fetch(
        "SELECT tablename, cmd FROM pg_policies WHERE roles @> ARRAY[$1::name] ORDER BY 1", ROLE
    )
    assert [tuple(row) for row in policies] == [("company", "SELECT"), ("contact", "SELECT")]


async def test_functions_are_for_the_application_alone_and_fix_their_search_path(owner: asyncpg.Connection) -> None:
    for function in FUNCTIONS:
        row = await owner.fetchrow(
            """
            SELECT oid, proconfig, ARRAY(SELECT DISTINCT grantee::regrole::text FROM aclexplode(proacl)) AS grantees
            FROM pg_proc WHERE proname = $1
            """,
            function,
        )
        assert "search_path=pg_catalog, pg_temp" in row["proconfig"]
        assert set(row["grantees"]) == {APP_ROLE, ROLE}
