"""Where does a PostgreSQL come from that may die at any moment? A private one, which can be stopped hard and started again.

What was committed must outlive the server's processes, so commits are synchronous; the machine itself does not fail.
"""

import asyncio
import os
import shutil
import signal
import tempfile
import time
from pathlib import Path

import asyncpg
from sqlalchemy.engine import make_url

from addon.storage import schema
from addon.storage.embedded import PostgresServer
from tests.support.patience import PATIENCE_S

SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "on",
    "autovacuum": "off",
    "max_connections": "60",
    "shared_buffers": "32MB",
}
DATABASE_NAME = "machine"
POLL_S = 0.02


class Cluster:
    """One server with one database at the newest schema. `url` is its owner's; the application becomes its own role."""

    def __init__(self) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="crm-machine-pg-"))
        (self._directory / "data").mkdir()
        self._server = PostgresServer(self._directory / "data")
        self.url = make_url(self._server.get_uri()).set(database=DATABASE_NAME).render_as_string(hide_password=False)

    async def prepare(self) -> None:
        connection = await asyncpg.connect(self._server.get_uri())
        for name, value in SETTINGS.items():
            await connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        await connection.execute(f'CREATE DATABASE "{DATABASE_NAME}"')
        await connection.close()
        self.crash()
        self.start()
        await schema.upgrade(self.url)

    def crash(self) -> None:
        """What `pg_ctl stop -m immediate` does: every process of the server ends at once, and nothing is written down."""
        pid = self._server.get_pid()
        assert pid is not None
        os.kill(pid, signal.SIGQUIT)
        until = time.monotonic() + PATIENCE_S
        while (self._directory / "data" / "postmaster.pid").exists():
            assert time.monotonic() < until, "the server does not die"
            time.sleep(POLL_S)

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def remove(self) -> None:
        self._server.cleanup()
        shutil.rmtree(self._directory, ignore_errors=True)


async def command(url: str, *statements: str) -> None:
    """Carry statements out as the database's owner."""
    connection = await asyncio.wait_for(asyncpg.connect(url), PATIENCE_S)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
