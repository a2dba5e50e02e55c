from collections.abc import AsyncIterator

import pytest

from addon.storage.database import Database
from tests.integration.storage.site import Site, a_site, people


@pytest.fixture
async def acme(database: Database) -> AsyncIterator[Site]:
    """The tenant of the test; beside it one that nothing may happen to."""
    globex = await a_site(database)
    await globex.scan(await globex.turn_on(), people(3))
    await globex.a_contact("Ana", "user-0@x.example")
    before = await globex.everything()
    yield await a_site(database)
    assert await globex.everything() == before
