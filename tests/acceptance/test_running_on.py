"""S8 to S13, S16, D4, D8 to D10: what a synced contact allows, how it follows its account, and what off means."""

from http import HTTPStatus

import pytest

from sandbox.faults import Interruption
from tests.support.world import Tenant


@pytest.fixture
async def ann(acme: Tenant) -> str:
    """Ann's account on the first site, synced."""
    person = acme.a_user("Ann Example", "ann@example.com")
    await acme.turn_on()
    return person.account_id


async def test_synced_attributes_are_read_only_and_others_stay_editable(acme: Tenant, ann: str) -> None:
    contact = await acme.contact_of(ann)
    assert (contact["readOnly"], contact["deletable"]) == (["name", "email", "syncedJiraUser"], False)
    path = f"/api/contacts/{contact['id']}"
    refused = await acme.call("PATCH", path, body={"version": contact["version"], "name": "Else", "phone": "1"})
    assert (refused.status_code, refused.json()["code"]) == (409, "read-only-attribute")
    assert (await acme.get(path))["phone"] is None
    edited = await acme.call(
        "PATCH", path, body={"version": contact["version"], "phone": "+49 30 1", "jobTitle": "CTO"}
    )
    assert (edited.status_code, edited.json()["phone"], edited.json()["jobTitle"]) == (200, "+49 30 1", "CTO")


async def test_synced_contact_cannot_be_deleted(acme: Tenant, ann: str) -> None:
    contact = await acme.contact_of(ann)
    refused = await acme.call("DELETE", f"/api/contacts/{contact['id']}")
    assert (refused.status_code, refused.json()["code"]) == (409, "contact-synced")


async def test_contact_follows_its_account_and_keeps_what_was_typed(acme: Tenant, ann: str) -> None:
    contact = await acme.contact_of(ann)
    await acme.call("PATCH", f"/api/contacts/{contact['id']}", body={"version": contact["version"], "phone": "42"})
    acme.site.change_person(ann, display_name="Ann Married", email="ann.married@example.com")
    run = await acme.run()
    after = await acme.contact_of(ann)
    assert (after["id"], after["name"], after["email"]) == (contact["id"], "Ann Married", "ann.married@example.com")
    assert (after["phone"], run.updated, run.created) == ("42", 1, 0)
    history = [(c["field"], c["old"], c["new"], c["runId"]) for c in await acme.changes_of(contact["id"])]
    assert ("email", "ann@example.com", "ann.married@example.com", str(run.id)) in history


async def test_email_that_collides_with_another_contact_is_followed_and_listed(acme: Tenant, ann: str) -> None:
    other = await acme.type_contact(name="Bob", email="shared@example.com")
    acme.site.change_person(ann, email="shared@example.com")
    await acme.run()
    assert (await acme.contact_of(ann))["email"] == "shared@example.com"
    assert (await acme.get(f"/api/contacts/{other['id']}"))["linkedAccounts"] == []
    assert await acme.attention() == [("email-collision", ann)]


@pytest.mark.usefixtures("what_is_left")
async def test_deleted_account_unlinks_and_the_contact_stays(acme: Tenant, globex: Tenant, ann: str) -> None:
    await globex.turn_on()
    customer = acme.a_customer("Cleo Customer", "cleo@example.com").account_id
    await acme.run()
    before, contacts = await globex.status(), len(await acme.contacts())
    former = [await acme.contact_of(account_id) for account_id in (ann, customer)]
    for account_id in (ann, customer):
        acme.site.delete_person(account_id)
    run = await acme.run()
    assert (run.unlinked, run.updated, len(await acme.contacts())) == (2, 0, contacts)
    for contact in former:
        path = f"/api/contacts/{contact['id']}"
        after = await acme.get(path)
        assert (after["name"], after["syncedJiraUser"], after["deletable"]) == (contact["name"], None, True)
        assert (await acme.call("DELETE", path)).status_code == HTTPStatus.NO_CONTENT
    assert (await globex.status()).linked == before.linked
    assert (await acme.run()).created == 0


@pytest.mark.usefixtures("ann")
async def test_second_run_changes_nothing(acme: Tenant) -> None:
    before = await acme.contacts()
    run = await acme.run()
    assert (run.created, run.linked, run.updated, run.unlinked) == (0, 0, 0, 0)
    unchanging = [{k: v for k, v in c.items() if k not in {"linkedAccounts", "syncedJiraUser"}} for c in before]
    after = await acme.contacts()
    assert [{k: v for k, v in c.items() if k not in {"linkedAccounts", "syncedJiraUser"}} for c in after] == unchanging


@pytest.mark.usefixtures("what_is_left")
async def test_mass_departure_waits_for_a_word(acme: Tenant, ann: str) -> None:
    names = sorted(contact["name"] for contact in await acme.contacts())
    for person in list(acme.site.people.values()):
        if person.account_id not in {acme.site.admin_id, ann} and not person.deleted:
            acme.site.delete_person(person.account_id)
    linked = (await acme.status()).linked
    assert linked > 22
    run = await acme.run()
    assert (run.state, run.unlinked) == ("done", 0)
    assert (await acme.status()).linked == linked
    assert sorted(contact["name"] for contact in await acme.contacts()) == names
    assert ("mass-unlink", "") in await acme.attention()


