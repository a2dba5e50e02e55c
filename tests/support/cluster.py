"""A PostgreSQL server of one test's own, which it may stop hard and start again."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from addon.storage import schema
from addon.storage.embedded import PostgresServer
from tests.support import processes


@dataclass(frozen=True, slots=True)
class Cluster:
    """`url` stays the same over restarts."""

    server: PostgresServer

    @property
    def url(self) -> str:
        url: str = self.server.get_uri()
        return url

    async def stop_hard(self) -> None:
        """As `pg_ctl -m immediate stop`: no transaction ends, no connection is closed in an orderly way."""
        pid = self.server.get_pid()
        assert pid is not None
        os.kill(pid, signal.SIGQUIT)
        await processes.until(lambda: not Path(f"/proc/{pid}").exists())

    async def start(self) -> None:
        """Start again; PostgreSQL then recovers what was committed."""
        await asyncio.to_thread(self.server.ensure_postgres_running)


@asynccontextmanager
async def run(folder: Path) -> AsyncIterator[Cluster]:
    """A server at our newest schema; it forgets nothing that it has confirmed. `folder` is there, and empty."""
    cluster = Cluster(await asyncio.to_thread(PostgresServer, folder))
    await schema.upgrade(cluster.url)
    try:
        yield cluster
    finally:
        await asyncio.to_thread(cluster.server.cleanup)
