"""Is the database at our schema, and how does it get there? Alembic carries out the files under `migrations/versions`."""

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

SCRIPTS = "addon.storage:migrations"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", SCRIPTS)
    return config


def _engine(url: str) -> AsyncEngine:
    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(url)

    return create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)


def newest_revision() -> str:
    """The revision that this code needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise LookupError("the package holds no migrations")
    return head


def is_known(revision: str) -> bool:
    """Whether this code has a migration that leads there."""
    return any(script.revision == revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


async def current_revision(url: str) -> str | None:
    """The revision that the database is at; None for an empty one."""
    engine = _engine(url)
    async with engine.connect() as connection:
        revision = await connection.run_sync(lambda c: MigrationContext.configure(c).get_current_revision())
    await engine.dispose()
    return revision


async def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database to a revision, the newest one, in one transaction. The login role must be able to create tables and
    roles; it need not be a superuser.
    """

    def run(connection: Connection) -> None:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    engine = _engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(run)
    await engine.dispose()
