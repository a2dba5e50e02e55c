"""How are the rows of an import that passed its check written, a part at a time? Under the tenant's switch.

Each row is decided anew, since contacts may have changed since the check: a row that cannot be taken any more is left out
and listed. A part and the place behind it are one transaction, so that no row is written twice.
"""

import json
from collections.abc import Sequence
from datetime import datetime

from addon.crm import contact, incoming
from addon.crm.columns import Row
from addon.crm.incoming import Create, Present, Refuse, Update
from addon.storage import import_check, import_match, imports, sync_state
from addon.storage.database import TenantScope
from addon.storage.import_record import Import


async def write_part(scope: TenantScope, held: Import, *, now: datetime) -> None:
    """Write some more rows; behind the last one, close the import."""
    batch = await import_match.read_batch(scope, held.import_id, after=held.at_row)
    # Nobody edits contacts, and the sync links none, until the part is written (S4, S8).
    await sync_state.lock_switch(scope)
    outlook = await import_match.look_ahead(scope, batch.rows, existing=held.existing)
    without = [
        row for row, fate in outlook.fates if isinstance(fate, Create | Update) and outlook.names_new_company(row)
    ]
    if await _create_companies(scope, without, now=now):
        outlook = await import_match.look_ahead(scope, batch.rows, existing=held.existing)
    created = [row for row, fate in outlook.fates if isinstance(fate, Create)]
    refused = [(row.row_no, fate.problem) for row, fate in outlook.fates if isinstance(fate, Refuse)]
    await _create(scope, created, outlook, now=now)
    await _update(scope, [fate.after for _, fate in outlook.fates if isinstance(fate, Update)], now=now)
    await import_check.note(scope, held.import_id, refused)
    counts = incoming.counted([fate for _, fate in outlook.fates])
    await scope.execute(
        """
        UPDATE import_job SET at_row = :at_row, created = created + :created, updated = updated + :updated,
            skipped = skipped + :skipped, left_out = left_out + :left_out, problems = problems + :left_out, failures = 0
        WHERE tenant_id = :tenant_id AND import_id = :import_id
        """,
        import_id=held.import_id,
        at_row=batch.rows[-1].row_no if batch.rows else held.at_row,
        created=counts["create"],
        updated=counts["update"],
        skipped=counts["skip"],
        left_out=counts["refuse"],
    )
    if len(batch.rows) < import_match.ROWS_AT_ONCE:
        await imports.close(scope, held, "done", now=now)


async def _create_companies(scope: TenantScope, rows: Sequence[Row], *, now: datetime) -> bool:
    """Those that the rows name, once each, as first spelled; whether there were any to make."""
    names: dict[str, str] = {}
    for row in rows:
        if row.company is not None and row.company_key is not None:
            names.setdefault(row.company_key, row.company)
    if names:
        await scope.raw.execute(
            """
            INSERT INTO company (tenant_id, name, name_key, created_at, updated_at)
            SELECT $1, name, name_key, $2, $2 FROM unnest($3::text[], $4::text[]) AS new (name, name_key)
            """,
            scope.tenant_id,
            now,
            list(names.values()),
            [contact.name_key(name) for name in names.values()],
        )
    return bool(names)


async def _create(scope: TenantScope, rows: Sequence[Row], outlook: import_match.Outlook, *, now: datetime) -> None:
    await scope.raw.execute(
        """
        INSERT INTO contact (tenant_id, name, name_key, email, email_key, phone, job_title, attributes, company_id,
            company_by, origin, created_at, updated_at)
        SELECT $1, name, name_key, email, email_key, phone, job_title, attributes::jsonb, company_id,
            CASE WHEN company_id IS NOT NULL THEN 'person' END, 'import', $2, $2
        FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::bigint[])
            AS new (name, name_key, email, email_key, phone, job_title, attributes, company_id)
        """,
        scope.tenant_id,
        now,
        [row.name for row in rows],
        [contact.name_key(row.name or "") for row in rows],
        [row.email for row in rows],
        [row.email_key for row in rows],
        [row.phone for row in rows],
        [row.job_title for row in rows],
        [json.dumps(dict(row.attributes)) for row in rows],
        [outlook.company_of(row) for row in rows],
    )


async def _update(scope: TenantScope, contacts: Sequence[Present], *, now: datetime) -> None:
    await scope.raw.execute(
        """
        UPDATE contact SET name = new.name, name_key = new.name_key, email = new.email, email_key = new.email_key,
            phone = new.phone, job_title = new.job_title, attributes = new.attributes::jsonb,
            company_id = new.company_id,
            -- Whoever imports another company than the contact has chooses it, as by hand.
            company_by = CASE WHEN contact.company_id IS DISTINCT FROM new.company_id THEN 'person'
                ELSE contact.company_by END,
            version = contact.version + 1, updated_at = $2
        FROM unnest($3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
                $11::bigint[])
            AS new (contact_id, name, name_key, email, email_key, phone, job_title, attributes, company_id)
        WHERE contact.tenant_id = $1 AND contact.contact_id = new.contact_id
        """,
        scope.tenant_id,
        now,
        [after.contact_id for after in contacts],
        [after.name for after in contacts],
        [contact.name_key(after.name) for after in contacts],
        [after.email for after in contacts],
        [None if after.email is None else contact.email_key(after.email) for after in contacts],
        [after.phone for after in contacts],
        [after.job_title for after in contacts],
        [json.dumps(dict(after.attributes)) for after in contacts],
        [after.company_id for after in contacts],
    )
