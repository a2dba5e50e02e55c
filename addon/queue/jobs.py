"""How does a job get into the queue, in the very transaction that made it necessary?

PgQueuer keeps the queue in PostgreSQL. Its tables belong to no tenant: a job says which tenant it is for.
"""

import json
from datetime import datetime, timedelta
from uuid import UUID

from databases.core import Connection
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.queries import Queries

from addon.sync.work import Kind, Work
from lifecycle.tenant import TenantId

PRIORITIES: dict[Kind, int] = {
    "clear-links": 10,
    "departures": 6,
    "undo": 6,
    "preview": 3,
    "import": 4,
    "names": 6,
    "refresh": 5,
    "companies": 4,
    "issues": 4,
    "issue-scan": 0,
    "rules": 4,
    "organizations": 1,
    "failed-webhooks": 1,
    "probe": 3,
    "run": 0,
}
# Short work that a person waits for goes before whole scans.

KEPT_LOG = timedelta(days=7)


async def enqueue(connection: Connection, work: Work) -> None:
    """Store a job with the connection's transaction; a job that waits or runs already is not stored twice."""
    await Queries(AsyncpgDriver(connection.raw_connection)).enqueue(
        [work.kind],
        [encode(work)],
        [PRIORITIES[work.kind]],
        dedupe_key=[f"{work.kind}:{work.tenant_id}:{work.number}"],
        on_conflict="skip",
    )


async def prune_log(connection: Connection, *, now: datetime) -> None:
    """Forget turns of the queue that were counted and are long over."""
    await connection.execute(
        # all tenants: the queue is shared
        "DELETE FROM pgqueuer_log WHERE aggregated AND created < :before",
        {"before": now - KEPT_LOG},
    )


def encode(work: Work) -> bytes:
    return json.dumps({"tenant_id": str(work.tenant_id), "number": work.number}).encode()


def decode(kind: Kind, payload: bytes | None) -> Work:
    """The job of a queue row. Raises ValueError for a row that `encode` did not write."""
    try:
        data = json.loads(payload or b"")
        return Work(kind=kind, tenant_id=TenantId(UUID(str(data["tenant_id"]))), number=int(data["number"]))
    except (KeyError, TypeError, ValueError) as exc:
        raise ValueError(f"a {kind} job with an unreadable payload") from exc
