"""How are the rules previewed, applied and undone (C3), a part at a time? What the job of `addon.storage.rule_work` does.

Each part is decided under the tenant's switch from what is there then: a contact whose company or whose answer of the rules
is another by now is left alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from addon.crm.assignment import Decision, Kept, Tie
from addon.crm.contact import ContactId
from addon.storage import assigning, company_rules, duties, rule_work, sync_state
from addon.storage.assigning import Change, Held
from addon.storage.database import TenantScope
from addon.storage.sync_state import Enqueue
from addon.sync.people import Cause

CONTACTS_AT_ONCE = assigning.CONTACTS_AT_ONCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One contact of the preview."""

    contact_id: ContactId
    before: Held
    after: Held
    is_tie: bool


async def carry_on(scope: TenantScope, number: int, *, enqueue: Enqueue, now: datetime) -> bool:
    """Go on with the step that the record is in; whether there may be more. A job whose record is gone does nothing."""
    await sync_state.lock_switch(scope)
    row = await scope.fetch_one(
        """
        SELECT state, after_contact_id FROM rule_work WHERE tenant_id = :tenant_id AND number = :number FOR NO KEY UPDATE
        """,
        number=number,
    )
    if row is None or row["state"] not in rule_work.GOING:
        return False
    if row["state"] != "undoing" and not await company_rules.is_ready(scope):
        # The sync was turned off: what is there stays, and nothing more is done.
        await _break_off(scope, now)
        return False
    match row["state"]:
        case "previewing":
            last = await _preview(scope, row["after_contact_id"])
            done: rule_work.State = "ready"
        case "applying":
            last = await _apply(scope, row["after_contact_id"], now)
            done = "applied"
        case _:
            last = await _undo(scope, row["after_contact_id"], now)
            done = "undone"
    await duties.call(scope, "companies", enqueue=enqueue)
    await duties.call(scope, "issues", enqueue=enqueue)
    if last is None:
        await _close(scope, done, now)
        return False
    await scope.execute(
        "UPDATE rule_work SET after_contact_id = :last, failures = 0 WHERE tenant_id = :tenant_id", last=last
    )
    return True


async def note_failure(scope: TenantScope, number: int, *, most: int, now: datetime) -> bool:
    """One more attempt in a row got nowhere; whether that was the last one."""
    failures = await scope.fetch_val(
        """
        UPDATE rule_work SET failures = failures + 1 WHERE tenant_id = :tenant_id AND number = :number
        RETURNING failures
        """,
        number=number,
    )
    if failures is None or failures <= most:
        return False
    await _break_off(scope, now)
    return True


async def _break_off(scope: TenantScope, now: datetime) -> None:
    """The step cannot go on. What was applied stays so, and can be undone."""
    await scope.execute(
        """
        UPDATE rule_change SET state = 'left' FROM rule_work w
        WHERE rule_change.tenant_id = :tenant_id AND rule_change.state = 'planned'
            AND w.tenant_id = :tenant_id AND w.state = 'applying'
        """
    )
    await scope.execute(
        """
        UPDATE rule_work SET finished_at = :now,
            state = CASE WHEN state = 'undoing' OR applied > 0 THEN 'applied' ELSE 'failed' END,
            left_alone = CASE WHEN state = 'applying' THEN changes - applied ELSE left_alone END
        WHERE tenant_id = :tenant_id
        """,
        now=now,
    )


async def _close(scope: TenantScope, state: rule_work.State, now: datetime) -> None:
    await scope.execute(
        "UPDATE rule_work SET state = :state, finished_at = :now WHERE tenant_id = :tenant_id", state=state, now=now
    )


async def _preview(scope: TenantScope, after: int) -> ContactId | None:
    """Note what the rules would change in some contacts; the last of them, None behind the last."""
    rows = await scope.fetch_all(
        """
        SELECT contact_id FROM contact
        WHERE tenant_id = :tenant_id AND company_by IS DISTINCT FROM 'person' AND contact_id > CAST(:after AS bigint)
        ORDER BY contact_id LIMIT :limit
        """,
        after=after,
        limit=CONTACTS_AT_ONCE,
    )
    contact_ids = [ContactId(row["contact_id"]) for row in rows]
    if not contact_ids:
        return None
    decisions = await assigning.decide(scope, contact_ids)
    planned = [plan for contact_id, decided in decisions.items() if (plan := _plan(contact_id, *decided)) is not None]
    await _keep(scope, planned)
    await scope.execute(
        """
        UPDATE rule_work SET checked = checked + :checked, changes = changes + :changes, ties = ties + :ties
        WHERE tenant_id = :tenant_id
        """,
        checked=len(contact_ids),
        changes=sum(plan.before.company_id != plan.after.company_id for plan in planned),
        ties=sum(plan.is_tie for plan in planned),
    )
    return contact_ids[-1]


def _plan(contact_id: ContactId, before: Held, decision: Decision) -> Planned | None:
    change = assigning.changed(contact_id, before, decision)
    is_tie = isinstance(decision, Tie)
    after = before if change is None else change.after
    if isinstance(decision, Kept) or (before.company_id == after.company_id and not is_tie):
        return None
    return Planned(contact_id=contact_id, before=before, after=after, is_tie=is_tie)


async def _keep(scope: TenantScope, planned: Sequence[Planned]) -> None:
    await scope.raw.execute(
        """
        INSERT INTO rule_change (tenant_id, contact_id, old_company_id, old_by, new_company_id, new_by, is_tie)
        SELECT $1, new.* FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::text[], $7::boolean[]) AS new
        """,
        scope.tenant_id,
        [plan.contact_id for plan in planned],
        [plan.before.company_id for plan in planned],
        [plan.before.company_by for plan in planned],
        [plan.after.company_id for plan in planned],
        [plan.after.company_by for plan in planned],
        [plan.is_tie for plan in planned],
    )


