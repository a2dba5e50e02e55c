"""D5, last sentence: an administrator merges a contact whose account hides its email into the person's real contact."""

from typing import Any

import httpx

from sandbox.person import Person
from tests.support.world import Tenant


async def merge(tenant: Tenant, gone: dict[str, Any], into: str, **more: Any) -> httpx.Response:
    return await tenant.call("POST", f"/api/contacts/{gone['id']}/merge", body={"intoContactId": into}, **more)


async def hidden(tenant: Tenant, *, name: str = "H. Idden") -> tuple[Person, dict[str, Any]]:
    """Somebody whose email nobody may see, and the contact that the sync made of them."""
    person = tenant.a_user(name, None)
    await tenant.turn_on()
    return person, await tenant.contact_of(person.account_id)


async def edit(tenant: Tenant, contact: dict[str, Any], **attributes: Any) -> dict[str, Any]:
    body = {"version": contact["version"], **attributes}
    answer = await tenant.call("PATCH", f"/api/contacts/{contact['id']}", body=body)
    assert answer.status_code == 200, answer.text
    edited: dict[str, Any] = answer.json()
    return edited


async def test_contact_takes_over_account_and_what_was_typed(acme: Tenant, globex: Tenant) -> None:
    await globex.turn_on()
    elsewhere = await globex.contacts()
    typed = await acme.type_contact(name="Ada", email="ada@example.com", phone="1", attributes={"team": "A"})
    person, gone = await hidden(acme)
    gone = await edit(acme, gone, phone="2", jobTitle="Analyst", attributes={"team": "B", "room": "7"})
    answer = await merge(acme, gone, typed["id"])
    assert answer.status_code == 200, answer.text
    kept = answer.json()
    assert kept == await acme.contact_of(person.account_id)
    assert (kept["id"], kept["name"], kept["email"]) == (typed["id"], "H. Idden", "ada@example.com")
    assert (kept["phone"], kept["jobTitle"], kept["syncedJiraUser"]["linkedBy"]) == ("1", "Analyst", "person")
    assert kept["attributes"] == {"team": "A", "Phone (merged)": "2", "team (merged)": "B", "room": "7"}
    assert (await acme.call("GET", f"/api/contacts/{gone['id']}")).status_code == 404
    changes = {(each["field"], each["old"], each["new"], each["cause"]) for each in await acme.changes_of(typed["id"])}
    assert ("syncedJiraUser", None, person.account_id, "a-person-decided") in changes
    assert ("name", "Ada", "H. Idden", "account-changed") in changes
    assert await globex.contacts() == elsewhere


async def test_merge_holds_through_runs_and_off_and_on(acme: Tenant) -> None:
    typed = await acme.type_contact(name="Ada", email="ada@example.com")
    person, gone = await hidden(acme)
    contacts = len(await acme.contacts())
    assert (await merge(acme, gone, typed["id"])).status_code == 200
    assert len(await acme.contacts()) == contacts - 1
    await acme.run()
    await acme.turn_off()
    await acme.turn_on()
    assert (await acme.contact_of(person.account_id))["id"] == typed["id"]
    assert len(await acme.contacts()) == contacts - 1


async def test_contact_of_another_account_takes_both(acme: Tenant) -> None:
    """D3: the primary account supplies name and email."""
    other = acme.a_customer("Ada Customer", "ada@example.com")
    person, gone = await hidden(acme)
    into = await acme.contact_of(other.account_id)
    kept = (await merge(acme, gone, into["id"])).json()
    assert [each["accountId"] for each in kept["linkedAccounts"]] == [person.account_id, other.account_id]
    assert (kept["name"], kept["email"]) == ("H. Idden", "ada@example.com")


async def test_what_cannot_be_merged_changes_nothing(acme: Tenant, globex: Tenant) -> None:
    shown = acme.a_user("Shown", "shown@example.com")
    typed = await acme.type_contact(name="Ada", email="ada@example.com")
    foreign = await globex.type_contact(name="Theirs")
    _, gone = await hidden(acme)
    visible = await acme.contact_of(shown.account_id)
    before = await acme.contacts()
    for source, into, field in (
        (visible, typed["id"], "id"),
        (typed, gone["id"], "id"),
        (gone, gone["id"], "intoContactId"),
        (gone, foreign["id"], "intoContactId"),
        (gone, "x", "intoContactId"),
    ):
        answer = await merge(acme, source, into)
        assert (answer.status_code, [each["field"] for each in answer.json()["errors"]]) == (422, [field])
    assert (await merge(globex, gone, foreign["id"])).status_code == 404
    refused = await merge(acme, gone, typed["id"], account_id=acme.site.member_id)
    assert (refused.status_code, refused.json()["code"]) == (403, "not-allowed")
    assert await acme.contacts() == before
    await acme.turn_off()
    assert (await merge(acme, gone, typed["id"])).status_code == 422
