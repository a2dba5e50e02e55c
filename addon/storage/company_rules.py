"""Which rules may give contacts a company here (C2), and which organizations do the rules not know what to do with?"""

from collections.abc import Sequence
from dataclasses import dataclass

from addon.crm.assignment import RuleSettings
from addon.storage import sync_state
from addon.storage.database import TenantScope
from addon.sync.filters import ORGANIZATIONS, Named


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmatched:
    """Organizations that the filters mean, without a company since several companies, or that of another organization, have
    their name: the first by name, of `total`.
    """

    shown: Sequence[Named]
    total: int


async def read(scope: TenantScope) -> RuleSettings:
    row = await scope.fetch_one("SELECT by_organization, by_domain FROM company_rule WHERE tenant_id = :tenant_id")
    return RuleSettings() if row is None else RuleSettings(**row)


async def change(scope: TenantScope, *, by_organization: bool | None, by_domain: bool | None) -> RuleSettings:
    """None leaves as it is. Contacts that are there keep what they have until a person applies the rules (C3)."""
    await scope.execute("INSERT INTO company_rule (tenant_id) VALUES (:tenant_id) ON CONFLICT DO NOTHING")
    await scope.execute(
        """
        UPDATE company_rule SET by_organization = coalesce(:by_organization, by_organization),
            by_domain = coalesce(:by_domain, by_domain),
            -- Organizations get their companies when they are read next, which is soon then.
            organizations_read_at = CASE WHEN :by_organization AND NOT by_organization THEN NULL
                ELSE organizations_read_at END
        WHERE tenant_id = :tenant_id
        """,
        by_organization=by_organization,
        by_domain=by_domain,
    )
    return await read(scope)


async def is_ready(scope: TenantScope) -> bool:
    """Whether the sync is on, has read everybody once, and knows the organizations: what rules say before is not meant."""
    found = await scope.fetch_val(
        """
        SELECT EXISTS (SELECT FROM sync_setting s JOIN probe_state p USING (tenant_id) JOIN company_rule r USING (tenant_id)
            WHERE s.tenant_id = :tenant_id AND s.enabled AND r.organizations_read_at IS NOT NULL)
        """
    )
    return bool(found)


async def unmatched(scope: TenantScope, *, limit: int) -> Unmatched:
    """None while no rule looks for their companies."""
    if not (await read(scope)).by_organization:
        return Unmatched(shown=(), total=0)
    admitted = (await sync_state.read_scope(scope)).filters.containers(ORGANIZATIONS)
    rows = await scope.fetch_all(
        """
        SELECT o.organization_id, o.name, count(*) OVER () AS total FROM organization o
        WHERE o.tenant_id = :tenant_id AND NOT o.is_declined
            AND (CAST(:admitted AS text[]) IS NULL OR o.organization_id = ANY(CAST(:admitted AS text[])))
            AND NOT EXISTS (
                SELECT FROM company c WHERE c.tenant_id = :tenant_id AND c.organization_id = o.organization_id)
            AND EXISTS (SELECT FROM company c WHERE c.tenant_id = :tenant_id AND c.name_key = o.name_key)
        ORDER BY o.name_key, o.organization_id LIMIT :limit
        """,
        admitted=None if admitted is None else list(admitted),
        limit=limit,
    )
    shown = [Named(id=row["organization_id"], name=row["name"]) for row in rows]
    return Unmatched(shown=shown, total=rows[0]["total"] if rows else 0)
