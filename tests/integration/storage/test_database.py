"""A process that must end does not wait for a connection that nobody will give back."""

import asyncio

from addon.storage.database import Database
from tests.support.patience import PATIENCE_S


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
