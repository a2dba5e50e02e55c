"""Is the sync of a tenant on, and which runs has it made? The switch (S1, S2, S12) and the run records.

What a run writes into contacts and accounts is in `addon.storage.run_store`.
"""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from addon import errors
from addon.storage import attention, counting
from addon.storage.database import Row, TenantScope
from addon.sync import filters as sync_filters
from addon.sync.filters import Filters
from addon.sync.scope import Scope
from addon.sync.work import Work

State = Literal["off", "running", "idle", "waiting", "failing"]
Trigger = Literal["turned-on", "schedule", "person", "webhook"]
RunState = Literal["running", "done", "failed", "cancelled"]

Enqueue = Callable[[TenantScope, Work], Awaitable[None]]
"""Stores a job in the transaction of the scope."""

PHASE_TURNED_ON = "starting"

RUN_COLUMNS = """run_id, trigger, state, phase, seen, total, linked, created, updated, unlinked, held, points,
    failures, started_at, finished_at, error, waiting_for, waiting_until"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One pass of the sync, as people see it. `failures` counts the attempts in a row that got nowhere.

    `error` is the trouble that the run met, or what it waits for; no `waiting_for`, `waiting_until`: it waits for no limit.
    """

    id: int
    trigger: Trigger
    state: RunState
    phase: str
    seen: int
    total: int | None
    linked: int
    created: int
    updated: int
    unlinked: int
    held: int
    points: int
    failures: int
    started_at: datetime
    finished_at: datetime | None
    error: str | None
    waiting_for: str | None = None
    waiting_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncStatus:
    """Everything that the settings page shows at a glance. `contacts` and `linked` count contacts.

    `crm_groups`: ids of the Jira groups that may use contacts, besides administrators (D13). `is_recount_due`: the counts
    were remembered for long.
    """

    enabled: bool
    filters: Filters
    include_inactive: bool
    state: State
    run: Run | None
    last_run: Run | None
    attention: int
    contacts: int
    linked: int
    crm_groups: Sequence[str] = ()
    is_recount_due: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """The tenant's row of `sync_setting`."""

    enabled: bool
    include_inactive: bool
    filters: Filters
    turn: int

    @property
    def scope(self) -> Scope:
        """Whose accounts become contacts. Where an account was met is for the reader of accounts to add."""
        return Scope(include_inactive=self.include_inactive, filters=self.filters)


SWITCH = "SELECT enabled, include_inactive, filters, turn FROM sync_setting WHERE tenant_id = :tenant_id FOR UPDATE"


async def lock_switch(scope: TenantScope) -> Switch:
    """Lock the switch for this transaction: nobody else writes links, and nobody edits contacts, until it ends."""
    row = await scope.fetch_one(SWITCH)
    if row is None:
        await scope.execute("INSERT INTO sync_setting (tenant_id) VALUES (:tenant_id) ON CONFLICT DO NOTHING")
        row = await scope.fetch_one(SWITCH)
    if row is None:
        raise LookupError("the switch that was just made is gone")
    return Switch(**{**row, "filters": _filters(row)})


async def is_enabled(scope: TenantScope) -> bool:
    """Whether the sync is on, without locking the switch."""
    return bool(await scope.fetch_val("SELECT enabled FROM sync_setting WHERE tenant_id = :tenant_id"))


async def read_scope(scope: TenantScope) -> Scope:
    """Whom the sync is about, without locking the switch."""
    row = await scope.fetch_one("SELECT include_inactive, filters FROM sync_setting WHERE tenant_id = :tenant_id")
    return Scope(include_inactive=bool(row and row["include_inactive"]), filters=_filters(row))


def _filters(row: Row | None) -> Filters:
    return sync_filters.from_json(json.loads(row["filters"])) if row else sync_filters.NO_FILTERS


async def read(scope: TenantScope, *, is_exact: bool = True) -> SyncStatus:
    """`is_exact`: as in `counting.read`."""
    row = await scope.fetch_one(
        "SELECT enabled, include_inactive, filters, crm_groups FROM sync_setting WHERE tenant_id = :tenant_id"
    )
    enabled = bool(row and row["enabled"])
    open_run = await _newest(scope, "state = 'running'")
    last_run = await _newest(scope, "state <> 'running'")
    counts = await counting.read(scope, is_exact=is_exact)
    return SyncStatus(
        enabled=enabled,
        filters=_filters(row),
        include_inactive=bool(row and row["include_inactive"]),
        state=_state(enabled=enabled, run=open_run, last_run=last_run),
        run=open_run,
        last_run=last_run,
        attention=await attention.count(scope),
        contacts=counts.contacts,
        linked=counts.linked if enabled else 0,
        is_recount_due=counts.is_stale,
        crm_groups=row["crm_groups"] if row else (),
    )


def _state(*, enabled: bool, run: Run | None, last_run: Run | None) -> State:
    if not enabled:
        return "off"
    if run is not None:
        return "waiting" if run.failures or run.waiting_until else "running"
    return "failing" if last_run is not None and last_run.state == "failed" else "idle"