async def test_off_makes_every_contact_regular_at_once(acme: Tenant, globex: Tenant, ann: str) -> None:
    await globex.turn_on()
    contact = await acme.contact_of(ann)
    await acme.switch(enabled=False)
    # Before any worker has moved:
    after = await acme.get(f"/api/contacts/{contact['id']}")
    assert (after["syncedJiraUser"], after["linkedAccounts"], after["readOnly"], after["deletable"]) == (
        None,
        [],
        [],
        True,
    )
    await acme.world.work()
    assert all(c["syncedJiraUser"] is None and c["deletable"] for c in await acme.contacts())
    newest = (await acme.changes_of(contact["id"]))[0]
    assert (newest["field"], newest["old"], newest["cause"]) == ("syncedJiraUser", ann, "turned-off")
    edited = await acme.call(
        "PATCH", f"/api/contacts/{contact['id']}", body={"version": after["version"], "name": "By hand"}
    )
    assert edited.status_code == 200
    assert (await acme.call("DELETE", f"/api/contacts/{contact['id']}")).status_code == 204
    assert all(not c["deletable"] for c in await globex.contacts())


async def test_while_off_nothing_of_jira_matters(acme: Tenant, ann: str) -> None:
    contact = await acme.contact_of(ann)
    await acme.turn_off()
    calls = len(acme.world.jira.calls)
    acme.site.change_person(ann, display_name="Changed")
    acme.a_user("Newcomer", "new@example.com")
    await acme.world.work()
    assert (await acme.get(f"/api/contacts/{contact['id']}"))["name"] == "Ann Example"
    refused = await acme.call("POST", "/api/sync/runs")
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid")
    # The only calls are those that ask whether our caller may call.
    assert {path for _, path, _ in acme.world.jira.calls[calls:]} <= {"/rest/api/3/permissions/check"}


async def test_on_again_brings_links_back_by_account(acme: Tenant, ann: str) -> None:
    contact = await acme.contact_of(ann)
    await acme.turn_off()
    off = await acme.get(f"/api/contacts/{contact['id']}")
    changed = {"version": off["version"], "email": "typed@example.com", "phone": "7"}
    await acme.call("PATCH", f"/api/contacts/{contact['id']}", body=changed)
    await acme.type_contact(name="Impostor", email="ann@example.com")
    run = await acme.turn_on()
    back = await acme.contact_of(ann)
    assert (back["id"], back["email"], back["phone"]) == (contact["id"], "ann@example.com", "7")
    assert run.created == 0
    assert ("email-collision", ann) in await acme.attention()


async def test_off_during_the_first_run_ends_it(acme: Tenant, globex: Tenant) -> None:
    await globex.switch(enabled=True)
    await acme.switch(enabled=True)
    await acme.switch(enabled=False)
    await acme.world.work()
    sync = await acme.get("/api/sync")
    assert (sync["state"], sync["lastRun"]["state"], sync["counts"]["linked"]) == ("off", "cancelled", 0)
    assert (await globex.get("/api/sync"))["lastRun"]["state"] == "done"


async def test_fallback_records_change_nothing(acme: Tenant, ann: str) -> None:
    before = await acme.contact_of(ann)
    acme.site.faults.fallback_users = True
    run = await acme.run()
    assert (run.state, run.updated, run.unlinked) == ("done", 0, 0)
    after = await acme.contact_of(ann)
    assert (after["name"], after["email"], after["syncedJiraUser"]["active"]) == (before["name"], before["email"], True)


@pytest.mark.usefixtures("ann")
async def test_corrupt_records_change_nothing(acme: Tenant) -> None:
    linked = (await acme.status()).linked
    acme.site.faults.corrupt_users = True
    await acme.run()
    assert (await acme.status()).linked == linked


@pytest.mark.usefixtures("ann")
async def test_lists_without_the_permission_to_see_people_change_nothing(acme: Tenant) -> None:
    linked = (await acme.status()).linked
    acme.site.faults.no_browse_permission = True
    run = await acme.run()
    assert (run.state, (await acme.status()).state) == ("failed", "failing")
    assert run.error is not None
    assert "Browse users and groups" in run.error
    assert (await acme.status()).linked == linked


@pytest.mark.usefixtures("ann")
async def test_outage_is_waited_out(acme: Tenant) -> None:
    acme.site.faults.interruptions.append(Interruption(path_prefix="/rest/api/3/group/member", status=503, times=1))
    newcomer = acme.a_user("Newcomer", "new@example.com")
    run = await acme.run()
    assert (run.state, run.failures, run.error) == ("done", 0, None)
    assert (await acme.contact_of(newcomer.account_id))["name"] == "Newcomer"


@pytest.mark.usefixtures("ann")
async def test_garbage_from_jira_fails_the_run_and_changes_nothing(acme: Tenant, globex: Tenant) -> None:
    linked = (await acme.status()).linked
    acme.site.faults.interruptions.append(
        Interruption(path_prefix="/rest/api/3/group/member", status=200, times=None, body="<html>Sign in</html>")
    )
    run = await acme.run()
    assert (run.state, run.unlinked) == ("failed", 0)
    assert (await acme.status()).linked == linked
    assert (await globex.turn_on()).state == "done"
