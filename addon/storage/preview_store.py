"""How does a preview read a site as a run does, and write nothing but what it saw? See `addon.sync.ports.Store`.

While it reads, it keeps the accounts alone. When all are read, each email's accounts are planned together against the
contacts of that moment, and the plan is not carried out: only what it means for each account is noted (D12). An account
that changes the email of a contact which another account then matches is the one case that only a run shows.
"""

import itertools
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from addon.crm.contact import ContactId, EmailKey
from addon.storage import plan_rows, sync_state
from addon.storage import preview as previews
from addon.storage.database import Database, TenantScope
from addon.sync import plan as plans
from addon.sync import ports, preview
from addon.sync.cursor import Cursor
from addon.sync.filters import Membership
from addon.sync.order import ListKey, Stretch
from addon.sync.people import Account, Known, Plan, Sighting
from addon.sync.scope import Scope
from lifecycle.tenant import AccountId, TenantId

EVERYBODY = Scope(include_inactive=True)
# Whoever is met is kept at first; who is in scope is asked when all are known.

PLANNED_AT_ONCE = 500

COLUMNS = "account_id, kind, active, display_name, email, email_key, email_state, email_checked_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far an open preview has come. `scope`: the settings that it was begun with."""

    cursor: Cursor | None
    failures: int
    scope: Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewStore:
    """The `Store` of one preview of one tenant."""

    database: Database
    tenant_id: TenantId
    number: int
    clock: Callable[[], datetime]

    async def standing(self) -> Standing | None:
        """None for a preview that has ended, or was erased."""
        async with self.database.tenant(self.tenant_id) as scope:
            row = await scope.fetch_one(
                """
                SELECT cursor, failures, made_for FROM preview
                WHERE tenant_id = :tenant_id AND number = :number AND state = 'running'
                """,
                number=self.number,
            )
        if row is None:
            return None
        data = json.loads(row["cursor"])
        cursor = None if data is None else Cursor.from_json(data)
        return Standing(cursor=cursor, failures=row["failures"], scope=previews.made_for(row))

    async def glimpse(self, account_ids: Sequence[AccountId]) -> Mapping[AccountId, ports.Glimpse]:
        async with self.database.tenant(self.tenant_id) as scope:
            met = await self._met(scope, account_ids)
        return {
            account.account_id: ports.Glimpse(
                display_name=account.display_name, active=account.active, email_checked_at=account.email_checked_at
            )
            for account in met
        }

    @asynccontextmanager
    async def page(
        self,
        sightings: Sequence[Sighting],
        *,
        membership: Membership,  # noqa: ARG002 - of the port; a preview reads whatever the filters mean
        read_at: datetime,  # noqa: ARG002 - of the port; nobody else writes a preview
    ) -> AsyncIterator["PreviewPage"]:
        async with self.database.tenant(self.tenant_id) as scope:
            await self._hold(scope)
            # Contacts are looked at when all are read.
            met = await self._met(scope, [sighting.account_id for sighting in sightings])
            yield PreviewPage(rows=scope, sightings=sightings, known=Known(accounts=met, contacts=()))

    async def move(self, cursor: Cursor, *, points: int) -> None:  # noqa: ARG002 - of the port; a preview keeps no bill
        async with self.database.tenant(self.tenant_id) as scope:
            await self._hold(scope)
            await _move(scope, cursor, new=0)

    async def keep_unread(self, phase: str) -> None:
        """A preview compares with no other."""

    async def unseen(self, after: str, limit: int) -> Sequence[AccountId]:  # noqa: ARG002 - of the port
        """Nobody: a preview says nothing about who is gone."""
        return ()

    async def finish(self, *, is_patchy: bool) -> None:  # noqa: ARG002 - of the port; the run will say so
        """Find out what would become of everybody, a part at a time; interrupted, it begins anew."""
        after: tuple[str, str] | None = ("", "")
        while after is not None:
            async with self.database.tenant(self.tenant_id) as scope:
                # Before the preview, as whoever turns the sync on does.
                await sync_state.lock_switch(scope)
                people = await self._hold(scope)
                after = await _plan_part(scope, people, *after, now=self.clock())
        async with self.database.tenant(self.tenant_id) as scope:
            await self._hold(scope)
            await scope.execute(
                """
                UPDATE preview SET state = 'done', finished_at = :now, counts = coalesce((
                    SELECT jsonb_object_agg(outcome, accounts) FROM (
                        SELECT outcome, count(*) AS accounts FROM preview_account
                        WHERE tenant_id = :tenant_id AND outcome IS NOT NULL GROUP BY outcome) AS counted), '{}')
                WHERE tenant_id = :tenant_id
                """,
                now=self.clock(),
            )

    async def note_failure(self) -> None:
        """One more attempt in a row got nowhere."""
        async with self.database.tenant(self.tenant_id) as scope:
            await scope.execute(
                "UPDATE preview SET failures = failures + 1 WHERE tenant_id = :tenant_id AND number = :number",
                number=self.number,
            )

    async def fail(self) -> None:
        """Give the preview up."""
        async with self.database.tenant(self.tenant_id) as scope:
            await scope.execute(
                """
                UPDATE preview SET state = 'failed', finished_at = :now
                WHERE tenant_id = :tenant_id AND number = :number AND state = 'running'
                """,
                number=self.number,
                now=self.clock(),
            )

    async def _hold(self, scope: TenantScope) -> Scope:
        """The settings that this preview is about. Raises RunEnded unless it is still being made."""
        row = await scope.fetch_one(
            """
            SELECT made_for FROM preview
            WHERE tenant_id = :tenant_id AND number = :number AND state = 'running' FOR UPDATE
            """,
            number=self.number,
        )
        if row is None:
            raise ports.RunEnded
        return previews.made_for(row)

    async def _met(self, scope: TenantScope, account_ids: Sequence[AccountId]) -> Sequence[Account]:
        rows = await scope.raw.fetch(
            f"SELECT {COLUMNS} FROM preview_account WHERE tenant_id = $1 AND account_id = ANY($2)",  # noqa: S608 - constant
            self.tenant_id,
            account_ids,
        )
        return [Account(**row, seen_in_run=self.number) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewPage:
    """One open transaction of a preview; see `addon.sync.ports.Page`."""

    rows: TenantScope
    sightings: Sequence[Sighting]
    known: Known

    @property
    def scope(self) -> Scope:
        return EVERYBODY

    @property
    def new_ids(self) -> Iterator[ContactId]:
        return _no_ids()

    async def write(
        self,
        plan: Plan,
        *,
        unreadable: Sequence[AccountId],  # noqa: ARG002 - of the port; who cannot be read is not previewed
        cursor: Cursor,
        points: int,  # noqa: ARG002 - of the port; a preview keeps no bill
        pages: Sequence[tuple[ListKey, Stretch]] = (),
        closed: Sequence[ListKey] = (),  # noqa: ARG002 - of the port; a preview of a part is no worse for it
    ) -> None:
        names = COLUMNS.split(", ")
        new = await self.rows.raw.fetchval(
            f"""
            WITH written AS (
                INSERT INTO preview_account (tenant_id, {COLUMNS})
                SELECT $1, new.* FROM unnest($2::text[], $3::text[], $4::boolean[], $5::text[], $6::text[], $7::text[],
                    $8::text[], $9::timestamptz[]) AS new ({COLUMNS})
                ON CONFLICT (tenant_id, account_id)
                    DO UPDATE SET {", ".join(f"{name} = EXCLUDED.{name}" for name in names[1:])}
                RETURNING xmax = 0 AS is_new
            )
            SELECT count(*) FILTER (WHERE is_new) FROM written
            """,  # noqa: S608 - constant
            self.rows.tenant_id,
            *[[getattr(account, name) for account in plan.accounts] for name in names],
        )
        await self.rows.raw.executemany(
            """
            INSERT INTO preview_place (tenant_id, phase, container, start, account_ids) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (tenant_id, phase, container, start) DO UPDATE SET account_ids = EXCLUDED.account_ids
            """,
            [
                (self.rows.tenant_id, key.phase, key.container, page.start, list(page.account_ids))
                for key, page in pages
            ],
        )
        await _move(self.rows, cursor, new=new)


def _no_ids() -> Iterator[ContactId]:
    """Ids that no contact has, for contacts that will never be."""
    return (ContactId(number) for number in itertools.count(-1, -1))


async def _move(scope: TenantScope, cursor: Cursor, *, new: int) -> None:
    """`new`: accounts that no page had shown before. `total` as in a run."""
    await scope.execute(
        """
        UPDATE preview SET cursor = CAST(:cursor AS jsonb), failures = 0, seen = seen + :new,
            total = coalesce(seen + :new + CAST(:remaining AS bigint), total)
        WHERE tenant_id = :tenant_id
        """,
        cursor=json.dumps(cursor.to_json()),
        new=new,
        remaining=cursor.remaining,
    )


async def _plan_part(
    scope: TenantScope, people: Scope, key: str, account_id: str, *, now: datetime
) -> tuple[str, str] | None:
    """Plan some accounts behind this place in the order of emails, all of one email together; the place after them.

    The caller holds the switch.
    """
    rows = await scope.raw.fetch(
        f"""
        SELECT {COLUMNS} FROM preview_account
        WHERE tenant_id = $1 AND (coalesce(email_key, ''), account_id) > ($2, $3)
        ORDER BY coalesce(email_key, ''), account_id LIMIT $4
        """,  # noqa: S608 - constant
        scope.tenant_id,
        key,
        account_id,
        PLANNED_AT_ONCE,
    )
    is_last = len(rows) < PLANNED_AT_ONCE
    if not is_last and rows[-1]["email_key"] not in {None, rows[0]["email_key"]}:
        rows = [row for row in rows if row["email_key"] != rows[-1]["email_key"]]
    if not rows:
        return None
    await _note_fates(scope, people, [_sighting(row) for row in rows], [row["email_key"] for row in rows], now)
    return None if is_last else (rows[-1]["email_key"] or "", rows[-1]["account_id"])


async def _note_fates(
    scope: TenantScope, people: Scope, sightings: Sequence[Sighting], keys: Sequence[EmailKey | None], now: datetime
) -> None:
    ids = [sighting.account_id for sighting in sightings]
    known = await plan_rows.read_known(scope, ids, [key for key in keys if key is not None])
    plan = plans.plan_page(
        sightings, known, scope=replace(people, membership="inside"), run_id=None, new_ids=_no_ids(), now=now
    )
    fates = preview.fates(sightings, known, plan)
    await scope.raw.execute(
        """
        UPDATE preview_account SET outcome = new.outcome, contact_id = new.contact_id
        FROM unnest($2::text[], $3::text[], $4::bigint[]) AS new (account_id, outcome, contact_id)
        WHERE preview_account.tenant_id = $1 AND preview_account.account_id = new.account_id
        """,
        scope.tenant_id,
        ids,
        [fates[account_id].outcome for account_id in ids],
        [fates[account_id].contact_id for account_id in ids],
    )


def _sighting(row: Mapping[str, Any]) -> Sighting:
    names = ("account_id", "kind", "active", "display_name", "email", "email_state")
    return Sighting(**{name: row[name] for name in names})
