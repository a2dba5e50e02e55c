"""How do two companies become one? Under the tenant's links, in one transaction; what belonged to one belongs to the other."""

from collections.abc import Collection
from datetime import datetime

from addon.crm.company import MAX_DOMAINS, Company, CompanyId
from addon.errors import FieldProblem, Invalid, NotFound
from addon.storage import assigning, companies, contacts, organizations
from addon.storage.database import TenantScope


async def merge(scope: TenantScope, gone_id: CompanyId, kept_id: CompanyId, *, now: datetime) -> Company:
    """The company that is left: it has the contacts and domains of both. Raises NotFound, Invalid.

    Contacts keep what gave them their company, so that a person's choice stays one. An organization goes along if the other
    company has none, or one that Jira does not know any more.
    """
    await contacts.lock_links(scope)
    # In one order, however they are named: two merges never wait for each other.
    rows = await scope.fetch_all(
        f"""
        SELECT company_id, {organizations.IS_GONE} AS is_organization_gone FROM company
        WHERE tenant_id = :tenant_id AND company_id IN (CAST(:gone_id AS bigint), CAST(:kept_id AS bigint))
        ORDER BY company_id FOR UPDATE OF company
        """,  # noqa: S608 - a constant
        gone_id=gone_id,
        kept_id=kept_id,
    )
    gone = await companies.fetch(scope, gone_id)
    try:
        kept = await companies.fetch(scope, kept_id)
    except NotFound as exc:
        raise _refused("is not the id of a company") from exc
    bereft = {row["company_id"] for row in rows if row["is_organization_gone"]}
    _check(gone, kept, bereft)
    await assigning.mark_ties(scope, gone_id)
    await _move_contacts(scope, gone_id, kept_id, now)
    await _move_domains(scope, gone_id, kept_id)
    organization = await scope.fetch_one(
        """
        DELETE FROM company WHERE tenant_id = :tenant_id AND company_id = :gone_id
        RETURNING organization_id, organization_name
        """,
        gone_id=gone_id,
    )
    if organization is None:
        raise LookupError("the company that was locked is gone")
    goes_along = gone.organization_id is not None and (kept.organization_id is None or kept_id in bereft)
    await scope.execute(
        """
        UPDATE company SET organization_id = CASE WHEN :goes_along THEN :organization_id ELSE organization_id END,
            organization_name = CASE WHEN :goes_along THEN :organization_name ELSE organization_name END,
            version = version + 1, updated_at = :now
        WHERE tenant_id = :tenant_id AND company_id = :kept_id
        """,
        kept_id=kept_id,
        goes_along=goes_along,
        now=now,
        **organization,
    )
    return await companies.fetch(scope, kept_id)


def _check(gone: Company, kept: Company, bereft: Collection[CompanyId]) -> None:
    """`bereft`: of which the organization is no more."""
    if gone.company_id == kept.company_id:
        raise _refused("is the company itself")
    if all(each.organization_id is not None and each.company_id not in bereft for each in (gone, kept)):
        raise _refused("follows another organization; each stands for one company")
    if len({*gone.domains, *kept.domains}) > MAX_DOMAINS:
        raise _refused(f"would have more than {MAX_DOMAINS} domains; remove some first")


def _refused(problem: str) -> Invalid:
    return Invalid([FieldProblem(field="intoCompanyId", problem=problem)])


async def _move_contacts(scope: TenantScope, gone_id: CompanyId, kept_id: CompanyId, now: datetime) -> None:
    await scope.execute(
        """
        UPDATE contact SET company_id = :kept_id, version = version + 1,
            -- Whom nobody edited, nobody has edited still.
            synced_version = CASE WHEN synced_version = version THEN version + 1 ELSE synced_version END, updated_at = :now
        WHERE tenant_id = :tenant_id AND company_id = :gone_id
        """,
        gone_id=gone_id,
        kept_id=kept_id,
        now=now,
    )


async def _move_domains(scope: TenantScope, gone_id: CompanyId, kept_id: CompanyId) -> None:
    await scope.execute(
        """
        INSERT INTO company_domain (tenant_id, company_id, domain)
        SELECT tenant_id, CAST(:kept_id AS bigint), domain FROM company_domain
        WHERE tenant_id = :tenant_id AND company_id = :gone_id
        ON CONFLICT DO NOTHING
        """,
        gone_id=gone_id,
        kept_id=kept_id,
    )
