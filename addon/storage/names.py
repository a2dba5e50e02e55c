"""What does Jira call its groups, service projects and organizations? Kept, so that the settings show names and not ids.

Service projects and organizations are read as a whole by a job, since Jira cannot search them; groups as they are met.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from addon.crm import contact as crm
from addon.storage.database import TenantScope
from addon.storage.sync_state import Enqueue
from addon.sync.filters import ListKind, Named, PlaceKind
from addon.sync.work import Work

FRESH_FOR = timedelta(minutes=10)
RETRY_AFTER = timedelta(minutes=1)
FIRST: ListKind = "projects"
FOLLOWING: Mapping[ListKind, ListKind | None] = {"projects": "organizations", "organizations": None}


State = Literal["running", "done", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a reading goes on. `failures`: in a row."""

    kind: ListKind
    start: int
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The first names that fit, of `total`. `state`: of the reading that they are from."""

    places: Sequence[Named]
    total: int
    state: State


async def of(scope: TenantScope, kind: PlaceKind, place_ids: Sequence[str]) -> Sequence[Named]:
    """These, by name; one that was never read goes by its id."""
    if not place_ids:
        return ()
    rows = await scope.fetch_all(
        """
        SELECT place_id, name FROM jira_place
        WHERE tenant_id = :tenant_id AND kind = :kind AND place_id = ANY(CAST(:place_ids AS text[]))
        """,
        kind=kind,
        place_ids=list(place_ids),
    )
    names = {row["place_id"]: row["name"] for row in rows}
    places = [Named(id=place_id, name=names.get(place_id, place_id)) for place_id in place_ids]
    return sorted(places, key=lambda place: (crm.name_key(place.name), place.id))


async def search(scope: TenantScope, kind: ListKind, query: str, *, limit: int) -> Found:
    """Those whose name holds the text, by name."""
    rows = await scope.fetch_all(
        """
        SELECT place_id, name, count(*) OVER () AS total FROM jira_place AS p
        WHERE tenant_id = :tenant_id AND kind = :kind AND strpos(name_key, CAST(:query AS text)) > 0
            -- What the newest whole reading did not meet is gone; its name is kept for filters that name it still.
            AND NOT EXISTS (SELECT FROM jira_reading r
                WHERE r.tenant_id = :tenant_id AND r.state = 'done' AND r.number <> p.reading)
        ORDER BY name_key, place_id LIMIT CAST(:limit AS bigint)
        """,
        kind=kind,
        query=crm.name_key(query),
        limit=limit,
    )
    state = await scope.fetch_val("SELECT state FROM jira_reading WHERE tenant_id = :tenant_id")
    return Found(
        places=[Named(id=row["place_id"], name=row["name"]) for row in rows],
        total=rows[0]["total"] if rows else 0,
        state=state or "done",
    )


async def keep(scope: TenantScope, kind: PlaceKind, places: Sequence[Named], *, reading: int = 0) -> None:
    """Remember what Jira called these."""
    by_id = {place.id: place for place in places}
    await scope.raw.execute(
        """
        INSERT INTO jira_place (tenant_id, kind, place_id, name, name_key, reading)
        SELECT $1, $2, new.*, $3 FROM unnest($4::text[], $5::text[], $6::text[]) AS new
        ON CONFLICT (tenant_id, kind, place_id)
            DO UPDATE SET name = EXCLUDED.name, name_key = EXCLUDED.name_key, reading = EXCLUDED.reading
        """,
        scope.tenant_id,
        kind,
        reading,
        list(by_id),
        [place.name for place in by_id.values()],
        [crm.name_key(place.name) for place in by_id.values()],
    )


async def refresh(scope: TenantScope, *, enqueue: Enqueue, now: datetime) -> None:
    """Have the service projects and organizations read, unless that was done lately."""
    row = await scope.fetch_one(
        "SELECT number, state, started_at FROM jira_reading WHERE tenant_id = :tenant_id FOR UPDATE"
    )
    number = int(now.timestamp() * 1000)
    if row is not None:
        age = now - row["started_at"]
        if age < (RETRY_AFTER if row["state"] == "failed" else FRESH_FOR):
            return
        if row["state"] == "running":
            # Its job is there, unless it was lost.
            number = row["number"]
    await scope.execute(
        """
        INSERT INTO jira_reading (tenant_id, number, state, kind, started_at)
        VALUES (:tenant_id, :number, 'running', :kind, :now)
        ON CONFLICT (tenant_id) DO UPDATE SET number = EXCLUDED.number, state = EXCLUDED.state, kind = EXCLUDED.kind,
            next_start = 0, failures = 0, started_at = EXCLUDED.started_at
        WHERE jira_reading.number <> EXCLUDED.number
        """,
        number=number,
        kind=FIRST,
        now=now,
    )
    await enqueue(scope, Work(kind="names", tenant_id=scope.tenant_id, number=number))


async def standing(scope: TenantScope, number: int) -> Standing | None:
    """None for a reading that has ended. Locks it: nobody else writes a page meanwhile."""
    row = await scope.fetch_one(
        """
        SELECT kind, next_start, failures FROM jira_reading
        WHERE tenant_id = :tenant_id AND number = :number AND state = 'running' FOR UPDATE
        """,
        number=number,
    )
    return None if row is None else Standing(kind=row["kind"], start=row["next_start"], failures=row["failures"])


async def write(
    scope: TenantScope, number: int, before: Standing, places: Sequence[Named], next_start: int | None
) -> bool:
    """Keep a page and move the reading on; whether there is more to read. A page that was read twice changes nothing."""
    if await standing(scope, number) != before:
        return False
    await keep(scope, before.kind, places, reading=number)
    kind: ListKind | None = before.kind
    if next_start is None:
        kind = FOLLOWING[before.kind]
    await scope.execute(
        """
        UPDATE jira_reading SET state = :state, kind = coalesce(:kind, kind), next_start = :start, failures = 0
        WHERE tenant_id = :tenant_id AND number = :number
        """,
        number=number,
        state="done" if kind is None else "running",
        kind=kind,
        start=next_start or 0,
    )
    return kind is not None


async def note_failure(scope: TenantScope, number: int, *, is_over: bool) -> None:
    """One more attempt in a row got nowhere; `is_over`: there will be no other."""
    await scope.execute(
        """
        UPDATE jira_reading SET failures = failures + 1, state = CASE WHEN :is_over THEN 'failed' ELSE state END
        WHERE tenant_id = :tenant_id AND number = :number AND state = 'running'
        """,
        number=number,
        is_over=is_over,
    )
