"""Which Jira groups may use this site's contacts and companies (D13)? Kept with the tenant's settings."""

from collections.abc import Sequence

from addon.storage.database import TenantScope


async def groups(scope: TenantScope) -> Sequence[str]:
    """Ids of groups; none leave contacts to Jira administrators."""
    found: Sequence[str] | None = await scope.fetch_val(
        "SELECT crm_groups FROM sync_setting WHERE tenant_id = :tenant_id"
    )
    return found or ()


async def set_groups(scope: TenantScope, group_ids: Sequence[str]) -> None:
    await scope.execute(
        """
        INSERT INTO sync_setting (tenant_id, crm_groups) VALUES (:tenant_id, :group_ids)
        ON CONFLICT (tenant_id) DO UPDATE SET crm_groups = EXCLUDED.crm_groups
        """,
        group_ids=list(group_ids),
    )
