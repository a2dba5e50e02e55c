"""Which marked issues have to be written now? Marks become calls that are noted, in one transaction, before they are made.

A mark is locked before what it is about is read: whoever marks the issue meanwhile waits, and marks it anew. An issue that
a call is on its way for waits until that call has ended.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from addon.crm.company import CompanyId, CompanyRef
from addon.issues import calls
from addon.issues.calls import Pending
from addon.storage import issue_calls
from addon.storage.database import TenantScope

REPORTERS_AT_ONCE = 1_000
ISSUES_AT_ONCE = 10_000

# What the property of each marked issue should say, and whether it does.
WANTED = """
    SELECT due.tenant_id, due.issue_id, wanted.company_id, wanted.name AS company_name, known.refused_at IS NOT NULL AS is_alone,
        (known.company_id, known.company_name) IS NOT DISTINCT FROM (wanted.company_id, wanted.name) AS is_so
    FROM issue_due due
        LEFT JOIN issue_company known ON known.tenant_id = $1 AND known.issue_id = due.issue_id
        LEFT JOIN account ON account.tenant_id = $1 AND account.account_id = known.reporter_id
        LEFT JOIN contact ON contact.tenant_id = $1 AND contact.contact_id = account.contact_id
        LEFT JOIN company wanted ON wanted.tenant_id = $1 AND wanted.company_id = contact.company_id
    WHERE due.tenant_id = $1
"""

IS_FREE = """
    NOT EXISTS (SELECT FROM issue_call_item item WHERE item.tenant_id = $1 AND item.issue_id = due.issue_id)
"""

# Whole companies at a time and the largest first, so that a call takes all that it can take.
CHOSEN = f"""
    WITH wanted AS MATERIALIZED ({WANTED} AND due.is_backlog = $2 AND {IS_FREE}),
    sized AS (
        SELECT issue_id, is_so, company_id, count(*) OVER (PARTITION BY is_so, company_id) AS issues
        FROM wanted WHERE tenant_id = $1 AND NOT ($4 AND (is_so OR company_id IS NULL))
    ), placed AS (
        SELECT issue_id, issues, count(*) OVER (ORDER BY issues DESC, is_so, company_id) AS up_to
        FROM sized WHERE NOT $4 OR issues >= $5
    )
    SELECT issue_id FROM placed WHERE up_to <= $3 OR up_to = issues ORDER BY up_to, issue_id LIMIT $3
"""  # noqa: S608 - as above


async def expand(scope: TenantScope) -> bool:
    """Mark the issues of some reporters who are marked; whether there were any.

    An issue that waits as backlog still does: it is compared when its turn comes.
    """
    found = await scope.raw.fetchval(
        """
        WITH reporter AS MATERIALIZED (
            SELECT account_id FROM reporter_due WHERE tenant_id = $1 LIMIT $2 FOR UPDATE SKIP LOCKED
        ), marked AS (
            INSERT INTO issue_due (tenant_id, issue_id, is_backlog)
            SELECT $1, known.issue_id, false FROM issue_company known
                JOIN reporter ON reporter.account_id = known.reporter_id
            WHERE known.tenant_id = $1 ORDER BY known.issue_id
            ON CONFLICT (tenant_id, issue_id) DO UPDATE SET is_backlog = issue_due.is_backlog
        ), done AS (
            DELETE FROM reporter_due USING reporter
            WHERE reporter_due.tenant_id = $1 AND reporter_due.account_id = reporter.account_id
        )
        SELECT count(*) FROM reporter
        """,
        scope.tenant_id,
        REPORTERS_AT_ONCE,
    )
    return bool(found)


async def plan(scope: TenantScope, *, is_backlog: bool, only_full: bool = False, now: datetime) -> bool:
    """Note the calls for some marked issues; whether there were any. `only_full`: those of companies that have so many that
    a call cannot take more.
    """
    chosen = await _choose(scope, is_backlog=is_backlog, only_full=only_full)
    if not chosen:
        return False
    locked = await scope.raw.fetch(
        f"""
        SELECT issue_id FROM issue_due due
        WHERE tenant_id = $1 AND issue_id = ANY($2) AND is_backlog = $3 AND {IS_FREE}
        ORDER BY issue_id FOR UPDATE SKIP LOCKED
        """,  # noqa: S608 - as above
        scope.tenant_id,
        chosen,
        is_backlog,
    )
    ids = [row["issue_id"] for row in locked]
    rows = await scope.raw.fetch(f"{WANTED} AND due.issue_id = ANY($2) ORDER BY due.issue_id", scope.tenant_id, ids)
    pending = [
        Pending(
            issue_id=row["issue_id"],
            company=_company(row["company_id"], row["company_name"]),
            is_alone=row["is_alone"],
        )
        for row in rows
        if not row["is_so"]
    ]
    await issue_calls.note(scope, calls.plan_calls(pending), is_backlog=is_backlog, now=now)
    held = await _absolve(scope, [row["issue_id"] for row in rows if row["is_so"] and row["is_alone"]])
    done = [issue_id for issue_id in ids if issue_id not in held]
    await scope.raw.execute("DELETE FROM issue_due WHERE tenant_id = $1 AND issue_id = ANY($2)", scope.tenant_id, done)
    return bool(done)


async def _absolve(scope: TenantScope, issue_ids: Sequence[int]) -> Collection[int]:
    """What these were refused, they need no more; those that somebody holds, whose marks stay.

    Whoever learns of an issue locks it before its mark, and is not waited for with the marks in hand.
    """
    if not issue_ids:
        return ()
    absolved = await scope.raw.fetch(
        """
        UPDATE issue_company SET refused_at = NULL WHERE tenant_id = $1 AND issue_id IN (
            SELECT issue_id FROM issue_company WHERE tenant_id = $1 AND issue_id = ANY($2)
            ORDER BY issue_id FOR NO KEY UPDATE SKIP LOCKED)
        RETURNING issue_id
        """,
        scope.tenant_id,
        list(issue_ids),
    )
    return set(issue_ids) - {row["issue_id"] for row in absolved}


async def _choose(scope: TenantScope, *, is_backlog: bool, only_full: bool) -> Sequence[int]:
    rows = await scope.raw.fetch(CHOSEN, scope.tenant_id, is_backlog, ISSUES_AT_ONCE, only_full, calls.JIRA.bulk)
    return [row["issue_id"] for row in rows]


def _company(company_id: int | None, name: str | None) -> CompanyRef | None:
    if company_id is None or name is None:
        return None
    return CompanyRef(company_id=CompanyId(company_id), name=name)


async def retry_refused(scope: TenantScope) -> None:
    """What Jira did not let us write may be ours to write now; nobody waits for it."""
    await scope.execute(
        """
        INSERT INTO issue_due (tenant_id, issue_id, is_backlog)
        SELECT tenant_id, issue_id, true FROM issue_company WHERE tenant_id = :tenant_id AND refused_at IS NOT NULL
        ORDER BY issue_id
        ON CONFLICT (tenant_id, issue_id) DO UPDATE SET is_backlog = issue_due.is_backlog
        """
    )


async def has_backlog(scope: TenantScope) -> bool:
    """Whether issues that nobody waits for have to be compared."""
    found = await scope.fetch_val("SELECT true FROM issue_due WHERE tenant_id = :tenant_id AND is_backlog LIMIT 1")
    return bool(found)
