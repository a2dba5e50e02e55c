"""D17: the latest run is taken back, but for what somebody edited since. D16: all of it is in the history."""

from typing import Any

import httpx
import pytest

from tests.support.world import Tenant


async def undo(tenant: Tenant, run_id: int | str) -> httpx.Response:
    return await tenant.call("POST", f"/api/sync/runs/{run_id}/undo")


async def undone(tenant: Tenant, run_id: int) -> None:
    answer = await undo(tenant, run_id)
    assert (answer.status_code, answer.json()["enabled"], answer.json()["state"]) == (202, False, "off"), answer.text
    await tenant.world.work()


async def by_name(tenant: Tenant) -> dict[str, dict[str, Any]]:
    return {contact["name"]: contact for contact in await tenant.contacts()}


async def edit(tenant: Tenant, contact: dict[str, Any], **attributes: Any) -> None:
    body = {"version": contact["version"], **attributes}
    assert (await tenant.call("PATCH", f"/api/contacts/{contact['id']}", body=body)).status_code == 200


async def changes(tenant: Tenant, run_id: int, cause: str) -> list[tuple[str, str | None, str | None]]:
    page = await tenant.get(f"/api/sync/runs/{run_id}/changes?cause={cause}&limit=200")
    return [(change["field"], change["old"], change["new"]) for change in page["values"]]


async def test_first_run_is_taken_back(acme: Tenant, globex: Tenant) -> None:
    await globex.turn_on()
    elsewhere = await globex.contacts()
    typed = await acme.type_contact(name="Ann Typed", email="ann@example.com", phone="1")
    ann = acme.a_user("Ann Example", "ann@example.com")
    run = await acme.turn_on()
    assert (await acme.contact_of(ann.account_id))["name"] == "Ann Example"
    await undone(acme, run.id)
    [left] = await acme.contacts()
    assert (left["id"], left["name"], left["email"], left["phone"]) == (
        typed["id"],
        "Ann Typed",
        "ann@example.com",
        "1",
    )
    assert (left["syncedJiraUser"], left["deletable"]) == (None, True)
    taken = await changes(acme, run.id, "undone")
    assert ("name", "Ann Example", "Ann Typed") in taken
    assert ("syncedJiraUser", ann.account_id, None) in taken
    assert sum(field == "contact" for field, _, _ in taken[:200]) > 0
    assert await changes(acme, run.id, "undo-left") == []
    async with acme.world.database.tenant(acme.tenant_id) as scope:
        assert await scope.fetch_val("SELECT count(*) FROM account WHERE tenant_id = :tenant_id") == 0
    assert await globex.contacts() == elsewhere


async def test_what_somebody_edited_is_left_and_listed(acme: Tenant) -> None:
    for name in ("Bare", "Annotated"):
        acme.a_user(name, f"{name.lower()}@example.com")
    run = await acme.turn_on()
    await edit(acme, (await by_name(acme))["Annotated"], phone="42")
    await undone(acme, run.id)
    [left] = await acme.contacts()
    assert (left["name"], left["phone"], left["deletable"]) == ("Annotated", "42", True)
    assert await changes(acme, run.id, "undo-left") == [("contact", "Annotated", "Annotated")]
    newest = (await acme.changes_of(left["id"]))[0]
    assert newest["cause"] == "undo-left"


async def test_later_run_alone_is_taken_back(acme: Tenant) -> None:
    ann = acme.a_user("Ann Example", "ann@example.com")
    first = await acme.turn_on()
    acme.site.change_person(ann.account_id, display_name="Ann Married", email="married@example.com")
    acme.a_user("Newcomer", "new@example.com")
    before = len(await acme.contacts())
    run = await acme.run()
    refused = await undo(acme, first.id)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid")
    await undone(acme, run.id)
    after = await by_name(acme)
    assert len(await acme.contacts()) == before
    assert "Newcomer" not in after
    assert after["Ann Example"]["email"] == "ann@example.com"
    # The links of earlier runs are remembered as ever (D10).
    again = await acme.turn_on()
    assert again.created == 1
    assert (await acme.contact_of(ann.account_id))["id"] == after["Ann Example"]["id"]


