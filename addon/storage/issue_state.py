"""How far has the company of the reporter come on the issues that were there already, and what may it cost (C5)?

One row for each tenant, made when it is first needed.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from addon import errors
from addon.errors import Remark
from addon.issues import allowance
from addon.issues.allowance import Allowance
from addon.issues.walk import CatchUp, Place
from addon.storage import issue_calls, issue_marks
from addon.storage.database import TenantScope
from addon.sync import quota

State = Literal["off", "reading-open", "reading-rest", "writing", "idle", "waiting", "failing"]

FAILING_FROM = 3
# Failures in a row; fewer are everyday's.

DEFAULT_SHARE_PERCENT = 25

STANDING = """
    SELECT phase, cursor, failures, share_percent, hour, spent, waiting_until, caught_up_to, catch_up,
        (SELECT started_at FROM sync_run WHERE tenant_id = :tenant_id AND trigger = 'turned-on'
         ORDER BY run_id DESC LIMIT 1) AS turned_on_at
    FROM issue_state WHERE tenant_id = :tenant_id
"""

NO_SHARE = Remark("a share of the API budget above 0 %")
SHARE_SPENT = Remark("the next hour's share of the API budget")


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueStatus:
    """`read` of about `total` issues that were there already; `due` have to be compared or written; `refused` by Jira.

    `waiting_for` follows "waiting for"; without `waiting_until` it waits for a person.
    """

    state: State
    read: int
    total: int | None
    due: int
    written: int
    refused: int
    points: int
    share_percent: int
    waiting_for: str | None
    waiting_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where the reading stands. `has_begun`: it was counted what there is. `caught_up_to`: as in the table.

    `turned_on_at`: when the sync was turned on last; what happened before, no event told.
    """

    place: Place
    has_begun: bool
    failures: int
    share_percent: int
    hour: datetime | None
    spent: int
    waiting_until: datetime | None
    caught_up_to: datetime | None
    catch_up: CatchUp | None
    turned_on_at: datetime | None

    def allowance(self, points_per_hour: int) -> Allowance:
        """What issues that were there already may take of an hour."""
        return allowance.of(
            points_per_hour=points_per_hour, percent=self.share_percent, hour=self.hour, spent=self.spent
        )

    def may_take_backlog(self, now: datetime) -> bool:
        """Whether it is worth trying; what a call costs is looked at before each."""
        return self.share_percent > 0 and (self.waiting_until is None or self.waiting_until <= now)

    def wants_catch_up(self, turn: datetime) -> bool:
        """Whether to ask for what no event told; `turn` is when that was due last."""
        if self.caught_up_to is None or self.catch_up is not None:
            return True
        return self.caught_up_to < max(turn, self.turned_on_at or turn)


async def status(scope: TenantScope) -> IssueStatus:
    """Everything that a page shows of it."""
    row = await scope.fetch_one(
        """
        SELECT phase, read, total, written, failures, share_percent, points, waiting_for, waiting_until,
            coalesce((SELECT enabled FROM sync_setting WHERE tenant_id = :tenant_id), false) AS enabled,
            (SELECT count(*) FROM issue_due WHERE tenant_id = :tenant_id)
                + (SELECT count(*) FROM issue_call_item WHERE tenant_id = :tenant_id) AS due,
            (SELECT count(*) FROM issue_company WHERE tenant_id = :tenant_id AND refused_at IS NOT NULL) AS refused,
            coalesce(CAST(cursor ->> 'isRead' AS boolean), false) AS is_read,
            EXISTS (SELECT FROM issue_due WHERE tenant_id = :tenant_id AND is_backlog) AS has_backlog
        FROM (SELECT CAST(:tenant_id AS uuid) AS tenant_id) tenant LEFT JOIN issue_state USING (tenant_id)
        """
    )
    if row is None:
        raise LookupError("a query without a condition gave no row")
    facts = dict(row)
    if facts["share_percent"] is None:
        facts |= {"phase": "open", "read": 0, "written": 0, "failures": 0, "points": 0}
        facts["share_percent"] = DEFAULT_SHARE_PERCENT
    is_on, has_backlog = facts.pop("enabled"), facts.pop("has_backlog") or facts["phase"] != "done"
    if not facts["share_percent"] and has_backlog:
        facts |= {"waiting_for": NO_SHARE, "waiting_until": None}
    state = _state(
        is_on=is_on,
        phase=facts.pop("phase"),
        is_read=facts.pop("is_read"),
        failures=facts.pop("failures"),
        is_waiting=facts["waiting_for"] is not None,
        due=facts["due"],
    )
    if not is_on:
        facts |= {"waiting_for": None, "waiting_until": None}
    return IssueStatus(state=state, **facts)


