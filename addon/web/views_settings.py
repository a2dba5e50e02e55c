"""What does the settings page show? Read from storage, for the first paint and for every later swap of a part of it.

Renders nothing and changes nothing. Jira is never asked: what is shown is what is known.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from addon.storage import attention, names, preview, probe_state, sync_state, undo
from addon.storage.database import TenantScope
from addon.storage.ledger import Ledger
from addon.storage.sync_state import Run, SyncStatus
from addon.sync import slots
from addon.sync.filters import Filters, Named, PlaceKind
from addon.sync.preview import OUTCOMES

RUNS_SHOWN = 10
ITEMS_SHOWN = 10
DEPARTING_SHOWN = 10

RATE_AFTER = timedelta(seconds=2)
# Earlier, a rate says nothing.

View = dict[str, Any]
Focus = Literal["switch", "attention", "filters", "access", "history"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How fast a run reads, as far as that can be said. `left`: about how long it still takes."""

    per_minute: int | None
    left: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Some runs that have ended, the newest first. `undoable`: the run that can be undone; `older`: where the list goes on."""

    runs: Sequence[Run]
    undoable: int | None
    older: int | None


async def page(scope: TenantScope, *, ledger: Ledger, now: datetime, focus: Focus | None = None) -> View:
    """All of it. `focus`: the part where reading goes on."""
    status = await sync_state.read(scope, is_exact=False)
    return {
        **await status_view(scope, status, ledger=ledger, now=now),
        **await preview_view(scope, status, now=now),
        **await attention_view(scope, cursor=None, waiting=status.attention),
        **await filters_view(scope, status),
        **await access_view(scope, status),
        **await history_view(scope, status, before=None),
        "focus": focus,
    }


async def status_view(
    scope: TenantScope, status: SyncStatus, *, ledger: Ledger, now: datetime, shown: str | None = None
) -> View:
    """`shown`: the mark of what the page shows so far; another one now means that it went on."""
    last_began = max((run.started_at for run in (status.run, status.last_run) if run is not None), default=None)
    view = {
        "sync": status,
        "next_scan": slots.next_scan(scope.tenant_id, last_began, now) if status.enabled else None,
        "budget": await ledger.hour(scope, now=now),
        "freshness": await probe_state.freshness(scope),
    }
    return {
        **view,
        "progress": None if status.run is None else progress(status.run, now),
        "now": now,
        "mark": mark(status),
        "has_changed": shown not in {None, mark(status)},
        "digest": hashlib.sha256(repr(view).encode()).hexdigest()[:16],
    }


def mark(status: SyncStatus) -> str:
    """Changes with what the sync does, and not with how far it is."""
    run = status.run
    return f"{status.state}-{run.id}-{run.phase}" if run else f"{status.state}-{status.last_run and status.last_run.id}"


def progress(run: Run, now: datetime) -> Progress:
    """From the run's beginning on: what waits a while gets slower on the whole."""
    took = now - run.started_at
    if took < RATE_AFTER or not run.seen:
        return Progress(per_minute=None, left=None)
    per_minute = run.seen / (took / timedelta(minutes=1))
    is_known = run.total is not None and run.total > run.seen and run.waiting_until is None
    left = timedelta(minutes=((run.total or 0) - run.seen) / per_minute) if is_known else None
    return Progress(per_minute=round(per_minute), left=left)


async def preview_view(scope: TenantScope, status: SyncStatus, *, now: datetime) -> View:
    made = await preview.read(scope, now=now)
    present = (status.filters, status.include_inactive)
    return {
        "sync": status,
        "preview": made,
        "outcomes": OUTCOMES,
        "is_outdated": made.scope is not None and (made.scope.filters, made.scope.include_inactive) != present,
        "is_first": status.last_run is None,
    }


async def attention_view(
    scope: TenantScope, *, cursor: str | None, waiting: int | None = None, focus: Focus | None = None
) -> View:
    """`waiting`: how many there are, where it was counted already. Raises Invalid for a cursor of another list."""
    found = await attention.page(scope, cursor=cursor, limit=ITEMS_SHOWN)
    departing = {
        item.attention_id: await attention.departing(scope, item, limit=DEPARTING_SHOWN)
        for item in found.items
        if item.departing
    }
    return {
        "items": found.items,
        "waiting": await attention.count(scope) if waiting is None else waiting,
        "candidates": await attention.candidates(scope, found.items),
        "departing": departing,
        "more_items": found.next_cursor,
        "focus": focus,
    }


async def filters_view(scope: TenantScope, status: SyncStatus) -> View:
    filters = status.filters
    return {"sync": status, "filters": filters, "chosen": await chosen(scope, filters)}


async def chosen(scope: TenantScope, filters: Filters) -> Mapping[PlaceKind, Sequence[Named]]:
    """The names of what the filters name."""
    return {
        "groups": await names.of(scope, "groups", filters.groups),
        "projects": await names.of(scope, "projects", filters.projects),
        "organizations": await names.of(scope, "organizations", filters.organizations),
    }


async def access_view(scope: TenantScope, status: SyncStatus, *, focus: Focus | None = None) -> View:
    return {"crm_groups": await names.of(scope, "groups", status.crm_groups), "focus": focus}


async def history_view(scope: TenantScope, status: SyncStatus, *, before: int | None) -> View:
    found = await sync_state.runs(scope, before=before, limit=RUNS_SHOWN + 1)
    shown = found[:RUNS_SHOWN]
    undone = await undo.read(scope)
    last = status.last_run
    is_undoable = (
        status.run is None
        and last is not None
        and (last.linked or last.created or last.updated)
        and (undone is None or undone.run_id != last.id)
    )
    return {
        "history": History(
            runs=[run for run in shown if run.state != "running"],
            undoable=last.id if last is not None and is_undoable else None,
            older=shown[-1].id if len(found) > RUNS_SHOWN else None,
        ),
        "undo": undone,
        "focus": None,
    }
