"""What do the issues of a site say, and who has which company? For tests of the property that the add-on writes."""

from collections.abc import Sequence
from typing import Any

from addon.issues.label import PROPERTY_KEY
from addon.storage import issue_state
from addon.storage.issue_state import IssueStatus
from sandbox.issues import Issue
from sandbox.person import Person
from tests.support.world import Tenant, World

Name = str | None


async def a_company(tenant: Tenant, name: str, **more: Any) -> str:
    """The id of a new company."""
    answer = await tenant.call("POST", "/api/companies", body={"name": name, **more})
    assert answer.status_code == 201, answer.text
    company_id: str = answer.json()["id"]
    return company_id


async def a_reporter(acme: Tenant, globex: Tenant) -> Person:
    """Ann, whose contact belongs to a company on the first of two synced sites; what was there before is written."""
    person = acme.a_customer("Ann Example", "ann@example.com")
    globex.site.add_person(person)
    for tenant in (acme, globex):
        await tenant.turn_on()
    await set_company(acme, person.account_id, await a_company(acme, "Acme"))
    for _ in range(3):
        await tend(acme.world)
    return person


async def set_company(tenant: Tenant, account_id: str, company_id: str | None) -> None:
    """A person says which company the account's contact belongs to."""
    contact = await tenant.contact_of(account_id)
    body = {"version": contact["version"], "company": company_id and {"id": company_id}}
    answer = await tenant.call("PATCH", f"/api/contacts/{contact['id']}", body=body)
    assert answer.status_code == 200, answer.text


async def change_company(tenant: Tenant, company_id: str, **changes: Any) -> None:
    company = await tenant.get(f"/api/companies/{company_id}")
    answer = await tenant.call("PATCH", f"/api/companies/{company_id}", body={"version": company["version"], **changes})
    assert answer.status_code == 200, answer.text


def value_of(tenant: Tenant, issue: Issue) -> Any:
    """The issue's property as it is on the site now; None for none."""
    found = tenant.site.issues.find(issue.issue_id)
    assert found is not None
    return found.properties.get(PROPERTY_KEY)


def name_on(tenant: Tenant, issue: Issue) -> Name:
    """The company's name that the issue's property says."""
    value = value_of(tenant, issue)
    return None if value is None else value["name"]


def names_on(tenant: Tenant, issues: Sequence[Issue]) -> list[Name]:
    return [name_on(tenant, issue) for issue in issues]


def writes(world: World, *, since: int = 0) -> list[tuple[str, str]]:
    """The calls that wrote properties, and the looks at their tasks, with issues' numbers left out of the addresses."""
    calls = [
        (method, "/".join("{id}" if part.isdecimal() and part != "3" else part for part in path.split("/")), status)
        for method, path, status in world.jira.calls[since:]
    ]
    return [
        (method, path.removeprefix("/rest/api/3/").replace(PROPERTY_KEY, "{key}"))
        for method, path, status in calls
        if status < 400 and ("/properties" in path or "/task/" in path)
    ]


async def tend(world: World) -> None:
    """A minute of the clock: what is due is begun, and done."""
    await world.parts.schedules().tend()
    await world.work()


async def hear_all(world: World) -> None:
    """Every webhook is delivered, and what follows is done."""
    await world.cloud.deliver()
    await world.work()
    while await world.cloud.deliver():
        await world.work()


async def status(tenant: Tenant) -> IssueStatus:
    async with tenant.world.database.tenant(tenant.tenant_id) as scope:
        return await issue_state.status(scope)


async def set_share(tenant: Tenant, percent: int) -> None:
    async with tenant.world.database.tenant(tenant.tenant_id) as scope:
        await issue_state.set_share(scope, percent)
