import re
import uuid

import asyncpg
import pytest

from addon.storage import schema
from addon.storage.database import Database
from lifecycle.tenant import TenantId
from tests.conftest import Server
from tests.integration.storage.catalogue import become

BEFORE_RULES = "0009"
A_TENANT = """
    INSERT INTO tenant (tenant_id, client_key, base_url, sealed_secret, state, installed_at, updated_at)
    VALUES ($1, $2, $2, 'x', 'enabled', now(), now())
"""
A_COMPANY = """
    INSERT INTO company (tenant_id, name, name_key, created_at, updated_at)
    VALUES ($1, 'Acme', 'acme', now(), now()) RETURNING company_id
"""
A_CONTACT = """
    INSERT INTO contact (tenant_id, company_id, name, name_key, origin, created_at, updated_at)
    VALUES ($1, $2, 'Ann', 'ann', 'manual', now(), now())
"""


async def test_migrations_reach_the_newest_revision(database_url: str) -> None:
    assert await schema.current_revision(database_url) == schema.newest_revision()


async def test_upgrade_of_a_current_database_changes_nothing(database_url: str) -> None:
    await schema.upgrade(database_url)
    assert await schema.current_revision(database_url) == schema.newest_revision()


async def test_session_acts_as_the_unprivileged_role(database: Database) -> None:
    async with database.transaction() as connection:
        row = await connection.fetch_one(
            "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        )
    assert row is not None
    assert tuple(row._mapping.values()) == ("crm_sync_app", False, False)


@pytest.mark.usefixtures("template")  # its making has made the roles, which belong to the whole server
async def test_owner_who_may_not_even_create_roles_takes_every_tenant_along_and_can_erase_them(server: Server) -> None:
    name = f"crm_plain_{uuid.uuid4().hex[:12]}"
    await server.execute(f"CREATE ROLE {name} LOGIN CREATEDB PASSWORD 'pw'")
    await server.execute(f"GRANT crm_sync_app, crm_sync_search TO {name}")
    plain = Server(re.sub("//[^@]*@", f"//{name}:pw@", server.admin_url))
    await plain.execute(f"CREATE DATABASE {name}")
    url = plain.url_of(name)
    await schema.upgrade(url, BEFORE_RULES)
    tenants = uuid.uuid4(), uuid.uuid4()
    owner = await asyncpg.connect(url)
    for tenant_id in tenants:
        await owner.execute(A_TENANT, tenant_id, str(tenant_id))
        await become(owner, TenantId(tenant_id))
        for company_id in (await owner.fetchval(A_COMPANY, tenant_id), None):
            await owner.execute(A_CONTACT, tenant_id, company_id)
    await owner.close()
    await schema.upgrade(url)
    owner = await asyncpg.connect(url)
    for tenant_id in tenants:
        await become(owner, TenantId(tenant_id))
        decided = await owner.fetch(
            "SELECT company_id IS NULL, company_by FROM contact WHERE tenant_id = $1 ORDER BY contact_id", tenant_id
        )
        assert [tuple(row) for row in decided] == [(False, "person"), (True, None)]
        assert await owner.fetchval("SELECT count(*) FROM company_due") == 1
    await owner.execute("DELETE FROM tenant")
    for tenant_id in tenants:
        await become(owner, TenantId(tenant_id))
        assert await owner.fetchval("SELECT count(*) FROM contact") == 0
    await owner.close()
    await plain.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await server.execute(f"DROP ROLE {name}")
