"""Real PostgreSQL for every test that asks for it: one template database per session and worker, one copy per test."""

import asyncio
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import hypothesis
import pytest
from sqlalchemy.engine import make_url

from addon.storage import schema
from addon.storage.database import Database
from addon.storage.embedded import PostgresServer

EXTERNAL_URL = os.environ.get("CRM_SYNC_DATABASE_URL")
for name in [name for name in os.environ if name.startswith("CRM_SYNC_")]:
    # What the tests build reads its settings from the tests alone.
    del os.environ[name]

# The same examples each time, so that a commit is judged by what it changed; HYPOTHESIS_PROFILE=explore draws new ones.
# What those find is kept as an `@example` or a test of its own.
hypothesis.settings.register_profile("steady", derandomize=True, deadline=None, print_blob=True)
hypothesis.settings.register_profile("explore", deadline=None, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

# No crash of the machine matters to a test database; a crash of PostgreSQL itself is tested on its own cluster.
FAST_SETTINGS = ("fsync = off", "synchronous_commit = off", "full_page_writes = off", "max_connections = 300")


@dataclass(frozen=True, slots=True)
class Server:
    """A PostgreSQL server that we may create databases on."""

    admin_url: str

    def url_of(self, name: str) -> str:
        return make_url(self.admin_url).set(database=name).render_as_string(hide_password=False)

    async def execute(self, sql: str) -> None:
        connection = await asyncpg.connect(self.admin_url)
        try:
            await connection.execute(sql)
        finally:
            await connection.close()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    if EXTERNAL_URL is not None:
        yield Server(EXTERNAL_URL)
        return
    directory = Path(tempfile.mkdtemp(prefix="crm-pg-"))
    (directory / "data").mkdir()
    running = PostgresServer(directory / "data")
    asyncio.run(_speed_up(running.get_uri()))
    yield Server(running.get_uri())
    running.cleanup()
    shutil.rmtree(directory, ignore_errors=True)


async def _speed_up(url: str) -> None:
    connection = await asyncpg.connect(url)
    for setting in FAST_SETTINGS:
        name, _, value = setting.partition(" = ")
        await connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
    await connection.execute("SELECT pg_reload_conf()")
    await connection.close()


@pytest.fixture(scope="session")
def template(server: Server) -> Iterator[str]:
    name = f"crm_template_{uuid.uuid4().hex[:12]}"
    asyncio.run(server.execute(f'CREATE DATABASE "{name}"'))
    asyncio.run(schema.upgrade(server.url_of(name)))
    yield name
    asyncio.run(server.execute(f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture
async def database_url(server: Server, template: str) -> AsyncIterator[str]:
    """The address of a database of this test alone, at the newest schema."""
    name = f"crm_test_{uuid.uuid4().hex[:12]}"
    await server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    yield server.url_of(name)
    await server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A connected `Database` that acts as the application's role."""
    opened = Database(database_url, max_size=10)
    await opened.connect()
    yield opened
    await opened.disconnect()


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Connected as the role that owns the tables; where that is a superuser, no policy binds it."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()
