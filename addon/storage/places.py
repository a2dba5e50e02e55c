"""Who stood where in which list of Jira's? What runs read page by page, and what probes compare with it.

While a run reads, the order that the run before it read stays in use; `adopt` puts the new one in its place.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from addon.storage import sync_state
from addon.storage.database import Database, TenantScope
from addon.sync.bisect import Findings
from addon.sync.filters import ORGANIZATIONS
from addon.sync.order import ListKey, Order, Stretch
from addon.sync.probe import KnownList
from lifecycle.tenant import AccountId, TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """The `addon.sync.rounds.Memory` of one tenant."""

    database: Database
    tenant_id: TenantId

    async def strangers(self, account_ids: Sequence[AccountId]) -> Sequence[AccountId]:
        async with self.database.tenant(self.tenant_id) as scope:
            return await strangers(scope, account_ids)

    async def order(self, known: KnownList) -> Order:
        async with self.database.tenant(self.tenant_id) as scope:
            return await order(scope, known)

    async def note_probed(self, keys: Sequence[ListKey], now: datetime) -> None:
        async with self.database.tenant(self.tenant_id) as scope:
            # As in `learn`: the rows are locked in no order.
            await sync_state.lock_switch(scope)
            await note_probed(scope, keys, now)

    async def learn(self, known: KnownList, findings: Findings, now: datetime) -> None:
        async with self.database.tenant(self.tenant_id) as scope:
            # Held, so that no run puts another order in the place of this one meanwhile.
            await sync_state.lock_switch(scope)
            await learn(scope, known, findings, now)


async def write(scope: TenantScope, run_id: int, pages: Sequence[tuple[ListKey, Stretch]]) -> None:
    """Keep pages as a run reads them; a page that is read again replaces itself."""
    rows = [
        (scope.tenant_id, run_id, key.phase, key.container, page.start, page.slots, list(page.account_ids))
        for key, page in pages
    ]
    await scope.raw.executemany(
        """
        INSERT INTO account_place (tenant_id, run_id, phase, container, start, slots, account_ids)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (tenant_id, run_id, phase, container, start)
        DO UPDATE SET slots = EXCLUDED.slots, account_ids = EXCLUDED.account_ids
        """,
        rows,
    )


async def carry_on(scope: TenantScope, run_id: int, closed: Sequence[ListKey]) -> None:
    """Jira refuses these lists to this run: what the run before remembered of them counts on (D8), and no part of them."""
    if not closed:
        return
    keys = [key.phase for key in closed], [key.container for key in closed]
    await scope.raw.execute(
        """
        DELETE FROM account_place USING unnest($3::text[], $4::text[]) AS closed (phase, container)
        WHERE tenant_id = $1 AND run_id = $2
            AND account_place.phase = closed.phase AND account_place.container = closed.container
        """,
        scope.tenant_id,
        run_id,
        *keys,
    )
    await scope.raw.execute(
        """
        INSERT INTO account_place (tenant_id, run_id, phase, container, start, slots, account_ids)
        SELECT $1, $2, phase, container, p.start, p.slots, p.account_ids
        FROM account_list l JOIN account_place p USING (tenant_id, run_id, phase, container)
            JOIN unnest($3::text[], $4::text[]) AS closed (phase, container) USING (phase, container)
        WHERE tenant_id = $1
        """,
        scope.tenant_id,
        run_id,
        *keys,
    )


async def unread(scope: TenantScope, run_id: int, phase: str) -> Sequence[ListKey]:
    """The lists of a phase that the run before remembered and this run has read nothing of."""
    rows = await scope.fetch_all(
        """
        SELECT container FROM account_list l WHERE tenant_id = :tenant_id AND phase = :phase
            AND NOT EXISTS (SELECT FROM account_place p WHERE p.tenant_id = :tenant_id AND p.run_id = :run_id
                AND p.phase = l.phase AND p.container = l.container)
        """,
        run_id=run_id,
        phase=phase,
    )
    return [ListKey(phase=phase, container=row["container"]) for row in rows]


async def adopt(scope: TenantScope, run_id: int) -> None:
    """The run has read everything: from now on its order counts, and every other is forgotten."""
    if await scope.fetch_val("SELECT EXISTS (SELECT FROM account_list WHERE tenant_id = :tenant_id)"):
        await _mark_moved(scope, run_id)
    else:
        await _mark_elsewhere(scope, run_id)
    await scope.execute("DELETE FROM account_place WHERE tenant_id = :tenant_id AND run_id <> :run_id", run_id=run_id)
    await scope.execute(
        """
        INSERT INTO account_list (tenant_id, phase, container, run_id, length)
        SELECT :tenant_id, phase, container, :run_id, sum(slots) FROM account_place
        WHERE tenant_id = :tenant_id GROUP BY phase, container
        ON CONFLICT (tenant_id, phase, container)
        DO UPDATE SET run_id = EXCLUDED.run_id, length = EXCLUDED.length, fits = true
        """,
        run_id=run_id,
    )
    await scope.execute("DELETE FROM account_list WHERE tenant_id = :tenant_id AND run_id <> :run_id", run_id=run_id)


async def _mark_moved(scope: TenantScope, run_id: int) -> None:
    """Whoever is in another organization than before may belong to another company (C2)."""
    await scope.execute(
        """
        WITH before AS (
            SELECT p.container, unnest(p.account_ids) AS account_id FROM account_list l JOIN account_place p
                ON p.tenant_id = l.tenant_id AND p.run_id = l.run_id AND p.phase = l.phase AND p.container = l.container
            WHERE l.tenant_id = :tenant_id AND l.phase = :phase
        ), after AS (
            SELECT container, unnest(account_ids) AS account_id FROM account_place
            WHERE tenant_id = :tenant_id AND run_id = :run_id AND phase = :phase
        ), moved AS (
            (TABLE before EXCEPT TABLE after) UNION ALL (TABLE after EXCEPT TABLE before)
        )
        INSERT INTO company_due (tenant_id, contact_id)
        SELECT DISTINCT a.tenant_id, a.contact_id
        FROM moved JOIN account a ON a.tenant_id = :tenant_id AND a.account_id = moved.account_id
        WHERE a.contact_id IS NOT NULL ON CONFLICT DO NOTHING
        """,
        run_id=run_id,
        phase=ORGANIZATIONS,
    )


async def _mark_elsewhere(scope: TenantScope, run_id: int) -> None:
    """The sync was off, so nobody knows who has moved, and what is there is not to change by that (C3): only whoever is not
    in the organization any more that gave the company.
    """
    await scope.execute(
        """
        WITH after AS (
            SELECT container, unnest(account_ids) AS account_id FROM account_place
            WHERE tenant_id = :tenant_id AND run_id = :run_id AND phase = :phase
        )
        INSERT INTO company_due (tenant_id, contact_id)
        SELECT c.tenant_id, c.contact_id FROM contact c JOIN company USING (tenant_id, company_id)
        WHERE c.tenant_id = :tenant_id AND c.company_by = 'organization' AND NOT EXISTS (
            SELECT FROM account a JOIN after ON after.account_id = a.account_id
            WHERE a.tenant_id = :tenant_id AND a.contact_id = c.contact_id AND after.container = company.organization_id)
        ON CONFLICT DO NOTHING
        """,
        run_id=run_id,
        phase=ORGANIZATIONS,
    )


async def forget(scope: TenantScope) -> None:
    """The sync is off: nothing of Jira's lists matters any more (S16)."""
    await scope.execute("DELETE FROM account_place WHERE tenant_id = :tenant_id")
    await scope.execute("DELETE FROM account_list WHERE tenant_id = :tenant_id")


