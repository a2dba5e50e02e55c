"""Which accounts does something hint at, and which of them were not read again yet?

A hint is stored with the job that reads it (`addon.hints`). Only ids are kept. Decides nothing about people.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from addon.storage.database import TenantScope
from addon.storage.sync_state import Enqueue
from addon.sync.hints import Hint
from addon.sync.work import Work
from lifecycle.tenant import AccountId

LISTED = "contact-list"
# The delivery and the event of accounts that a person has before their eyes (S14).

KNOWN_FOR = timedelta(hours=1)
# So long an issue's reporter whom we do not keep (an inactive one, an app) is not read again for the next issue.

KEPT_DONE = timedelta(days=3)  # Jira repeats a delivery for hours, and lists it as failed for 72 hours

ROWS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Open hints, the oldest first: `rows` are their keys, `failures` the attempts in a row that got nowhere."""

    account_ids: Sequence[AccountId]
    rows: Sequence[tuple[str, AccountId]]
    failures: int


async def receive(scope: TenantScope, delivery_id: str, hint: Hint, *, enqueue: Enqueue, now: datetime) -> None:
    """Store a delivery, once, with the job that reads it; while the sync is off, nothing (S16)."""
    if not hint.account_ids:
        return
    turn = await _hold_turn(scope)
    if turn is None:
        return
    stored = await scope.fetch_val(
        """
        WITH stored AS (
            INSERT INTO webhook_delivery (tenant_id, delivery_id, event, account_id, received_at)
            SELECT :tenant_id, :delivery_id, :event, hinted.account_id, :now
            FROM unnest(CAST(:account_ids AS text[])) AS hinted (account_id)
            WHERE :is_user OR NOT (
                EXISTS (SELECT 1 FROM account a WHERE a.tenant_id = :tenant_id AND a.account_id = hinted.account_id)
                OR EXISTS (SELECT 1 FROM webhook_delivery d WHERE d.tenant_id = :tenant_id
                           AND d.account_id = hinted.account_id AND coalesce(d.done_at, :now) > :known_since))
            ON CONFLICT DO NOTHING RETURNING 1
        )
        SELECT count(*) FROM stored
        """,
        delivery_id=delivery_id,
        event=hint.event,
        account_ids=list(hint.account_ids),
        # An issue tells nothing new of a reporter whom we know.
        is_user=hint.subject == "user",
        known_since=now - KNOWN_FOR,
        now=now,
    )
    if stored:
        await enqueue(scope, Work(kind="refresh", tenant_id=scope.tenant_id, number=turn))


async def ask(scope: TenantScope, account_ids: Sequence[AccountId], *, enqueue: Enqueue, now: datetime) -> None:
    """Have accounts read again that a person looks at, unless such a wish of the tenant's is open already (S14)."""
    if not account_ids:
        return
    turn = await _hold_turn(scope)
    if turn is None:
        return
    stored = await scope.fetch_val(
        """
        WITH stored AS (
            INSERT INTO webhook_delivery (tenant_id, delivery_id, event, account_id, received_at)
            SELECT :tenant_id, :listed, :listed, listed.account_id, :now
            FROM unnest(CAST(:account_ids AS text[])) AS listed (account_id)
            WHERE NOT EXISTS (SELECT 1 FROM webhook_delivery
                              WHERE tenant_id = :tenant_id AND delivery_id = :listed AND done_at IS NULL)
            -- Two who see the same accounts in other orders must not wait for each other.
            ORDER BY listed.account_id
            ON CONFLICT (tenant_id, delivery_id, account_id)
                DO UPDATE SET received_at = EXCLUDED.received_at, done_at = NULL
            RETURNING 1
        )
        SELECT count(*) FROM stored
        """,
        listed=LISTED,
        account_ids=list(dict.fromkeys(account_ids)),
        now=now,
    )
    if stored:
        await enqueue(scope, Work(kind="refresh", tenant_id=scope.tenant_id, number=turn))


async def _hold_turn(scope: TenantScope) -> int | None:
    """The number of the job that will see what this transaction stores; None while the sync is off.

    `take` waits for this transaction before it says that nothing is left, and then gives the next job a new number: so
    no hint is stored for a job that is just ending.
    """
    sql = """
        SELECT w.turn FROM webhook_state w JOIN sync_setting s ON s.tenant_id = w.tenant_id AND s.enabled
        WHERE w.tenant_id = :tenant_id FOR SHARE OF w
    """
    turn: int | None = await scope.fetch_val(sql)
    if turn is None:
        await scope.execute(
            """
            INSERT INTO webhook_state (tenant_id) SELECT tenant_id FROM sync_setting
            WHERE tenant_id = :tenant_id AND enabled ON CONFLICT DO NOTHING
            """
        )
        turn = await scope.fetch_val(sql)
    return turn


