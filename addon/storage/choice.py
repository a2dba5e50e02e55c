"""How is a person's decision about *Needs attention* carried out? Under the tenant's switch, with a line in the history.

Whose call it is was checked by the route; what a decision means for contacts is `addon.sync.plan`'s.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never, get_args

from addon.crm.company import CompanyId
from addon.crm.contact import ContactId
from addon.errors import FieldProblem, Invalid, NotFound
from addon.storage import assigning, attention, departures, plan_rows, run_store, sync_state
from addon.storage.assigning import Held
from addon.storage.attention import Item
from addon.storage.database import TenantScope
from addon.storage.sync_state import Enqueue
from addon.sync import plan as plans
from addon.sync.people import AttentionKind, Cause
from addon.sync.work import Work
from lifecycle.tenant import AccountId

Action = Literal["link", "create", "dismiss", "confirm"]
ACTIONS: tuple[Action, ...] = get_args(Action)

POSSIBLE: dict[str, tuple[Action, ...]] = {
    "ambiguous-email": ("link", "create", "dismiss"),
    "email-collision": ("link", "dismiss"),
    "mass-unlink": ("confirm", "dismiss"),
    "company-tie": ("link", "dismiss"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """An unlinking that the guard held back and a person confirmed (D9)."""

    attention_id: int
    run_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the person said. `contact_id`: the contact to link to; `company_id`: the company that a contact belongs to."""

    action: Action
    contact_id: ContactId | None = None
    company_id: CompanyId | None = None


async def carry_out(scope: TenantScope, attention_id: int, choice: Choice, *, enqueue: Enqueue, now: datetime) -> None:
    """Raises NotFound for what is settled, Invalid for what cannot be chosen. Saying the same twice is saying it once."""
    switch = await sync_state.lock_switch(scope)
    if not switch.enabled:
        raise NotFound("The sync is off; nothing waits for a decision.")
    item = await attention.find(scope, attention_id)
    if choice.action not in POSSIBLE.get(item.kind, ()):
        possible = " or ".join(POSSIBLE.get(item.kind, ()))
        raise Invalid([FieldProblem(field="action", problem=f"must be {possible} for {item.kind}")])
    match choice.action:
        case "link" if item.contact_id is not None:
            await _assign(scope, item, item.contact_id, choice.company_id, now)
        case "link":
            if choice.contact_id not in item.candidates:
                raise Invalid([FieldProblem(field="contactId", problem="is not one of the candidates")])
            await _link(scope, item, choice.contact_id, now)
        case "create":
            await _link(scope, item, None, now)
        case "dismiss":
            await attention.dismiss(scope, item)
        case "confirm":
            await attention.confirm(scope, item, now=now)
            await enqueue(scope, Work(kind="departures", tenant_id=scope.tenant_id, number=item.attention_id))
        case _:
            assert_never(choice.action)


async def _assign(
    scope: TenantScope, item: Item, contact_id: ContactId, company_id: CompanyId | None, now: datetime
) -> None:
    """A person says to which of the companies the contact belongs: no rule changes that (C2)."""
    if company_id not in {company.company_id for company in item.companies}:
        raise Invalid([FieldProblem(field="companyId", problem="is not one of the companies")])
    change = assigning.Change(
        contact_id=contact_id,
        before=Held(company_id=None, company_by=None),
        after=Held(company_id=company_id, company_by="person"),
        cause=Cause.CHOSEN,
    )
    await assigning.write(scope, [change], now=now)
    await attention.close(scope, item.attention_id)


async def _link(scope: TenantScope, item: Item, target: ContactId | None, now: datetime) -> None:
    if item.account is None:
        raise NotFound("The account is gone.")
    account_id = item.account.account_id
    known = await plan_rows.read_known(scope, [account_id], [])
    new_ids = await run_store.reserve_ids(scope, 1)
    plan = plans.plan_choice(account_id, target, known, new_ids=new_ids, now=now)
    await plan_rows.write_plan(scope, plan, run_id=None, now=now)
    await attention.close(scope, item.attention_id)


async def confirmed(scope: TenantScope) -> Confirmed | None:
    """The unlinking that is to be carried out; None where none is, or the sync is off."""
    row = await scope.fetch_one(
        """
        SELECT n.attention_id, n.run_id FROM attention n JOIN sync_setting s ON s.tenant_id = n.tenant_id AND s.enabled
        WHERE n.tenant_id = :tenant_id AND n.kind = :kind AND n.confirmed_at IS NOT NULL
        """,
        kind=AttentionKind.MASS_UNLINK,
    )
    return Confirmed(**row) if row else None


async def unmet(scope: TenantScope, run_id: int, *, limit: int) -> Sequence[AccountId]:
    """Some linked accounts that neither the run nor anything later has met."""
    rows = await scope.fetch_all(
        """
        SELECT account_id FROM account
        WHERE tenant_id = :tenant_id AND contact_id IS NOT NULL AND (seen_in_run IS NULL OR seen_in_run < :run_id)
        ORDER BY account_id LIMIT :limit
        """,
        run_id=run_id,
        limit=limit,
    )
    return [row["account_id"] for row in rows]


async def is_still_wanted(scope: TenantScope, found: Confirmed) -> bool:
    """Whether nobody turned the sync off, and nobody asks anew, since `confirmed`. Locks the switch: so it stays."""
    await sync_state.lock_switch(scope)
    return await confirmed(scope) == found


async def unlink(
    scope: TenantScope,
    run_id: int,
    *,
    met: Sequence[AccountId],
    gone: Sequence[AccountId],
    read_at: datetime,
    now: datetime,
) -> None:
    """What looking `unmet` accounts up by id has shown: some exist, the others are unlinked, but for those that somebody
    met after `read_at`, when Jira was asked. The caller holds the switch.
    """
    newer = await plan_rows.read_since(scope, gone, read_at)
    left = [account_id for account_id in gone if account_id not in newer]
    await run_store.touch(scope, met, run_id, None)
    await _count_unlinked(scope, run_id, await departures.forget(scope, left, run_id=run_id, now=now))


async def complete(scope: TenantScope, done: Confirmed, *, now: datetime) -> None:
    """Nobody is left to look up: unlink whom the filters do not mean, too, and forget the question. The caller holds the
    switch.
    """
    await _count_unlinked(scope, done.run_id, await departures.release(scope, done.run_id, now=now))
    await attention.close(scope, done.attention_id)


async def reopen(scope: TenantScope, given_up: Confirmed) -> None:
    """It could not be carried out: ask again."""
    await scope.execute(
        "UPDATE attention SET confirmed_at = NULL WHERE tenant_id = :tenant_id AND attention_id = :attention_id",
        attention_id=given_up.attention_id,
    )


async def _count_unlinked(scope: TenantScope, run_id: int, unlinked: int) -> None:
    await scope.execute(
        "UPDATE sync_run SET unlinked = unlinked + :unlinked WHERE tenant_id = :tenant_id AND run_id = :run_id",
        run_id=run_id,
        unlinked=unlinked,
    )
