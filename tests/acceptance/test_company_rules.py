"""C1 and C2: contacts get the company that their organization or the domain of their email stands for, and nobody guesses."""

from typing import Any

import pytest

from addon.crm.contact import ContactId
from addon.storage import contacts
from tests.support import firms
from tests.support.world import Tenant


async def test_first_run_finds_companies_by_organization_then_by_domain(acme: Tenant, globex: Tenant) -> None:
    await globex.turn_on()
    elsewhere = await firms.decided(globex), await firms.companies(globex)
    hooli = firms.an_organization(acme, "Hooli")
    await firms.a_company(acme, "Initech", "initech.example")
    by_both = firms.a_member(acme, "Both", "both@initech.example", hooli)
    by_domain = firms.a_member(acme, "Domain", "domain@initech.example")
    by_none = firms.a_member(acme, "None", "none@elsewhere.example")
    hidden = firms.a_member(acme, "Hidden", None, hooli)
    await acme.turn_on()
    found = await firms.decided(acme)
    assert (found["Both"], found["Domain"]) == (("Hooli", "organization"), ("Initech", "domain"))
    assert (found["None"], found["Hidden"]) == ((None, None), ("Hooli", "organization"))
    company = (await firms.companies(acme))["Hooli"]
    assert (company["organizationId"], company["contacts"]) == (hooli, 2)
    for person, cause in ((by_both, "company-organization"), (by_domain, "company-domain")):
        contact = await acme.contact_of(person.account_id)
        [change] = [each for each in await acme.changes_of(contact["id"]) if each["field"] == "company"]
        assert (change["old"], change["new"], change["cause"]) == (None, contact["company"]["name"], cause)
    assert await firms.company_of(acme, by_none) is None
    assert await firms.company_of(acme, hidden) == "Hooli"
    assert await firms.marks(acme) == 0
    assert (await firms.decided(globex), await firms.companies(globex)) == elsewhere


@pytest.mark.parametrize(
    ("domains", "email", "company"),
    [
        (["gmail.com"], "ana@gmail.com", None),
        (["yahoo.co.uk"], "ana@mail.yahoo.co.uk", None),
        (["acme.co.uk"], "ana@eu.mail.acme.co.uk", "Firm"),
        (["mail.acme.co.uk"], "ana@acme.co.uk", None),
        (["co.uk"], "ana@acme.co.uk", None),
        (["münchen.example"], "ana@xn--mnchen-3ya.example", "Firm"),
        (["xn--mnchen-3ya.example"], "ana@MÜNCHEN.example", "Firm"),
        (["acme.example"], "ana", None),
        (["acme.example"], "ana@[acme.example]", None),
    ],
)
async def test_domain_of_an_address(acme: Tenant, domains: list[str], email: str, company: str | None) -> None:
    await firms.a_company(acme, "Firm", *domains)
    firms.a_member(acme, "Ana", email)
    await acme.turn_on()
    assert (await firms.decided(acme))["Ana"][0] == company


async def test_contact_that_is_made_by_hand_is_found_too(acme: Tenant) -> None:
    await firms.a_company(acme, "Firm", "firm.example")
    await acme.type_contact(name="Early", email="early@firm.example")
    await acme.turn_on()
    await acme.type_contact(name="Late", email="late@mail.firm.example")
    await acme.world.work()
    found = await firms.decided(acme)
    assert found["Early"] == found["Late"] == ("Firm", "domain")


async def test_company_follows_the_contact(acme: Tenant) -> None:
    """The organization moved, the email changed: what a rule gave is the rule's still."""
    one, other = firms.an_organization(acme, "One"), firms.an_organization(acme, "Other")
    await firms.a_company(acme, "Firm", "firm.example")
    mover = firms.a_member(acme, "Mover", "mover@x.example", one)
    writer = firms.a_member(acme, "Writer", "writer@firm.example")
    await acme.turn_on()
    firms.move(acme, mover, out_of=one, into=other)
    acme.site.change_person(writer.account_id, email="writer@x.example")
    await acme.run()
    found = await firms.decided(acme)
    assert (found["Mover"], found["Writer"]) == (("Other", "organization"), (None, None))
    firms.move(acme, mover, out_of=other)
    acme.site.change_person(mover.account_id, email="mover@firm.example")
    await acme.run()
    assert (await firms.decided(acme))["Mover"] == ("Firm", "domain")
    contact = await acme.contact_of(mover.account_id)
    history = [each for each in await acme.changes_of(contact["id"]) if each["field"] == "company"]
    assert [(each["new"], each["cause"]) for each in history] == [
        ("Firm", "company-domain"),
        ("Other", "company-organization"),
        ("One", "company-organization"),
    ]


async def test_person_s_word_stays(acme: Tenant) -> None:
    """Another company, or none: no rule ever overwrites it."""
    one, other = firms.an_organization(acme, "One"), firms.an_organization(acme, "Other")
    mine = await firms.a_company(acme, "Mine")
    chosen, emptied = (firms.a_member(acme, name, f"{name}@x.example", one) for name in ("Chosen", "Emptied"))
    await acme.turn_on()
    await firms.choose(acme, chosen, mine["id"])
    await firms.choose(acme, emptied, None)
    for person in (chosen, emptied):
        firms.move(acme, person, out_of=one, into=other)
        acme.site.change_person(person.account_id, email=f"{person.display_name}@other.example")
    await firms.edit_company(acme, "Mine", domains=["other.example"])
    await acme.run()
    await acme.turn_off()
    await acme.turn_on()
    work = await firms.preview(acme)
    await firms.apply(acme, work.number)
    found = await firms.decided(acme)
    assert (found["Chosen"], found["Emptied"]) == (("Mine", "person"), (None, "person"))


