"""S1 to S5, D5 to D7: off by default; turned on, every person of the site becomes one contact or joins one."""

from addon.crm import contact as crm
from sandbox.faults import EmailApi
from sandbox.person import Person, PersonKind
from sandbox.site import Site
from tests.support.world import Tenant


def in_scope(site: Site) -> list[Person]:
    """Who must have a contact: everybody who can be reached, but apps (D6) and the inactive (D7)."""
    return [
        person
        for person in site.people.values()
        if person.kind is not PersonKind.APP
        and person.active
        and not person.deleted
        and site.is_reachable(person.account_id)
    ]


async def test_sync_of_a_new_tenant_is_off(acme: Tenant, globex: Tenant) -> None:
    for tenant in (acme, globex):
        sync = await tenant.get("/api/sync")
        assert (sync["enabled"], sync["state"], sync["counts"]) == (False, "off", {"contacts": 0, "linked": 0})


async def test_first_run_makes_a_contact_of_everybody(acme: Tenant, globex: Tenant) -> None:
    run = await acme.turn_on()
    people = in_scope(acme.site)
    assert (run.state, run.error, run.held, run.unlinked) == ("done", None, 0, 0)
    assert run.seen == run.total == len(people)
    contacts = await acme.contacts()
    by_account = {account["accountId"]: c for c in contacts for account in c["linkedAccounts"]}
    assert set(by_account) == {person.account_id for person in people}
    # Two accounts of one address share a contact (D3); everybody else has one of their own.
    addresses = {crm.email_key(person.email) if person.email else person.account_id for person in people}
    assert len(contacts) == run.created == len(addresses)
    assert run.linked == len(people) - len(addresses)
    for person in people:
        shown = by_account[person.account_id]
        assert person.email is None or crm.email_key(shown["email"]) == crm.email_key(person.email)
        assert shown["name"] in {a["displayName"] for a in shown["linkedAccounts"]}
    assert await globex.contacts() == []


async def test_contact_with_the_same_email_is_linked(acme: Tenant, globex: Tenant) -> None:
    ann = acme.a_user("Ann Example", "Ann@Example.com")
    typed = await acme.type_contact(name="A. Example", email=" ann@example.COM ", phone="+49 1")
    other = await globex.type_contact(name="A. Example", email="ann@example.com")
    run = await acme.turn_on()
    linked = await acme.contact_of(ann.account_id)
    assert linked["id"] == typed["id"]
    assert (linked["name"], linked["phone"], linked["origin"]) == ("Ann Example", "+49 1", "manual")
    assert linked["syncedJiraUser"]["linkedBy"] == "email"
    # Ann, and those whom the site gave an address that another account has too (D3).
    assert run.linked == 1 + run.seen - 1 - run.created
    history = [(c["field"], c["old"], c["new"]) for c in await acme.changes_of(typed["id"])]
    assert ("name", "A. Example", "Ann Example") in history
    assert ("syncedJiraUser", None, ann.account_id) in history
    assert (await globex.get(f"/api/contacts/{other['id']}"))["syncedJiraUser"] is None


async def test_apps_and_inactive_accounts_make_no_contact(acme: Tenant) -> None:
    gone = acme.a_user("Ina Active", "ina@example.com", active=False)
    await acme.turn_on()
    accounts = {a["accountId"]: a for c in await acme.contacts() for a in c["linkedAccounts"]}
    kinds = {acme.site.people[account_id].kind for account_id in accounts}
    assert gone.account_id not in accounts
    assert kinds == {PersonKind.USER, PersonKind.CUSTOMER}
    assert all(account["active"] for account in accounts.values())


async def test_including_inactive_accounts_brings_them_in(acme: Tenant) -> None:
    gone = acme.a_user("Ina Active", "ina@example.com", active=False)
    await acme.turn_on()
    await acme.switch(include_inactive=True)
    await acme.world.work()
    contact = await acme.contact_of(gone.account_id)
    assert (contact["name"], contact["syncedJiraUser"]["active"]) == ("Ina Active", False)


async def test_account_that_becomes_inactive_stays_linked_and_is_marked(acme: Tenant) -> None:
    ann = acme.a_user("Ann Example", "ann@example.com")
    await acme.turn_on()
    acme.site.deactivate_person(ann.account_id)
    run = await acme.run()
    assert run.unlinked == 0
    assert (await acme.contact_of(ann.account_id))["syncedJiraUser"]["active"] is False


