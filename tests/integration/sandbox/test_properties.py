import pytest

from tests.integration.sandbox.conftest import World

ROOT = "/rest/atlassian-connect/1/addons/stand-in/properties"


async def test_property_lives_on_its_own_site(world: World) -> None:
    site, other = world.sites
    client, other_client = await world.client(site), await world.client(other)
    assert (await client.put(f"{ROOT}/a b", json={"n": 1})).status_code == 201
    assert (await client.put(f"{ROOT}/a b", json={"n": 2})).status_code == 200
    assert (await client.get(f"{ROOT}/a b")).json() == {"key": "a b", "value": {"n": 2}}
    assert [each["key"] for each in (await client.get(ROOT)).json()["keys"]] == ["a b"]
    assert (await other_client.get(ROOT)).json()["keys"] == []
    assert (await client.delete(f"{ROOT}/a b")).status_code == 204
    assert (await client.delete(f"{ROOT}/a b")).status_code == 404


@pytest.mark.parametrize(("key", "content"), [("k" * 128, "1"), ("k", ""), ("k", "{"), ("k", f'"{"x" * 32768}"')])
async def test_bad_property_is_refused(world: World, key: str, content: str) -> None:
    client = await world.client(world.sites[0], checks_requests=False)
    answer = await client.put(f"{ROOT}/{key}", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert (await client.get(ROOT)).json()["keys"] == []