def _state(*, is_on: bool, phase: str, is_read: bool, failures: int, is_waiting: bool, due: int) -> State:
    if not is_on:
        return "off"
    if failures >= FAILING_FROM:
        return "failing"
    if is_waiting:
        return "waiting"
    if phase != "done" and not is_read:
        return "reading-open" if phase == "open" else "reading-rest"
    return "writing" if due or phase != "done" else "idle"


async def share(scope: TenantScope, *, points_per_hour: int) -> Allowance:
    """What issues that were there already may take of an hour, and took of it."""
    row = await scope.fetch_one("SELECT share_percent, hour, spent FROM issue_state WHERE tenant_id = :tenant_id")
    facts: dict[str, Any] = (
        dict(row) if row is not None else {"share_percent": DEFAULT_SHARE_PERCENT, "hour": None, "spent": 0}
    )
    return allowance.of(points_per_hour=points_per_hour, percent=facts.pop("share_percent"), **facts)


async def set_share(scope: TenantScope, percent: int) -> None:
    """What issues that were there already may take of the points of an hour's background work. Raises Invalid."""
    if not 0 <= percent <= allowance.PERCENT:
        raise errors.Invalid([errors.FieldProblem(field="sharePercent", problem="must be from 0 to 100")])
    await scope.execute(
        """
        INSERT INTO issue_state (tenant_id, share_percent) VALUES (:tenant_id, :percent)
        -- Who waited for the old share looks at once what the new one allows.
        ON CONFLICT (tenant_id) DO UPDATE SET share_percent = EXCLUDED.share_percent,
            waiting_for = NULL, waiting_until = NULL
        """,
        percent=percent,
    )


async def is_ready(scope: TenantScope) -> bool:
    """Whether the sync is on and has read everybody since it was turned on: before, a reporter without a contact may be one
    whose link is not back yet (D10).
    """
    return bool(
        await scope.fetch_val(
            """
            SELECT true FROM sync_setting JOIN probe_state USING (tenant_id)
            WHERE sync_setting.tenant_id = :tenant_id AND enabled
            """
        )
    )


async def read(scope: TenantScope) -> Standing:
    """Where the reading stands; from now on there is a row to note it in."""
    row = await scope.fetch_one(STANDING)
    if row is None:
        await scope.execute("INSERT INTO issue_state (tenant_id) VALUES (:tenant_id) ON CONFLICT DO NOTHING")
        row = await scope.fetch_one(STANDING)
    if row is None:
        raise LookupError("the state that was just made is gone")
    facts = dict(row)
    cursor, catch_up = json.loads(facts.pop("cursor")), json.loads(facts.pop("catch_up"))
    place = Place.from_json(facts.pop("phase"), cursor)
    return Standing(
        place=place,
        has_begun=cursor is not None,
        catch_up=CatchUp.from_json(catch_up) if catch_up is not None else None,
        **facts,
    )


async def is_due(scope: TenantScope, *, turn: datetime, now: datetime) -> bool:
    """Whether there is something to read, to write or to look after; `turn` as in `wants_catch_up`."""
    standing = await read(scope)
    await issue_calls.hurry(scope)
    may_take_backlog = standing.may_take_backlog(now)
    look_at = await issue_calls.next_look(scope, with_backlog=may_take_backlog)
    if standing.wants_catch_up(turn) or (look_at is not None and look_at <= now):
        return True
    return may_take_backlog and await has_backlog(scope, standing)


