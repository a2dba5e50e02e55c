"""D2, D4, D9: what the sync may not decide waits for an administrator, who decides through the API."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from addon import app
from addon.storage import sync_state
from addon.sync.people import Cause
from addon.sync.work import Work
from sandbox.faults import Interruption
from tests.integration.storage.site import Site
from tests.support.world import Tenant


async def listed(tenant: Tenant) -> list[dict[str, Any]]:
    page = await tenant.get("/api/attention")
    values: list[dict[str, Any]] = page["values"]
    return values


async def the_one(tenant: Tenant, kind: str) -> dict[str, Any]:
    [found] = [item for item in await listed(tenant) if item["kind"] == kind]
    return found


async def say(tenant: Tenant, item: dict[str, Any], action: str, **more: str) -> tuple[int, str | None]:
    """Status, and the code of a refusal."""
    answer = await tenant.call("POST", f"/api/attention/{item['id']}", body={"action": action, **more})
    return answer.status_code, answer.json()["code"] if answer.is_error else None


@pytest.fixture
async def held(acme: Tenant) -> dict[str, Any]:
    """Ann's account, held because two contacts have her email."""
    for name in ("Ann One", "Ann Two"):
        await acme.type_contact(name=name, email="ann@example.com")
    acme.a_user("Ann Example", "ann@example.com")
    await acme.turn_on()
    return await the_one(acme, "ambiguous-email")


async def test_held_account_is_listed_with_its_candidates(acme: Tenant, globex: Tenant, held: dict[str, Any]) -> None:
    assert held["account"]["displayName"] == "Ann Example"
    assert (held["account"]["linkedBy"], held["account"]["linkedAt"]) == (None, None)
    assert sorted(c["name"] for c in held["candidates"]) == ["Ann One", "Ann Two"]
    assert (await acme.get("/api/sync"))["attention"] == 1
    assert await listed(globex) == []
    assert await say(globex, held, "dismiss") == (404, "not-found")


async def test_person_links_a_held_account(acme: Tenant, held: dict[str, Any]) -> None:
    [chosen] = [c for c in held["candidates"] if c["name"] == "Ann Two"]
    assert await say(acme, held, "link", contactId=chosen["id"]) == (204, None)
    contact = await acme.contact_of(held["account"]["accountId"])
    assert (contact["id"], contact["name"], contact["syncedJiraUser"]["linkedBy"]) == (
        chosen["id"],
        "Ann Example",
        "person",
    )
    newest = {change["field"]: change for change in reversed(await acme.changes_of(chosen["id"]))}
    assert newest["syncedJiraUser"]["cause"] == "a-person-decided"
    assert (newest["name"]["old"], newest["name"]["new"]) == ("Ann Two", "Ann Example")
    assert await listed(acme) == []
    assert await say(acme, held, "link", contactId=chosen["id"]) == (404, "not-found")
    run = await acme.run()
    assert (run.linked, run.created, run.held) == (0, 0, 0)


async def test_person_wants_a_new_contact_for_a_held_account(acme: Tenant, held: dict[str, Any]) -> None:
    assert await say(acme, held, "create") == (204, None)
    contact = await acme.contact_of(held["account"]["accountId"])
    assert contact["id"] not in {candidate["id"] for candidate in held["candidates"]}
    assert (contact["email"], contact["origin"]) == ("ann@example.com", "sync")
    assert await listed(acme) == []


async def test_dismissed_account_stays_held_until_the_candidates_change(acme: Tenant, held: dict[str, Any]) -> None:
    for _ in range(2):
        assert await say(acme, held, "dismiss") == (204, None)
    assert await listed(acme) == []
    run = await acme.run()
    assert (run.held, await listed(acme), (await acme.status()).attention) == (1, [], 0)
    third = await acme.type_contact(name="Ann Three", email="ANN@example.com")
    again = await the_one(acme, "ambiguous-email")
    assert third["id"] in {candidate["id"] for candidate in again["candidates"]}


