"""How is one noted call to Jira made, followed and ended? Whatever happens on the way, the note says what is known.

A call is noted as sent before it is sent; one that was certainly not carried out is taken back. So a kill at any moment
leaves a note from which the next worker goes on, and no call that succeeded is made again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

import structlog

from addon.issues import calls
from addon.jira import errors as jira
from addon.jira import properties
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
            await self.pay(scope, 1, is_backlog=found.is_backlog, reserve=found.call.points - 1)
            if not await issue_calls.begin(scope, found, now=self.clock()):
                return
        try:
            task_id = await properties.send(self.client, found.call)
        except jira.Waiting:
            async with self.database.tenant(self.tenant_id) as scope:
                await self.refund(scope, 1, is_backlog=found.is_backlog)
                await issue_calls.take_back(scope, found, until=self.clock())
            raise
        except jira.Throttled as error:
            # Issues that were written too often lately: these wait, and no others.
            async with self.database.tenant(self.tenant_id) as scope:
                until = self.clock() + max(error.retry_after, LEAST_PAUSE)
                await issue_calls.take_back(scope, found, until=until)
        except jira.Unauthorized:
            async with self.database.tenant(self.tenant_id) as scope:
                await issue_calls.take_back(scope, found, until=self.clock())
            raise
        except (jira.Forbidden, jira.Rejected) as error:
            await self._refused(found, error)
        else:
            async with self.database.tenant(self.tenant_id) as scope:
                if task_id is None:
                    await self._fold(scope, found)
                else:
                    await issue_calls.follow(scope, found, task_id, now=self.clock())

    async def _ask(self, found: OpenCall) -> None:
        """Nobody knows whether Jira carried it out: its last issue tells, as Jira takes them in turn."""
        last = found.call.items[-1]
        await self._pay_for_look(found, properties.READ_POINTS)
        try:
            is_so = await properties.is_so(self.client, last.issue_id, last.company)
        except jira.Waiting:
            await self._refund_look(found, properties.READ_POINTS)
            raise
        except (jira.Forbidden, jira.Rejected):
            is_so = False
        log.info("issue-call-asked", issues=len(found.call.items), was_carried_out=is_so)
        async with self.database.tenant(self.tenant_id) as scope:
            if is_so:
                await self._fold(scope, found)
            else:
                await issue_calls.take_back(scope, found, until=self.clock())

    async def _look(self, found: OpenCall) -> None:
        await self._pay_for_look(found, LOOK_POINTS)
        try:
            outcome = await properties.outcome(self.client, found.task_id or "")
        except jira.Waiting:
            await self._refund_look(found, LOOK_POINTS)
            raise
        except (jira.Forbidden, jira.Rejected):
            outcome = None
        if outcome == "failed":
            await self._refused(found, None)
            return
        now = self.clock()
        async with self.database.tenant(self.tenant_id) as scope:
            if outcome == "done":
                await self._fold(scope, found)
            elif outcome is None or (found.sent_at is not None and now - found.sent_at > calls.GIVE_UP_LOOKING):
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
        async with self.database.tenant(self.tenant_id) as scope:
            if not is_single:
                await issue_calls.split(scope, found, now=self.clock())
            elif status != HTTPStatus.NOT_FOUND:
                await issue_calls.refuse(scope, found, now=self.clock())
            elif found.call.items[0].company is None:
                await self._fold(scope, found)  # there was nothing to clear
            else:
                await issue_calls.drop(scope, found)

    async def _fold(self, scope: TenantScope, found: OpenCall) -> None:
        await issue_calls.fold(scope, found)
        # Whatever changed while it was on its way has waited for it.
        await duties.call(scope, "issues", enqueue=self.enqueue)

    async def _pay_for_look(self, found: OpenCall, points: int) -> None:
        async with self.database.tenant(self.tenant_id) as scope:
            await self.pay(scope, points, is_backlog=found.is_backlog)

    async def _refund_look(self, found: OpenCall, points: int) -> None:
        async with self.database.tenant(self.tenant_id) as scope:
            await self.refund(scope, points, is_backlog=found.is_backlog)
