"""Where are tenants kept, and with which statements?

Table `tenant`; every function runs inside the caller's transaction. Decides nothing and opens no secret, except to seal
it under a newer key and to see that it opens.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from databases.core import Connection
from databases.interfaces import Record as DatabaseRecord

from lifecycle import errors
from lifecycle.tenant import LIVE, ClientKey, CloudId, State, Tenant, TenantId
from lifecycle.vault import Vault

COLUMNS = """
    tenant_id, client_key, cloud_id, base_url, coalesce(display_url, base_url) AS display_url, oauth_client_id, state,
    installed_at, uninstalled_at, sealed_secret, previous_sealed_secret, previous_secret_until
"""


SECRETS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A tenant with its secrets as they rest: the present one, and the one before it for as long as it is accepted."""

    tenant: Tenant
    sealed_secret: bytes
    previous_sealed_secret: bytes | None
    previous_secret_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resealing:
    """How many tenants' secrets are now sealed under a newer key, and whose present secret opens with no key of the ring."""

    resealed: int
    unreadable: Sequence[Tenant]


async def find(connection: Connection, tenant_id: TenantId) -> Record | None:
    sql = f"SELECT {COLUMNS} FROM tenant WHERE tenant_id = CAST(:tenant_id AS uuid)"  # noqa: S608 - a constant of ours
    return _read(await connection.fetch_one(sql, {"tenant_id": tenant_id}))


async def find_by_client_key(connection: Connection, client_key: ClientKey) -> Record | None:
    # all tenants: a caller is known by client key before it is known by tenant id
    sql = f"SELECT {COLUMNS} FROM tenant WHERE client_key = :client_key"  # noqa: S608 - a constant of ours
    return _read(await connection.fetch_one(sql, {"client_key": client_key}))


async def lock_by_client_key(connection: Connection, client_key: ClientKey) -> Record | None:
    """As `find_by_client_key`; nobody else changes the row until the transaction ends.

    Rows that refer to the tenant may be written meanwhile: a run that holds what a listener waits for goes on.
    """
    # all tenants: as above
    sql = f"SELECT {COLUMNS} FROM tenant WHERE client_key = :client_key FOR NO KEY UPDATE"  # noqa: S608 - a constant of ours
    return _read(await connection.fetch_one(sql, {"client_key": client_key}))


async def lock_installs(connection: Connection) -> None:
    """One installation at a time: two for the same site must see each other, and neither has a row to lock yet.

    Held until the transaction ends. Installations are rare and take milliseconds.
    """
    await connection.fetch_val("SELECT pg_advisory_xact_lock(hashtextextended('lifecycle.store.lock_installs', 0))")


async def list_live_at(connection: Connection, base_url: str) -> Sequence[Tenant]:
    # all tenants: which of them has this site is the question
    sql = f"""
        SELECT {COLUMNS} FROM tenant
        WHERE base_url = :base_url AND state IN ('installed', 'enabled', 'disabled')
    """  # noqa: S608 - a constant of ours
    rows = await connection.fetch_all(sql, {"base_url": base_url})
    return [_record(row).tenant for row in rows]


async def list_active(connection: Connection, *, after: TenantId | None, limit: int) -> Sequence[TenantId]:
    """The next tenants, in the order of their ids, whose sites may be called."""
    # all tenants: each in its turn
    rows = await connection.fetch_all(
        """
        SELECT tenant_id FROM tenant
        WHERE state IN ('installed', 'enabled') AND (CAST(:after AS uuid) IS NULL OR tenant_id > CAST(:after AS uuid))
        ORDER BY tenant_id LIMIT :limit
        """,
        {"after": after, "limit": limit},
    )
    return [TenantId(row._mapping["tenant_id"]) for row in rows]  # noqa: SLF001 - as in `_record`


async def erase_stopped(connection: Connection, *, before: datetime) -> Sequence[TenantId]:
    """Erase the tenants that stopped before a moment, with everything that belongs to them; which they were.

    Rows of other tables go by their foreign key. A tenant that is being installed anew at this moment is left alone.
    """
    # all tenants: whose time is over is the question
    rows = await connection.fetch_all(
        """
        DELETE FROM tenant WHERE tenant_id IN (
            SELECT tenant_id FROM tenant
            WHERE state IN ('uninstalled', 'superseded') AND uninstalled_at < :before FOR UPDATE SKIP LOCKED)
        RETURNING tenant_id
        """,
        {"before": before},
    )
    return [TenantId(row._mapping["tenant_id"]) for row in rows]  # noqa: SLF001 - as in `_record`


