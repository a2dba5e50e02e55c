"""Which rows does a plan start from, and which does it leave? Reads `Known` and carries out a `Plan`, set-based.

Runs inside the caller's transaction, under the tenant's switch. Decides nothing: that is `addon.sync.plan`.
"""

import itertools
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from addon.crm import contact as crm
from addon.crm.contact import ContactId, EmailKey
from addon.storage.database import TenantScope
from addon.sync.people import Account, Attention, Change, Contact, Known, Plan
from lifecycle.tenant import AccountId

ACCOUNT_COLUMNS = """account_id, kind, active, display_name, email, email_key, email_state, email_checked_at, seen_in_run,
    contact_id, linked_by, linked_at, remembered_contact_id, remembered_by, held, in_scope"""

IS_BARE = """(origin = 'sync' AND phone IS NULL AND job_title IS NULL AND company_by IS DISTINCT FROM 'person'
    AND attributes = '{}')"""
# Made by the sync, and nobody typed anything into it.

CONTACT_COLUMNS = f"contact_id, name, email, email_key, {IS_BARE} AS is_bare"


def _by_key(table: str, columns: str, key: str, kind: str) -> str:
    """The rows that have one of many values. OFFSET keeps the look-up for one value at a time, by its index: as a whole, a
    planner whose statistics are older than this run, or none, may prefer to read all rows of the tenant.
    """
    return f"""
        SELECT found.* FROM unnest($2::{kind}[]) AS wanted (key), LATERAL (
            SELECT {columns} FROM {table} WHERE tenant_id = $1 AND {key} = wanted.key OFFSET 0) AS found
        """  # noqa: S608 - names from this module


ACCOUNTS_BY_ID = _by_key("account", ACCOUNT_COLUMNS, "account_id", "text")
ACCOUNTS_BY_CONTACT = _by_key("account", ACCOUNT_COLUMNS, "contact_id", "bigint")
CONTACTS_BY_ID = _by_key("contact", CONTACT_COLUMNS, "contact_id", "bigint")
CONTACTS_BY_EMAIL = _by_key("contact", CONTACT_COLUMNS, "email_key", "text")


async def read_known(
    scope: TenantScope,
    account_ids: Sequence[AccountId],
    email_keys: Sequence[EmailKey],
    *,
    contact_ids: Sequence[ContactId] = (),
) -> Known:
    """What the database holds about these accounts, addresses and contacts, and everybody who shares a contact with them."""
    sighted = await scope.raw.fetch(ACCOUNTS_BY_ID, scope.tenant_id, account_ids)
    linked = {row[column] for row in sighted for column in ("contact_id", "remembered_contact_id")} - {None}
    # An address that this answer of Jira did not show again counts all the same: without it, a held account would look
    # as if nobody else had its email.
    keys = {*email_keys, *(row["email_key"] for row in sighted)} - {None}
    by_id = await scope.raw.fetch(CONTACTS_BY_ID, scope.tenant_id, list(linked | set(contact_ids)))
    by_email = await scope.raw.fetch(CONTACTS_BY_EMAIL, scope.tenant_id, list(keys))
    contacts = {row["contact_id"]: Contact(**row) for row in (*by_id, *by_email)}
    sharing = await scope.raw.fetch(ACCOUNTS_BY_CONTACT, scope.tenant_id, list(contacts))
    accounts = {row["account_id"]: row for row in (*sighted, *sharing)}
    return Known(accounts=[Account(**row) for row in accounts.values()], contacts=list(contacts.values()))


async def read_since(scope: TenantScope, account_ids: Sequence[AccountId], read_at: datetime) -> frozenset[AccountId]:
    """Of these accounts, those that somebody else has read after `read_at`, or found gone: they know better."""
    rows = await scope.raw.fetch(
        """
        SELECT account_id FROM account WHERE tenant_id = $1 AND account_id = ANY($2) AND checked_at > $3
        UNION SELECT account_id FROM webhook_delivery
        WHERE tenant_id = $1 AND account_id = ANY($2) AND done_at > $3
        """,
        scope.tenant_id,
        account_ids,
        read_at,
    )
    return frozenset(row["account_id"] for row in rows)


async def write_plan(
    scope: TenantScope, plan: Plan, *, run_id: int | None, now: datetime, read_at: datetime | None = None
) -> None:
    """Carry out a plan made from `read_known` in this same transaction. `read_at`: when Jira was asked, if it was.

    What counts as read is what was asked for, not what was written: among several readers the latest answer wins.
    """
    await _insert_contacts(scope, plan.created, now)
    await _update_contacts(scope, plan.updated, now)
    await _upsert_accounts(scope, plan.accounts, now, read_at)
    await _delete(scope, "contact", "contact_id", plan.removed)
    await _delete(scope, "account", "account_id", plan.forgotten)
    await write_changes(scope, plan.changes, run_id=run_id, now=now)
    await _write_attention(scope, plan.attention, run_id, now)


