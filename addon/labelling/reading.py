"""Which issues are there already, and which are new without an event? Reads a page of issues at a time, and learns from it.

Issues that were there already are backlog: reading them keeps to the share of the budget that is theirs.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from addon.issues import walk
from addon.issues.walk import Place
from addon.jira import errors as jira
from addon.jira import issues
from addon.labelling.courier import Courier, Off
from addon.storage import duties, issue_company, issue_marks, issue_state
from addon.storage.database import Database
from addon.storage.issue_state import Standing
from addon.storage.sync_state import Enqueue
from lifecycle.tenant import TenantId

COUNT_POINTS = 2
PAGE_POINTS = 1 + issues.PAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads the issues of one tenant; `courier` makes the calls that it finds necessary, and keeps the purse."""

    database: Database
    tenant_id: TenantId
    courier: Courier
    enqueue: Enqueue
    clock: Callable[[], datetime]

    async def catch_up(self, standing: Standing) -> None:
        """A page of what no event told; the first time there is nothing to make up for. Raises Off, JiraError."""
        # Where the clock of whoever turned the sync on is ahead of ours, the time before that is made up for all the same.
        now = max(self.clock(), standing.turned_on_at or self.clock())
        if standing.caught_up_to is None:
            async with self.database.tenant(self.tenant_id) as scope:
                await issue_state.listen(scope, now=now)
            return
        going = standing.catch_up or walk.catch_up(standing.caught_up_to, now)
        client = self.courier.client
        before = client.points
        try:
            page = await issues.search(client, going.jql, going.token)
        except jira.Rejected:
            async with self.database.tenant(self.tenant_id) as scope:
                await issue_state.drop_catch_up(scope)
            raise
        async with self.database.tenant(self.tenant_id) as scope:
            await issue_company.learn(scope, page.facts, is_backlog=False)
            await self.courier.pay(scope, client.points - before, is_backlog=False)
            await issue_state.move_catch_up(scope, replace(going, token=page.token), is_done=page.token is None)
            await issue_state.note_success(scope, now=self.clock())
            await duties.call(scope, "issues", enqueue=self.enqueue)

    async def go_on(self, standing: Standing) -> bool:
        """A step with the issues that were there already; False where nothing is left of them to do.

        Raises Off, NoShare, JiraError.
        """
        place = standing.place
        if not standing.has_begun:
            await self._begin()
            return True
        if place.phase == "done" or place.is_read or place.unlooked >= walk.LOOK_EACH:
            return await self._plan(place)
        await self._read(place)
        return True

    async def _begin(self) -> None:
        async with self.database.tenant(self.tenant_id) as scope:
            await self.courier.pay(scope, COUNT_POINTS, is_backlog=True)
        client = self.courier.client
        before, total = client.points, 0
        try:
            for phase in walk.TO_READ:
                total += await issues.count(client, walk.condition(phase))
        except jira.JiraError:
            async with self.database.tenant(self.tenant_id) as scope:
                await self.courier.refund(scope, COUNT_POINTS - (client.points - before), is_backlog=True)
            raise
        async with self.database.tenant(self.tenant_id) as scope:
            await issue_state.begin(scope, Place(), total=total)

    async def _plan(self, place: Place) -> bool:
        is_whole = place.phase == "done" or place.is_read
        async with self.database.tenant(self.tenant_id) as scope:
            if await issue_marks.plan(scope, is_backlog=True, only_full=not is_whole, now=self.clock()):
                return True
            if not is_whole:
                await issue_state.move(scope, replace(place, unlooked=0), read=0)
                return True
            # What is marked still waits for a call that is on its way.
            if place.phase == "done" or await issue_marks.has_backlog(scope):
                return False
            await issue_state.move(scope, walk.next_phase(place), read=0)
        return True

    async def _read(self, place: Place) -> None:
        client = self.courier.client
        async with self.database.tenant(self.tenant_id) as scope:
            await self.courier.pay(scope, PAGE_POINTS, is_backlog=True)
        before = client.points
        jql = walk.query(place, self.clock())
        try:
            page = await issues.search(client, jql, place.token)
        except jira.JiraError as error:
            is_token_refused = isinstance(error, jira.Rejected) and place.token is not None
            async with self.database.tenant(self.tenant_id) as scope:
                await self.courier.refund(scope, PAGE_POINTS - (client.points - before), is_backlog=True)
                if is_token_refused:
                    await issue_state.move(scope, walk.without_token(place), read=0)
            if is_token_refused:
                return
            raise
        following = walk.following(place, jql=jql, read=page.read, last=page.last, token=page.token)
        async with self.database.tenant(self.tenant_id) as scope:
            if not await issue_state.is_ready(scope):
                raise Off
            await issue_company.learn(scope, page.facts, is_backlog=True)
            await self.courier.refund(scope, PAGE_POINTS - (client.points - before), is_backlog=True)
            await issue_state.move(scope, following, read=page.read)
