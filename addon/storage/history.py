"""What has the sync changed, in which contact and run, and why?

Reads the table `change`, which the sync alone writes: hand edits are no part of it. Every function runs inside the
caller's transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from addon.crm.contact import ContactId
from addon.storage import keyset
from addon.storage.database import Row, TenantScope
from lifecycle.tenant import AccountId

CHANGES = """
    SELECT h.change_id, h.run_id, h.contact_id, c.name AS contact_name, h.account_id, a.display_name AS account_name,
           h.field, h.old, h.new, h.cause, h.at
    FROM change h LEFT JOIN contact c ON c.tenant_id = h.tenant_id AND c.contact_id = h.contact_id
                  LEFT JOIN account a ON a.tenant_id = h.tenant_id AND a.account_id = h.account_id
"""
OF_CONTACT = f"""
    {CHANGES}
    WHERE h.tenant_id = :tenant_id AND h.contact_id = CAST(:contact_id AS bigint)
      AND (CAST(:before AS bigint) IS NULL OR h.change_id < :before)
      AND (CAST(:field AS text) IS NULL OR h.field = :field)
      AND (CAST(:cause AS text) IS NULL OR h.cause = :cause)
    ORDER BY h.change_id DESC LIMIT CAST(:limit AS bigint)
"""
OF_RUN = f"""
    {CHANGES}
    WHERE h.tenant_id = :tenant_id AND h.run_id = CAST(:run_id AS bigint) AND h.change_id > CAST(:after AS bigint)
      AND (CAST(:field AS text) IS NULL OR h.field = :field)
      AND (CAST(:cause AS text) IS NULL OR h.cause = :cause)
      AND (CAST(:contact_id AS bigint) IS NULL OR h.contact_id = :contact_id)
    ORDER BY h.change_id LIMIT CAST(:limit AS bigint)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One field of one contact, before and after. `contact_name`: as it is now; None once the contact is deleted.

    `account_name`: as it is now; None where no account has to do with it, or it is gone.
    """

    change_id: int
    run_id: int | None
    contact_id: ContactId
    contact_name: str | None
    account_id: AccountId | None
    account_name: str | None
    field: str
    old: str | None
    new: str | None
    cause: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """Which changes of a run or a contact; None finds all."""

    field: str | None = None
    cause: str | None = None
    contact_id: ContactId | None = None


ALL = Which()


async def of_contact(
    scope: TenantScope, contact_id: ContactId, *, which: Which = ALL, cursor: str | None, limit: int
) -> keyset.Page[Change]:
    """Newest first; of `which`, field and cause count. Raises Invalid for a cursor of another list."""
    of = f"changes of contact {contact_id}"
    before = None if cursor is None else keyset.read_id_cursor(of, cursor)
    rows = await scope.fetch_all(
        OF_CONTACT, contact_id=contact_id, before=before, field=which.field, cause=which.cause, limit=limit + 1
    )
    return _page(of, rows, limit)


async def of_run(
    scope: TenantScope, run_id: int, *, which: Which = ALL, cursor: str | None, limit: int
) -> keyset.Page[Change]:
    """In the order in which they were made. Raises Invalid for a cursor of another list."""
    of = f"changes of run {run_id}"
    after = 0 if cursor is None else keyset.read_id_cursor(of, cursor)
    rows = await scope.fetch_all(
        OF_RUN,
        run_id=run_id,
        after=after,
        field=which.field,
        cause=which.cause,
        contact_id=which.contact_id,
        limit=limit + 1,
    )
    return _page(of, rows, limit)


def _page(of: str, rows: Sequence[Row], limit: int) -> keyset.Page[Change]:
    shown = [Change(**row) for row in rows[:limit]]
    is_last = len(rows) <= limit
    return keyset.Page(items=shown, next_cursor=None if is_last else keyset.write_id_cursor(of, shown[-1].change_id))
