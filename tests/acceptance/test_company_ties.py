"""C2: where several companies are possible, none is guessed: a person is asked, until the question is settled."""

from addon import app
from addon.storage import attention, choice
from addon.storage.attention import Item
from addon.storage.choice import Choice
from tests.support import firms
from tests.support.world import Tenant


async def questions(tenant: Tenant) -> list[Item]:
    async with tenant.world.database.tenant(tenant.tenant_id) as scope:
        found = await attention.page(scope, cursor=None, limit=50)
    return [item for item in found.items if item.kind == "company-tie"]


async def names_asked(tenant: Tenant) -> list[list[str]]:
    return [[company.name for company in item.companies] for item in await questions(tenant)]


async def answer(tenant: Tenant, item: Item, chosen: Choice) -> None:
    async with tenant.world.database.tenant(tenant.tenant_id) as scope:
        await choice.carry_out(scope, item.attention_id, chosen, enqueue=app.enqueue, now=tenant.world.clock())
    await tenant.world.work()


async def a_tie(tenant: Tenant) -> None:
    """Two companies name the domain of one person."""
    await firms.a_company(tenant, "East", "firm.example")
    await firms.a_company(tenant, "West", "firm.example")
    firms.a_member(tenant, "Ana", "ana@firm.example")
    await tenant.turn_on()


async def test_tie_is_asked_about_and_stays_as_a_person_picks(acme: Tenant, globex: Tenant) -> None:
    await a_tie(globex)
    elsewhere = await questions(globex)
    await a_tie(acme)
    [item] = await questions(acme)
    assert item.candidates == [item.contact_id]
    assert [company.name for company in item.companies] == ["East", "West"]
    assert (await firms.decided(acme))["Ana"] == (None, None)
    await answer(acme, item, Choice(action="link", company_id=item.companies[1].company_id))
    assert (await firms.decided(acme))["Ana"] == ("West", "person")
    assert await questions(acme) == []
    changes = await acme.changes_of(str(item.contact_id))
    assert [(each["old"], each["new"], each["cause"]) for each in changes if each["field"] == "company"] == [
        (None, "West", "a-person-decided")
    ]
    await acme.run()
    await firms.edit_company(acme, "West", domains=[])
    assert (await firms.decided(acme))["Ana"] == ("West", "person")
    assert await questions(globex) == elsewhere


async def test_organizations_that_tie_leave_it_to_the_domain(acme: Tenant) -> None:
    one, other = firms.an_organization(acme, "One"), firms.an_organization(acme, "Other")
    await firms.a_company(acme, "Firm", "firm.example")
    firms.a_member(acme, "Domain", "domain@firm.example", one, other)
    firms.a_member(acme, "Tie", "tie@x.example", one, other)
    await acme.turn_on()
    found = await firms.decided(acme)
    assert (found["Domain"], found["Tie"]) == (("Firm", "domain"), (None, None))
    assert await names_asked(acme) == [["One", "Other"]]


async def test_question_is_settled_when_rules_give_one_answer(acme: Tenant) -> None:
    await a_tie(acme)
    await firms.edit_company(acme, "East", domains=["east.example"])
    assert await questions(acme) == []
    assert (await firms.decided(acme))["Ana"] == ("West", "domain")


async def test_question_is_settled_when_one_of_the_companies_goes(acme: Tenant) -> None:
    await a_tie(acme)
    east = (await firms.companies(acme))["East"]
    assert (await acme.call("DELETE", f"/api/companies/{east['id']}")).status_code == 204
    await acme.run()
    assert await questions(acme) == []
    assert (await firms.decided(acme))["Ana"] == ("West", "domain")


async def test_person_who_types_a_company_settles_the_question(acme: Tenant) -> None:
    await a_tie(acme)
    [item] = await questions(acme)
    [ana] = [person for person in acme.site.people.values() if person.display_name == "Ana"]
    await firms.choose(acme, ana, str(item.companies[0].company_id))
    assert await questions(acme) == []
    assert (await firms.decided(acme))["Ana"] == ("East", "person")


async def test_dismissed_question_stays_dismissed_until_others_are_possible(acme: Tenant) -> None:
    await a_tie(acme)
    [item] = await questions(acme)
    await answer(acme, item, Choice(action="dismiss"))
    await acme.run()
    await acme.turn_off()
    await acme.turn_on()
    assert await questions(acme) == []
    await firms.a_company(acme, "South", "firm.example")
    await firms.apply(acme, (await firms.preview(acme)).number)
    assert await names_asked(acme) == [["East", "West", "South"]]


async def test_question_waits_while_the_sync_is_off(acme: Tenant) -> None:
    await a_tie(acme)
    await acme.type_contact(name="Typed", email="typed@firm.example")
    await acme.world.work()
    asked = await names_asked(acme)
    assert len(asked) == 2
    await acme.turn_off()
    assert await questions(acme) == []
    await acme.turn_on()
    assert await names_asked(acme) == asked


async def test_company_that_a_rule_gave_goes_when_the_rule_ties(acme: Tenant) -> None:
    one, other = firms.an_organization(acme, "One"), firms.an_organization(acme, "Other")
    person = firms.a_member(acme, "Ana", "ana@x.example", one)
    await acme.turn_on()
    firms.move(acme, person, into=other)
    await acme.run()
    assert (await firms.decided(acme))["Ana"] == (None, None)
    assert await names_asked(acme) == [["One", "Other"]]
    firms.move(acme, person, out_of=one)
    await acme.run()
    assert (await firms.decided(acme))["Ana"] == ("Other", "organization")
    assert await names_asked(acme) == []