async def test_ambiguity_that_is_gone_is_not_shown_and_the_next_run_links(acme: Tenant, held: dict[str, Any]) -> None:
    one, other = held["candidates"]
    assert (await acme.call("DELETE", f"/api/contacts/{one['id']}")).status_code == 204
    assert await listed(acme) == []
    assert await acme.attention() == []
    await acme.run()
    assert (await acme.contact_of(held["account"]["accountId"]))["id"] == other["id"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "action"),
        ({"action": "forget"}, "action"),
        ({"action": "confirm"}, "action"),
        ({"action": "link"}, "contactId"),
        ({"action": "link", "contactId": "987654"}, "contactId"),
        ({"action": "dismiss", "why": "so"}, "why"),
    ],
)
async def test_word_that_makes_no_sense_is_refused(
    acme: Tenant, held: dict[str, Any], body: dict[str, str], field: str
) -> None:
    refused = await acme.call("POST", f"/api/attention/{held['id']}", body=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid")
    assert [problem["field"] for problem in refused.json()["errors"]] == [field]
    assert len(await listed(acme)) == 1


async def test_only_an_administrator_decides(acme: Tenant, held: dict[str, Any]) -> None:
    account_id = held["account"]["accountId"]
    for method, path in (("GET", "/api/attention"), ("POST", f"/api/attention/{held['id']}")):
        refused = await acme.call(method, path, body={"action": "create"}, account_id=account_id)
        assert (refused.status_code, refused.json()["code"]) == (403, "not-allowed")


@pytest.fixture
async def colliding(acme: Tenant) -> dict[str, Any]:
    """Ann's account, synced, whose email became that of a contact typed by hand."""
    ann = acme.a_user("Ann Example", "ann@example.com")
    await acme.turn_on()
    await acme.type_contact(name="Bob", email="shared@example.com", phone="42")
    acme.site.change_person(ann.account_id, email="shared@example.com")
    await acme.run()
    return await the_one(acme, "email-collision")


async def test_person_moves_a_colliding_account(acme: Tenant, colliding: dict[str, Any]) -> None:
    account_id = colliding["account"]["accountId"]
    before = await acme.contact_of(account_id)
    [bob] = colliding["candidates"]
    assert await say(acme, colliding, "link", contactId=bob["id"]) == (204, None)
    after = await acme.contact_of(account_id)
    assert (after["id"], after["name"], after["phone"]) == (bob["id"], "Ann Example", "42")
    # Nobody had typed anything into the contact that the sync had made.
    assert (await acme.call("GET", f"/api/contacts/{before['id']}")).status_code == 404
    assert await listed(acme) == []
    run = await acme.run()
    assert (run.created, run.linked, run.updated) == (0, 0, 0)


async def test_contact_with_something_typed_outlives_the_move(acme: Tenant, colliding: dict[str, Any]) -> None:
    before = await acme.contact_of(colliding["account"]["accountId"])
    await acme.call("PATCH", f"/api/contacts/{before['id']}", body={"version": before["version"], "phone": "7"})
    await say(acme, colliding, "link", contactId=colliding["candidates"][0]["id"])
    left = await acme.get(f"/api/contacts/{before['id']}")
    assert (left["syncedJiraUser"], left["phone"], left["deletable"]) == (None, "7", True)


async def test_collision_is_settled_when_the_other_contact_changes(acme: Tenant, colliding: dict[str, Any]) -> None:
    [bob] = colliding["candidates"]
    changed = {"version": bob["version"], "email": "bob@example.com"}
    assert (await acme.call("PATCH", f"/api/contacts/{bob['id']}", body=changed)).status_code == 200
    assert (await acme.status()).attention == 0
    assert await listed(acme) == []


@pytest.fixture
async def departed(acme: Tenant) -> dict[str, Any]:
    """Nearly everybody of the site was deleted at once."""
    await acme.turn_on()
    for person in list(acme.site.people.values()):
        if person.account_id != acme.site.admin_id and not person.deleted:
            acme.site.delete_person(person.account_id)
    await acme.run()
    return await the_one(acme, "mass-unlink")


async def test_confirmed_departure_is_verified_and_carried_out(
    acme: Tenant, globex: Tenant, departed: dict[str, Any]
) -> None:
    await globex.turn_on()
    untouched = (await globex.status()).linked
    contacts = len(await acme.contacts())
    for _ in range(2):
        assert await say(acme, departed, "confirm") == (202, None)
    assert await listed(acme) == []
    await acme.world.work()
    status = await acme.status()
    assert (status.linked, status.contacts, status.attention) == (1, contacts, 0)
    assert status.last_run is not None
    changes = (await acme.get(f"/api/sync/runs/{status.last_run.id}/changes?limit=200"))["values"]
    assert {change["cause"] for change in changes} == {"account-deleted"}
    assert len(changes) == status.last_run.unlinked > 22
    assert (await globex.status()).linked == untouched


async def test_confirmed_departure_spares_who_came_back(acme: Tenant, departed: dict[str, Any]) -> None:
    back = acme.site.people[min(await linked_ids(acme) - {acme.site.admin_id})]
    acme.site.people[back.account_id] = replace(back, active=True, deleted=False, display_name="Back Again")
    await say(acme, departed, "confirm")
    await acme.world.work()
    assert await linked_ids(acme) == {acme.site.admin_id, back.account_id}


async def test_word_on_one_departure_is_none_on_a_larger_one(acme: Tenant, globex: Tenant) -> None:
    await globex.turn_on()
    leaving = [acme.a_user(f"Leaving {number}", f"leaving{number}@example.com") for number in range(30)]
    await acme.turn_on()
    linked = await linked_ids(acme)
    for person in leaving:
        acme.site.delete_person(person.account_id)
    await acme.run()
    assert await say(acme, await the_one(acme, "mass-unlink"), "confirm") == (202, None)
    # Before that is carried out, another run ends that would unlink everybody.
    filtered = await acme.call("PUT", "/api/sync", body={"filters": {"emailDomains": ["nobody.example"]}})
    another = Work(kind="run", tenant_id=acme.tenant_id, number=int(filtered.json()["run"]["id"]))
    run_on = acme.world.jobs().handlers()["run"]
    while await run_on(another) is not None:
        pass
    await acme.world.work()
    assert linked - {person.account_id for person in leaving} <= await linked_ids(acme)
    asked = await the_one(acme, "mass-unlink")
    await say(acme, asked, "confirm")
    await acme.world.work()
    assert await linked_ids(acme) == set()
    assert await linked_ids(globex)


async def test_end_of_the_sync_overtakes_a_confirmed_departure(acme: Tenant, globex: Tenant) -> None:
    await globex.turn_on()
    await acme.turn_on()
    await acme.call("PUT", "/api/sync", body={"filters": {"emailDomains": ["nobody.example"]}})
    await acme.world.work()
    asked = await the_one(acme, "mass-unlink")
    await say(acme, asked, "confirm")
    departures = Work(kind="departures", tenant_id=acme.tenant_id, number=int(asked["id"]))
    async with acme.world.database.tenant(acme.tenant_id) as scope:
        await sync_state.lock_switch(scope)
        unlinking = asyncio.ensure_future(acme.world.jobs().handlers()["departures"](departures))
        await Site(database=acme.world.database, tenant_id=acme.tenant_id, queue=[]).somebody_waits()
        await sync_state.switch(
            scope, enabled=False, include_inactive=None, enqueue=app.enqueue, now=acme.world.clock()
        )
    await unlinking
    await acme.world.work()
    async with acme.world.database.tenant(acme.tenant_id) as scope:
        causes = await scope.fetch_all(
            "SELECT DISTINCT cause FROM change WHERE tenant_id = :tenant_id AND field = 'syncedJiraUser'"
        )
    assert [row["cause"] for row in causes] == [Cause.TURNED_OFF]
    assert await linked_ids(globex)


async def linked_ids(tenant: Tenant) -> set[str]:
    return {account["accountId"] for contact in await tenant.contacts() for account in contact["linkedAccounts"]}


async def test_dismissed_departure_is_asked_again_when_more_leave(acme: Tenant, departed: dict[str, Any]) -> None:
    linked = (await acme.status()).linked
    assert await say(acme, departed, "dismiss") == (204, None)
    await acme.run()
    assert ((await acme.status()).linked, await listed(acme)) == (linked, [])
    late = acme.a_user("Late", "late@example.com")
    await acme.run()
    acme.site.delete_person(late.account_id)
    await acme.run()
    assert (await the_one(acme, "mass-unlink"))["account"] is None


async def test_departure_that_cannot_be_verified_is_asked_again(acme: Tenant, departed: dict[str, Any]) -> None:
    linked = (await acme.status()).linked
    await say(acme, departed, "confirm")
    acme.site.faults.no_browse_permission = True
    await acme.world.work()
    assert ((await acme.status()).linked, (await the_one(acme, "mass-unlink"))["id"]) == (linked, departed["id"])


async def test_outage_does_not_stop_a_confirmed_departure(acme: Tenant, departed: dict[str, Any]) -> None:
    await say(acme, departed, "confirm")
    acme.site.faults.interruptions.append(Interruption(path_prefix="/rest/api/3/user/bulk", status=503, times=2))
    await acme.world.work()
    assert await linked_ids(acme) == {acme.site.admin_id}
