"""Who reported which issue, as far as we know, and what its property says? One row for each issue.

Learning something marks the issue, so that the job compares what its property should say. Decides nothing itself.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from addon.crm.company import CompanyId, CompanyRef
from addon.issues.facts import IssueFacts, IssueGone
from addon.storage import duties, sync_state
from addon.storage.database import Row, TenantScope
from addon.storage.sync_state import Enqueue
from lifecycle.tenant import AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """`written` is the company that the issue's property says."""

    reporter_id: AccountId | None
    written: CompanyRef | None


async def find(scope: TenantScope, issue_id: int) -> Known | None:
    """None for an issue that we do not know."""
    row = await scope.fetch_one(
        """
        SELECT reporter_id, company_id, company_name FROM issue_company
        WHERE tenant_id = :tenant_id AND issue_id = :issue_id
        """,
        issue_id=issue_id,
    )
    if row is None:
        return None
    reporter_id = row["reporter_id"]
    return Known(reporter_id=AccountId(reporter_id) if reporter_id is not None else None, written=company(row))


def company(row: Row) -> CompanyRef | None:
    """The company that a row names by `company_id` and `company_name`."""
    if row["company_id"] is None:
        return None
    return CompanyRef(company_id=CompanyId(row["company_id"]), name=row["company_name"])


async def hear(scope: TenantScope, told: Sequence[IssueFacts | IssueGone], *, enqueue: Enqueue) -> None:
    """Keep what events tell, with the job that writes what follows; while the sync is off, nothing (S16)."""
    if not told or not await sync_state.is_enabled(scope):
        return
    has_marked = await learn(scope, [each for each in told if isinstance(each, IssueFacts)], is_backlog=False)
    gone = [each.issue_id for each in told if isinstance(each, IssueGone)]
    if gone:
        await forget(scope, gone)
    if has_marked:
        await duties.call(scope, "issues", enqueue=enqueue)


async def learn(scope: TenantScope, told: Sequence[IssueFacts], *, is_backlog: bool) -> bool:
    """Keep what is newer than what we know, and mark issues that are new to us or have another reporter; whether there were
    any.
    """
    newest: dict[int, IssueFacts] = {}
    for facts in told:
        known = newest.get(facts.issue_id)
        if known is None or known.updated_at <= facts.updated_at:
            newest[facts.issue_id] = facts
    if not newest:
        return False
    # Locked in order, so that two who learn of the same issues do not wait for each other.
    issues = [newest[issue_id] for issue_id in sorted(newest)]
    before = {
        row["issue_id"]: row["reporter_id"]
        for row in await scope.raw.fetch(
            """
            SELECT issue_id, reporter_id FROM issue_company WHERE tenant_id = $1 AND issue_id = ANY($2)
            ORDER BY issue_id FOR NO KEY UPDATE
            """,
            scope.tenant_id,
            [facts.issue_id for facts in issues],
        )
    }
    written = await scope.raw.fetch(
        """
        INSERT INTO issue_company AS known (tenant_id, issue_id, reporter_id, updated_at)
        SELECT $1, told.* FROM unnest($2::bigint[], $3::text[], $4::timestamptz[]) AS told
        ON CONFLICT (tenant_id, issue_id) DO UPDATE
            SET reporter_id = EXCLUDED.reporter_id, updated_at = EXCLUDED.updated_at
            WHERE known.updated_at <= EXCLUDED.updated_at
        RETURNING issue_id
        """,
        scope.tenant_id,
        [facts.issue_id for facts in issues],
        [facts.reporter_id for facts in issues],
        [facts.updated_at for facts in issues],
    )
    told_anew = [row["issue_id"] for row in written]
    marked = [each for each in told_anew if each not in before or before[each] != newest[each].reporter_id]
    if marked:
        await mark(scope, marked, is_backlog=is_backlog)
    return bool(marked)


async def mark(scope: TenantScope, issue_ids: Collection[int], *, is_backlog: bool) -> None:
    """Have these issues compared. A mark that is there is held, so that no job takes it for one that it has seen to."""
    await scope.raw.execute(
        """
        INSERT INTO issue_due AS due (tenant_id, issue_id, is_backlog)
        SELECT $1, marked.issue_id, $3 FROM unnest($2::bigint[]) AS marked (issue_id) ORDER BY marked.issue_id
        ON CONFLICT (tenant_id, issue_id) DO UPDATE SET is_backlog = due.is_backlog AND EXCLUDED.is_backlog
        """,
        scope.tenant_id,
        list(issue_ids),
        is_backlog,
    )


async def forget(scope: TenantScope, issue_ids: Collection[int]) -> None:
    """These issues are gone."""
    for table in ("issue_company", "issue_due"):  # in the order of `learn`
        await scope.raw.execute(
            f"""
            DELETE FROM {table} WHERE tenant_id = $1 AND issue_id IN (
                SELECT issue_id FROM {table} WHERE tenant_id = $1 AND issue_id = ANY($2) ORDER BY issue_id FOR UPDATE)
            """,  # noqa: S608 - names of this module
            scope.tenant_id,
            list(issue_ids),
        )
