"""Which job must look at what the database marked as due? Marks stay until their work is written; a turn keeps the job that
is just ending apart from the next one, so that no mark waits for a job that will not see it.
"""

from typing import Literal, assert_never

from addon.storage.database import TenantScope
from addon.storage.sync_state import Enqueue
from addon.sync.work import Work

Duty = Literal["companies", "issues"]


async def call(scope: TenantScope, duty: Duty, *, enqueue: Enqueue) -> None:
    """Have the job look, if anything is marked. Whoever marks something calls it in the same transaction."""
    if not await is_due(scope, duty):
        return
    await scope.execute(
        "INSERT INTO duty (tenant_id, kind) VALUES (:tenant_id, :kind) ON CONFLICT DO NOTHING", kind=duty
    )
    # Held: `rest` waits for this transaction before it says that nothing is left, and then begins a new turn.
    turn = await scope.fetch_val(
        "SELECT turn FROM duty WHERE tenant_id = :tenant_id AND kind = :kind FOR SHARE", kind=duty
    )
    await enqueue(scope, Work(kind=duty, tenant_id=scope.tenant_id, number=turn))


async def is_due(scope: TenantScope, duty: Duty) -> bool:
    match duty:
        case "companies":
            sql = "SELECT EXISTS (SELECT FROM company_due WHERE tenant_id = :tenant_id)"
        case "issues":
            sql = """
                -- What may wait is left to the reading of issues; so is an issue that a call is on its way for.
                SELECT EXISTS (SELECT FROM reporter_due WHERE tenant_id = :tenant_id)
                    OR EXISTS (
                        SELECT FROM issue_due due WHERE tenant_id = :tenant_id AND NOT is_backlog AND NOT EXISTS (
                            SELECT FROM issue_call_item item
                            WHERE item.tenant_id = :tenant_id AND item.issue_id = due.issue_id))
            """
        case _:
            assert_never(duty)
    return bool(await scope.fetch_val(sql))


async def failures(scope: TenantScope, duty: Duty, turn: int) -> int | None:
    """How often in a row the work got nowhere; None where the turn is over. Locks the duty."""
    failed: int | None = await scope.fetch_val(
        "SELECT failures FROM duty WHERE tenant_id = :tenant_id AND kind = :kind AND turn = :turn FOR NO KEY UPDATE",
        kind=duty,
        turn=turn,
    )
    return failed


async def rest(scope: TenantScope, duty: Duty) -> None:
    """Nothing is left to do: the turn is over. The caller holds the duty (`failures`) and has looked since."""
    await scope.execute(
        "UPDATE duty SET turn = turn + 1, failures = 0 WHERE tenant_id = :tenant_id AND kind = :kind", kind=duty
    )


async def note(scope: TenantScope, duty: Duty, *, has_failed: bool) -> None:
    """One more attempt in a row got nowhere, or one got somewhere."""
    await scope.execute(
        """
        UPDATE duty SET failures = CASE WHEN :has_failed THEN failures + 1 ELSE 0 END
        WHERE tenant_id = :tenant_id AND kind = :kind AND (failures > 0 OR :has_failed)
        """,
        kind=duty,
        has_failed=has_failed,
    )
