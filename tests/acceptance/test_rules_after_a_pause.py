"""C2, C3 and D10: the sync is turned off and on again, and no contact gets another company by that alone."""

from tests.support import firms
from tests.support.world import Tenant

PEOPLE = ("Ana", "Ben", "Cem")


async def companies_of(tenant: Tenant, *names: str) -> list[tuple[str | None, str | None]]:
    found = await firms.decided(tenant)
    return [found[name] for name in names]


async def pause(tenant: Tenant) -> None:
    await tenant.turn_off()
    await tenant.turn_on()


async def be_members(tenant: Tenant, *organization_ids: str) -> None:
    for name in PEOPLE:
        firms.a_member(tenant, name, f"{name}@firm.example", *organization_ids)
    await tenant.turn_on()


async def test_what_was_undone_stays_undone(acme: Tenant, globex: Tenant) -> None:
    for tenant in (acme, globex):
        await be_members(tenant)
        await firms.a_company(tenant, "Firm", "firm.example")
        number = (await firms.preview(tenant)).number
        await firms.apply(tenant, number)
    await firms.undo(acme, number)
    await pause(acme)
    assert await companies_of(acme, *PEOPLE) == [(None, None)] * 3
    assert await companies_of(globex, *PEOPLE) == [("Firm", "domain")] * 3
    assert (await firms.preview(acme)).changes == 3


async def test_rule_that_was_turned_off_and_not_applied_takes_nothing(acme: Tenant, globex: Tenant) -> None:
    for tenant in (acme, globex):
        await firms.a_company(tenant, "Firm", "firm.example")
        await be_members(tenant)
    await firms.set_rules(acme, by_domain=False)
    await pause(acme)
    await pause(globex)
    for tenant in (acme, globex):
        assert await companies_of(tenant, *PEOPLE) == [("Firm", "domain")] * 3


async def test_rule_that_was_turned_on_and_not_applied_gives_nothing(acme: Tenant, globex: Tenant) -> None:
    await firms.set_rules(acme, by_organization=False)
    for tenant in (acme, globex):
        organization = firms.an_organization(tenant, "Hooli")
        await be_members(tenant, organization)
    await firms.a_company(acme, "Hooli", organizationId=organization)
    await firms.set_rules(acme, by_organization=True)
    await pause(acme)
    assert await companies_of(acme, *PEOPLE) == [(None, None)] * 3
    await acme.run()
    assert await companies_of(acme, *PEOPLE) == [(None, None)] * 3
    assert await companies_of(globex, *PEOPLE) == [("Hooli", "organization")] * 3


async def test_who_is_elsewhere_after_the_pause_is_found_there(acme: Tenant, globex: Tenant) -> None:
    """What an organization gave follows the rule; who is new goes by the rules as ever."""
    for tenant in (acme, globex):
        one, other = firms.an_organization(tenant, "One"), firms.an_organization(tenant, "Other")
        firms.a_member(tenant, "Stayer", "stayer@x.example", one)
        mover = firms.a_member(tenant, "Mover", "mover@x.example", one)
        leaver = firms.a_member(tenant, "Leaver", "leaver@x.example", one)
        await tenant.turn_on()
        await tenant.turn_off()
        firms.move(tenant, mover, out_of=one, into=other)
        firms.move(tenant, leaver, out_of=one)
        firms.a_member(tenant, "Late", "late@x.example", other)
    before = await firms.decided(globex)
    await acme.turn_on()
    assert await companies_of(acme, "Stayer", "Mover", "Leaver", "Late") == [
        ("One", "organization"),
        ("Other", "organization"),
        (None, None),
        ("Other", "organization"),
    ]
    assert await firms.decided(globex) == before
