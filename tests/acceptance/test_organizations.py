"""C1 and C2: a company stands for an organization of Jira Service Management, made or matched by name, and then follows it."""

from datetime import timedelta

import pytest

from addon.crm.company import CompanyId
from addon.storage import company_rules, organizations
from sandbox.faults import Faults, Interruption
from tests.support import firms
from tests.support.world import Tenant


async def unmatched(tenant: Tenant) -> list[str]:
    async with tenant.world.database.tenant(tenant.tenant_id) as scope:
        found = await company_rules.unmatched(scope, limit=5)
    assert found.total == len(found.shown)
    return [organization.name for organization in found.shown]


async def hours_pass(tenant: Tenant, hours: int = 5) -> None:
    """Whatever the clock does in that time, and the jobs that it leaves; names are read each four hours."""
    tenant.world.clock.advance(timedelta(hours=hours))
    await tenant.world.parts.schedules().tend()
    await tenant.world.work()


async def test_one_company_of_the_name_is_taken_and_keeps_its_spelling(acme: Tenant, globex: Tenant) -> None:
    await globex.turn_on()
    elsewhere = await firms.companies(globex)
    mine = await firms.a_company(
        acme,
        "  hooli  ",
        "hooli.example",
    )
    organization = firms.an_organization(acme, "Hooli")
    firms.a_member(acme, "Ana", "ana@x.example", organization)
    await acme.turn_on()
    company = (await firms.companies(acme))["hooli"]
    assert (company["id"], company["organizationId"]) == (mine["id"], organization)
    assert (await firms.decided(acme))["Ana"] == ("hooli", "organization")
    assert await firms.companies(globex) == elsewhere


async def test_several_companies_of_the_name_are_shown_and_not_guessed(acme: Tenant) -> None:
    for _ in range(2):
        await firms.a_company(acme, "Hooli")
    organization = firms.an_organization(acme, "HOOLI")
    firms.a_member(acme, "Ana", "ana@x.example", organization)
    await acme.turn_on()
    assert await unmatched(acme) == ["HOOLI"]
    assert (await firms.decided(acme))["Ana"] == (None, None)
    await firms.edit_company(acme, "Hooli", name="Hooli Inc.")
    await hours_pass(acme)
    assert await unmatched(acme) == []
    assert (await firms.decided(acme))["Ana"] == ("Hooli", "organization")


async def test_renamed_organization_renames_its_company_unless_a_person_did(acme: Tenant) -> None:
    one, other = firms.an_organization(acme, "One"), firms.an_organization(acme, "Other")
    firms.a_member(acme, "Ana", "ana@x.example", one)
    await acme.turn_on()
    await firms.edit_company(acme, "Other", name="Mine")
    firms.rename_organization(acme, one, "One & Sons")
    firms.rename_organization(acme, other, "Other & Sons")
    await hours_pass(acme)
    found = await firms.companies(acme)
    assert {found["One & Sons"]["organizationId"], found["Mine"]["organizationId"]} == {one, other}
    assert not found.keys() & {"One", "Other", "Other & Sons"}
    assert (await firms.decided(acme))["Ana"] == ("One & Sons", "organization")


async def test_company_that_a_person_gives_another_organization_keeps_its_name(acme: Tenant, globex: Tenant) -> None:
    one = firms.an_organization(globex, "One")
    await globex.turn_on()
    elsewhere = await firms.companies(globex)
    assert firms.an_organization(acme, "One") == one
    await acme.turn_on()
    company = (await firms.companies(acme))["One"]
    # None that was read yet.
    await firms.edit_company(acme, "One", organizationId="999")
    async with acme.world.database.tenant(acme.tenant_id) as scope:
        assert await organizations.name_for(scope, CompanyId(int(company["id"]))) == "999"
    firms.an_organization(acme, "Late", organization_id="999")
    await hours_pass(acme)
    found = await firms.companies(acme)
    assert (found["One"]["id"], found["One"]["organizationId"]) == (company["id"], "999")
    assert "Late" not in found
    firms.rename_organization(acme, "999", "Later")
    await hours_pass(acme)
    assert (await firms.companies(acme))["One"]["organizationId"] == "999"
    assert await firms.companies(globex) == elsewhere


async def test_new_organization_is_found_with_its_people(acme: Tenant) -> None:
    await acme.turn_on()
    organization = firms.an_organization(acme, "Late")
    person = firms.a_member(acme, "Ana", "ana@x.example", organization)
    await acme.run()
    assert await firms.company_of(acme, person) == "Late"


