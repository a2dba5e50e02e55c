"""Where are companies kept, with their email domains and the number of their contacts?

Every function runs inside the caller's transaction. Does not assign contacts to companies.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from addon.crm import contact
from addon.crm.company import Company, CompanyId, CompanyRef, DomainNameError, company_key, normalize_domain
from addon.crm.draft import CompanyEdit, Reading
from addon.errors import FieldProblem, Invalid, NotFound, StaleVersion
from addon.storage import assigning, contacts, keyset, needle, organizations
from addon.storage.database import Row, TenantScope

LIST = "companies"
COMPANIES = """
    SELECT c.company_id, c.name, c.name_key, c.organization_id, c.version, c.updated_at,
           ARRAY(SELECT d.domain FROM company_domain d
                 WHERE d.tenant_id = c.tenant_id AND d.company_id = c.company_id ORDER BY d.domain) AS domains,
           (SELECT count(*) FROM contact p
            WHERE p.tenant_id = c.tenant_id AND p.company_id = c.company_id) AS contacts
    FROM company c
    WHERE c.tenant_id = :tenant_id AND {conditions}
"""

HAS_DOMAIN_LIKE = """
    EXISTS (SELECT 1 FROM company_domain d
            WHERE d.tenant_id = :tenant_id AND d.company_id = c.company_id
              AND d.domain LIKE ANY(CAST(:domain_patterns AS text[])))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which companies, in which order. `query`: part of the name or of a domain; None and "" find all."""

    query: str | None = None
    sort: keyset.Sort = keyset.BY_NAME
    cursor: str | None = None
    limit: int = keyset.DEFAULT_LIMIT


async def fetch(scope: TenantScope, company_id: CompanyId) -> Company:
    """Raises NotFound."""
    row = await scope.fetch_one(
        COMPANIES.format(conditions="c.company_id = CAST(:company_id AS bigint)"), company_id=company_id
    )
    if row is None:
        raise NotFound("There is no such company.")
    return _company(row)


async def search(scope: TenantScope, wanted: Search) -> keyset.Page[Company]:
    """One page of the companies that fit. Raises Invalid for a cursor of another list."""
    conditions, values = ["true"], dict[str, object]()
    if wanted.query and wanted.query.strip():
        conditions.append(f"(c.name_key LIKE ANY(CAST(:name_patterns AS text[])) OR {HAS_DOMAIN_LIKE})")
        values["name_patterns"] = _name_patterns(wanted.query)
        values["domain_patterns"] = _domain_patterns(wanted.query)
    sort = wanted.sort
    if wanted.cursor is not None:
        position = keyset.read_cursor(LIST, wanted.cursor, sort)
        conditions.append(f"(c.{sort.column}, c.company_id) {sort.comparison} (:after_key, :after_id)")
        values |= {"after_key": position.key, "after_id": position.row_id}
    sql = COMPANIES.format(conditions=" AND ".join(conditions))
    sql += f" ORDER BY c.{sort.column} {sort.direction}, c.company_id {sort.direction} LIMIT CAST(:limit AS bigint)"
    rows = await scope.fetch_all(sql, limit=wanted.limit + 1, **values)
    shown = rows[: wanted.limit]
    next_cursor = None
    if len(rows) > wanted.limit:
        last = keyset.Position(key=shown[-1][sort.column], row_id=shown[-1]["company_id"])
        next_cursor = keyset.write_cursor(LIST, sort, last)
    return keyset.Page(items=[_company(row) for row in shown], next_cursor=next_cursor)


async def find_ref(scope: TenantScope, company_id: CompanyId) -> CompanyRef | None:
    """None where there is none. Cheaper than `fetch`, which counts contacts."""
    row = await scope.fetch_one(
        "SELECT company_id, name FROM company WHERE tenant_id = :tenant_id AND company_id = CAST(:company_id AS bigint)",
        company_id=company_id,
    )
    return None if row is None else CompanyRef(company_id=CompanyId(row["company_id"]), name=row["name"])


async def is_any_named(scope: TenantScope, domains: Sequence[str]) -> bool:
    """Whether a company has one of these email domains."""
    return bool(
        await scope.fetch_val(
            """
            SELECT EXISTS (
                SELECT FROM company_domain WHERE tenant_id = :tenant_id AND domain = ANY(CAST(:domains AS text[])))
            """,
            domains=list(domains),
        )
    )


async def named(scope: TenantScope, name: str) -> list[CompanyRef]:
    """The companies of this name, spaces and case aside."""
    rows = await scope.fetch_all(
        "SELECT company_id, name FROM company WHERE tenant_id = :tenant_id AND name_key = :name_key ORDER BY company_id",
        # The index knows names without their accents, which may be those of another company: the key tells.
        name_key=contact.name_key(name),
    )
    refs = [CompanyRef(company_id=CompanyId(row["company_id"]), name=row["name"]) for row in rows]
    return [ref for ref in refs if company_key(ref.name) == company_key(name)]


async def choices(scope: TenantScope, *, query: str, limit: int) -> list[CompanyRef]:
    """The first companies by name that a person may choose from; cheaper than `search`, which counts contacts."""
    rows = await scope.fetch_all(
        """
        SELECT company_id, name FROM company
        WHERE tenant_id = :tenant_id AND (:is_all OR name_key LIKE ANY(CAST(:name_patterns AS text[])))
        ORDER BY name_key, company_id LIMIT CAST(:limit AS bigint)
        """,
        is_all=not query.strip(),
        name_patterns=_name_patterns(query),
        limit=limit,
    )
    return [CompanyRef(company_id=CompanyId(row["company_id"]), name=row["name"]) for row in rows]


async def create(scope: TenantScope, reading: Reading[CompanyEdit], *, now: datetime) -> Company:
    """Raises Invalid."""
    if reading.problems:
        raise Invalid(reading.problems)
    edit = reading.edit
    with _one_company_per_organization():
        new_id = await scope.fetch_val(
            """
            INSERT INTO company (tenant_id, name, name_key, organization_id, created_at, updated_at)
            VALUES (:tenant_id, :name, :name_key, :organization_id, :now, :now)
            RETURNING company_id
            """,
            name=edit["name"],
            name_key=contact.name_key(edit["name"]),
            organization_id=edit.get("organization_id"),
            now=now,
        )
    company_id = CompanyId(new_id)
    await _replace_domains(scope, company_id, edit.get("domains", ()))
    return await fetch(scope, company_id)


async def edit(scope: TenantScope, company_id: CompanyId, reading: Reading[CompanyEdit], *, now: datetime) -> Company:
    """Raises NotFound, Invalid, StaleVersion."""
    if reading.problems:
        raise Invalid(reading.problems)
    await contacts.lock_links(scope)
    present = await _lock(scope, company_id)
    if present.version != reading.version:
        raise StaleVersion("The company was changed after you read it. Load it again, then repeat your change.")
    wanted = reading.edit
    name = wanted.get("name", present.name)
    organization_id = wanted.get("organization_id", present.organization_id)
    with _one_company_per_organization():
        await scope.execute(
            """
            UPDATE company SET name = :name, name_key = :name_key, organization_id = :organization_id,
                   -- What another organization was called says nothing of this one.
                   organization_name = CASE WHEN organization_id IS NOT DISTINCT FROM CAST(:organization_id AS text)
                       THEN organization_name END,
                   version = version + 1, updated_at = :now
            WHERE tenant_id = :tenant_id AND company_id = :company_id
            """,
            company_id=company_id,
            name=name,
            name_key=contact.name_key(name),
            organization_id=organization_id,
            now=now,
        )
    if present.organization_id not in {None, organization_id}:
        await _let_organization_go(scope, present, now)
    if "domains" in wanted:
        await _replace_domains(scope, company_id, wanted["domains"])
    await assigning.mark_ties(scope, company_id)
    return await fetch(scope, company_id)


async def delete(scope: TenantScope, company_id: CompanyId, *, now: datetime) -> None:
    """Its contacts stay, without a company, and the rules look for another one. Raises NotFound."""
    await contacts.lock_links(scope)
    present = await _lock(scope, company_id)
    await assigning.mark_ties(scope, company_id)
    await _let_organization_go(scope, present, now)
    await scope.execute(
        """
        UPDATE contact SET company_id = NULL, company_by = NULL, version = version + 1,
            -- Whom nobody edited, nobody has edited still.
            synced_version = CASE WHEN synced_version = version THEN version + 1 ELSE synced_version END, updated_at = :now
        WHERE tenant_id = :tenant_id AND company_id = :company_id
        """,
        company_id=company_id,
        now=now,
    )
    await scope.execute(
        "DELETE FROM company WHERE tenant_id = :tenant_id AND company_id = :company_id", company_id=company_id
    )


def _name_patterns(query: str) -> list[str]:
    """None for combining marks alone, which are nothing as a name."""
    key = contact.name_key(query)
    return [needle.contains(key)] if key else []


def _domain_patterns(query: str) -> list[str]:
    """A domain is stored in its A-labels, which nobody types."""
    typed = query.strip().removeprefix("@").lower()
    written = [typed] if typed else []
    with suppress(DomainNameError):
        written.append(normalize_domain(typed))
    return [needle.contains(part) for part in written]


async def _lock(scope: TenantScope, company_id: CompanyId) -> Company:
    await scope.execute(
        "SELECT 1 FROM company WHERE tenant_id = :tenant_id AND company_id = :company_id FOR UPDATE",
        company_id=company_id,
    )
    return await fetch(scope, company_id)


async def _let_organization_go(scope: TenantScope, company: Company, now: datetime) -> None:
    if company.organization_id is not None:
        await organizations.decline(scope, company.organization_id, company.name, now=now)


async def _replace_domains(scope: TenantScope, company_id: CompanyId, domains: tuple[str, ...]) -> None:
    await scope.execute(
        "DELETE FROM company_domain WHERE tenant_id = :tenant_id AND company_id = :company_id", company_id=company_id
    )
    await scope.execute(
        """
        INSERT INTO company_domain (tenant_id, company_id, domain)
        SELECT :tenant_id, CAST(:company_id AS bigint), unnest(CAST(:domains AS text[]))
        """,
        company_id=company_id,
        domains=list(domains),
    )


@contextmanager
def _one_company_per_organization() -> Iterator[None]:
    try:
        yield
    except asyncpg.UniqueViolationError as exc:
        problem = FieldProblem(field="organizationId", problem="belongs to another company already")
        raise Invalid([problem]) from exc


def _company(row: Row) -> Company:
    return Company(
        company_id=CompanyId(row["company_id"]),
        name=row["name"],
        domains=tuple(row["domains"]),
        organization_id=row["organization_id"],
        contacts=row["contacts"],
        version=row["version"],
    )