async def lists(scope: TenantScope) -> Sequence[KnownList]:
    rows = await scope.fetch_all(
        """
        SELECT phase, container, run_id, length, fits, probed_at, changed_at FROM account_list WHERE tenant_id = :tenant_id
        """
    )
    return [
        KnownList(
            key=ListKey(phase=row["phase"], container=row["container"]),
            run_id=row["run_id"],
            length=row["length"],
            fits=row["fits"],
            probed_at=row["probed_at"],
            changed_at=row["changed_at"],
        )
        for row in rows
    ]


async def order(scope: TenantScope, known: KnownList) -> Order:
    rows = await scope.fetch_all(
        """
        SELECT start, slots, account_ids FROM account_place
        WHERE tenant_id = :tenant_id AND run_id = :run_id AND phase = :phase AND container = :container ORDER BY start
        """,
        run_id=known.run_id,
        phase=known.key.phase,
        container=known.key.container,
    )
    return Order([Stretch(start=row["start"], slots=row["slots"], account_ids=row["account_ids"]) for row in rows])


async def strangers(scope: TenantScope, account_ids: Sequence[AccountId]) -> Sequence[AccountId]:
    """Those of `account_ids` that we keep no account of, in their order."""
    known = await scope.raw.fetch(
        "SELECT account_id FROM account WHERE tenant_id = $1 AND account_id = ANY($2)", scope.tenant_id, account_ids
    )
    kept = {row["account_id"] for row in known}
    return [account_id for account_id in account_ids if account_id not in kept]