async def _apply(scope: TenantScope, after: int, now: datetime) -> ContactId | None:
    """Do some of what was shown, where it is what the rules say still."""
    planned = await _read(scope, "planned", after)
    if not planned:
        return None
    contact_ids = [plan.contact_id for plan in planned]
    decisions = await assigning.decide(scope, contact_ids)
    as_shown = [plan for plan in planned if _plan(plan.contact_id, *decisions[plan.contact_id]) == plan]
    changes = [
        change
        for plan in as_shown
        if (change := assigning.changed(plan.contact_id, *decisions[plan.contact_id])) is not None
    ]
    await assigning.write(scope, changes, now=now)
    await assigning.note_ties(scope, {plan.contact_id: decisions[plan.contact_id][1] for plan in as_shown}, now=now)
    await assigning.unmark(scope, [plan.contact_id for plan in as_shown])
    await _note(scope, planned, as_shown, "applied")
    return contact_ids[-1]


async def _undo(scope: TenantScope, after: int, now: datetime) -> ContactId | None:
    """Take some of what was applied back, where it is as it was applied still."""
    planned = await _read(scope, "applied", after)
    if not planned:
        return None
    contact_ids = [plan.contact_id for plan in planned]
    present = await _present(scope, contact_ids)
    companies = await _companies(scope, planned)
    taken_back = [
        plan
        for plan in planned
        if present.get(plan.contact_id) == plan.after and (plan.before.company_id or 0) in {0, *companies}
    ]
    changes = [
        Change(contact_id=plan.contact_id, before=plan.after, after=plan.before, cause=Cause.COMPANY_UNDONE)
        for plan in taken_back
        if plan.before != plan.after
    ]
    marked = await _marked(scope, contact_ids)
    await assigning.write(scope, changes, now=now)
    # Else the rules would do the same again at once. What was marked before was changed since, and is looked at.
    await assigning.unmark(scope, [plan.contact_id for plan in taken_back if plan.contact_id not in marked])
    await _note(scope, planned, taken_back, "undone")
    return contact_ids[-1]


async def _read(scope: TenantScope, state: rule_work.ChangeState, after: int) -> Sequence[Planned]:
    rows = await scope.fetch_all(
        """
        SELECT contact_id, old_company_id, old_by, new_company_id, new_by, is_tie FROM rule_change
        WHERE tenant_id = :tenant_id AND state = :state AND contact_id > CAST(:after AS bigint)
        ORDER BY contact_id LIMIT :limit
        """,
        state=state,
        after=after,
        limit=CONTACTS_AT_ONCE,
    )
    return [
        Planned(
            contact_id=row["contact_id"],
            before=Held(company_id=row["old_company_id"], company_by=row["old_by"]),
            after=Held(company_id=row["new_company_id"], company_by=row["new_by"]),
            is_tie=row["is_tie"],
        )
        for row in rows
    ]


async def _present(scope: TenantScope, contact_ids: Sequence[ContactId]) -> Mapping[ContactId, Held]:
    rows = await scope.fetch_all(
        """
        SELECT contact_id, company_id, company_by FROM contact
        WHERE tenant_id = :tenant_id AND contact_id = ANY(CAST(:contact_ids AS bigint[]))
        """,
        contact_ids=list(contact_ids),
    )
    return {row["contact_id"]: Held(company_id=row["company_id"], company_by=row["company_by"]) for row in rows}


async def _marked(scope: TenantScope, contact_ids: Sequence[ContactId]) -> frozenset[ContactId]:
    rows = await scope.fetch_all(
        """
        SELECT contact_id FROM company_due
        WHERE tenant_id = :tenant_id AND contact_id = ANY(CAST(:contact_ids AS bigint[]))
        """,
        contact_ids=list(contact_ids),
    )
    return frozenset(row["contact_id"] for row in rows)


async def _companies(scope: TenantScope, planned: Sequence[Planned]) -> frozenset[int]:
    """Those to come back that are there still."""
    rows = await scope.fetch_all(
        """
        SELECT company_id FROM company
        WHERE tenant_id = :tenant_id AND company_id = ANY(CAST(:company_ids AS bigint[])) FOR KEY SHARE
        """,
        company_ids=list({plan.before.company_id for plan in planned if plan.before.company_id is not None}),
    )
    return frozenset(row["company_id"] for row in rows)


async def _note(
    scope: TenantScope, planned: Sequence[Planned], done: Sequence[Planned], state: rule_work.ChangeState
) -> None:
    """What has become of a part."""
    done_ids = {plan.contact_id for plan in done}
    await scope.raw.execute(
        """
        UPDATE rule_change SET state = CASE WHEN contact_id = ANY($3) THEN $4 ELSE 'left' END
        WHERE tenant_id = $1 AND contact_id = ANY($2)
        """,
        scope.tenant_id,
        [plan.contact_id for plan in planned],
        list(done_ids),
        state,
    )
    moved = {plan.contact_id for plan in planned if plan.before.company_id != plan.after.company_id}
    await scope.execute(
        """
        UPDATE rule_work SET checked = checked + :moved, left_alone = left_alone + :left_alone,
            applied = applied + CASE WHEN :state = 'applied' THEN CAST(:done AS bigint) ELSE 0 END,
            undone = undone + CASE WHEN :state = 'undone' THEN CAST(:done AS bigint) ELSE 0 END
        WHERE tenant_id = :tenant_id
        """,
        moved=len(moved),
        left_alone=len(moved - done_ids),
        done=len(moved & done_ids),
        state=state,
    )
