"""How does a contact whose email is hidden become part of another one (D5)? Under the tenant's switch, in one transaction.

What stays of both is `addon.crm.merge`'s, what becomes of the accounts `addon.sync.plan`'s.
"""

import json
from datetime import datetime

from addon.crm import merge as rules
from addon.crm.contact import Contact, ContactId
from addon.errors import FieldProblem, Invalid, NotFound
from addon.storage import contacts, plan_rows, sync_state
from addon.storage.database import TenantScope
from addon.sync import plan as plans
from addon.sync.people import Cause, Change


async def merge(scope: TenantScope, gone_id: ContactId, kept_id: ContactId, *, now: datetime) -> Contact:
    """The contact that is left, with the accounts of both. Raises NotFound, Invalid."""
    await sync_state.lock_switch(scope)
    gone = await contacts.fetch(scope, gone_id)
    try:
        kept = await contacts.fetch(scope, kept_id)
    except NotFound as exc:
        raise Invalid([FieldProblem(field="intoContactId", problem="is not the id of a contact")]) from exc
    problem = rules.problem_of_merging(gone, kept)
    if problem is not None:
        raise Invalid([problem])
    merged = rules.merge(gone, kept)
    await _take_over(scope, merged, gone_id, kept_id, now)
    for account in gone.accounts:
        known = await plan_rows.read_known(scope, [account.account_id], [], contact_ids=[kept_id])
        plan = plans.plan_choice(account.account_id, kept_id, known, new_ids=iter(()), now=now)
        await plan_rows.write_plan(scope, plan, run_id=None, now=now)
    await _remove(scope, gone, now)
    return await contacts.fetch(scope, kept_id)


async def _take_over(
    scope: TenantScope, merged: rules.Merged, gone_id: ContactId, kept_id: ContactId, now: datetime
) -> None:
    await scope.execute(
        """
        UPDATE contact SET phone = :phone, job_title = :job_title, attributes = CAST(:attributes AS jsonb),
            company_id = :company_id, company_by = :company_by, version = version + 1, updated_at = :now
        WHERE tenant_id = :tenant_id AND contact_id = :kept_id
        """,
        kept_id=kept_id,
        phone=merged.phone,
        job_title=merged.job_title,
        attributes=json.dumps(dict(merged.attributes)),
        company_id=None if merged.company is None else merged.company.company_id,
        company_by=merged.company_by,
        now=now,
    )
    # A link that was only remembered (D10, D11) comes back to the contact that is left.
    await scope.execute(
        """
        UPDATE account SET remembered_contact_id = :kept_id
        WHERE tenant_id = :tenant_id AND remembered_contact_id = :gone_id
        """,
        kept_id=kept_id,
        gone_id=gone_id,
    )


async def _remove(scope: TenantScope, gone: Contact, now: datetime) -> None:
    """Unless it went with its last account, since nobody had typed anything into it."""
    removed = await scope.fetch_val(
        "DELETE FROM contact WHERE tenant_id = :tenant_id AND contact_id = :gone_id RETURNING contact_id",
        gone_id=gone.contact_id,
    )
    if removed is not None:
        change = Change(
            contact_id=gone.contact_id,
            account_id=gone.accounts[0].account_id,
            field="contact",
            old=gone.name,
            new=None,
            cause=Cause.CHOSEN,
        )
        await plan_rows.write_changes(scope, [change], run_id=None, now=now)
