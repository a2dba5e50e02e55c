"""What does a tenant with its sync on need now and then? Read in one look, since every tenant is looked at each minute."""

from dataclasses import dataclass
from datetime import datetime

from addon.storage.database import TenantScope


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """`open_run`: the run that is going. `open_turn`: the number of the job that reads open hints, where there are any.

    `last_began`: when the newest run began. `drained_at`: when Jira's list of failed deliveries was read last.
    `probe_due_at`: when to look for what no event told; None before there is anything to compare with.
    """

    open_run: int | None
    open_turn: int | None
    last_began: datetime | None
    drained_at: datetime | None
    probe_due_at: datetime | None


async def read(scope: TenantScope) -> Standing | None:
    """None while the sync is off."""
    row = await scope.fetch_one(
        """
        SELECT
            (SELECT run_id FROM sync_run WHERE tenant_id = :tenant_id AND state = 'running') AS open_run,
            (SELECT turn FROM webhook_state WHERE tenant_id = :tenant_id
                AND EXISTS (SELECT 1 FROM webhook_delivery WHERE tenant_id = :tenant_id AND done_at IS NULL)
            ) AS open_turn,
            (SELECT started_at FROM sync_run WHERE tenant_id = :tenant_id ORDER BY run_id DESC LIMIT 1) AS last_began,
            (SELECT drained_at FROM webhook_state WHERE tenant_id = :tenant_id) AS drained_at,
            (SELECT due_at FROM probe_state WHERE tenant_id = :tenant_id) AS probe_due_at
        FROM sync_setting WHERE tenant_id = :tenant_id AND enabled
        """
    )
    return None if row is None else Standing(**row)