async def test_sending_the_company_back_is_no_choice(acme: Tenant) -> None:
    one, other = firms.an_organization(acme, "One"), firms.an_organization(acme, "Other")
    person = firms.a_member(acme, "Ana", "ana@x.example", one)
    await acme.turn_on()
    await firms.choose(acme, person, (await firms.companies(acme))["One"]["id"])
    firms.move(acme, person, out_of=one, into=other)
    await acme.run()
    assert (await firms.decided(acme))["Ana"] == ("Other", "organization")


async def test_off_changes_nothing_and_on_again_finds_the_same(acme: Tenant) -> None:
    one, other = firms.an_organization(acme, "One"), firms.an_organization(acme, "Other")
    await firms.a_company(acme, "Firm", "firm.example")
    person = firms.a_member(acme, "Ana", "ana@x.example", one)
    typed = await acme.type_contact(name="Typed", email="typed@x.example")
    await acme.turn_on()
    before = await firms.decided(acme)
    assert before["Ana"] == ("One", "organization")
    await acme.turn_off()
    assert await firms.decided(acme) == before
    firms.move(acme, person, out_of=one, into=other)
    body = {"version": typed["version"], "email": "typed@firm.example"}
    assert (await acme.call("PATCH", f"/api/contacts/{typed['id']}", body=body)).status_code == 200
    await acme.world.work()
    assert await firms.decided(acme) == before
    firms.move(acme, person, out_of=other, into=one)
    await acme.turn_on()
    assert await firms.decided(acme) == before | {"Typed": ("Firm", "domain")}


async def test_contact_that_the_sync_lets_go_keeps_its_company(acme: Tenant) -> None:
    one = firms.an_organization(acme, "One")
    person = firms.a_member(acme, "Ana", "ana@x.example", one)
    await acme.turn_on()
    contact: dict[str, Any] = await acme.contact_of(person.account_id)
    acme.site.delete_person(person.account_id)
    await acme.run()
    assert (await acme.get(f"/api/contacts/{contact['id']}"))["syncedJiraUser"] is None
    assert (await firms.decided(acme))["Ana"] == ("One", "organization")
    kept = await acme.get(f"/api/contacts/{contact['id']}")
    body = {"version": kept["version"], "email": "ana@elsewhere.example"}
    assert (await acme.call("PATCH", f"/api/contacts/{contact['id']}", body=body)).status_code == 200
    await acme.world.work()
    assert (await firms.decided(acme))["Ana"] == ("One", "organization")


async def test_company_that_is_deleted_leaves_its_contacts_to_the_rules(acme: Tenant) -> None:
    special = await firms.a_company(acme, "Special", "mail.firm.example")
    await firms.a_company(acme, "Firm", "firm.example")
    firms.a_member(acme, "Ana", "ana@mail.firm.example")
    chosen = firms.a_member(acme, "Chosen", "chosen@firm.example")
    elsewhere = firms.a_member(acme, "Elsewhere", "elsewhere@x.example")
    await acme.turn_on()
    for person in (chosen, elsewhere):
        await firms.choose(acme, person, special["id"])
    assert (await firms.decided(acme))["Ana"] == ("Special", "domain")
    assert (await acme.call("DELETE", f"/api/companies/{special['id']}")).status_code == 204
    await acme.world.work()
    found = await firms.decided(acme)
    assert found["Ana"] == found["Chosen"] == ("Firm", "domain")
    assert found["Elsewhere"] == (None, None)


async def test_word_that_is_taken_back_leaves_it_to_the_rules(acme: Tenant) -> None:
    mine = await firms.a_company(acme, "Mine")
    await firms.a_company(acme, "Firm", "firm.example")
    ruled, free = (firms.a_member(acme, name, f"{name}@{name}.example") for name in ("firm", "free"))
    await acme.turn_on()
    for person in (ruled, free):
        await firms.choose(acme, person, mine["id"])
        contact = await acme.contact_of(person.account_id)
        async with acme.world.database.tenant(acme.tenant_id) as scope:
            contact_id = ContactId(int(contact["id"]))
            left = await contacts.let_rules_choose(
                scope, contact_id, version=contact["version"], now=acme.world.clock()
            )
        assert (left.company and left.company.name, left.company_by) == ("Mine", None)
    await acme.run()
    found = await firms.decided(acme)
    assert (found["firm"], found["free"]) == (("Firm", "domain"), (None, None))


async def test_rules_are_no_edit_to_the_sync(acme: Tenant) -> None:
    """D17: a run whose contacts nobody edited is undone, whatever companies the rules have given them."""
    before = len(await acme.contacts())
    await firms.a_company(acme, "Firm", "firm.example")
    firms.a_member(acme, "Ana", "ana@firm.example")
    run = await acme.turn_on()
    assert (await firms.decided(acme))["Ana"] == ("Firm", "domain")
    assert (await acme.call("POST", f"/api/sync/runs/{run.id}/undo")).status_code == 202
    await acme.world.work()
    assert len(await acme.contacts()) == before