async def test_names_of_every_kind_stop_nothing(acme: Tenant) -> None:
    names = ("n" * 300, "<script>alert(1)</script>", "A\x00B\nC", "\x00", "  ", "Ünï \N{SNOWMAN}")
    for number, name in enumerate(names):
        organization = firms.an_organization(acme, name, organization_id=str(100 + number))
        firms.a_member(acme, f"P{number}", f"p{number}@x.example", organization)
    await acme.turn_on()
    found = await firms.decided(acme)
    shown = ["n" * 255, "<script>alert(1)</script>", "AB C", "103", "104", "Ünï \N{SNOWMAN}"]
    assert [found[f"P{number}"] for number in range(len(names))] == [(name, "organization") for name in shown]


async def test_company_that_a_person_deleted_does_not_come_back(acme: Tenant) -> None:
    organization = firms.an_organization(acme, "Gone")
    await firms.a_company(acme, "Firm", "firm.example")
    firms.a_member(acme, "Ana", "ana@firm.example", organization)
    firms.a_member(acme, "Ben", "ben@x.example", organization)
    await acme.turn_on()
    company = (await firms.companies(acme))["Gone"]
    assert (await acme.call("DELETE", f"/api/companies/{company['id']}")).status_code == 204
    await hours_pass(acme)
    await acme.run()
    found = await firms.decided(acme)
    assert (found["Ana"], found["Ben"]) == (("Firm", "domain"), (None, None))
    assert "Gone" not in await firms.companies(acme)
    assert await unmatched(acme) == []
    # A person may name it again.
    await firms.a_company(acme, "Back", organizationId=organization)
    await firms.apply(acme, (await firms.preview(acme)).number)
    assert (await firms.decided(acme))["Ben"] == ("Back", "organization")


async def test_company_of_an_organization_that_is_gone_stays_with_its_people(acme: Tenant) -> None:
    organization = firms.an_organization(acme, "Gone")
    person = firms.a_member(acme, "Ana", "ana@x.example", organization)
    await acme.turn_on()
    firms.move(acme, person, out_of=organization)
    del acme.site.organizations[organization]
    await acme.run()
    assert (await firms.decided(acme))["Ana"] == ("Gone", "organization")


async def test_organization_that_is_made_again_has_its_company_again(acme: Tenant, globex: Tenant) -> None:
    for tenant in (acme, globex):
        firms.an_organization(tenant, "Hooli", organization_id="50")
        await tenant.turn_on()
    elsewhere = await firms.companies(globex)
    company = (await firms.companies(acme))["Hooli"]
    del acme.site.organizations["50"]
    firms.an_organization(acme, "Hooli", organization_id="51")
    firms.a_member(acme, "Ana", "ana@x.example", "51")
    # Nobody knows that the old one is gone before all were read.
    for _ in range(2):
        acme.world.clock.advance(timedelta(minutes=1))
        await acme.run()
    assert await unmatched(acme) == []
    again = (await firms.companies(acme))["Hooli"]
    assert (again["id"], again["organizationId"], again["version"]) == (company["id"], "51", company["version"] + 1)
    assert (await firms.decided(acme))["Ana"] == ("Hooli", "organization")
    assert await firms.companies(globex) == elsewhere


@pytest.mark.parametrize("fault", ["empty_lists", "corrupt_users", "fallback_users"])
async def test_lists_that_show_nobody_at_all_are_not_believed(acme: Tenant, fault: str) -> None:
    """D8: the app lost a permission, or Jira its mind."""
    organization = firms.an_organization(acme, "Hooli")
    firms.a_member(acme, "Ana", "ana@x.example", organization)
    await acme.turn_on()
    before = await firms.decided(acme)
    setattr(acme.site.faults, fault, True)
    await acme.run()
    assert await firms.decided(acme) == before
    setattr(acme.site.faults, fault, False)
    await acme.run()
    assert await firms.decided(acme) == before


