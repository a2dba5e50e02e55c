"""How is the latest run taken back (D17)? Asked for by an administrator, carried out by a job, a part at a time.

It turns the sync off: a sync that is on would do the same again. What becomes of each contact is `addon.sync.undo`'s.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from addon.crm import contact as crm
from addon.errors import FieldProblem, Invalid
from addon.storage import departures, plan_rows, sync_state
from addon.storage.database import TenantScope
from addon.storage.sync_state import Enqueue, SyncStatus
from addon.sync import undo
from addon.sync.people import Cause, Change
from addon.sync.undo import Link, Present, TakenBack
from addon.sync.work import Work

TAKEN_BACK_AT_ONCE = 500
# Changes undone in one transaction, in which nobody else of the tenant can edit contacts.


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What has become of the newest undoing: how many changes were taken back, and how many were left."""

    run_id: int
    state: Literal["running", "done", "cancelled"]
    requested_at: datetime
    undone: int
    left_alone: int


async def read(scope: TenantScope) -> Outcome | None:
    """None where nothing was undone yet."""
    row = await scope.fetch_one(
        "SELECT run_id, state, requested_at, undone, left_alone FROM undo WHERE tenant_id = :tenant_id"
    )
    return None if row is None else Outcome(**row)


async def begin(scope: TenantScope, run_id: int, *, enqueue: Enqueue, now: datetime) -> SyncStatus:
    """Turn the sync off and have the run taken back; asked twice is asked once.

    Raises NotFound, and Invalid unless the run is the latest and has ended.
    """
    wanted = await sync_state.run(scope, run_id)
    await sync_state.lock_switch(scope)
    latest = await scope.fetch_val("SELECT max(run_id) FROM sync_run WHERE tenant_id = :tenant_id")
    if wanted.id != latest:
        raise Invalid([FieldProblem(field="id", problem="is not the latest run; only that can be undone")])
    if wanted.state == "running":
        raise Invalid([FieldProblem(field="id", problem="is still going; let it end, or turn the sync off")])
    status = await sync_state.switch(scope, enabled=False, include_inactive=None, enqueue=enqueue, now=now)
    state = await scope.fetch_val(
        """
        INSERT INTO undo (tenant_id, run_id, state, before_change_id, requested_at)
        SELECT :tenant_id, :run_id, 'running', coalesce(max(change_id), 0) + 1, :now
        FROM change WHERE tenant_id = :tenant_id AND run_id = :run_id
        ON CONFLICT (tenant_id) DO UPDATE SET run_id = EXCLUDED.run_id, state = EXCLUDED.state,
            before_change_id = EXCLUDED.before_change_id, requested_at = EXCLUDED.requested_at, undone = 0, left_alone = 0
        -- One that goes on, or is done, is not begun again.
        WHERE undo.run_id <> EXCLUDED.run_id
        RETURNING state
        """,
        run_id=run_id,
        now=now,
    )
    if state is not None:
        await enqueue(scope, Work(kind="undo", tenant_id=scope.tenant_id, number=run_id))
    return status


async def carry_on(scope: TenantScope, run_id: int, *, now: datetime) -> bool:
    """Take some more changes back; whether there may be more. Whoever turns the sync on meanwhile ends it."""
    switch = await sync_state.lock_switch(scope)
    before = await scope.fetch_val(
        """
        SELECT before_change_id FROM undo WHERE tenant_id = :tenant_id AND run_id = :run_id AND state = 'running'
        """,
        run_id=run_id,
    )
    if before is None:
        return False
    if switch.enabled:
        await _close(scope, run_id, "cancelled")
        return False
    # First every link becomes a memory: those of the run are then forgotten.
    if await departures.clear_links(scope, now=now):
        return True
    rows = await scope.fetch_all(
        """
        SELECT change_id, contact_id, account_id, field, old, new, cause FROM change
        WHERE tenant_id = :tenant_id AND run_id = :run_id AND change_id < :before AND cause NOT IN (:undone, :left)
        ORDER BY change_id DESC LIMIT :limit
        """,
        run_id=run_id,
        before=before,
        undone=Cause.UNDONE,
        left=Cause.LEFT_ALONE,
        limit=TAKEN_BACK_AT_ONCE,
    )
    changes = [Change(**{name: value for name, value in row.items() if name != "change_id"}) for row in rows]
    taken = undo.take_back(changes, await _read_present(scope, changes), await _read_links(scope, changes))
    await _write(scope, taken, run_id, now)
    if len(rows) < TAKEN_BACK_AT_ONCE:
        await _close(scope, run_id, "done")
        return False
    await scope.execute(
        "UPDATE undo SET before_change_id = :before WHERE tenant_id = :tenant_id AND run_id = :run_id",
        run_id=run_id,
        before=rows[-1]["change_id"],
    )
    return True


