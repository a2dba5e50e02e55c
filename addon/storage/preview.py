"""What would turning the sync on do here (D12)? The newest preview of a tenant: begun, read, listed and erased.

It holds people's names and emails although nothing is synced, so it goes when the sync is turned on, and after a day.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from addon.crm.contact import ContactId
from addon.storage import keyset, sync_state
from addon.storage.database import Row, TenantScope
from addon.storage.sync_state import Enqueue
from addon.sync import filters as sync_filters
from addon.sync.preview import Outcome
from addon.sync.scope import Scope
from addon.sync.work import Work
from lifecycle.tenant import AccountId

KEPT = timedelta(days=1)

State = Literal["none", "running", "done", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """How many accounts each outcome has; all zero until the preview is done. `seen` were read so far, of about `total`.

    `scope`: the settings that it is about.
    """

    state: State
    counts: Mapping[str, int]
    seen: int = 0
    total: int | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    scope: Scope | None = None


NOTHING = Preview(state="none", counts={})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One account of a list. The contact is the one that it would be linked to, as far as it exists."""

    account_id: AccountId
    display_name: str
    kind: Literal["user", "customer"]
    active: bool
    email: str | None
    email_state: Literal["visible", "hidden", "unavailable"]
    contact_id: ContactId | None
    contact_name: str | None


async def begin(scope: TenantScope, *, enqueue: Enqueue, now: datetime) -> None:
    """Look at the site anew, unless a preview is being made; then its job is there already, unless it was lost."""
    row = await scope.fetch_one("SELECT number, state FROM preview WHERE tenant_id = :tenant_id FOR UPDATE")
    if row is not None and row["state"] == "running":
        number = row["number"]
    else:
        # The time tells it from every earlier one, also from those that were erased.
        number = int(now.timestamp() * 1000)
        await scope.execute("DELETE FROM preview WHERE tenant_id = :tenant_id")
        await scope.execute(
            """
            INSERT INTO preview (tenant_id, number, state, started_at, made_for, total)
            VALUES (:tenant_id, :number, 'running', :now, CAST(:made_for AS jsonb), (
                SELECT seen FROM sync_run WHERE tenant_id = :tenant_id AND state = 'done' ORDER BY run_id DESC LIMIT 1))
            """,
            number=number,
            now=now,
            made_for=_write_scope(await sync_state.read_scope(scope)),
        )
    await enqueue(scope, Work(kind="preview", tenant_id=scope.tenant_id, number=number))


async def read(scope: TenantScope, *, now: datetime) -> Preview:
    row = await scope.fetch_one(
        """
        SELECT state, counts, seen, total, started_at, finished_at, made_for FROM preview
        WHERE tenant_id = :tenant_id AND started_at > :oldest
        """,
        oldest=now - KEPT,
    )
    if row is None:
        return NOTHING
    return Preview(
        state=row["state"],
        counts=json.loads(row["counts"]),
        seen=row["seen"],
        total=row["total"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        scope=made_for(row),
    )


def made_for(row: Row) -> Scope:
    """The settings that the preview of this row is about."""
    kept = json.loads(row["made_for"])
    return Scope(include_inactive=kept["includeInactive"], filters=sync_filters.from_json(kept["filters"]))


def _write_scope(people: Scope) -> str:
    return json.dumps({"includeInactive": people.include_inactive, "filters": people.filters.to_json()})


async def page(
    scope: TenantScope, outcome: Outcome, *, cursor: str | None, limit: int, now: datetime
) -> keyset.Page[Line]:
    """One list, in the order of account ids; empty unless a preview is done. Raises Invalid for a foreign cursor."""
    of = f"preview {outcome}"
    after = "" if cursor is None else keyset.read_text_cursor(of, cursor)
    rows = await scope.fetch_all(
        """
        SELECT p.account_id, p.display_name, p.kind, p.active, p.email, p.email_state, c.contact_id,
            c.name AS contact_name
        FROM preview_account p
        JOIN preview ON preview.tenant_id = p.tenant_id AND preview.state = 'done' AND preview.started_at > :oldest
        LEFT JOIN contact c ON c.tenant_id = p.tenant_id AND c.contact_id = p.contact_id
        WHERE p.tenant_id = :tenant_id AND p.outcome = :outcome AND p.account_id > CAST(:after AS text)
        ORDER BY p.account_id LIMIT CAST(:limit AS bigint)
        """,
        outcome=outcome,
        after=after,
        oldest=now - KEPT,
        limit=limit + 1,
    )
    shown = _lines(rows[:limit])
    is_last = len(rows) <= limit
    return keyset.Page(items=shown, next_cursor=None if is_last else keyset.write_text_cursor(of, shown[-1].account_id))


async def prune(scope: TenantScope, *, now: datetime) -> None:
    """Forget a preview that is too old to tell anything."""
    await scope.execute("DELETE FROM preview WHERE tenant_id = :tenant_id AND started_at <= :oldest", oldest=now - KEPT)


def _lines(rows: Sequence[Row]) -> list[Line]:
    return [Line(**row) for row in rows]