async def test_no_organization_gets_a_company_while_the_rule_is_off(acme: Tenant) -> None:
    await firms.set_rules(acme, by_organization=False)
    organization = firms.an_organization(acme, "Hooli")
    firms.a_member(acme, "Ana", "ana@x.example", organization)
    await acme.turn_on()
    assert await firms.companies(acme) == {}
    twin = await firms.a_company(acme, "Twin")
    await firms.a_company(acme, "Twin")
    firms.an_organization(acme, "Twin")
    await hours_pass(acme)
    assert await unmatched(acme) == [], "nobody looks for its company"
    assert (await acme.call("DELETE", f"/api/companies/{twin['id']}")).status_code == 204
    await firms.set_rules(acme, by_organization=True)
    await hours_pass(acme, 0)
    assert (await firms.companies(acme))["Hooli"]["organizationId"] == organization
    assert (await firms.decided(acme))["Ana"] == ("Hooli", "organization")


async def test_organizations_outside_the_filters_get_no_company(acme: Tenant) -> None:
    one = firms.an_organization(acme, "One")
    firms.an_organization(acme, "Other")
    firms.an_organization(acme, "Twin")
    for _ in range(2):
        await firms.a_company(acme, "Twin")
    body = {"filters": {"organizations": [one]}}
    assert (await acme.call("PUT", "/api/sync", body=body)).status_code == 200
    await acme.turn_on()
    found = await firms.companies(acme)
    assert {name: company["organizationId"] for name, company in found.items()} == {"One": one, "Twin": None}
    assert await unmatched(acme) == []
    for filters in ({"kinds": ["user"]}, {"projects": ["1"]}):
        assert (await acme.call("PUT", "/api/sync", body={"filters": filters})).status_code == 200
        assert await unmatched(acme) == []
    assert (await acme.call("PUT", "/api/sync", body={"filters": {}})).status_code == 200
    assert await unmatched(acme) == ["Twin"]


async def test_site_that_does_not_answer_holds_up_no_domain(acme: Tenant) -> None:
    """Names that cannot be read are given up for the hour; what is known counts."""
    await firms.a_company(acme, "Firm", "firm.example")
    firms.a_member(acme, "Ana", "ana@firm.example")
    await acme.turn_on()
    assert (await firms.decided(acme))["Ana"] == ("Firm", "domain")
    organization = firms.an_organization(acme, "Late")
    acme.site.faults.interruptions = [Interruption(path_prefix="/rest/servicedeskapi/organization", times=None)]
    await hours_pass(acme)
    assert "Late" not in await firms.companies(acme)
    acme.site.faults = Faults()
    await hours_pass(acme)
    assert (await firms.companies(acme))["Late"]["organizationId"] == organization


@pytest.mark.parametrize("status", [403, 404])
async def test_refusal_forgets_no_name(acme: Tenant, globex: Tenant, status: int) -> None:
    """D8: the app lost a permission. The rules go on with what is known, and with whatever the site tells later."""
    for tenant in (acme, globex):
        for _ in range(2):
            await firms.a_company(tenant, "Hooli")
        firms.an_organization(tenant, "Hooli")
        await tenant.turn_on()
        assert await unmatched(tenant) == ["Hooli"]
    refused = [Interruption(path_prefix="/rest/servicedeskapi/organization", times=None, status=status)]
    acme.site.faults.interruptions = refused
    await firms.a_company(acme, "Firm", "firm.example")
    await hours_pass(acme)
    assert await unmatched(acme) == await unmatched(globex) == ["Hooli"]
    typed = await acme.type_contact(name="Typed", email="typed@firm.example")
    await acme.world.work()
    assert (await firms.decided(acme))[typed["name"]] == ("Firm", "domain")
    acme.site.faults = Faults()
    acme.site.organizations.popitem()
    firms.an_organization(acme, "Late", organization_id="900")
    await hours_pass(acme)
    assert await unmatched(acme) == []
    assert "Late" in await firms.companies(acme)


async def test_list_that_has_become_empty_forgets_no_name(acme: Tenant) -> None:
    for _ in range(2):
        await firms.a_company(acme, "Hooli")
    firms.an_organization(acme, "Hooli")
    await acme.turn_on()
    acme.site.organizations.clear()
    await hours_pass(acme)
    assert await unmatched(acme) == ["Hooli"]


async def test_site_without_service_management_has_rules(acme: Tenant) -> None:
    await firms.a_company(acme, "Firm", "firm.example")
    firms.a_member(acme, "Ana", "ana@firm.example")
    acme.site.faults.interruptions = [
        Interruption(path_prefix="/rest/servicedeskapi/organization", times=None, status=404)
    ]
    await acme.turn_on()
    assert (await firms.decided(acme))["Ana"] == ("Firm", "domain")
