"""C3: rules apply to contacts that are there already at a person's word, with the changes shown first, and can be undone."""

import pytest

from addon.errors import Invalid, NotFound
from addon.storage import rule_work
from addon.storage.rule_work import Counts
from tests.support import firms
from tests.support.world import Tenant

PEOPLE = ("Ana", "Ben", "Cem")


async def three_people(tenant: Tenant) -> None:
    """With addresses of one domain, which no company names while they are read."""
    for name in PEOPLE:
        firms.a_member(tenant, name, f"{name}@firm.example")
    await tenant.turn_on()


async def companies_of(tenant: Tenant, *names: str) -> list[tuple[str | None, str | None]]:
    found = await firms.decided(tenant)
    return [found[name] for name in names]


async def edit(tenant: Tenant, name: str, **fields: object) -> None:
    [contact] = [contact for contact in await tenant.contacts() if contact["name"] == name]
    body = {"version": contact["version"], **fields}
    assert (await tenant.call("PATCH", f"/api/contacts/{contact['id']}", body=body)).status_code == 200
    await tenant.world.work()


async def test_change_of_the_rules_is_shown_then_applied_then_undone(acme: Tenant, globex: Tenant) -> None:
    await three_people(globex)
    await firms.a_company(globex, "Firm", "firm.example")
    elsewhere = await firms.decided(globex)
    await three_people(acme)
    await firms.a_company(acme, "Firm", "firm.example")
    await acme.world.work()
    before = await firms.decided(acme)
    assert {before[name] for name in PEOPLE} == {(None, None)}
    work = await firms.preview(acme)
    assert (work.state, work.changes, work.ties, work.checked) == ("ready", 3, 0, work.total)
    shown = await firms.changes(acme)
    assert {(each.contact_name, each.before, each.after and each.after.name, each.after_by) for each in shown} == {
        (name, None, "Firm", "domain") for name in PEOPLE
    }
    assert await firms.decided(acme) == before
    done = await firms.apply(acme, work.number)
    assert (done.state, done.applied, done.left_alone) == ("applied", 3, 0)
    assert await companies_of(acme, *PEOPLE) == [("Firm", "domain")] * 3
    undone = await firms.undo(acme, work.number)
    assert (undone.state, undone.undone, undone.left_alone) == ("undone", 3, 0)
    assert await firms.decided(acme) == before
    [ana] = [contact for contact in await acme.contacts() if contact["name"] == "Ana"]
    history = [each for each in await acme.changes_of(ana["id"]) if each["field"] == "company"]
    assert [(each["old"], each["new"], each["cause"]) for each in history] == [
        ("Firm", None, "company-undone"),
        (None, "Firm", "company-domain"),
    ]
    assert await firms.decided(globex) == elsewhere


async def test_contact_that_is_edited_in_between_is_left_alone(acme: Tenant) -> None:
    await three_people(acme)
    await firms.a_company(acme, "Firm", "firm.example")
    mine = await firms.a_company(acme, "Mine")
    number = (await firms.preview(acme)).number
    await edit(acme, "Ana", company={"id": mine["id"]})
    applied = await firms.apply(acme, number)
    assert (applied.applied, applied.left_alone) == (2, 1)
    await edit(acme, "Ben", company=None)
    await edit(acme, "Cem", phone="1")
    undone = await firms.undo(acme, number)
    assert (undone.undone, undone.left_alone) == (1, 1)
    assert await companies_of(acme, *PEOPLE) == [("Mine", "person"), (None, "person"), (None, None)]
    states = {each.contact_name: each.state for each in await firms.changes(acme)}
    assert states == {"Ana": "left", "Ben": "left", "Cem": "undone"}


async def test_contact_that_is_edited_before_undo_is_looked_at_again(acme: Tenant, globex: Tenant) -> None:
    await globex.turn_on()
    await firms.a_company(globex, "Other", "other.example")
    await acme.turn_on()
    for name in PEOPLE:
        await acme.type_contact(name=name, email=f"{name}@firm.example")
    await acme.world.work()
    await firms.a_company(acme, "Firm", "firm.example")
    await firms.a_company(acme, "Other", "other.example")
    number = (await firms.preview(acme)).number
    await firms.apply(acme, number)
    await acme.turn_off()
    # While the sync is off, the rules rest, and the mark of the edit waits.
    await edit(acme, "Ana", email="ana@other.example")
    assert (await firms.undo(acme, number)).undone == 3
    assert await companies_of(acme, *PEOPLE) == [(None, None)] * 3
    await acme.turn_on()
    assert await companies_of(acme, *PEOPLE) == [("Other", "domain"), (None, None), (None, None)]
    assert await firms.marks(globex) == await firms.marks(acme) == 0


async def test_what_the_rules_do_not_say_any_more_is_not_applied(acme: Tenant) -> None:
    await three_people(acme)
    await firms.a_company(acme, "Firm", "firm.example")
    number = (await firms.preview(acme)).number
    await firms.edit_company(acme, "Firm", domains=[])
    applied = await firms.apply(acme, number)
    assert (applied.applied, applied.left_alone) == (0, 3)
    assert await companies_of(acme, *PEOPLE) == [(None, None)] * 3