async def count_made(scope: TenantScope, contact_ids: Sequence[ContactId], *, run_id: int) -> int:
    """How many of these contacts the run itself has made."""
    if not contact_ids:
        return 0
    made: int = await scope.raw.fetchval(
        """
        -- By the index of contacts: a long run has more changes than they.
        SELECT count(*) FILTER (WHERE run_id = $3 AND field = 'contact' AND old IS NULL) FROM change
        WHERE tenant_id = $1 AND contact_id = ANY($2)
        """,
        scope.tenant_id,
        contact_ids,
        run_id,
    )
    return made


async def _insert_contacts(scope: TenantScope, created: Sequence[Contact], now: datetime) -> None:
    if created:
        await scope.raw.execute(
            """
            INSERT INTO contact
                (tenant_id, contact_id, name, name_key, email, email_key, origin, synced_version, created_at, updated_at)
            SELECT $1, contact_id, name, name_key, email, email_key, 'sync', 1, $2, $2
            FROM unnest($3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[])
                AS new (contact_id, name, name_key, email, email_key)
            """,
            scope.tenant_id,
            now,
            *_contact_columns(created),
        )


async def _update_contacts(scope: TenantScope, updated: Sequence[Contact], now: datetime) -> None:
    if updated:
        await scope.raw.execute(
            """
            UPDATE contact SET name = new.name, name_key = new.name_key, email = new.email, email_key = new.email_key,
                version = contact.version + 1, synced_version = contact.version + 1, updated_at = $2
            FROM unnest($3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[])
                AS new (contact_id, name, name_key, email, email_key)
            WHERE contact.tenant_id = $1 AND contact.contact_id = new.contact_id
            """,
            scope.tenant_id,
            now,
            *_contact_columns(updated),
        )


def _contact_columns(contacts: Sequence[Contact]) -> Sequence[Sequence[Any]]:
    return [
        [c.contact_id for c in contacts],
        [c.name for c in contacts],
        [crm.name_key(c.name) for c in contacts],
        [c.email for c in contacts],
        [c.email_key for c in contacts],
    ]


async def _upsert_accounts(
    scope: TenantScope, accounts: Sequence[Account], now: datetime, read_at: datetime | None
) -> None:
    if not accounts:
        return
    columns = [name.strip() for name in ACCOUNT_COLUMNS.split(",")]
    changed = ", ".join(f"{name} = EXCLUDED.{name}" for name in columns[1:])
    await scope.raw.execute(
        f"""
        INSERT INTO account (tenant_id, checked_at, {ACCOUNT_COLUMNS})
        SELECT $1, $2, {ACCOUNT_COLUMNS}
        FROM unnest($3::text[], $4::text[], $5::boolean[], $6::text[], $7::text[], $8::text[], $9::text[],
                $10::timestamptz[], $11::bigint[], $12::bigint[], $13::text[], $14::timestamptz[], $15::bigint[],
                $16::text[], $17::boolean[], $18::boolean[])
            AS new ({ACCOUNT_COLUMNS})
        ON CONFLICT (tenant_id, account_id)
            DO UPDATE SET checked_at = greatest(account.checked_at, ${len(columns) + 3}::timestamptz), {changed}
        """,  # noqa: S608 - constant
        scope.tenant_id,
        read_at or now,
        *[[getattr(account, name) for account in accounts] for name in columns],
        read_at,
    )


async def _delete(scope: TenantScope, table: str, key: str, ids: Sequence[ContactId] | Sequence[AccountId]) -> None:
    if ids:
        await scope.raw.execute(
            f"DELETE FROM {table} WHERE tenant_id = $1 AND {key} = ANY($2)",  # noqa: S608 - names from this module
            scope.tenant_id,
            ids,
        )


async def write_changes(scope: TenantScope, changes: Sequence[Change], *, run_id: int | None, now: datetime) -> None:
    """Add lines to the history (D16)."""
    if changes:
        await scope.raw.execute(
            """
            INSERT INTO change (tenant_id, run_id, at, contact_id, account_id, field, old, new, cause)
            SELECT $1, $2, $3, new.*
            FROM unnest($4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[]) AS new
            """,
            scope.tenant_id,
            run_id,
            now,
            *[
                [getattr(change, name) for change in changes]
                for name in ("contact_id", "account_id", "field", "old", "new", "cause")
            ],
        )


async def _write_attention(
    scope: TenantScope, attention: Sequence[Attention], run_id: int | None, now: datetime
) -> None:
    for is_open, group in itertools.groupby(sorted(attention, key=lambda a: a.is_open), key=lambda a: a.is_open):
        items = list(group)
        kinds, ids = [item.kind for item in items], [item.account_id for item in items]
        if is_open:
            await scope.raw.execute(
                """
                INSERT INTO attention (tenant_id, run_id, since, kind, account_id)
                SELECT $1, $2, $3, new.* FROM unnest($4::text[], $5::text[]) AS new
                ON CONFLICT (tenant_id, kind, account_id, contact_id) DO NOTHING
                """,
                scope.tenant_id,
                run_id,
                now,
                kinds,
                ids,
            )
        else:
            await scope.raw.execute(
                """
                DELETE FROM attention USING unnest($2::text[], $3::text[]) AS settled (kind, account_id)
                WHERE attention.tenant_id = $1
                    AND attention.kind = settled.kind AND attention.account_id = settled.account_id
                """,
                scope.tenant_id,
                kinds,
                ids,
            )
