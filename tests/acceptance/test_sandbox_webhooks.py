"""From something that happens on a site, over the webhook that Jira sends of it, to the contact."""

from datetime import timedelta

import pytest

from sandbox.faults import WebhookFaults
from tests.support.world import Tenant, World


@pytest.fixture(autouse=True)
async def _both_on(acme: Tenant, globex: Tenant) -> None:
    for tenant in (acme, globex):
        await tenant.turn_on()


async def names(tenant: Tenant) -> set[str]:
    return {contact["name"] for contact in await tenant.contacts()}


async def deliver(world: World) -> list[int | None]:
    attempts = await world.cloud.deliver()
    await world.work()
    return [attempt.status for attempt in attempts]


async def test_user_who_comes_changes_and_leaves_is_followed(world: World, acme: Tenant, globex: Tenant) -> None:
    others = await names(globex)
    ann = acme.a_user("Ann New", "ann.new@example.com")
    assert await deliver(world) == [204]
    assert (await acme.contact_of(ann.account_id))["email"] == "ann.new@example.com"
    acme.site.change_person(ann.account_id, display_name="Ann Newer")
    assert await deliver(world) == [204]
    assert (await acme.contact_of(ann.account_id))["name"] == "Ann Newer"
    acme.site.delete_person(ann.account_id)
    assert await deliver(world) == [204]
    [left] = [contact for contact in await acme.contacts() if contact["name"] == "Ann Newer"]
    assert left["linkedAccounts"] == []
    assert await names(globex) == others


async def test_customer_is_met_as_reporter(world: World, acme: Tenant, globex: Tenant) -> None:
    cas = acme.a_customer("Cas Customer", "cas@example.com")
    assert await deliver(world) == []
    acme.site.create_issue(cas.account_id)
    assert await deliver(world) == [204]
    assert (await acme.contact_of(cas.account_id))["name"] == "Cas Customer"
    assert "Cas Customer" not in await names(globex)


async def test_doubled_late_and_reordered_webhooks_end_in_the_truth(world: World, acme: Tenant, globex: Tenant) -> None:
    acme.site.faults.webhooks = WebhookFaults(doubled=1, reordered=True, delayed=timedelta(minutes=20))
    people = [acme.a_user(f"Person {number}", f"person{number}@example.com") for number in range(5)]
    for each in people:
        acme.site.change_person(each.account_id, display_name=f"{each.display_name} Changed")
    acme.site.delete_person(people[0].account_id)
    world.clock.advance(timedelta(minutes=20))
    assert await deliver(world) == [204] * 22
    for each in people[1:]:
        assert (await acme.contact_of(each.account_id))["name"] == f"{each.display_name} Changed"
    linked = {account["accountId"] for contact in await acme.contacts() for account in contact["linkedAccounts"]}
    assert people[0].account_id not in linked
    assert not any(name.startswith("Person") for name in await names(globex))


async def test_lost_webhook_brings_nobody(world: World, acme: Tenant, globex: Tenant) -> None:
    acme.site.faults.webhooks = WebhookFaults(lost=1)
    acme.a_user("Nobody Knows", "nobody.knows@example.com")
    globex.a_user("Somebody Knows", "somebody.knows@example.com")
    assert await deliver(world) == [204]
    assert "Nobody Knows" not in await names(acme)
    assert "Somebody Knows" in await names(globex)
