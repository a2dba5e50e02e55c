"""Who left? Accounts that a whole scan did not meet (S10), the guard against believing too much (D9), and links at the
end of the sync (S12, D10). A contact that loses its link stays.
"""

from collections.abc import Sequence
from datetime import datetime

from addon.errors import Remark
from addon.storage import plan_rows
from addon.storage.database import Row, TenantScope
from addon.sync import cursor as cursors
from addon.sync import guard
from addon.sync import plan as plans
from addon.sync.people import AttentionKind, Cause
from lifecycle.tenant import AccountId

CLEARED_AT_ONCE = 5000
# Links cleared in one transaction: some 100 ms, in which nobody else of the tenant can edit contacts.


async def unseen(scope: TenantScope, run_id: int, *, after: str, limit: int) -> Sequence[AccountId]:
    """The accounts that the run has not met, in order, behind `after`."""
    rows = await scope.fetch_all(
        """
        SELECT account_id FROM account
        WHERE tenant_id = :tenant_id AND seen_in_run IS DISTINCT FROM :run_id AND account_id > :after
        ORDER BY account_id LIMIT :limit
        """,
        run_id=run_id,
        after=after,
        limit=limit,
    )
    return [row["account_id"] for row in rows]


async def finish_run(scope: TenantScope, run_id: int, *, remark: Remark | None = None, now: datetime) -> None:
    """End a run whose scan was whole: who was neither met nor found by id is gone, and whom the filters do not mean any
    more leaves (D11), unless the guard holds them back. `remark`: shown to administrators beside the run.
    """
    counts = await scope.fetch_one(
        """
        SELECT count(*) AS links, count(*) FILTER (WHERE seen_in_run IS DISTINCT FROM :run_id OR NOT in_scope) AS gone
        FROM account WHERE tenant_id = :tenant_id AND contact_id IS NOT NULL
        """,
        run_id=run_id,
    )
    if counts is None:
        raise LookupError("a query of counts gave no row")
    is_plausible = guard.is_plausible(gone=counts["gone"], links=counts["links"])
    if is_plausible:
        await _drop_gone(scope, run_id, now)
        await release(scope, run_id, now=now)
    await _note_guard(scope, run_id, is_open=not is_plausible, now=now)
    await scope.execute(
        """
        UPDATE sync_run SET state = 'done', phase = :phase, finished_at = :now, total = seen,
            unlinked = :unlinked, error = :remark
        WHERE tenant_id = :tenant_id AND run_id = :run_id AND state = 'running'
        """,
        run_id=run_id,
        phase=cursors.DONE,
        unlinked=counts["gone"] if is_plausible else 0,
        remark=remark,
        now=now,
    )


async def _drop_gone(scope: TenantScope, run_id: int, now: datetime) -> None:
    left = await scope.fetch_all(
        """
        WITH gone AS (
            DELETE FROM account WHERE tenant_id = :tenant_id AND seen_in_run IS DISTINCT FROM :run_id
            RETURNING account_id, contact_id
        ), settled AS (
            DELETE FROM attention USING gone
            WHERE attention.tenant_id = :tenant_id AND attention.account_id = gone.account_id
        ), recorded AS (
            INSERT INTO change (tenant_id, run_id, contact_id, account_id, field, old, cause, at)
            SELECT :tenant_id, :run_id, contact_id, account_id, 'syncedJiraUser', account_id, :cause, :now
            FROM gone WHERE contact_id IS NOT NULL
        )
        SELECT contact_id FROM gone WHERE contact_id IS NOT NULL
        """,
        run_id=run_id,
        cause=Cause.DELETED,
        now=now,
    )
    await _follow_who_is_left(scope, left, run_id, now)


async def release(scope: TenantScope, run_id: int, *, now: datetime) -> int:
    """Unlink whom the filters do not mean any more (D11), and remember the link, so that it comes back with them."""
    left = await scope.fetch_all(
        """
        WITH leaving AS (
            SELECT account_id, contact_id, linked_by FROM account
            -- Whom a later run has marked is that run's to release, under the guard.
            WHERE tenant_id = :tenant_id AND contact_id IS NOT NULL AND NOT in_scope AND seen_in_run <= :run_id
        ), released AS (
            UPDATE account SET contact_id = NULL, linked_by = NULL,
                remembered_contact_id = leaving.contact_id, remembered_by = leaving.linked_by
            FROM leaving WHERE account.tenant_id = :tenant_id AND account.account_id = leaving.account_id
        ), settled AS (
            DELETE FROM attention USING leaving
            WHERE attention.tenant_id = :tenant_id AND attention.account_id = leaving.account_id
        ), recorded AS (
            INSERT INTO change (tenant_id, run_id, contact_id, account_id, field, old, cause, at)
            SELECT :tenant_id, :run_id, contact_id, account_id, 'syncedJiraUser', account_id, :cause, :now FROM leaving
        )
        SELECT contact_id FROM leaving
        """,
        run_id=run_id,
        cause=Cause.OUT_OF_SCOPE,
        now=now,
    )
    await _follow_who_is_left(scope, left, run_id, now)
    return len(left)


