"""No tenant sees another's rows, on any table, whatever a statement forgets. The tables come from the catalogue."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import pytest
import sqlalchemy.exc

from addon.storage.database import APP_ROLE, Database
from lifecycle.tenant import TenantId
from tests.integration.storage import catalogue
from tests.integration.storage.catalogue import NOW, SHARED, Filler

# Its functions find contacts by trigrams; see tests/integration/storage/test_search_tenants.py.
SEARCH_ROLE = "crm_sync_search"


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A database in which two tenants have rows in every table."""

    database: Database
    acme: TenantId
    globex: TenantId
    filler: Filler
    tables: list[str]

    async def count(self, table: str, tenant_id: TenantId) -> int:
        """As the owner of the tables counts."""
        await catalogue.become(self.filler.owner, tenant_id)
        found = await self.filler.owner.fetchval(f'SELECT count(*) FROM "{table}" WHERE tenant_id = $1', tenant_id)
        return int(found)


@pytest.fixture
async def single(database_url: str) -> AsyncIterator[Database]:
    """A pool of one connection, so that whatever one block leaves behind meets the next."""
    opened = Database(database_url, min_size=1, max_size=1)
    await opened.connect()
    yield opened
    await opened.disconnect()


@pytest.fixture
async def house(database: Database, owner: asyncpg.Connection) -> House:
    filler = Filler(owner=owner)
    acme, globex = TenantId(uuid.uuid4()), TenantId(uuid.uuid4())
    names = await catalogue.tenant_tables(owner)
    for tenant_id in (acme, globex):
        await owner.execute(
            """
            INSERT INTO tenant (tenant_id, client_key, base_url, sealed_secret, state, installed_at, updated_at)
            VALUES ($1, $1::uuid::text, $1::uuid::text, 'x', 'enabled', $2, $2)
            """,
            tenant_id,
            NOW,
        )
        await catalogue.become(owner, tenant_id)
        for name in names:
            await filler.rows(name, tenant_id)
    return House(database=database, acme=acme, globex=globex, filler=filler, tables=names)


async def test_every_table_is_isolated_by_construction(owner: asyncpg.Connection) -> None:
    found = await catalogue.tables(owner)
    assert {table.name for table in found} >= SHARED
    isolated = [table for table in found if table.name not in SHARED]
    assert len(isolated) >= 8
    for table in isolated:
        assert table.primary_key[:1] == ["tenant_id"], table
        assert (table.is_secured, table.is_forced, table.policies) == (True, True, 1), table
        assert table.owner != APP_ROLE


async def test_every_policy_holds_for_reading_and_writing(owner: asyncpg.Connection) -> None:
    policies = await owner.fetch(
        "SELECT tablename, permissive, roles::text[] AS roles, cmd, qual, with_check FROM pg_policies"
        " WHERE schemaname = 'public' AND roles <> ARRAY[CAST($1 AS name)]",
        SEARCH_ROLE,
    )
    assert {policy["tablename"] for policy in policies} == set(await catalogue.tenant_tables(owner))
    assert len({(p["permissive"], *p["roles"], p["cmd"], p["qual"], p["with_check"]) for p in policies}) == 1
    assert {(p["permissive"], *p["roles"], p["cmd"], p["with_check"]) for p in policies} == {
        ("PERMISSIVE", "public", "ALL", None)  # without a check of its own, USING counts for new rows too
    }


async def test_no_view_and_no_function_but_the_search_leads_around_the_policies(owner: asyncpg.Connection) -> None:
    assert await owner.fetchval("SELECT count(*) FROM pg_views WHERE schemaname = 'public'") == 0
    trusted = await owner.fetch(
        "SELECT proname, pg_get_userbyid(proowner) AS owner FROM pg_proc"
        " WHERE pronamespace = 'public'::regnamespace AND prosecdef ORDER BY proname"
    )
    assert [(f["proname"], f["owner"]) for f in trusted] == [
        ("search_companies", SEARCH_ROLE),
        ("search_contacts", SEARCH_ROLE),
    ]


async def test_reading_without_a_condition_shows_one_tenant_alone(house: House) -> None:
    for table in house.tables:
        async with house.database.tenant(house.acme) as scope:
            rows = await scope.raw.fetch(f'SELECT tenant_id FROM "{table}"')
        assert {row["tenant_id"] for row in rows} == {house.acme}, table
        assert len(rows) == await house.count(table, house.acme), table


