"""The pool reaches PostgreSQL as its address says, and does not wait for a connection that nobody will give back."""

import asyncio

import pytest

from addon.storage.database import APP_ROLE, SESSION_SETTINGS, Database
from tests.support.patience import PATIENCE_S

SSL_REQUEST = bytes.fromhex("00000008 04d2162f")  # PostgreSQL, "Message Formats"


async def test_connection_that_was_lost_is_not_waited_for(database_url: str) -> None:
    opened = Database(database_url, min_size=1, max_size=2)
    await opened.connect()
    holding = asyncio.Event()

    async def hold() -> None:
        async with opened.transaction():
            holding.set()
            await asyncio.Event().wait()

    lost = asyncio.create_task(hold())
    await holding.wait()
    async with asyncio.timeout(PATIENCE_S):
        await opened.disconnect()
    assert not lost.done()
    lost.cancel()
    await asyncio.wait({lost})


async def test_tls_that_the_address_asks_for_is_not_done_without() -> None:
    """What a server without TLS is told then: that TLS is wanted, and nothing else."""
    told: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def refuse_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readexactly(len(SSL_REQUEST))
        writer.write(b"N")
        told.set_result(request + await reader.read(1))
        writer.close()

    async with await asyncio.start_server(refuse_tls, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        database = Database(f"postgresql://ana:secret@127.0.0.1:{port}/crm?sslmode=require")
        with pytest.raises(ConnectionError, match="SSL"):
            await database.connect()
        assert await asyncio.wait_for(told, PATIENCE_S) == SSL_REQUEST


async def test_address_decides_nothing_about_whom_a_session_acts_as(database_url: str) -> None:
    opened = Database(f"{database_url}{'&' if '?' in database_url else '?'}role=postgres&application_name=somebody")
    await opened.connect()
    async with opened.transaction() as connection:
        acting = await connection.fetch_one("SELECT current_user AS role, current_setting('application_name') AS name")
    await opened.disconnect()
    assert acting is not None
    assert dict(acting._mapping) == {"role": APP_ROLE, "name": SESSION_SETTINGS["application_name"]}