async def drop(scope: TenantScope, account_ids: Sequence[AccountId], *, now: datetime) -> bool:
    """Unlink and forget accounts that Jira does not know any more (S10), unless the guard takes them for too many (D9)."""
    if len(account_ids) > guard.FEW:
        links = await scope.fetch_val(
            "SELECT count(*) FROM account WHERE tenant_id = :tenant_id AND contact_id IS NOT NULL"
        )
        if not guard.is_plausible(gone=len(account_ids), links=links):
            return False
    await forget(scope, account_ids, run_id=None, now=now)
    return True


async def forget(scope: TenantScope, account_ids: Sequence[AccountId], *, run_id: int | None, now: datetime) -> int:
    """Unlink and forget accounts that are gone for sure; how many were linked. `run_id`: whose history it belongs to."""
    left = await scope.fetch_all(
        """
        WITH gone AS (
            DELETE FROM account WHERE tenant_id = :tenant_id AND account_id = ANY(CAST(:account_ids AS text[]))
            RETURNING account_id, contact_id
        ), settled AS (
            DELETE FROM attention USING gone
            WHERE attention.tenant_id = :tenant_id AND attention.account_id = gone.account_id
        ), recorded AS (
            INSERT INTO change (tenant_id, run_id, contact_id, account_id, field, old, cause, at)
            SELECT :tenant_id, CAST(:run_id AS bigint), contact_id, account_id, 'syncedJiraUser', account_id, :cause, :now
            FROM gone WHERE contact_id IS NOT NULL
        )
        SELECT contact_id FROM gone WHERE contact_id IS NOT NULL
        """,
        account_ids=list(account_ids),
        run_id=run_id,
        cause=Cause.DELETED,
        now=now,
    )
    await _follow_who_is_left(scope, left, run_id, now)
    return len(left)


async def _follow_who_is_left(scope: TenantScope, left: Sequence[Row], run_id: int | None, now: datetime) -> None:
    """Contacts that lost a link follow the accounts that they have still, as we know these (D3)."""
    rows = await scope.fetch_all(
        "SELECT account_id FROM account WHERE tenant_id = :tenant_id AND contact_id = ANY(CAST(:contact_ids AS bigint[]))",
        contact_ids=[row["contact_id"] for row in left],
    )
    if rows:
        account_ids = [AccountId(row["account_id"]) for row in rows]
        known = await plan_rows.read_known(scope, account_ids, [])
        plan = plans.plan_left_behind(account_ids, known, now=now)
        await plan_rows.write_plan(scope, plan, run_id=run_id, now=now)


async def _note_guard(scope: TenantScope, run_id: int, *, is_open: bool, now: datetime) -> None:
    if is_open:
        await scope.execute(
            """
            INSERT INTO attention (tenant_id, kind, account_id, run_id, since)
            VALUES (:tenant_id, :kind, '', :run_id, :now)
            ON CONFLICT (tenant_id, kind, account_id, contact_id)
                -- What was confirmed for an earlier run says nothing of these.
                DO UPDATE SET run_id = EXCLUDED.run_id, confirmed_at = NULL
            """,
            kind=AttentionKind.MASS_UNLINK,
            run_id=run_id,
            now=now,
        )
    else:
        await scope.execute(
            "DELETE FROM attention WHERE tenant_id = :tenant_id AND kind = :kind", kind=AttentionKind.MASS_UNLINK
        )


async def clear_links(scope: TenantScope, *, now: datetime) -> bool:
    """The sync is off: turn some links into memories (D10); whether there may be more. The caller holds the switch.

    Accounts that were linked to nothing are forgotten, and so is what waited for a person.
    """
    cleared = await scope.fetch_val(
        """
        WITH cleared AS (
            SELECT account_id, contact_id, linked_by FROM account
            WHERE tenant_id = :tenant_id AND contact_id IS NOT NULL LIMIT :limit
        ), forgotten AS (
            UPDATE account SET contact_id = NULL, linked_by = NULL,
                remembered_contact_id = cleared.contact_id, remembered_by = cleared.linked_by
            FROM cleared WHERE account.tenant_id = :tenant_id AND account.account_id = cleared.account_id
        ), recorded AS (
            INSERT INTO change (tenant_id, contact_id, account_id, field, old, cause, at)
            SELECT :tenant_id, contact_id, account_id, 'syncedJiraUser', account_id, :cause, :now FROM cleared
        )
        SELECT count(*) FROM cleared
        """,
        limit=CLEARED_AT_ONCE,
        cause=Cause.TURNED_OFF,
        now=now,
    )
    if cleared == CLEARED_AT_ONCE:
        return True
    await scope.execute(
        "DELETE FROM account WHERE tenant_id = :tenant_id AND contact_id IS NULL AND remembered_contact_id IS NULL"
    )
    # A question about companies is about a contact, which stays; it is shown again when the sync is on.
    await scope.execute(
        "DELETE FROM attention WHERE tenant_id = :tenant_id AND kind <> :tie", tie=AttentionKind.COMPANY_TIE
    )
    return False
