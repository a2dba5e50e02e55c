"""Two companies become one: contacts keep what gave them their company, and the rules go on with the one that is left."""

from datetime import timedelta

import pytest

from addon.crm.company import CompanyId
from addon.errors import Invalid, NotFound
from addon.storage import company_merging
from tests.support import firms
from tests.support.world import Tenant


async def merge(tenant: Tenant, gone: str, kept: str) -> None:
    known = await firms.companies(tenant)
    await merge_ids(tenant, int(known[gone]["id"]), int(known[kept]["id"]))


async def merge_ids(tenant: Tenant, gone: int, kept: int) -> None:
    async with tenant.world.database.tenant(tenant.tenant_id) as scope:
        await company_merging.merge(scope, CompanyId(gone), CompanyId(kept), now=tenant.world.clock())
    await tenant.world.work()


async def test_contacts_domains_and_organization_go_along(acme: Tenant, globex: Tenant) -> None:
    await firms.a_company(globex, "Typed")
    elsewhere = await firms.companies(globex)
    organization = firms.an_organization(acme, "Org")
    typed = await firms.a_company(acme, "Typed", "typed.example")
    firms.a_member(acme, "Rule", "rule@typed.example")
    firms.a_member(acme, "Org", "org@x.example", organization)
    hand = firms.a_member(acme, "Hand", "hand@x.example")
    await acme.turn_on()
    await firms.choose(acme, hand, typed["id"])
    await firms.edit_company(acme, "Org", domains=["org.example", "typed.example"])
    await merge(acme, "Org", "Typed")
    kept = (await firms.companies(acme))["Typed"]
    assert "Org" not in await firms.companies(acme)
    assert (kept["domains"], kept["organizationId"]) == (["org.example", "typed.example"], organization)
    expected = {"Rule": ("Typed", "domain"), "Org": ("Typed", "organization"), "Hand": ("Typed", "person")}
    assert {name: (await firms.decided(acme))[name] for name in expected} == expected
    # The organization has its company still, and no other is made; who typed the name keeps it.
    firms.rename_organization(acme, organization, "Org & Sons")
    firms.a_member(acme, "New", "new@x.example", organization)
    await acme.run()
    assert (await firms.decided(acme))["New"] == ("Typed", "organization")
    assert not {"Org", "Org & Sons"} & (await firms.companies(acme)).keys()
    assert await firms.companies(globex) == elsewhere


async def test_tie_between_the_two_is_settled(acme: Tenant) -> None:
    await firms.a_company(acme, "East", "firm.example")
    await firms.a_company(acme, "West", "firm.example")
    firms.a_member(acme, "Ana", "ana@firm.example")
    await acme.turn_on()
    assert await acme.attention() == [("company-tie", "")]
    await merge(acme, "East", "West")
    await acme.run()
    assert await acme.attention() == []
    assert (await firms.decided(acme))["Ana"] == ("West", "domain")


async def test_organization_that_is_gone_stands_in_nobody_s_way(acme: Tenant, globex: Tenant) -> None:
    """Deleted in Jira and made again, and meanwhile somebody gave the company another name."""
    for tenant in (acme, globex):
        old = firms.an_organization(tenant, "Hooli", organization_id="50")
        firms.an_organization(tenant, "Initech", organization_id="60")
        firms.a_member(tenant, "Ana", "ana@x.example", old)
        await tenant.turn_on()
        await firms.edit_company(tenant, "Hooli", name="Hooli Inc.")
    elsewhere = await firms.companies(globex)
    del acme.site.organizations["50"]
    new = firms.an_organization(acme, "Hooli", organization_id="51")
    firms.a_member(acme, "Ben", "ben@x.example", new)
    acme.world.clock.advance(timedelta(minutes=1))
    await acme.run()
    assert {name: (await firms.decided(acme))[name] for name in ("Ana", "Ben")} == {
        "Ana": ("Hooli Inc.", "organization"),
        "Ben": ("Hooli", "organization"),
    }
    with pytest.raises(Invalid, match="another organization"):
        await merge(acme, "Hooli", "Initech")
    await merge(acme, "Hooli", "Hooli Inc.")
    assert (await firms.companies(acme))["Hooli Inc."]["organizationId"] == new
    await acme.run()
    assert {name: (await firms.decided(acme))[name] for name in ("Ana", "Ben")} == dict.fromkeys(
        ("Ana", "Ben"), ("Hooli Inc.", "organization")
    )
    assert "Hooli" not in await firms.companies(acme)
    assert await firms.companies(globex) == elsewhere


async def test_what_cannot_be_merged_changes_nothing(acme: Tenant, globex: Tenant) -> None:
    for name in ("One", "Other"):
        firms.an_organization(acme, name)
    await acme.turn_on()
    foreign = int((await firms.a_company(globex, "Theirs"))["id"])
    before = await firms.companies(acme)
    one = int(before["One"]["id"])
    with pytest.raises(Invalid, match="another organization"):
        await merge(acme, "One", "Other")
    with pytest.raises(Invalid, match="itself"):
        await merge_ids(acme, one, one)
    with pytest.raises(Invalid, match="is not the id"):
        await merge_ids(acme, one, foreign)
    with pytest.raises(NotFound):
        await merge_ids(acme, foreign, one)
    assert await firms.companies(acme) == before
    full = await firms.a_company(acme, "Full", *(f"d{n}.example" for n in range(100)))
    await firms.edit_company(acme, "One", domains=["one.example"])
    with pytest.raises(Invalid, match="domains"):
        await merge_ids(acme, one, int(full["id"]))
