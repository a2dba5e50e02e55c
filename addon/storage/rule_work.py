"""What would the rules change in the contacts that are there already, and what has become of it (C3)? A record for a tenant.

A person begins each step and a job carries it out (`addon.storage.rule_steps`). What a person chose is no part of it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from addon.crm.assignment import AssignedBy
from addon.crm.company import CompanyId, CompanyRef
from addon.crm.contact import ContactId
from addon.errors import FieldProblem, Invalid, NotFound
from addon.storage import company_rules, keyset, sync_state
from addon.storage.database import Row, TenantScope
from addon.storage.sync_state import Enqueue
from addon.sync.work import Work

State = Literal["previewing", "ready", "applying", "applied", "undoing", "undone", "failed"]
GOING: tuple[State, ...] = ("previewing", "applying", "undoing")

ChangeState = Literal["planned", "applied", "undone", "left"]

LIST = "changes of rules"
COLUMNS = """number, state, checked, total, changes, ties, applied, undone, left_alone, started_at, finished_at"""

# Ties of contacts that have no company anyway are kept to be asked about; they change nothing.
IS_CHANGE = "w.old_company_id IS DISTINCT FROM w.new_company_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleWork:
    """`checked` of `total` contacts were looked at, or are done with; `changes` are those whose company would be another.

    ties: contacts that several companies may mean. left_alone: what the last step left, since it was changed meanwhile.
    """

    number: int
    state: State
    checked: int
    total: int
    changes: int
    ties: int
    applied: int
    undone: int
    left_alone: int
    started_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The changes by what makes them: a rule gives a company, or none gives one any more. Ties are counted elsewhere."""

    by_organization: int
    by_domain: int
    emptied: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleChange:
    """One contact whose company would be another. A company that is deleted meanwhile shows as None.

    is_tie: it would have none, since several companies fit.
    """

    contact_id: ContactId
    contact_name: str
    email: str | None
    before: CompanyRef | None
    before_by: AssignedBy | None
    after: CompanyRef | None
    after_by: AssignedBy | None
    is_tie: bool
    state: ChangeState


async def read(scope: TenantScope) -> RuleWork | None:
    """The newest; None where nobody has asked yet."""
    row = await scope.fetch_one(
        f"SELECT {COLUMNS} FROM rule_work WHERE tenant_id = :tenant_id"  # noqa: S608 - a constant
    )
    return None if row is None else RuleWork(**row)


async def counts(scope: TenantScope) -> Counts:
    row = await scope.fetch_one(
        f"""
        SELECT count(*) FILTER (WHERE new_by = 'organization') AS by_organization,
            count(*) FILTER (WHERE new_by = 'domain') AS by_domain,
            count(*) FILTER (WHERE new_company_id IS NULL AND NOT is_tie) AS emptied
        FROM rule_change w WHERE tenant_id = :tenant_id AND {IS_CHANGE}
        """  # noqa: S608 - a constant
    )
    if row is None:
        raise LookupError("a query of counts gave no row")
    return Counts(**row)


async def preview(scope: TenantScope, *, enqueue: Enqueue, now: datetime) -> None:
    """Look at all contacts anew, unless something is going on already; then its job is there, unless it was lost.

    What was applied before cannot be undone any more then. Raises Invalid while the rules cannot be asked.
    """
    await sync_state.lock_switch(scope)
    present = await read(scope)
    if present is not None and present.state in GOING:
        await _enqueue(scope, present.number, enqueue)
        return
    if not await company_rules.is_ready(scope):
        problem = "Rules work while the sync is on, once it has read everybody and the organizations."
        raise Invalid([FieldProblem(field="", problem=problem)])
    # The time tells it from every earlier one.
    number = int(now.timestamp() * 1000)
    await scope.execute("DELETE FROM rule_work WHERE tenant_id = :tenant_id")
    await scope.execute(
        """
        INSERT INTO rule_work (tenant_id, number, state, total, started_at)
        SELECT :tenant_id, :number, 'previewing', count(*), :now FROM contact
        WHERE tenant_id = :tenant_id AND company_by IS DISTINCT FROM 'person'
        """,
        number=number,
        now=now,
    )
    await _enqueue(scope, number, enqueue)


async def forget_preview(scope: TenantScope) -> None:
    """Other rules were asked: what was shown says nothing any more. What is being applied, or was, stays."""
    await sync_state.lock_switch(scope)
    await scope.execute("DELETE FROM rule_work WHERE tenant_id = :tenant_id AND state IN ('previewing', 'ready')")