async def has_backlog(scope: TenantScope, standing: Standing) -> bool:
    """Whether issues that were there already are not all read and compared yet."""
    return standing.place.phase != "done" or await issue_marks.has_backlog(scope)


async def listen(scope: TenantScope, *, now: datetime) -> None:
    """Whatever is new from now on is asked for later, besides the events that tell of it."""
    await scope.execute("UPDATE issue_state SET caught_up_to = :now WHERE tenant_id = :tenant_id", now=now)


async def begin(scope: TenantScope, place: Place, *, total: int) -> None:
    """The reading of what is there already begins."""
    await scope.execute("UPDATE issue_state SET total = :total WHERE tenant_id = :tenant_id", total=total)
    await move(scope, place, read=0)


async def move(scope: TenantScope, place: Place, *, read: int) -> None:
    """The reading has come to `place`, by `read` issues."""
    await scope.execute(
        """
        UPDATE issue_state SET phase = :phase, cursor = CAST(:cursor AS jsonb), read = read + :read,
            failures = 0, waiting_for = NULL, waiting_until = NULL
        WHERE tenant_id = :tenant_id
        """,
        phase=place.phase,
        cursor=json.dumps(place.to_json()),
        read=read,
    )


async def move_catch_up(scope: TenantScope, catch_up: CatchUp, *, is_done: bool) -> None:
    """The asking for what no event told has come so far."""
    await scope.execute(
        """
        UPDATE issue_state SET catch_up = CAST(:catch_up AS jsonb),
            caught_up_to = CASE WHEN :is_done THEN :began ELSE caught_up_to END
        WHERE tenant_id = :tenant_id
        """,
        catch_up="null" if is_done else json.dumps(catch_up.to_json()),
        is_done=is_done,
        began=catch_up.began,
    )


async def drop_catch_up(scope: TenantScope) -> None:
    """It cannot go on from where it stood, and begins anew."""
    await scope.execute("UPDATE issue_state SET catch_up = 'null' WHERE tenant_id = :tenant_id")


async def charge(scope: TenantScope, points: int, *, is_backlog: bool, now: datetime) -> None:
    """Points are taken, before the call that they are for; what it did not need comes back as a negative number."""
    await scope.execute(
        """
        UPDATE issue_state SET points = points + :points,
            spent = CASE WHEN NOT :is_backlog THEN spent
                WHEN hour = :hour THEN greatest(spent + :points, 0) ELSE greatest(:points, 0) END,
            hour = CASE WHEN :is_backlog THEN :hour ELSE hour END,
            waiting_for = CASE WHEN NOT :is_backlog THEN waiting_for END,
            waiting_until = CASE WHEN NOT :is_backlog THEN waiting_until END
        WHERE tenant_id = :tenant_id
        """,
        points=points,
        is_backlog=is_backlog,
        hour=quota.hour_of(now),
    )


async def note_waiting(scope: TenantScope, what: str, until: datetime | None) -> None:
    """`what` follows "waiting for"; `until` None: until a person does something."""
    await scope.execute(
        "UPDATE issue_state SET waiting_for = :what, waiting_until = :until WHERE tenant_id = :tenant_id",
        what=what,
        until=until,
    )


async def note_success(scope: TenantScope, *, now: datetime) -> None:
    """Jira takes our calls: whatever was waited for is over, but for a share that is spent, which not all work needs."""
    await scope.execute(
        """
        UPDATE issue_state SET failures = 0, (waiting_for, waiting_until) = (
            SELECT waiting_for, waiting_until WHERE waiting_for = :share_spent AND waiting_until > :now)
        WHERE tenant_id = :tenant_id
        """,
        share_spent=SHARE_SPENT,
        now=now,
    )


async def note_failure(scope: TenantScope) -> None:
    """One more attempt in a row got nowhere."""
    await scope.execute("UPDATE issue_state SET failures = failures + 1 WHERE tenant_id = :tenant_id")
