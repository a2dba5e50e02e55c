"""What does a person see of a tenant's contacts now? Read as the pages read it, without the way through HTTP and Jira."""

from collections.abc import Mapping
from dataclasses import dataclass

from addon.crm.contact import Contact
from addon.storage import attention, contacts, keyset
from addon.storage.database import Database
from lifecycle.tenant import TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One contact. `links`: account, by what it was linked, its name and whether it is active; the primary one first."""

    name: str
    email: str | None
    by_hand: bool
    typed: Mapping[str, str]
    links: tuple[tuple[str, str, str, bool], ...]
    read_only: tuple[str, ...]
    deletable: bool
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One line of *Needs attention*."""

    attention_id: int
    kind: str
    account_id: str
    candidates: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    contacts: Mapping[int, Shown]

    def contact_of(self, account_id: str) -> int | None:
        found = [i for i, shown in self.contacts.items() if account_id in [link[0] for link in shown.links]]
        assert len(found) <= 1, f"{account_id} is linked to {found}"
        return found[0] if found else None


async def read(database: Database, tenant_id: TenantId) -> View:
    async with database.tenant(tenant_id) as scope:
        rows = await scope.fetch_all("SELECT contact_id FROM contact WHERE tenant_id = :tenant_id")
        found = await contacts.fetch_some(scope, [row["contact_id"] for row in rows])
    return View(contacts={each.contact_id: _show(each) for each in found})


async def questions(database: Database, tenant_id: TenantId) -> list[Question]:
    async with database.tenant(tenant_id) as scope:
        page = await attention.page(scope, cursor=None, limit=keyset.MAX_LIMIT)
    return [
        Question(
            attention_id=item.attention_id,
            kind=item.kind,
            account_id="" if item.account is None else item.account.account_id,
            candidates=tuple(item.candidates),
        )
        for item in page.items
    ]


async def overwritten(database: Database, tenant_id: TenantId, contact_id: int, field: str) -> set[str | None]:
    """The former values of a field that the history of a contact keeps."""
    async with database.tenant(tenant_id) as scope:
        rows = await scope.fetch_all(
            "SELECT old FROM change WHERE tenant_id = :tenant_id AND contact_id = :contact_id AND field = :field",
            contact_id=contact_id,
            field=field,
        )
    return {row["old"] for row in rows}


def _show(found: Contact) -> Shown:
    typed = {
        "phone": found.phone,
        "jobTitle": found.job_title,
        "company": None if found.company is None else found.company.name,
    }
    return Shown(
        name=found.name,
        email=found.email,
        by_hand=found.origin == "manual",
        typed={name: value for name, value in typed.items() if value is not None},
        links=tuple((a.account_id, a.linked_by, a.display_name, a.active) for a in found.accounts),
        read_only=found.read_only,
        deletable=found.deletable,
        version=found.version,
    )