async def test_hidden_email_is_asked_for_by_the_email_api(acme: Tenant) -> None:
    ann = acme.a_user("Ann Example", "ann@example.com", email_visible=False)
    typed = await acme.type_contact(name="Ann", email="ann@example.com")
    await acme.turn_on()
    linked = await acme.contact_of(ann.account_id)
    assert (linked["id"], linked["syncedJiraUser"]["emailState"]) == (typed["id"], "visible")


async def test_hidden_email_without_the_email_api_makes_a_contact_without_email(acme: Tenant) -> None:
    acme.site.faults.email_api = EmailApi.NOT_APPROVED
    ann = acme.a_user("Ann Example", "ann@example.com", email_visible=False)
    typed = await acme.type_contact(name="Ann", email="ann@example.com")
    run = await acme.turn_on()
    assert run.state == "done"
    made = await acme.contact_of(ann.account_id)
    assert made["id"] != typed["id"]
    assert (made["name"], made["email"]) == ("Ann Example", None)
    assert (made["syncedJiraUser"]["linkedBy"], made["syncedJiraUser"]["emailState"]) == ("account", "hidden")


async def test_email_api_that_is_switched_off_is_asked_again_next_time(acme: Tenant) -> None:
    acme.site.faults.email_api = EmailApi.DISABLED
    ann = acme.a_user("Ann Example", "ann@example.com", email_visible=False)
    await acme.turn_on()
    assert (await acme.contact_of(ann.account_id))["syncedJiraUser"]["emailState"] == "unavailable"
    acme.site.faults.email_api = EmailApi.APPROVED
    await acme.run()
    assert (await acme.contact_of(ann.account_id))["email"] == "ann@example.com"


async def test_email_that_becomes_visible_is_matched_once_more(acme: Tenant) -> None:
    acme.site.faults.email_api = EmailApi.NOT_APPROVED
    ann = acme.a_user("Ann Example", "ann@example.com", email_visible=False)
    typed = await acme.type_contact(name="Ann", email="ann@example.com")
    await acme.turn_on()
    placeholder = await acme.contact_of(ann.account_id)
    acme.site.change_person(ann.account_id, email_visible=True)
    await acme.run()
    assert (await acme.contact_of(ann.account_id))["id"] == typed["id"]
    assert (await acme.call("GET", f"/api/contacts/{placeholder['id']}")).status_code == 404


async def test_ambiguous_email_is_held_and_never_guessed(acme: Tenant) -> None:
    ann = acme.a_user("Ann Example", "ann@example.com")
    first = await acme.type_contact(name="Ann one", email="ann@example.com")
    await acme.type_contact(name="Ann two", email="ANN@example.com")
    run = await acme.turn_on()
    assert run.held == 1
    assert await acme.attention() == [("ambiguous-email", ann.account_id)]
    assert (await acme.get("/api/sync"))["attention"] == 1
    assert all(not c["linkedAccounts"] for c in await acme.contacts() if c["name"].startswith("Ann "))
    await acme.call("DELETE", f"/api/contacts/{first['id']}")
    again = await acme.run()
    assert (again.held, again.linked) == (0, 1)
    assert await acme.attention() == []
    assert (await acme.contact_of(ann.account_id))["origin"] == "manual"


async def test_two_accounts_of_one_person_share_a_contact(acme: Tenant, globex: Tenant) -> None:
    portal = acme.a_customer("Ann (portal)", "ANN@example.com")
    user = acme.a_user("Ann Example", "ann@example.com")
    elsewhere = globex.a_user("Ann Example", "ann@example.com")
    await acme.turn_on()
    await globex.turn_on()
    contact = await acme.contact_of(portal.account_id)
    assert {a["accountId"] for a in contact["linkedAccounts"]} == {portal.account_id, user.account_id}
    assert (contact["name"], contact["syncedJiraUser"]["accountId"]) == ("Ann Example", user.account_id)
    assert [a["accountId"] for a in (await globex.contact_of(elsewhere.account_id))["linkedAccounts"]] == [
        elsewhere.account_id
    ]


async def test_migration_to_an_atlassian_account_keeps_the_contact(acme: Tenant) -> None:
    portal = acme.a_customer("Ann Portal", "ann@example.com")
    await acme.turn_on()
    before = await acme.contact_of(portal.account_id)
    user = acme.a_user("Ann Example", "ann@example.com")
    acme.site.migrate_customer(portal.account_id, user.account_id)
    run = await acme.run()
    after = await acme.contact_of(user.account_id)
    assert (after["id"], run.created, run.unlinked) == (before["id"], 0, 1)
    assert [a["accountId"] for a in after["linkedAccounts"]] == [user.account_id]