async def test_writing_without_a_condition_touches_one_tenant_alone(house: House) -> None:
    for table in house.tables:
        async with house.database.tenant(house.acme) as scope:
            touched = await scope.raw.execute(f'UPDATE "{table}" SET tenant_id = tenant_id')
        assert touched == f"UPDATE {await house.count(table, house.acme)}", table


async def test_deleting_without_a_condition_deletes_one_tenant_alone(house: House) -> None:
    before = {table: await house.count(table, house.globex) for table in house.tables}
    for table in house.tables:
        async with house.database.tenant(house.acme) as scope:
            await scope.raw.execute(f'DELETE FROM "{table}"')
    assert {table: await house.count(table, house.acme) for table in house.tables} == dict.fromkeys(house.tables, 0)
    assert {table: await house.count(table, house.globex) for table in house.tables} == before
    assert min(before.values()) > 0


async def test_row_of_another_tenant_cannot_be_written(house: House) -> None:
    for table in house.tables:
        row = house.filler.made[table, house.globex][0]
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with house.database.tenant(house.acme) as scope:
                await scope.raw.execute(catalogue.insert(table, row), *row.values())


async def test_row_cannot_be_given_to_another_tenant(house: House) -> None:
    for table in house.tables:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with house.database.tenant(house.acme) as scope:
                await scope.raw.execute(f'UPDATE "{table}" SET tenant_id = $1', house.globex)


async def test_row_of_one_tenant_cannot_refer_to_a_row_of_another(house: House) -> None:
    contact = house.filler.made["contact", house.globex][0]
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        async with house.database.tenant(house.acme) as scope:
            await scope.execute(
                "UPDATE account SET contact_id = :contact_id, linked_by = 'email', linked_at = :now"
                " WHERE tenant_id = :tenant_id",
                contact_id=contact["contact_id"],
                now=NOW,
            )


async def test_without_a_scope_nothing_is_visible_and_nothing_can_be_written(house: House) -> None:
    for table in house.tables:
        async with house.database.transaction() as connection:
            assert await connection.fetch_all(f'SELECT 1 FROM "{table}"') == []
        row = house.filler.made[table, house.acme][0]
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with house.database.transaction() as connection:
                await connection.raw_connection.execute(catalogue.insert(table, row), *row.values())


async def test_scope_ends_with_its_transaction(single: Database, house: House) -> None:
    async with single.tenant(house.acme) as scope:
        session = await scope.raw.fetchval("SELECT pg_backend_pid()")
        assert await scope.raw.fetch("SELECT 1 FROM contact")
    async with single.transaction() as connection:
        assert await connection.fetch_val("SELECT pg_backend_pid()") == session
        assert await connection.fetch_all("SELECT 1 FROM contact") == []
    async with single.tenant(house.globex) as scope:
        assert {row["tenant_id"] for row in await scope.raw.fetch("SELECT tenant_id FROM contact")} == {house.globex}


@pytest.mark.parametrize("way_out", ["RESET ROLE", "RESET ALL"])
async def test_session_cannot_leave_its_role(house: House, way_out: str) -> None:
    async with house.database.tenant(house.acme) as scope:
        await scope.raw.execute(way_out)
        assert await scope.raw.fetchval("SELECT current_user") == APP_ROLE
        visible = {row["tenant_id"] for row in await scope.raw.fetch("SELECT tenant_id FROM contact")}
        assert visible <= {house.acme}


async def test_pool_hands_out_its_connections_in_the_role_again(single: Database) -> None:
    for _ in range(3):  # asyncpg resets a connection with RESET ALL when it takes it back
        async with single.transaction() as connection:
            assert await connection.fetch_val("SELECT current_user") == APP_ROLE


async def test_role_owns_nothing_and_may_not_change_the_schema(database: Database, owner: asyncpg.Connection) -> None:
    role = await owner.fetchrow(
        "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolcanlogin FROM pg_roles WHERE rolname = $1",
        APP_ROLE,
    )
    assert not any(role.values())
    for forbidden in (
        "CREATE TABLE mine (id int)",
        "ALTER TABLE contact DISABLE ROW LEVEL SECURITY",
        "DROP POLICY one_tenant ON contact",
        "TRUNCATE contact",
        "UPDATE alembic_version SET version_num = ''",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with database.transaction() as connection:
                await connection.raw_connection.execute(forbidden)


async def test_statement_that_forgets_the_tenant_is_refused(house: House) -> None:
    async with house.database.tenant(house.acme) as scope:
        for call in (scope.fetch_all, scope.fetch_one, scope.fetch_val, scope.execute):
            with pytest.raises(sqlalchemy.exc.ArgumentError, match="tenant_id"):
                await call("SELECT 1 FROM contact")
