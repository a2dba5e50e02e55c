"""What acceptance tests do with companies, organizations and their people on one site."""

import dataclasses
from typing import Any

from addon import app
from addon.storage import company_rules, rule_work
from addon.storage.rule_work import RuleChange, RuleWork
from sandbox.person import Person
from sandbox.place import Organization
from tests.support.world import Tenant


def an_organization(tenant: Tenant, name: str, *, organization_id: str | None = None) -> str:
    """A new organization of the site, and its id."""
    organizations = tenant.site.organizations
    new_id = organization_id or str(max((int(each) for each in organizations), default=0) + 1)
    organizations[new_id] = Organization(organization_id=new_id, uuid=f"uuid-{new_id}", name=name)
    return new_id


def rename_organization(tenant: Tenant, organization_id: str, name: str) -> None:
    organizations = tenant.site.organizations
    organizations[organization_id] = dataclasses.replace(organizations[organization_id], name=name)


def a_member(tenant: Tenant, name: str, email: str | None, *organization_ids: str) -> Person:
    """A new customer in organizations."""
    person = tenant.a_customer(name, email)
    for organization_id in organization_ids:
        tenant.site.organization_members.add(organization_id, person.account_id)
    return person


def move(tenant: Tenant, person: Person, *, out_of: str | None = None, into: str | None = None) -> None:
    members = tenant.site.organization_members
    if out_of is not None:
        members.remove(out_of, person.account_id)
    if into is not None:
        members.add(into, person.account_id)


async def a_company(tenant: Tenant, name: str, *domains: str, **fields: Any) -> dict[str, Any]:
    answer = await tenant.call("POST", "/api/companies", body={"name": name, "domains": list(domains), **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def companies(tenant: Tenant) -> dict[str, dict[str, Any]]:
    """By name."""
    page = await tenant.get("/api/companies?limit=200")
    return {company["name"]: company for company in page["values"]}


async def edit_company(tenant: Tenant, name: str, /, **fields: Any) -> None:
    company = (await companies(tenant))[name]
    body = {"version": company["version"], **fields}
    answer = await tenant.call("PATCH", f"/api/companies/{company['id']}", body=body)
    assert answer.status_code == 200, answer.text
    await tenant.world.work()


async def choose(tenant: Tenant, person: Person, company_id: str | None) -> None:
    """A person says by hand to which company a contact belongs."""
    contact = await tenant.contact_of(person.account_id)
    company = None if company_id is None else {"id": company_id}
    body = {"version": contact["version"], "company": company}
    answer = await tenant.call("PATCH", f"/api/contacts/{contact['id']}", body=body)
    assert answer.status_code == 200, answer.text
    await tenant.world.work()


async def company_of(tenant: Tenant, person: Person) -> str | None:
    found: dict[str, Any] | None = (await tenant.contact_of(person.account_id))["company"]
    return None if found is None else str(found["name"])


async def decided(tenant: Tenant) -> dict[str, tuple[str | None, str | None]]:
    """By the contacts' names: the company, and what decided about it."""
    async with tenant.world.database.tenant(tenant.tenant_id) as scope:
        rows = await scope.fetch_all(
            """
            SELECT c.name, f.name AS company, c.company_by FROM contact c
            LEFT JOIN company f ON f.tenant_id = c.tenant_id AND f.company_id = c.company_id
            WHERE c.tenant_id = :tenant_id
            """
        )
    return {row["name"]: (row["company"], row["company_by"]) for row in rows}


async def set_rules(tenant: Tenant, **rules: bool) -> None:
    async with tenant.world.database.tenant(tenant.tenant_id) as scope:
        await company_rules.change(scope, **{"by_organization": None, "by_domain": None, **rules})


async def preview(tenant: Tenant) -> RuleWork:
    async with tenant.world.database.tenant(tenant.tenant_id) as scope:
        await rule_work.preview(scope, enqueue=app.enqueue, now=tenant.world.clock())
    return await finished(tenant)


async def apply(tenant: Tenant, number: int) -> RuleWork:
    async with tenant.world.database.tenant(tenant.tenant_id) as scope:
        await rule_work.apply(scope, number, enqueue=app.enqueue, now=tenant.world.clock())
    return await finished(tenant)


async def undo(tenant: Tenant, number: int) -> RuleWork:
    async with tenant.world.database.tenant(tenant.tenant_id) as scope:
        await rule_work.undo(scope, number, enqueue=app.enqueue, now=tenant.world.clock())
    return await finished(tenant)


async def finished(tenant: Tenant) -> RuleWork:
    await tenant.world.work()
    async with tenant.world.database.tenant(tenant.tenant_id) as scope:
        work = await rule_work.read(scope)
    assert work is not None
    return work


async def changes(tenant: Tenant) -> list[RuleChange]:
    async with tenant.world.database.tenant(tenant.tenant_id) as scope:
        return list((await rule_work.changes(scope, cursor=None, limit=200)).items)


async def marks(tenant: Tenant) -> int:
    """How many contacts wait for the rules."""
    async with tenant.world.database.tenant(tenant.tenant_id) as scope:
        waiting: int = await scope.fetch_val("SELECT count(*) FROM company_due WHERE tenant_id = :tenant_id")
    return waiting
