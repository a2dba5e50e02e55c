"""Which calls are on their way, and what has become of them? Each is noted before it is made, so that whoever resumes after
a kill repeats none that succeeded.

Not sent → sent → has a task → folded: its companies are what the issues' properties say now. A call that was sent and has no
task may have been carried out or not; `addon.labelling` looks at one of its issues.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from addon.issues import calls
from addon.issues.calls import Call, CallKind, Pending
from addon.storage import issue_company
from addon.storage.database import Row, TenantScope

MAX_REFUSED_IN_ROW = 50
# What Jira refuses so often is no single locked issue. What is left of refused calls then waits its turn as backlog does, so
# that the search for the others costs no more than that may.

Stand = Literal["planned", "sent", "going"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCall:
    """`looks`: how often it was looked at, or sent in vain."""

    call_id: int
    call: Call
    is_backlog: bool
    stand: Stand
    task_id: str | None
    sent_at: datetime | None
    looks: int


async def note(scope: TenantScope, planned: Sequence[Call], *, is_backlog: bool, now: datetime) -> None:
    """These calls are to be made."""
    if not planned:
        return
    ids = await scope.raw.fetch(
        """
        INSERT INTO issue_call (tenant_id, kind, is_backlog, look_at)
        SELECT $1, kind, $3, $4 FROM unnest($2::text[]) WITH ORDINALITY AS planned (kind, place) ORDER BY place
        RETURNING call_id
        """,
        scope.tenant_id,
        [call.kind for call in planned],
        is_backlog,
        now,
    )
    items = [
        (row["call_id"], item.issue_id, item.company and item.company.company_id, item.company and item.company.name)
        for row, call in zip(sorted(ids, key=lambda row: row["call_id"]), planned, strict=True)
        for item in call.items
    ]
    await scope.raw.execute(
        """
        INSERT INTO issue_call_item (tenant_id, call_id, issue_id, company_id, company_name)
        SELECT $1, item.* FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::text[]) AS item
        """,
        scope.tenant_id,
        *(list(column) for column in zip(*items, strict=True)),
    )


async def next_due(
    scope: TenantScope, *, now: datetime, with_tasks: bool = True, with_backlog: bool = True
) -> OpenCall | None:
    """The call that something has to be done about first, if any; what nobody waits for comes last."""
    row = await scope.fetch_one(
        """
        SELECT call_id, kind, is_backlog, sent_at, task_id, looks FROM issue_call
        WHERE tenant_id = :tenant_id AND look_at <= :now
            AND (:with_tasks OR task_id IS NULL) AND (:with_backlog OR NOT is_backlog)
        ORDER BY is_backlog, sent_at IS NOT NULL, look_at, call_id LIMIT 1
        """,
        now=now,
        with_tasks=with_tasks,
        with_backlog=with_backlog,
    )
    return None if row is None else await _open(scope, row)


async def _open(scope: TenantScope, row: Row) -> OpenCall:
    items = await scope.raw.fetch(
        """
        SELECT issue_id, company_id, company_name FROM issue_call_item WHERE tenant_id = $1 AND call_id = $2
        ORDER BY issue_id
        """,
        scope.tenant_id,
        row["call_id"],
    )
    pending = tuple(Pending(issue_id=item["issue_id"], company=issue_company.company(item)) for item in items)
    kind: CallKind = row["kind"]
    return OpenCall(
        call_id=row["call_id"],
        call=Call(kind=kind, items=pending),
        is_backlog=row["is_backlog"],
        stand="planned" if row["sent_at"] is None else "sent" if row["task_id"] is None else "going",
        task_id=row["task_id"],
        sent_at=row["sent_at"],
        looks=row["looks"],
    )


async def next_look(scope: TenantScope, *, with_backlog: bool) -> datetime | None:
    """When something has to be done about a call; None where none is open."""
    moment: datetime | None = await scope.fetch_val(
        "SELECT min(look_at) FROM issue_call WHERE tenant_id = :tenant_id AND (:with_backlog OR NOT is_backlog)",
        with_backlog=with_backlog,
    )
    return moment


async def begin(scope: TenantScope, found: OpenCall, *, now: datetime) -> OpenCall | None:
    """It is about to be sent; None where somebody else took it. Should its answer get lost, it is looked after then."""
    is_ours = await scope.fetch_val(
        """
        UPDATE issue_call SET sent_at = :now, look_at = :look_at
        WHERE tenant_id = :tenant_id AND call_id = :call_id AND sent_at IS NULL RETURNING true
        """,
        call_id=found.call_id,
        now=now,
        look_at=now + calls.ask_delay(len(found.call.items)),
    )
    return replace(found, stand="sent", sent_at=now) if is_ours else None


async def take_back(scope: TenantScope, found: OpenCall, *, until: datetime) -> None:
    """It was certainly not carried out; it is sent (again), not before `until`."""
    await _change(scope, found, "sent_at = NULL, task_id = NULL, look_at = :look_at, looks = looks + 1", look_at=until)


async def follow(scope: TenantScope, found: OpenCall, task_id: str, *, now: datetime) -> None:
    """Jira carries it out by a task."""
    await scope.execute(
        """
        UPDATE issue_call SET task_id = :task_id, looks = 0, look_at = :look_at
        WHERE tenant_id = :tenant_id AND call_id = :call_id
        """,
        call_id=found.call_id,
        task_id=task_id,
        look_at=now + calls.look_delay(len(found.call.items), 0),
    )


async def look_later(scope: TenantScope, found: OpenCall, *, now: datetime) -> None:
    """Its task goes on."""
    delay = calls.look_delay(len(found.call.items), found.looks + 1)
    await _change(scope, found, "look_at = :look_at, looks = looks + 1", look_at=now + delay)


async def lose(scope: TenantScope, found: OpenCall, *, now: datetime) -> None:
    """Its task is not there, or goes on for ever: its issues have to tell."""
    await _change(scope, found, "task_id = NULL, look_at = :look_at", look_at=now)


async def _change(scope: TenantScope, found: OpenCall, columns: str, *, look_at: datetime) -> None:
    """Unless somebody else has meanwhile. Both jobs look after calls whose answer got lost, and may do so at the same time: one
    must not take back what the other has sent again.
    """
    await scope.execute(
        f"""
        UPDATE issue_call SET {columns} WHERE tenant_id = :tenant_id AND call_id = :call_id AND looks = :looks
            AND sent_at IS NOT DISTINCT FROM CAST(:sent_at AS timestamptz)
            AND task_id IS NOT DISTINCT FROM CAST(:task_id AS text)
        """,  # noqa: S608 - names from this module
        call_id=found.call_id,
        looks=found.looks,
        sent_at=found.sent_at,
        task_id=found.task_id,
        look_at=look_at,
    )


async def hurry(scope: TenantScope) -> None:
    """A call for an issue that somebody waits for by now is no backlog any more. What somebody holds is left to the next look."""
    await scope.execute(
        """
        UPDATE issue_call SET is_backlog = false WHERE tenant_id = :tenant_id AND call_id IN (
            SELECT call_id FROM issue_call call WHERE tenant_id = :tenant_id AND is_backlog AND EXISTS (
                SELECT FROM issue_call_item item
                    JOIN issue_due due ON due.tenant_id = :tenant_id AND due.issue_id = item.issue_id
                WHERE item.tenant_id = :tenant_id AND item.call_id = call.call_id AND NOT due.is_backlog)
            FOR NO KEY UPDATE SKIP LOCKED)
        """
    )


async def fold(scope: TenantScope, found: OpenCall, *, refused: Collection[int] = (), now: datetime) -> None:
    """It was carried out: this is what the properties say now, but for the `refused`, which Jira has passed over."""
    written = await scope.raw.fetchval(
        """
        WITH item AS MATERIALIZED (
            SELECT known.issue_id, item.company_id, item.company_name, known.issue_id = ANY($3) AS is_refused
            FROM issue_call_item item JOIN issue_company known
                ON known.tenant_id = $1 AND known.issue_id = item.issue_id
            WHERE item.tenant_id = $1 AND item.call_id = $2 ORDER BY known.issue_id FOR NO KEY UPDATE OF known
        ), written AS (
            UPDATE issue_company SET refused_at = CASE WHEN is_refused THEN CAST($4 AS timestamptz) END,
                company_id = CASE WHEN is_refused THEN issue_company.company_id ELSE item.company_id END,
                company_name = CASE WHEN is_refused THEN issue_company.company_name ELSE item.company_name END
            FROM item WHERE issue_company.tenant_id = $1 AND issue_company.issue_id = item.issue_id
            RETURNING is_refused
        )
        SELECT count(*) FILTER (WHERE NOT is_refused) FROM written
        """,
        scope.tenant_id,
        found.call_id,
        list(refused),
        now,
    )
    await scope.execute(
        """
        UPDATE issue_state SET written = written + :written,
            refused_in_row = CASE WHEN :is_refused THEN refused_in_row + 1 ELSE 0 END
        WHERE tenant_id = :tenant_id
        """,
        written=written,
        is_refused=len(refused) == len(found.call.items),
    )
    await _end(scope, found)


async def split(scope: TenantScope, found: OpenCall, *, now: datetime) -> None:
    """Some of its issues cannot be written: what is left are two calls for half of them each."""
    in_row = await _count_refusal(scope)
    if await _end(scope, found):
        await note(scope, calls.halve(found.call), is_backlog=found.is_backlog, now=now)
    await _brake(scope, in_row)


async def refuse(scope: TenantScope, found: OpenCall, *, now: datetime) -> None:
    """Jira does not let us write its one issue."""
    await scope.raw.execute(
        "UPDATE issue_company SET refused_at = $3 WHERE tenant_id = $1 AND issue_id = ANY($2)",
        scope.tenant_id,
        [item.issue_id for item in found.call.items],
        now,
    )
    in_row = await _count_refusal(scope)
    await _end(scope, found)
    await _brake(scope, in_row)


async def miss(scope: TenantScope, found: OpenCall, *, now: datetime) -> None:
    """Jira does not show its one issue, which is gone, or hidden: refused the first time, and forgotten the next."""
    is_known = await scope.fetch_val(
        """
        SELECT true FROM issue_company
        WHERE tenant_id = :tenant_id AND issue_id = :issue_id AND refused_at IS NULL FOR NO KEY UPDATE
        """,
        issue_id=found.call.items[0].issue_id,
    )
    if is_known:
        await refuse(scope, found, now=now)
    else:
        await drop(scope, found)


async def _count_refusal(scope: TenantScope) -> int:
    """How many there are in a row with this one. Halves count too: where all is refused, calls for many are halved before
    the first issue stands alone.
    """
    in_row: int = await scope.fetch_val(
        """
        UPDATE issue_state SET refused_in_row = refused_in_row + 1 WHERE tenant_id = :tenant_id
        RETURNING refused_in_row
        """
    )
    return in_row


async def _brake(scope: TenantScope, refused_in_row: int) -> None:
    if refused_in_row >= MAX_REFUSED_IN_ROW:
        await scope.execute("UPDATE issue_call SET is_backlog = true WHERE tenant_id = :tenant_id AND NOT is_backlog")


async def drop(scope: TenantScope, found: OpenCall) -> None:
    """Its one issue is gone."""
    await issue_company.forget(scope, [item.issue_id for item in found.call.items])
    await _end(scope, found)


async def _end(scope: TenantScope, found: OpenCall) -> bool:
    """False where somebody else has ended it."""
    return bool(
        await scope.fetch_val(
            "DELETE FROM issue_call WHERE tenant_id = :tenant_id AND call_id = :call_id RETURNING true",
            call_id=found.call_id,
        )
    )