async def take(scope: TenantScope, turn: int, *, limit: int) -> Batch | None:
    """Open hints of at most `limit` accounts; None where none is left, or the turn is over. Never waits for Jira."""
    state = await scope.fetch_one(
        "SELECT turn, failures FROM webhook_state WHERE tenant_id = :tenant_id FOR NO KEY UPDATE"
    )
    if state is None or state["turn"] != turn:
        return None
    rows = await scope.fetch_all(
        """
        SELECT delivery_id, account_id FROM webhook_delivery WHERE tenant_id = :tenant_id AND done_at IS NULL
        ORDER BY received_at, account_id LIMIT :limit
        """,
        limit=ROWS_AT_ONCE,
    )
    if not rows:
        await scope.execute("UPDATE webhook_state SET turn = turn + 1, failures = 0 WHERE tenant_id = :tenant_id")
        return None
    account_ids = list(dict.fromkeys(AccountId(row["account_id"]) for row in rows))[:limit]
    taken = set(account_ids)
    return Batch(
        account_ids=account_ids,
        rows=[(row["delivery_id"], row["account_id"]) for row in rows if row["account_id"] in taken],
        failures=state["failures"],
    )


async def close(scope: TenantScope, batch: Batch, *, keep: Sequence[AccountId], since: datetime, now: datetime) -> None:
    """These hints are done with; what came for the same accounts meanwhile stays open, and so do Jira's own for `keep`
    that came after `since`.
    """
    await scope.raw.execute(
        """
        UPDATE webhook_delivery SET done_at = $2
        FROM unnest($3::text[], $4::text[]) AS done (delivery_id, account_id)
        WHERE webhook_delivery.tenant_id = $1 AND webhook_delivery.delivery_id = done.delivery_id
            AND webhook_delivery.account_id = done.account_id
            AND NOT (webhook_delivery.account_id = ANY($5) AND webhook_delivery.received_at > $6
                     AND webhook_delivery.delivery_id <> $7)
        """,
        scope.tenant_id,
        now,
        [delivery_id for delivery_id, _ in batch.rows],
        [account_id for _, account_id in batch.rows],
        keep,
        since,
        LISTED,
    )
    await scope.execute("UPDATE webhook_state SET failures = 0 WHERE tenant_id = :tenant_id AND failures > 0")


async def close_all(scope: TenantScope, *, now: datetime) -> None:
    """Whatever is open is done with: the sync is off, or the app is gone; a whole run follows if they come back."""
    await scope.execute(
        "UPDATE webhook_delivery SET done_at = :now WHERE tenant_id = :tenant_id AND done_at IS NULL", now=now
    )


async def note_failure(scope: TenantScope) -> None:
    """One more attempt in a row got nowhere; the hints stay open."""
    await scope.execute("UPDATE webhook_state SET failures = failures + 1 WHERE tenant_id = :tenant_id")


async def prune(scope: TenantScope, *, now: datetime) -> None:
    """Forget deliveries that can hardly be repeated any more."""
    await scope.execute(
        "DELETE FROM webhook_delivery WHERE tenant_id = :tenant_id AND done_at < :before", before=now - KEPT_DONE
    )


async def drained_to(scope: TenantScope) -> datetime | None:
    """Up to where Jira's list of failed deliveries was read."""
    moment: datetime | None = await scope.fetch_val(
        "SELECT failed_after FROM webhook_state WHERE tenant_id = :tenant_id"
    )
    return moment


async def note_drained(scope: TenantScope, *, failed_after: datetime | None, now: datetime) -> None:
    await scope.execute(
        """
        INSERT INTO webhook_state (tenant_id, failed_after, drained_at) VALUES (:tenant_id, :failed_after, :now)
        ON CONFLICT (tenant_id) DO UPDATE SET drained_at = EXCLUDED.drained_at,
            failed_after = coalesce(EXCLUDED.failed_after, webhook_state.failed_after)
        """,
        failed_after=failed_after,
        now=now,
    )