async def test_links_that_a_run_brought_back_stay_remembered(acme: Tenant, globex: Tenant) -> None:
    await globex.turn_on()
    elsewhere = await globex.contacts()
    hidden = acme.a_user("Hidden Person", None)
    await acme.turn_on()
    before = {contact["id"]: contact["name"] for contact in await acme.contacts()}
    await acme.turn_off()
    again = await acme.turn_on()
    assert (again.linked, again.created) == (len(before), 0)
    await undone(acme, again.id)
    assert all(contact["syncedJiraUser"] is None for contact in await acme.contacts())
    taken = await changes(acme, again.id, "undone")
    assert ("syncedJiraUser", hidden.account_id, None) in taken
    assert len(taken) == len(before)
    third = await acme.turn_on()
    assert (third.linked, third.created) == (len(before), 0)
    assert {contact["id"]: contact["name"] for contact in await acme.contacts()} == before
    assert (await acme.contact_of(hidden.account_id))["syncedJiraUser"]["linkedBy"] == "account"
    assert await globex.contacts() == elsewhere


async def test_name_typed_after_the_end_of_the_sync_is_not_put_back(acme: Tenant) -> None:
    await acme.type_contact(name="Ann Typed", email="ann@example.com")
    acme.a_user("Ann Example", "ann@example.com")
    run = await acme.turn_on()
    await acme.turn_off()
    await edit(acme, (await by_name(acme))["Ann Example"], name="Ann By Hand")
    await undone(acme, run.id)
    assert list(await by_name(acme)) == ["Ann By Hand"]
    assert await changes(acme, run.id, "undo-left") == [("name", "Ann By Hand", "Ann By Hand")]


async def test_undo_asked_twice_is_done_once(acme: Tenant) -> None:
    run = await acme.turn_on()
    assert [(await undo(acme, run.id)).status_code for _ in range(2)] == [202, 202]
    await acme.world.work()
    taken = await changes(acme, run.id, "undone")
    await undone(acme, run.id)
    assert await changes(acme, run.id, "undone") == taken


async def test_turning_on_ends_an_undo(acme: Tenant) -> None:
    run = await acme.turn_on()
    contacts = len(await acme.contacts())
    assert (await undo(acme, run.id)).status_code == 202
    await acme.turn_on()
    assert (len(await acme.contacts()), await changes(acme, run.id, "undone")) == (contacts, [])


async def test_run_that_goes_on_cannot_be_undone(acme: Tenant) -> None:
    status = await acme.switch(enabled=True)
    assert status.run is not None
    refused = await undo(acme, status.run.id)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid")
    assert (await acme.status()).enabled


@pytest.mark.parametrize("run_id", ["987654", "x"])
async def test_run_that_is_not_there_cannot_be_undone(acme: Tenant, run_id: str) -> None:
    refused = await undo(acme, run_id)
    assert (refused.status_code, refused.json()["code"]) == (404, "not-found")


async def test_another_tenants_run_cannot_be_undone(acme: Tenant, globex: Tenant) -> None:
    run = await acme.turn_on()
    before = await acme.contacts()
    refused = await undo(globex, run.id)
    assert refused.status_code in {404, 422}
    await acme.world.work()
    assert (await acme.contacts() == before, (await acme.status()).enabled) == (True, True)


async def test_only_an_administrator_undoes(acme: Tenant) -> None:
    run = await acme.turn_on()
    path = f"/api/sync/runs/{run.id}/undo"
    refused = await acme.call("POST", path, account_id=acme.site.member_id)
    assert (refused.status_code, refused.json()["code"]) == (403, "not-allowed")
