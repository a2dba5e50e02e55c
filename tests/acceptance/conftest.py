from collections.abc import AsyncIterator

import pytest

from addon.storage.database import Database
from tests.support import world as worlds
from tests.support.world import Tenant, World


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with worlds.build(database) as built:
        yield built


@pytest.fixture
async def acme(world: World) -> Tenant:
    return await world.add_site(9001, seed=1)


@pytest.fixture
async def globex(world: World) -> Tenant:
    """The other tenant, which nothing may happen to."""
    return await world.add_site(9002, seed=2)


@pytest.fixture(params=[False, True], ids=["unknown", "tombstone"])
def what_is_left(request: pytest.FixtureRequest, acme: Tenant, globex: Tenant) -> None:
    """What Jira shows of a deleted person: nothing any more, or a former user in each list but the groups'."""
    for tenant in (acme, globex):
        tenant.site.faults.tombstones = request.param
