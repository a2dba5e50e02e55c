from addon.storage import schema
from addon.storage.database import Database


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