async def switch(
    scope: TenantScope,
    *,
    enabled: bool | None,
    include_inactive: bool | None,
    filters: Filters | None = None,
    enqueue: Enqueue,
    now: datetime,
) -> SyncStatus:
    """Change the settings that are not None. Turning on starts a run (S3); turning off ends it and clears links (S12).

    The links are gone for everyone the moment this transaction commits, since readers look at `enabled`; the job only
    writes down what that means for each contact.
    """
    before = await lock_switch(scope)
    after = Switch(
        enabled=before.enabled if enabled is None else enabled,
        include_inactive=before.include_inactive if include_inactive is None else include_inactive,
        filters=before.filters if filters is None else filters,
        turn=before.turn + (enabled is not None and enabled != before.enabled),
    )
    await scope.execute(
        """
        UPDATE sync_setting SET enabled = :enabled, include_inactive = :include_inactive,
            filters = CAST(:filters AS jsonb), turn = :turn
        WHERE tenant_id = :tenant_id
        """,
        enabled=after.enabled,
        filters=json.dumps(after.filters.to_json()),
        include_inactive=after.include_inactive,
        turn=after.turn,
    )
    if before.enabled and not after.enabled:
        await cancel_run(scope, now=now)
        await enqueue(scope, Work(kind="clear-links", tenant_id=scope.tenant_id, number=after.turn))
    elif after.enabled and not before.enabled:
        await scope.execute("DELETE FROM preview WHERE tenant_id = :tenant_id")  # it has served (D12)
        await start_run(scope, trigger="turned-on", enqueue=enqueue, now=now)
    elif after.enabled and after.scope != before.scope:
        # A run that is going has read some people by the old settings.
        await cancel_run(scope, now=now)
        await start_run(scope, trigger="person", enqueue=enqueue, now=now)
    return await read(scope, is_exact=False)


async def request_run(scope: TenantScope, *, trigger: Trigger, enqueue: Enqueue, now: datetime) -> Run:
    """Run now, or join the run that is going. Raises Invalid while the sync is off."""
    current = await lock_switch(scope)
    if not current.enabled:
        raise errors.Invalid([errors.FieldProblem(field="enabled", problem="The sync is off; turn it on first.")])
    return await start_run(scope, trigger=trigger, enqueue=enqueue, now=now)


async def start_run(scope: TenantScope, *, trigger: Trigger, enqueue: Enqueue, now: datetime) -> Run:
    """Begin a run unless one is open. The caller holds the switch."""
    going = await _newest(scope, "state = 'running'")
    if going is not None:
        # Its job is there already, unless it was lost: then this brings the run back to life.
        await enqueue(scope, Work(kind="run", tenant_id=scope.tenant_id, number=going.id))
        return going
    row = await scope.fetch_one(
        f"""
        INSERT INTO sync_run (tenant_id, trigger, state, phase, cursor, started_at, total)
        VALUES (:tenant_id, :trigger, 'running', :phase, 'null', :now, (
            SELECT seen FROM sync_run WHERE tenant_id = :tenant_id AND state = 'done' ORDER BY run_id DESC LIMIT 1))
        RETURNING {RUN_COLUMNS}
        """,  # noqa: S608 - RUN_COLUMNS is a constant
        trigger=trigger,
        phase=PHASE_TURNED_ON,
        now=now,
    )
    if row is None:
        raise LookupError("INSERT ... RETURNING gave no row")
    begun = _run(row)
    await enqueue(scope, Work(kind="run", tenant_id=scope.tenant_id, number=begun.id))
    return begun


async def cancel_run(scope: TenantScope, *, now: datetime) -> None:
    """End the open run, if any. The caller holds the switch."""
    await scope.execute(
        """
        UPDATE sync_run SET state = 'cancelled', finished_at = :now
        WHERE tenant_id = :tenant_id AND state = 'running'
        """,
        now=now,
    )


async def run(scope: TenantScope, run_id: int) -> Run:
    """One run. Raises NotFound."""
    row = await scope.fetch_one(
        f"SELECT {RUN_COLUMNS} FROM sync_run WHERE tenant_id = :tenant_id AND run_id = :run_id",  # noqa: S608 - as above
        run_id=run_id,
    )
    if row is None:
        raise errors.NotFound("There is no such run.")
    return _run(row)


async def runs(scope: TenantScope, *, before: int | None, limit: int) -> Sequence[Run]:
    """Runs, the newest first, older than the run `before`."""
    rows = await scope.fetch_all(
        f"""
        SELECT {RUN_COLUMNS} FROM sync_run
        WHERE tenant_id = :tenant_id AND (CAST(:before AS bigint) IS NULL OR run_id < CAST(:before AS bigint))
        ORDER BY run_id DESC LIMIT :limit
        """,  # noqa: S608 - as above
        before=before,
        limit=limit,
    )
    return [_run(row) for row in rows]


async def _newest(scope: TenantScope, condition: str) -> Run | None:
    row = await scope.fetch_one(
        f"""
        SELECT {RUN_COLUMNS} FROM sync_run WHERE tenant_id = :tenant_id AND {condition}
        ORDER BY run_id DESC LIMIT 1
        """  # noqa: S608 - both parts are constants of this module
    )
    return _run(row) if row is not None else None


def _run(row: Row) -> Run:
    facts = {"id" if name == "run_id" else name: value for name, value in row.items()}
    waiting_for, until = facts.pop("waiting_for"), facts.pop("waiting_until")
    if until is not None and row["state"] == "running":
        facts |= {
            "waiting_for": waiting_for,
            "waiting_until": until,
            "error": f"Waiting for {waiting_for} until {until:%H:%M:%S} UTC.",
        }
    return Run(**cast("dict[str, object]", facts))  # type: ignore[arg-type]  # the columns are constrained by the schema
