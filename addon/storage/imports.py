"""How far has each import of contacts come, and what may happen to it next? The moves between its states.

    mapping → reading → matching → ready → writing → done
                   ↘        ↘ refused (its columns can be named anew)          every state but the last three → cancelled

Reading and matching are the check, which writes no contact. The work of reading, matching and writing is done by jobs
(`import_check`, `import_write`); each transaction of theirs begins with `hold`. Erased after KEPT.
"""

import json
from collections.abc import AsyncIterable, Sequence
from datetime import datetime, timedelta

from addon.crm import columns
from addon.crm.incoming import Existing
from addon.errors import FieldProblem, Invalid, NotFound
from addon.storage import import_file, import_header, import_record
from addon.storage.database import TenantScope
from addon.storage.import_header import Header
from addon.storage.import_record import CHANGEABLE, WORKING, Import, State
from addon.storage.sync_state import Enqueue
from addon.sync.work import Work
from lifecycle.tenant import AccountId

KEPT = timedelta(days=1)
MAX_FILE_NAME_LENGTH = 255


async def begin(
    scope: TenantScope,
    chunks: AsyncIterable[bytes],
    *,
    file_name: str,
    file_bytes: int,
    header: Header,
    account_id: AccountId,
    now: datetime,
) -> Import:
    """Keep a file. What the same person brought before and has not had written yet is forgotten for it."""
    await scope.execute(
        """
        DELETE FROM import_job
        WHERE tenant_id = :tenant_id AND account_id = :account_id AND state <> 'writing'
        """,
        account_id=account_id,
    )
    import_id: int = await scope.fetch_val(
        """
        INSERT INTO import_job (tenant_id, state, account_id, file_name, file_bytes, encoding, delimiter, begin_byte, columns,
            targets, created_at)
        VALUES (:tenant_id, 'mapping', :account_id, :file_name, :file_bytes, :encoding, :delimiter, :begin_byte,
            CAST(:columns AS jsonb), CAST(:targets AS jsonb), :now)
        RETURNING import_id
        """,
        account_id=account_id,
        file_name=file_name,
        file_bytes=file_bytes,
        encoding=header.format.encoding,
        delimiter=header.format.delimiter,
        begin_byte=header.format.begin,
        columns=json.dumps(list(header.columns)),
        targets=json.dumps(columns.guess(header.columns)),
        now=now,
    )
    await import_file.write(scope, import_id, chunks)
    return await fetch(scope, import_id, now=now)


async def fetch(scope: TenantScope, import_id: int, *, now: datetime) -> Import:
    """Raises NotFound."""
    row = await scope.fetch_one(
        f"""
        SELECT {import_record.COLUMNS} FROM import_job
        WHERE tenant_id = :tenant_id AND import_id = CAST(:import_id AS bigint) AND created_at > :oldest
        """,  # noqa: S608 - a constant
        import_id=import_id,
        oldest=now - KEPT,
    )
    if row is None:
        raise NotFound("There is no such import; one is kept for a day.")
    return import_record.read(row)


async def newest_of(scope: TenantScope, account_id: AccountId, *, now: datetime) -> Import | None:
    """The import that a person is at, or has just ended."""
    row = await scope.fetch_one(
        f"""
        SELECT {import_record.COLUMNS} FROM import_job
        WHERE tenant_id = :tenant_id AND account_id = :account_id AND created_at > :oldest AND state <> 'cancelled'
        ORDER BY import_id DESC LIMIT 1
        """,  # noqa: S608 - a constant
        account_id=account_id,
        oldest=now - KEPT,
    )
    return None if row is None else import_record.read(row)


async def header_of(
    scope: TenantScope, found: Import, *, encoding: str | None = None, delimiter: str | None = None
) -> Header:
    """As its file reads now, or as it would read otherwise. Raises Invalid."""
    return await import_header.fetch(
        scope,
        found.import_id,
        file_bytes=found.file_bytes,
        encoding=encoding or found.encoding,
        delimiter=delimiter or found.delimiter,
    )


