"""Where does an open run stand, and why does it not go on? What jobs note about a run between its pages.

The pages themselves are written by `addon.storage.run_store`; a run that has ended is never touched, but for its bill.
"""

import json
from dataclasses import dataclass
from datetime import datetime

from addon.storage.database import TenantScope
from addon.sync.cursor import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """`cursor`: None at the run's beginning. `failures`: in a row. `points`: what it has cost so far."""

    cursor: Cursor | None
    failures: int
    points: int


async def read(scope: TenantScope, run_id: int) -> Standing | None:
    """None for a run that has ended."""
    row = await scope.fetch_one(
        """
        SELECT cursor, failures, points FROM sync_run
        WHERE tenant_id = :tenant_id AND run_id = :run_id AND state = 'running'
        """,
        run_id=run_id,
    )
    if row is None:
        return None
    data = json.loads(row["cursor"])
    cursor = Cursor.from_json(data) if data is not None else None
    return Standing(cursor=cursor, failures=row["failures"], points=row["points"])


async def note_failure(scope: TenantScope, run_id: int, *, error: str) -> None:
    """One more attempt in a row got nowhere; the run stays open and will be tried again."""
    await scope.execute(
        """
        UPDATE sync_run SET failures = failures + 1, error = :error, waiting_for = NULL, waiting_until = NULL
        WHERE tenant_id = :tenant_id AND run_id = :run_id AND state = 'running'
        """,
        run_id=run_id,
        error=error,
    )


async def note_waiting(scope: TenantScope, run_id: int, *, what: str, until: datetime) -> None:
    """The run may not go on before `until`, which is no failure. `what` follows "waiting for"."""
    await scope.execute(
        """
        UPDATE sync_run SET waiting_for = :what, waiting_until = :until
        WHERE tenant_id = :tenant_id AND run_id = :run_id AND state = 'running'
        """,
        run_id=run_id,
        what=what,
        until=until,
    )


async def charge(scope: TenantScope, run_id: int, *, points: int) -> None:
    """The run has cost `points` in all. Its pages say so as they are written; calls that led to none are added here."""
    await scope.execute(
        "UPDATE sync_run SET points = greatest(points, :points) WHERE tenant_id = :tenant_id AND run_id = :run_id",
        run_id=run_id,
        points=points,
    )


async def fail(scope: TenantScope, run_id: int, *, error: str, now: datetime) -> None:
    """End an open run that cannot go on; what it wrote stays. `error` is shown to administrators."""
    await scope.execute(
        """
        UPDATE sync_run SET state = 'failed', error = :error, finished_at = :now
        WHERE tenant_id = :tenant_id AND run_id = :run_id AND state = 'running'
        """,
        run_id=run_id,
        error=error,
        now=now,
    )