async def _read_present(scope: TenantScope, changes: Sequence[Change]) -> Sequence[Present]:
    rows = await scope.fetch_all(
        f"""
        SELECT contact_id, name, email, (version IS DISTINCT FROM synced_version OR NOT {plan_rows.IS_BARE}) AS is_edited
        FROM contact WHERE tenant_id = :tenant_id AND contact_id = ANY(CAST(:contact_ids AS bigint[]))
        """,  # noqa: S608 - a constant
        contact_ids=[change.contact_id for change in changes],
    )
    return [Present(**row) for row in rows]


async def _read_links(scope: TenantScope, changes: Sequence[Change]) -> Collection[Link]:
    rows = await scope.fetch_all(
        """
        SELECT account_id, remembered_contact_id FROM account
        WHERE tenant_id = :tenant_id AND account_id = ANY(CAST(:account_ids AS text[]))
            AND remembered_contact_id IS NOT NULL
        """,
        account_ids=[change.account_id for change in changes],
    )
    return {(row["account_id"], row["remembered_contact_id"]) for row in rows}


async def _write(scope: TenantScope, taken: TakenBack, run_id: int, now: datetime) -> None:
    await scope.raw.execute(
        """
        DELETE FROM account USING unnest($2::text[], $3::bigint[]) AS made (account_id, contact_id)
        WHERE account.tenant_id = $1 AND account.account_id = made.account_id
            AND account.remembered_contact_id = made.contact_id
        """,
        scope.tenant_id,
        [account_id for account_id, _ in taken.unlinked],
        [contact_id for _, contact_id in taken.unlinked],
    )
    await scope.raw.execute(
        "DELETE FROM account WHERE tenant_id = $1 AND remembered_contact_id = ANY($2::bigint[])",
        scope.tenant_id,
        taken.deleted,
    )
    await scope.raw.execute(
        "DELETE FROM contact WHERE tenant_id = $1 AND contact_id = ANY($2::bigint[])", scope.tenant_id, taken.deleted
    )
    await scope.raw.execute(
        """
        UPDATE contact SET name = old.name, name_key = old.name_key, email = old.email, email_key = old.email_key,
            -- Who had edited it has edited it still.
            synced_version = CASE WHEN synced_version = version THEN version + 1 ELSE synced_version END,
            version = version + 1, updated_at = $2
        FROM unnest($3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[])
            AS old (contact_id, name, name_key, email, email_key)
        WHERE contact.tenant_id = $1 AND contact.contact_id = old.contact_id
        """,
        scope.tenant_id,
        now,
        [contact.contact_id for contact in taken.restored],
        [contact.name for contact in taken.restored],
        [crm.name_key(contact.name) for contact in taken.restored],
        [contact.email for contact in taken.restored],
        [contact.email_key for contact in taken.restored],
    )
    await plan_rows.write_changes(scope, taken.changes, run_id=run_id, now=now)
    causes = Counter(change.cause for change in taken.changes)
    await scope.execute(
        """
        UPDATE undo SET undone = undone + :undone, left_alone = left_alone + :left_alone
        WHERE tenant_id = :tenant_id AND run_id = :run_id
        """,
        run_id=run_id,
        undone=causes[Cause.UNDONE],
        left_alone=causes[Cause.LEFT_ALONE],
    )


async def _close(scope: TenantScope, run_id: int, state: str) -> None:
    await scope.execute(
        "UPDATE undo SET state = :state WHERE tenant_id = :tenant_id AND run_id = :run_id", run_id=run_id, state=state
    )