async def note_probed(scope: TenantScope, keys: Sequence[ListKey], now: datetime) -> None:
    await scope.raw.execute(
        """
        UPDATE account_list SET probed_at = $2 FROM unnest($3::text[], $4::text[]) AS seen (phase, container)
        WHERE tenant_id = $1 AND account_list.phase = seen.phase AND account_list.container = seen.container
        """,
        scope.tenant_id,
        now,
        [key.phase for key in keys],
        [key.container for key in keys],
    )


async def learn(scope: TenantScope, known: KnownList, findings: Findings, now: datetime) -> None:
    """See `addon.sync.rounds.Memory`. The caller holds the switch."""
    before = await _members(scope, known)
    for start, stretch in findings.stretches.items():
        if stretch is None:
            await scope.execute(
                """
                DELETE FROM account_place WHERE tenant_id = :tenant_id AND run_id = :run_id
                    AND phase = :phase AND container = :container AND start = :start
                """,
                run_id=known.run_id,
                phase=known.key.phase,
                container=known.key.container,
                start=start,
            )
        else:
            await scope.execute(
                """
                UPDATE account_place SET slots = :slots, account_ids = :account_ids
                WHERE tenant_id = :tenant_id AND run_id = :run_id
                    AND phase = :phase AND container = :container AND start = :start
                """,
                run_id=known.run_id,
                phase=known.key.phase,
                container=known.key.container,
                start=start,
                slots=stretch.slots,
                account_ids=list(stretch.account_ids),
            )
    await scope.execute(
        """
        UPDATE account_list SET probed_at = :now, changed_at = :now, fits = :fits, length = (
            SELECT coalesce(sum(slots), 0) FROM account_place AS place
            WHERE place.tenant_id = :tenant_id AND place.run_id = :run_id
                AND place.phase = :phase AND place.container = :container)
        WHERE tenant_id = :tenant_id AND run_id = :run_id AND phase = :phase AND container = :container
        """,
        now=now,
        fits=findings.outcome != "unfit",
        run_id=known.run_id,
        phase=known.key.phase,
        container=known.key.container,
    )
    moved = before ^ await _members(scope, known)
    if moved:
        await scope.raw.execute(
            """
            INSERT INTO company_due (tenant_id, contact_id)
            SELECT DISTINCT tenant_id, contact_id FROM account
            WHERE tenant_id = $1 AND account_id = ANY($2) AND contact_id IS NOT NULL ON CONFLICT DO NOTHING
            """,
            scope.tenant_id,
            list(moved),
        )


async def _members(scope: TenantScope, known: KnownList) -> frozenset[AccountId]:
    """Whom a list of an organization's names; of others nobody, since no company depends on them."""
    if known.key.phase != ORGANIZATIONS:
        return frozenset()
    remembered = await order(scope, known)
    return frozenset(remembered.homes)