async def check(
    scope: TenantScope,
    import_id: int,
    header: Header,
    *,
    targets: Sequence[str],
    existing: Existing,
    enqueue: Enqueue,
    now: datetime,
) -> Import:
    """Have the file checked, read so and meant so. Raises NotFound, Invalid."""
    present = await _lock(scope, import_id, now=now)
    if present.state not in CHANGEABLE:
        raise settled(present)
    problems = columns.problems_of(targets, header.columns)
    if problems:
        raise Invalid(problems)
    for table in ("import_row", "import_problem"):
        await scope.raw.execute(
            f"DELETE FROM {table} WHERE tenant_id = $1 AND import_id = $2",  # noqa: S608 - names from this function
            scope.tenant_id,
            import_id,
        )
    turn: int = await scope.fetch_val(
        """
        UPDATE import_job SET state = 'reading', turn = nextval('import_turn'), encoding = :encoding,
            delimiter = :delimiter, begin_byte = :begin_byte, columns = CAST(:columns AS jsonb),
            targets = CAST(:targets AS jsonb), existing = :existing, at_byte = :begin_byte, at_row = 0, rows_read = 0,
            problems = 0, to_create = 0, to_update = 0, to_skip = 0, new_companies = 0, failures = 0, error = NULL
        WHERE tenant_id = :tenant_id AND import_id = :import_id
        RETURNING turn
        """,
        import_id=import_id,
        encoding=header.format.encoding,
        delimiter=header.format.delimiter,
        begin_byte=header.format.begin,
        columns=json.dumps(list(header.columns)),
        targets=json.dumps(list(targets)),
        existing=existing,
    )
    await enqueue(scope, Work(kind="import", tenant_id=scope.tenant_id, number=turn))
    return await fetch(scope, import_id, now=now)


async def start(scope: TenantScope, import_id: int, *, enqueue: Enqueue, now: datetime) -> Import:
    """Have the checked rows written; asked twice is asked once. Raises NotFound, Invalid."""
    present = await _lock(scope, import_id, now=now)
    if present.state in {"writing", "done"}:
        return present
    if present.state != "ready":
        raise Invalid(
            [FieldProblem(field="state", problem=f"is {present.shown_state}; only what passed its check is written")]
        )
    turn: int = await scope.fetch_val(
        """
        UPDATE import_job SET state = 'writing', turn = nextval('import_turn'), at_row = 0, failures = 0
        WHERE tenant_id = :tenant_id AND import_id = :import_id
        RETURNING turn
        """,
        import_id=import_id,
    )
    await enqueue(scope, Work(kind="import", tenant_id=scope.tenant_id, number=turn))
    return await fetch(scope, import_id, now=now)


async def cancel(scope: TenantScope, import_id: int, *, now: datetime) -> None:
    """Forget the import. One that is being written stops; what it wrote stays, and so do its counts. Raises NotFound."""
    present = await _lock(scope, import_id, now=now)
    if present.state == "writing":
        await close(scope, present, "cancelled", now=now)
    else:
        await scope.execute(
            "DELETE FROM import_job WHERE tenant_id = :tenant_id AND import_id = :import_id", import_id=import_id
        )


async def hold(scope: TenantScope, turn: int) -> Import | None:
    """The import whose work the job of this turn is, held until the transaction ends; None if it is not any more."""
    row = await scope.fetch_one(
        f"SELECT {import_record.COLUMNS} FROM import_job WHERE tenant_id = :tenant_id AND turn = :turn FOR UPDATE",  # noqa: S608 - constant
        turn=turn,
    )
    return None if row is None or row["state"] not in WORKING else import_record.read(row)


async def close(scope: TenantScope, ended: Import, state: State, *, now: datetime, error: str | None = None) -> None:
    """Nothing more is done for it; the file is erased."""
    await scope.execute(
        """
        UPDATE import_job SET state = :state, finished_at = :now, error = :error
        WHERE tenant_id = :tenant_id AND import_id = :import_id
        """,
        import_id=ended.import_id,
        state=state,
        now=now,
        error=error,
    )
    await import_file.erase(scope, ended.import_id)


async def note_failure(scope: TenantScope, import_id: int) -> None:
    """One more attempt in a row got nowhere."""
    await scope.execute(
        "UPDATE import_job SET failures = failures + 1 WHERE tenant_id = :tenant_id AND import_id = :import_id",
        import_id=import_id,
    )


async def tend(scope: TenantScope, *, enqueue: Enqueue, now: datetime) -> None:
    """Forget what is too old, and see to it that what is open has its job: it has, unless that was lost."""
    await scope.execute(
        "DELETE FROM import_job WHERE tenant_id = :tenant_id AND created_at <= :oldest", oldest=now - KEPT
    )
    rows = await scope.fetch_all(
        "SELECT turn FROM import_job WHERE tenant_id = :tenant_id AND state IN ('reading', 'matching', 'writing')"
    )
    for row in rows:
        await enqueue(scope, Work(kind="import", tenant_id=scope.tenant_id, number=row["turn"]))


def settled(found: Import) -> Invalid:
    """Why its columns cannot be named anew."""
    return Invalid([FieldProblem(field="state", problem=f"is {found.shown_state}; what the file means is settled")])


async def _lock(scope: TenantScope, import_id: int, *, now: datetime) -> Import:
    await scope.execute(
        "SELECT 1 FROM import_job WHERE tenant_id = :tenant_id AND import_id = CAST(:import_id AS bigint) FOR UPDATE",
        import_id=import_id,
    )
    return await fetch(scope, import_id, now=now)
