"""C5: whatever happens on a site, its issues' properties hold ids and names of companies and nothing about any person."""

import json
from datetime import timedelta

from addon.issues.label import PROPERTY_KEY
from tests.support import labels
from tests.support.world import Tenant


async def live(tenant: Tenant) -> None:
    """A site's life: customers and users with companies, reporters that change, renames, a merge of contacts, off and on."""
    domain = f"{tenant.site.client_key[:8].lower()}.example"
    people = [tenant.a_customer(f"Customer {number}", f"customer{number}@{domain}") for number in range(4)]
    people.append(tenant.a_user("Agent Smith", f"smith@{domain}"))
    company_id = await labels.a_company(tenant, "Company by domain", domains=[domain])
    await tenant.turn_on()
    issues = [tenant.site.create_issue(person.account_id, summary=person.display_name) for person in people]
    await labels.hear_all(tenant.world)
    for _ in range(2):
        await labels.tend(tenant.world)
        tenant.world.clock.advance(timedelta(minutes=1))
    assert labels.names_on(tenant, issues) == ["Company by domain"] * 5
    await labels.set_company(tenant, people[0].account_id, await labels.a_company(tenant, "Company by hand"))
    tenant.site.change_reporter(issues[1].key, people[0].account_id)
    tenant.site.change_person(people[2].account_id, display_name="Customer Renamed", email=f"renamed@{domain}")
    tenant.site.delete_person(people[3].account_id)
    await labels.hear_all(tenant.world)
    await labels.tend(tenant.world)
    await labels.change_company(tenant, company_id, name="Company renamed")
    await labels.tend(tenant.world)
    await tenant.turn_off()
    tenant.world.clock.advance(timedelta(minutes=1))
    await tenant.turn_on()
    await labels.tend(tenant.world)
    assert labels.names_on(tenant, issues) == [
        "Company by hand",
        "Company by hand",
        "Company renamed",
        None,
        "Company renamed",
    ]


async def test_no_property_of_any_issue_holds_anything_but_a_company(acme: Tenant, globex: Tenant) -> None:
    for tenant in (acme, globex):
        await live(tenant)
    for tenant in (acme, globex):
        companies = {each["id"]: each["name"] for each in (await tenant.get("/api/companies?limit=200"))["values"]}
        written = 0
        for issue in tenant.site.issues:
            assert set(issue.properties) <= {PROPERTY_KEY}
            for value in issue.properties.values():
                assert set(value) == {"id", "name"}
                assert companies[value["id"]] == value["name"]
                written += 1
        assert written >= 5
        said = json.dumps([dict(issue.properties) for issue in tenant.site.issues]).casefold()
        for person in tenant.site.people.values():
            for personal in (person.account_id, person.email, person.display_name):
                assert not personal or personal.casefold() not in said