async def test_rule_that_is_turned_off_empties_what_it_gave(acme: Tenant) -> None:
    organization = firms.an_organization(acme, "Org")
    await firms.a_company(acme, "Firm", "firm.example")
    firms.a_member(acme, "Both", "both@firm.example", organization)
    firms.a_member(acme, "Org", "org@x.example", organization)
    await acme.turn_on()
    await firms.set_rules(acme, by_organization=False)
    before = await firms.decided(acme)
    number = (await firms.preview(acme)).number
    async with acme.world.database.tenant(acme.tenant_id) as scope:
        counts = await rule_work.counts(scope)
    others = sum(by == "organization" for _, by in before.values()) - 1
    assert counts == Counts(by_organization=0, by_domain=1, emptied=others)
    await firms.apply(acme, number)
    assert await companies_of(acme, "Both", "Org") == [("Firm", "domain"), (None, None)]
    await firms.undo(acme, number)
    assert await firms.decided(acme) == before


async def test_ties_are_counted_and_asked_about_when_applied(acme: Tenant) -> None:
    await three_people(acme)
    await firms.a_company(acme, "East", "firm.example")
    await firms.a_company(acme, "West", "firm.example")
    work = await firms.preview(acme)
    assert (work.changes, work.ties) == (0, 3)
    assert await acme.attention() == []
    await firms.apply(acme, work.number)
    assert await acme.attention() == [("company-tie", "")] * 3


async def test_company_that_is_lost_to_a_tie_is_told_apart_from_one_that_no_rule_gives(
    acme: Tenant, globex: Tenant
) -> None:
    await firms.a_company(acme, "East", "firm.example")
    await firms.a_company(acme, "Old", "old.example")
    old = await acme.type_contact(name="Dan", email="dan@old.example")
    await three_people(acme)
    await firms.a_company(acme, "West", "firm.example")
    await firms.edit_company(acme, "Old", domains=[])
    work = await firms.preview(acme)
    assert (work.changes, work.ties) == (4, 3)
    async with acme.world.database.tenant(acme.tenant_id) as scope:
        assert await rule_work.counts(scope) == Counts(by_organization=0, by_domain=0, emptied=1)
    shown = (await acme.get("/api/company-rules/preview/changes"))["values"]
    assert {each["contactName"]: (each["after"], each["afterBy"], each["isTie"]) for each in shown} == {
        "Dan": (None, None, False),
        **dict.fromkeys(PEOPLE, (None, None, True)),
    }
    sheet = (await acme.call("GET", "/api/company-rules/preview/changes", accept="text/csv")).text.splitlines()
    assert sheet[0].endswith("afterBy,isTie,state")
    assert f"{old['id']},Dan,dan@old.example,Old,domain,,,false,planned" in sheet
    assert sum(line.endswith(",East,domain,,,true,planned") for line in sheet) == 3
    page = (await acme.call("GET", "/api/fragments/rules/trial")).text
    rows = page.split('id="rule-changes"')[1]
    assert (rows.count("No rule fits any more"), rows.count("Several companies fit")) == (1, 3)
    assert 'id="work-emptied">1<' in page
    await globex.turn_on()
    assert (await firms.preview(globex)).ties == 0


async def test_company_that_is_gone_does_not_come_back(acme: Tenant) -> None:
    await three_people(acme)
    await firms.a_company(acme, "Old", "firm.example")
    await firms.apply(acme, (await firms.preview(acme)).number)
    await firms.edit_company(acme, "Old", domains=[])
    await firms.a_company(acme, "New", "firm.example")
    number = (await firms.preview(acme)).number
    await firms.apply(acme, number)
    old = (await firms.companies(acme))["Old"]
    assert (await acme.call("DELETE", f"/api/companies/{old['id']}")).status_code == 204
    undone = await firms.undo(acme, number)
    assert (undone.undone, undone.left_alone) == (0, 3)
    assert await companies_of(acme, *PEOPLE) == [("New", "domain")] * 3


async def test_steps_out_of_turn_are_refused(acme: Tenant) -> None:
    with pytest.raises(Invalid):
        await firms.preview(acme)
    await three_people(acme)
    await firms.a_company(acme, "Firm", "firm.example")
    number = (await firms.preview(acme)).number
    with pytest.raises(Invalid):
        await firms.undo(acme, number)
    with pytest.raises(NotFound):
        await firms.apply(acme, number - 1)
    await firms.apply(acme, number)
    # Said twice is said once.
    assert (await firms.apply(acme, number)).applied == 3
    await acme.world.parts.schedules().tend()
    await acme.world.work()
    await acme.turn_off()
    assert (await firms.undo(acme, number)).undone == 3
    with pytest.raises(Invalid):
        await firms.apply(acme, number)
