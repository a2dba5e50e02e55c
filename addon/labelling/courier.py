"""How is one noted call to Jira made, followed and ended? Whatever happens on the way, the note says what is known.

A call is noted as sent before it is sent; one that was certainly not carried out is taken back. So a kill at any moment
leaves a note from which the next worker goes on, and no call that succeeded is made again.
"""

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import assert_never

import structlog

from addon.issues import calls
from addon.jira import errors as jira
from addon.jira import permissions, properties
from addon.jira.client import JiraClient
from addon.storage import duties, issue_calls, issue_state
from addon.storage.database import Database, TenantScope
from addon.storage.issue_calls import OpenCall
from addon.storage.sync_state import Enqueue
from lifecycle.tenant import TenantId

LEAST_PAUSE = timedelta(seconds=2)
# Until a call that was one too many is made again, where Jira names no time.

LOOK_POINTS = 1  # at a task

CAN_BE_HALVED = {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND}
# Refusals that may be about some issues of a call; so may a 403.

log = structlog.get_logger()


class Off(Exception):
    """The sync was turned off: nothing is written."""


class NoShare(Exception):
    """What issues that were there already may take of this hour is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Courier:
    """Makes the calls of one tenant. `quota`: the app's API points per hour."""

    database: Database
    tenant_id: TenantId
    client: JiraClient
    enqueue: Enqueue
    clock: Callable[[], datetime]
    quota: int

    async def carry(self, found: OpenCall) -> None:
        """Take the call one step further. Raises Off, NoShare, and JiraError where the site itself is the trouble."""
        match found.stand:
            case "planned":
                await self._send(found)
            case "sent":
                await self._ask(found)
            case "going":
                await self._look(found)

    async def pay(self, scope: TenantScope, points: int, *, is_backlog: bool, reserve: int = 0) -> None:
        """Take points, in the transaction that notes what they are for; `reserve`: what its end will cost besides.

        Raises Off, NoShare.
        """
        if not await issue_state.is_ready(scope):
            raise Off
        if is_backlog:
            allowance = (await issue_state.read(scope)).allowance(self.quota)
            if allowance.left(self.clock()) < points + reserve:
                raise NoShare
        await issue_state.charge(scope, points, is_backlog=is_backlog, now=self.clock())

    async def refund(self, scope: TenantScope, points: int, *, is_backlog: bool) -> None:
        """Points that were paid and not taken."""
        await issue_state.charge(scope, -points, is_backlog=is_backlog, now=self.clock())

    async def _send(self, found: OpenCall) -> None:
        async with self.database.tenant(self.tenant_id) as scope:
            reserve = found.call.points - 1 + found.call.check_points
            await self.pay(scope, 1, is_backlog=found.is_backlog, reserve=reserve)
            sent = await issue_calls.begin(scope, found, now=self.clock())
            if sent is None:
                await self.refund(scope, 1, is_backlog=found.is_backlog)
                return
        try:
            task_id = await properties.send(self.client, sent.call)
        except jira.Waiting:
            async with self.database.tenant(self.tenant_id) as scope:
                await self.refund(scope, 1, is_backlog=sent.is_backlog)
                await issue_calls.take_back(scope, sent, until=self.clock())
            raise
        except jira.Throttled as error:
            async with self.database.tenant(self.tenant_id) as scope:
                until = self.clock() + max(error.retry_after, LEAST_PAUSE)
                await issue_calls.take_back(scope, sent, until=until)
            # An issue that was written too often lately waits, and no other does.
            if not error.is_alone:
                raise
        except jira.Unauthorized:
            async with self.database.tenant(self.tenant_id) as scope:
                await issue_calls.take_back(scope, sent, until=self.clock())
            raise
        except (jira.Forbidden, jira.Rejected) as error:
            await self._refused(sent, error)
        else:
            async with self.database.tenant(self.tenant_id) as scope:
                if task_id is None:
                    await self._fold(scope, sent)
                else:
                    await issue_calls.follow(scope, sent, task_id, now=self.clock())

    async def _ask(self, found: OpenCall) -> None:
        """Nobody knows whether Jira carried it out: its last issue tells, as Jira takes them in turn."""
        last = found.call.items[-1]
        points = properties.LEFT_POINTS if last.company is None else properties.READ_POINTS
        async with self._paying(found, points):
            try:
                if last.company is None:
                    # One that is hidden or gone says nothing of the others, and clearing twice does no harm.
                    is_so = await properties.left(self.client, last.issue_id) == "nothing"
                else:
                    is_so = await properties.is_so(self.client, last.issue_id, last.company)
            except (jira.Forbidden, jira.Rejected):
                is_so = False
        log.info("issue-call-asked", issues=len(found.call.items), was_carried_out=is_so)
        if is_so:
            await self._conclude(found)
            return
        async with self.database.tenant(self.tenant_id) as scope:
            await issue_calls.take_back(scope, found, until=self.clock())

    async def _look(self, found: OpenCall) -> None:
        async with self._paying(found, LOOK_POINTS, reserve=found.call.check_points):
            try:
                outcome = await properties.outcome(self.client, found.task_id or "")
            except (jira.Forbidden, jira.Rejected):
                outcome = None
        if outcome == "failed":
            await self._refused(found, None)
            return
        if outcome == "done":
            await self._conclude(found)
            return
        now = self.clock()
        async with self.database.tenant(self.tenant_id) as scope:
            if outcome is None or (found.sent_at is not None and now - found.sent_at > calls.GIVE_UP_LOOKING):
                await issue_calls.lose(scope, found, now=now)
            else:
                await issue_calls.look_later(scope, found, now=now)

    async def _refused(self, found: OpenCall, error: jira.JiraError | None) -> None:
        """Jira did not carry it out, for good; `error` is None where its task says so."""
        is_single = len(found.call.items) == 1
        status = error.status if isinstance(error, jira.Rejected) else None
        if error is not None and not is_single and status is not None and status not in CAN_BE_HALVED:
            async with self.database.tenant(self.tenant_id) as scope:
                await issue_calls.take_back(scope, found, until=self.clock())
            raise error
        log.info("issue-call-refused", issues=len(found.call.items), status=status)
        if is_single and status == HTTPStatus.NOT_FOUND and found.call.items[0].company is None:
            await self._not_cleared(found)
            return
        async with self.database.tenant(self.tenant_id) as scope:
            if not is_single:
                await issue_calls.split(scope, found, now=self.clock())
            elif status != HTTPStatus.NOT_FOUND:
                await issue_calls.refuse(scope, found, now=self.clock())
            else:
                await issue_calls.drop(scope, found)

    async def _not_cleared(self, found: OpenCall) -> None:
        """Jira says the same of an issue without the property, one that may not be edited, and one that is not there."""
        async with self._paying(found, properties.LEFT_POINTS):
            try:
                left = await properties.left(self.client, found.call.items[0].issue_id)
            except (jira.Forbidden, jira.Rejected):
                left = "unseen"
        async with self.database.tenant(self.tenant_id) as scope:
            match left:
                case "nothing":
                    await self._fold(scope, found)
                case "value":
                    await issue_calls.refuse(scope, found, now=self.clock())
                case "unseen":
                    await issue_calls.miss(scope, found, now=self.clock())
                case _:
                    assert_never(left)

    async def _conclude(self, found: OpenCall) -> None:
        """Jira has carried it out, and passed over what the app may not edit where the kind of the call does so."""
        refused = await self._passed_over(found) if found.call.kind in calls.PASSING_OVER else ()
        async with self.database.tenant(self.tenant_id) as scope:
            await self._fold(scope, found, refused)

    async def _passed_over(self, found: OpenCall) -> Collection[int]:
        ids = [item.issue_id for item in found.call.items]
        editable: set[int] = set()
        async with self._paying(found, found.call.check_points):
            try:
                for start in range(0, len(ids), calls.CHECKED_AT_ONCE):
                    editable |= await permissions.editable(self.client, ids[start : start + calls.CHECKED_AT_ONCE])
            except (jira.Forbidden, jira.Rejected) as error:
                # Asked again and again, it would hold up all other calls.
                log.warning("issue-call-not-checked", issues=len(ids), call=str(error))
                return ()
        refused = [issue_id for issue_id in ids if issue_id not in editable]
        if refused:
            log.info("issue-call-passed-over", issues=len(ids), refused=len(refused))
        return refused

    async def _fold(self, scope: TenantScope, found: OpenCall, refused: Collection[int] = ()) -> None:
        await issue_calls.fold(scope, found, refused=refused, now=self.clock())
        await issue_state.note_success(scope, now=self.clock())
        # Whatever changed while it was on its way has waited for it.
        await duties.call(scope, "issues", enqueue=self.enqueue)

    @asynccontextmanager
    async def _paying(self, found: OpenCall, points: int, *, reserve: int = 0) -> AsyncIterator[None]:
        """Readings for at most so many points. Raises Off, NoShare."""
        async with self.database.tenant(self.tenant_id) as scope:
            await self.pay(scope, points, is_backlog=found.is_backlog, reserve=reserve)
        before = self.client.points
        try:
            yield
        except jira.Waiting:
            async with self.database.tenant(self.tenant_id) as scope:
                left = points - (self.client.points - before)
                await self.refund(scope, left, is_backlog=found.is_backlog)
            raise
