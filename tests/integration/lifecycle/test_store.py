import uuid

from lifecycle import store
from lifecycle.tenant import ClientKey, State, TenantId
from lifecycle.vault import Secret, Vault
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
        assert await store.reseal_secrets(connection, rotated) == store.Resealing(resealed=2, unreadable=[])
        assert await store.reseal_secrets(connection, rotated) == store.Resealing(resealed=0, unreadable=[])
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
    async with world.pool.connection() as connection, connection.transaction():
        resealing = await store.reseal_secrets(connection, Vault([NEWEST]))
        unreadable = await store.list_unreadable(connection, Vault([NEWEST]), at_once=1)
        assert await store.list_unreadable(connection, world.vault) == []
    ids = sorted(record.tenant.tenant_id for record in before)
    assert (resealing.resealed, [tenant.tenant_id for tenant in resealing.unreadable]) == (0, ids)
    assert unreadable == ids
    assert [await world.record(site) for site in (alpha, beta)] == before


async def test_previous_secret_without_its_key_does_not_keep_the_present_one_from_rotation(
    world: World, alpha: Site
) -> None:
    record = await world.record(alpha)
    tenant_id = record.tenant.tenant_id
    lost = Vault([bytes(31) + b"x"]).seal(Secret("lost"), tenant_id=tenant_id)
    await world.pool.execute("UPDATE tenant SET previous_sealed_secret = :lost", {"lost": lost})
    async with world.pool.connection() as connection, connection.transaction():
        resealing = await store.reseal_secrets(connection, Vault([NEWEST, *RING]))
    assert resealing == store.Resealing(resealed=1, unreadable=[])
    record = await world.record(alpha)
    assert record.previous_sealed_secret == lost
    assert Vault([NEWEST]).open(record.sealed_secret, tenant_id=tenant_id).reveal() == alpha.secret
