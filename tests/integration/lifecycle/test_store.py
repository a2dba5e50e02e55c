import uuid

import pytest

from lifecycle import errors, store
from lifecycle.tenant import ClientKey, State, TenantId
from lifecycle.vault import Vault
from tests.integration.lifecycle.conftest import RING, Site, World

NEWEST = bytes(32)


async def test_tenant_is_found_by_each_of_its_names(world: World, alpha: Site, beta: Site) -> None:
    record = await world.record(alpha)
    async with world.pool.connection() as connection:
        assert await store.find(connection, record.tenant.tenant_id) == record
        assert await store.list_live_at(connection, alpha.body["baseUrl"]) == [record.tenant]
        assert (await store.find_by_client_key(connection, beta.client_key)) == await world.record(beta)


async def test_unknown_names_find_nothing(world: World, alpha: Site) -> None:
    async with world.pool.connection() as connection:
        assert await store.find(connection, TenantId(uuid.uuid4())) is None
        assert await store.find_by_client_key(connection, ClientKey(alpha.client_key.upper())) is None
        assert await store.lock_by_client_key(connection, ClientKey("nobody")) is None
        assert await store.list_live_at(connection, "https://nobody.atlassian.net") == []


async def test_every_state_can_be_stored(world: World, alpha: Site) -> None:
    for state in State:
        await world.pool.execute("UPDATE tenant SET state = :state", {"state": state.value})
        assert await world.state(alpha) is state


async def test_secrets_are_resealed_under_the_newest_key_once(world: World, alpha: Site, beta: Site) -> None:
    again = await world.install(clientKey=alpha.client_key, baseUrl=alpha.body["baseUrl"])
    rotated = Vault([NEWEST, *RING])
    async with world.pool.connection() as connection, connection.transaction():
        assert await store.reseal_secrets(connection, rotated) == 2
        assert await store.reseal_secrets(connection, rotated) == 0
    newest_alone = Vault([NEWEST])
    for site, secret, previous in [(alpha, again.secret, alpha.secret), (beta, beta.secret, None)]:
        record = await world.record(site)
        tenant_id = record.tenant.tenant_id
        assert newest_alone.open(record.sealed_secret, tenant_id=tenant_id).reveal() == secret
        if previous is None:
            assert record.previous_sealed_secret is None
        else:
            assert record.previous_sealed_secret is not None
            assert newest_alone.open(record.previous_sealed_secret, tenant_id=tenant_id).reveal() == previous


async def test_resealing_without_the_old_key_changes_nothing(world: World, alpha: Site, beta: Site) -> None:
    before = [await world.record(site) for site in (alpha, beta)]
    with pytest.raises(errors.SecretUnreadable):
        async with world.pool.connection() as connection, connection.transaction():
            await store.reseal_secrets(connection, Vault([NEWEST]))
    assert [await world.record(site) for site in (alpha, beta)] == before