async def apply(scope: TenantScope, number: int, *, enqueue: Enqueue, now: datetime) -> None:
    """Have what was shown done; asked twice is asked once. Raises NotFound, Invalid."""
    present = await _hold(scope, number)
    if present.state in {"applying", "applied"}:
        await _enqueue(scope, number, enqueue)
        return
    if present.state != "ready":
        raise Invalid([FieldProblem(field="id", problem="is no preview that can be applied")])
    if not await company_rules.is_ready(scope):
        raise Invalid([FieldProblem(field="id", problem="Rules work while the sync is on; turn it on first.")])
    await _begin(scope, number, "applying", enqueue, now)


async def undo(scope: TenantScope, number: int, *, enqueue: Enqueue, now: datetime) -> None:
    """Have what was applied taken back, as far as nobody changed it since. Raises NotFound, Invalid."""
    present = await _hold(scope, number)
    if present.state in {"undoing", "undone"}:
        await _enqueue(scope, number, enqueue)
        return
    if present.state != "applied":
        raise Invalid([FieldProblem(field="id", problem="was not applied, so there is nothing to undo")])
    await _begin(scope, number, "undoing", enqueue, now)


async def _hold(scope: TenantScope, number: int) -> RuleWork:
    await sync_state.lock_switch(scope)
    present = await read(scope)
    if present is None or present.number != number:
        raise NotFound("There is a newer preview by now, or none.")
    return present


async def _begin(scope: TenantScope, number: int, state: State, enqueue: Enqueue, now: datetime) -> None:
    await scope.execute(
        """
        UPDATE rule_work SET state = :state, after_contact_id = 0, checked = 0, total = changes, left_alone = 0,
            failures = 0, started_at = :now, finished_at = NULL
        WHERE tenant_id = :tenant_id
        """,
        state=state,
        now=now,
    )
    await _enqueue(scope, number, enqueue)


async def _enqueue(scope: TenantScope, number: int, enqueue: Enqueue) -> None:
    await enqueue(scope, Work(kind="rules", tenant_id=scope.tenant_id, number=number))


async def tend(scope: TenantScope, *, enqueue: Enqueue) -> None:
    """The job of what is going on is there already, unless it was lost."""
    present = await read(scope)
    if present is not None and present.state in GOING:
        await _enqueue(scope, present.number, enqueue)


async def changes(scope: TenantScope, *, cursor: str | None, limit: int) -> keyset.Page[RuleChange]:
    """By contact. Raises Invalid for a cursor of another list."""
    after = 0 if cursor is None else keyset.read_id_cursor(LIST, cursor)
    rows = await scope.fetch_all(
        f"""
        SELECT w.contact_id, c.name AS contact_name, c.email, w.state, w.is_tie,
            before.company_id AS before_id, before.name AS before_name, w.old_by AS before_by,
            after.company_id AS after_id, after.name AS after_name, w.new_by AS after_by
        FROM rule_change w
        JOIN contact c ON c.tenant_id = w.tenant_id AND c.contact_id = w.contact_id
        LEFT JOIN company before ON before.tenant_id = w.tenant_id AND before.company_id = w.old_company_id
        LEFT JOIN company after ON after.tenant_id = w.tenant_id AND after.company_id = w.new_company_id
        WHERE w.tenant_id = :tenant_id AND w.contact_id > CAST(:after AS bigint) AND {IS_CHANGE}
        ORDER BY w.contact_id LIMIT CAST(:limit AS bigint)
        """,  # noqa: S608 - a constant
        after=after,
        limit=limit + 1,
    )
    shown = [_change(row) for row in rows[:limit]]
    is_last = len(rows) <= limit
    return keyset.Page(items=shown, next_cursor=None if is_last else keyset.write_id_cursor(LIST, shown[-1].contact_id))


def _change(row: Row) -> RuleChange:
    return RuleChange(
        contact_id=row["contact_id"],
        contact_name=row["contact_name"],
        email=row["email"],
        before=_company(row["before_id"], row["before_name"]),
        before_by=row["before_by"],
        after=_company(row["after_id"], row["after_name"]),
        after_by=row["after_by"],
        is_tie=row["is_tie"],
        state=row["state"],
    )


def _company(company_id: int | None, name: str) -> CompanyRef | None:
    return None if company_id is None else CompanyRef(company_id=CompanyId(company_id), name=name)
