"""How does a tenant get a million contacts within a minute? By SQL in bulk, as if a sync and people had made them."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
from faker.providers.person.en_US import Provider

from addon.crm import contact as crm
from lifecycle.tenant import TenantId

COMPANIES = 5_000
FIRST_ID = 1_000_000  # above those of the site's own people and companies
SYNCED_PERCENT = 80
FIRST_NAMES = tuple(Provider.first_names)
LAST_NAMES = tuple(Provider.last_names)

COLUMNS = (
    "tenant_id", "contact_id", "name", "name_key", "email", "email_key", "company_id", "origin", "created_at", "updated_at"
)  # fmt: skip

LINKS = """
    INSERT INTO account (tenant_id, account_id, kind, active, display_name, email, email_key, email_state,
        email_checked_at, checked_at, contact_id, linked_by, linked_at)
    SELECT tenant_id, '712020:' || contact_id, 'user', true, name, email, email_key, 'visible', now(), now(),
        contact_id, 'account', updated_at
    FROM contact WHERE tenant_id = $1 AND origin = 'sync' AND contact_id >= $2
"""


async def fill(database_url: str, tenant_id: TenantId, *, contacts: int) -> None:
    """Contacts of some companies, most of them synced; the sync is on. `database_url` is the owner's."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(
            """
            INSERT INTO company (tenant_id, company_id, name, name_key, created_at, updated_at)
            SELECT $1, $3::bigint + n, 'Company ' || n || ' Ltd', 'company ' || n || ' ltd', now(), now()
            FROM generate_series(1, $2::int) AS n
            """,
            tenant_id,
            COMPANIES,
            FIRST_ID,
        )
        await connection.copy_records_to_table("contact", records=_contacts(tenant_id, contacts), columns=COLUMNS)
        await connection.execute(LINKS, tenant_id, FIRST_ID)
        await connection.execute(
            """
            INSERT INTO sync_setting (tenant_id, enabled) VALUES ($1, true)
            ON CONFLICT (tenant_id) DO UPDATE SET enabled = true
            """,
            tenant_id,
        )
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


def _contacts(tenant_id: TenantId, count: int) -> Iterator[tuple[Any, ...]]:
    dice = random.Random(1)  # noqa: S311 - reproducible on purpose
    began = datetime.now(UTC) - timedelta(days=300)
    for contact_id in range(FIRST_ID, FIRST_ID + count):
        first, last = dice.choice(FIRST_NAMES), dice.choice(LAST_NAMES)
        name, email = f"{first} {last}", f"{first}.{last}{contact_id}@example.com"
        is_synced = dice.randrange(100) < SYNCED_PERCENT
        company_id = FIRST_ID + dice.randrange(1, COMPANIES + 1) if dice.randrange(2) else None
        at = began + timedelta(seconds=25 * contact_id % (280 * 86_400))
        yield (
            tenant_id,
            contact_id,
            name,
            crm.name_key(name),
            email,
            crm.email_key(email),
            company_id,
            "sync" if is_synced else "manual",
            at,
            at,
        )