async def save(connection: Connection, record: Record, *, now: datetime) -> None:
    """Write the whole record: a new tenant, or a re-installed one."""
    sql = """
        INSERT INTO tenant (tenant_id, client_key, cloud_id, base_url, display_url, oauth_client_id, state,
            installed_at, uninstalled_at, sealed_secret, previous_sealed_secret, previous_secret_until, updated_at)
        VALUES (:tenant_id, :client_key, :cloud_id, :base_url, :display_url, :oauth_client_id, :state,
            :installed_at, :uninstalled_at, :sealed_secret, :previous_sealed_secret, :previous_secret_until, :now)
        ON CONFLICT (tenant_id) DO UPDATE SET
            cloud_id = EXCLUDED.cloud_id, base_url = EXCLUDED.base_url, display_url = EXCLUDED.display_url,
            oauth_client_id = EXCLUDED.oauth_client_id, state = EXCLUDED.state,
            installed_at = EXCLUDED.installed_at, uninstalled_at = EXCLUDED.uninstalled_at,
            sealed_secret = EXCLUDED.sealed_secret, previous_sealed_secret = EXCLUDED.previous_sealed_secret,
            previous_secret_until = EXCLUDED.previous_secret_until, updated_at = EXCLUDED.updated_at
    """
    tenant = record.tenant
    values = {
        "tenant_id": tenant.tenant_id,
        "client_key": tenant.client_key,
        "cloud_id": tenant.cloud_id,
        "base_url": tenant.base_url,
        "display_url": tenant.display_url,
        "oauth_client_id": tenant.oauth_client_id,
        "state": tenant.state.value,
        "installed_at": tenant.installed_at,
        "uninstalled_at": tenant.uninstalled_at,
        "sealed_secret": record.sealed_secret,
        "previous_sealed_secret": record.previous_sealed_secret,
        "previous_secret_until": record.previous_secret_until,
        "now": now,
    }
    await connection.execute(sql, values)


async def change_state(connection: Connection, tenant: Tenant, *, now: datetime) -> None:
    """Write `state` and `uninstalled_at` of `tenant`. One that is no longer live loses the secret before the last."""
    sql = """
        UPDATE tenant SET
            state = :state, uninstalled_at = :uninstalled_at, updated_at = :now,
            previous_sealed_secret = CASE WHEN :is_live THEN previous_sealed_secret END,
            previous_secret_until = CASE WHEN :is_live THEN previous_secret_until END
        WHERE tenant_id = CAST(:tenant_id AS uuid)
    """
    values = {
        "tenant_id": tenant.tenant_id,
        "state": tenant.state.value,
        "uninstalled_at": tenant.uninstalled_at,
        "is_live": tenant.state in LIVE,
        "now": now,
    }
    await connection.execute(sql, values)


async def reseal_secrets(connection: Connection, vault: Vault) -> Resealing:
    """Seal every secret under the newest key of the ring that is not yet. What does not open stays as it is.

    The second half of a key rotation; an old key may be dropped after it.
    """
    # all tenants: the ring is one for the whole deployment
    sql = f"SELECT {COLUMNS} FROM tenant ORDER BY tenant_id FOR NO KEY UPDATE"  # noqa: S608 - a constant of ours
    resealed, unreadable = 0, list[Tenant]()
    for record in map(_record, await connection.fetch_all(sql)):
        tenant_id = record.tenant.tenant_id
        try:
            current = _reseal(record.sealed_secret, vault, tenant_id)
        except errors.SecretUnreadable:
            unreadable.append(record.tenant)
            continue
        previous = record.previous_sealed_secret
        # One whose key is gone opens nothing any more, and hinders nobody.
        with suppress(errors.SecretUnreadable):
            previous = None if previous is None else _reseal(previous, vault, tenant_id)
        if (current, previous) == (record.sealed_secret, record.previous_sealed_secret):
            continue
        await connection.execute(
            """
            UPDATE tenant SET sealed_secret = :current, previous_sealed_secret = :previous
            WHERE tenant_id = CAST(:tenant_id AS uuid)
            """,
            {"tenant_id": tenant_id, "current": current, "previous": previous},
        )
        resealed += 1
    return Resealing(resealed=resealed, unreadable=unreadable)


def _reseal(sealed: bytes, vault: Vault, tenant_id: TenantId) -> bytes:
    if not vault.needs_resealing(sealed):
        return sealed
    return vault.seal(vault.open(sealed, tenant_id=tenant_id), tenant_id=tenant_id)


async def list_unreadable(
    connection: Connection, vault: Vault, *, at_once: int = SECRETS_AT_ONCE
) -> Sequence[TenantId]:
    """The live tenants whose secret opens with no key of the ring, in the order of their ids."""
    # all tenants: the ring is one for the whole deployment
    sql = """
        SELECT tenant_id, sealed_secret FROM tenant
        WHERE state IN ('installed', 'enabled', 'disabled') AND tenant_id > CAST(:after AS uuid)
        ORDER BY tenant_id LIMIT :limit
    """
    unreadable, after = list[TenantId](), TenantId(UUID(int=0))
    while rows := await connection.fetch_all(sql, {"after": after, "limit": at_once}):
        for row in rows:
            columns = row._mapping  # noqa: SLF001 - as in `_record`
            after = TenantId(columns["tenant_id"])
            try:
                vault.open(columns["sealed_secret"], tenant_id=after)
            except errors.SecretUnreadable:
                unreadable.append(after)
    return unreadable


def _read(row: DatabaseRecord | None) -> Record | None:
    return None if row is None else _record(row)


def _record(row: DatabaseRecord) -> Record:
    columns = row._mapping  # noqa: SLF001 - the documented way to a row's columns in `databases` 0.9
    return Record(
        tenant=Tenant(
            tenant_id=TenantId(columns["tenant_id"]),
            client_key=ClientKey(columns["client_key"]),
            cloud_id=CloudId(columns["cloud_id"]) if columns["cloud_id"] else None,
            base_url=columns["base_url"],
            display_url=columns["display_url"],
            oauth_client_id=columns["oauth_client_id"],
            state=State(columns["state"]),
            installed_at=columns["installed_at"],
            uninstalled_at=columns["uninstalled_at"],
        ),
        sealed_secret=columns["sealed_secret"],
        previous_sealed_secret=columns["previous_sealed_secret"],
        previous_secret_until=columns["previous_secret_until"],
    )
