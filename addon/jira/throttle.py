"""May this call to Jira be made now? Points are borrowed from the shared ledger in blocks; pauses are kept until they end.

One `Throttle` per process. It decides nothing itself: `addon.sync.quota` and `limits` do; the ledger makes all processes
agree.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

from addon.jira import budget, errors, limits, metrics, slots
from addon.jira.limits import Refusal
from addon.jira.slots import Leases, Slots
from addon.sync import quota
from addon.sync.quota import EVERY_CALL, Later, Loan, Pause
from lifecycle.tenant import TenantId

BLOCK = 1_000
# Points borrowed at once by work that reads page after page: a handful of pages, and not a statement for each.

AWAITED_BLOCK = quota.SMALL
# A person's page needs one or two, and a web process keeps what it does not need until the hour ends.

Answer = TypeVar("Answer")


class Ledger(Leases, Protocol):
    """The points, pauses and slots that all processes share."""

    async def borrow(
        self, tenant_id: TenantId, *, need: int, wanted: int, is_awaited: bool, now: datetime
    ) -> tuple[Loan | Later, Sequence[Pause]]:
        """Points of this hour (see `quota.grant`), and the pauses that this tenant has to keep."""

    async def give_back(self, tenant_id: TenantId, points: int, *, hour: datetime, is_awaited: bool) -> None:
        """Return what is left of a loan of `hour`; a negative number was spent beyond it."""

    async def pause(self, pause: Pause) -> None: ...


@dataclass(slots=True)
class _Purse:
    """What is borrowed of an hour, and not reserved for a call."""

    hour: datetime | None = None
    left: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(slots=True)
class Bill:
    """What a call cost. A call that fails costs a request."""

    points: int = budget.REQUEST


class Throttle:
    """Holds the loans, pauses and open calls of one process."""

    def __init__(self, ledger: Ledger, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self._ledger = ledger
        self._purses: defaultdict[tuple[TenantId, bool], _Purse] = defaultdict(_Purse)
        self._slots: dict[tuple[TenantId, slots.Kind], Slots] = {}
        self._pauses: dict[tuple[TenantId | None, str], Pause] = {}
        self._going: set[asyncio.Task[Any]] = set()  # the event loop itself keeps no hold of its tasks

    async def settle(self, tenant_id: TenantId) -> None:
        """Give back what this process has borrowed for a tenant and not spent, at the end of a piece of work."""
        for is_awaited in (False, True):
            purse = self._purses[tenant_id, is_awaited]
            async with purse.lock:
                left, purse.left = purse.left, 0
                if left and purse.hour is not None and purse.hour == quota.hour_of(self.clock()):
                    await self._ledger.give_back(tenant_id, left, hour=purse.hour, is_awaited=is_awaited)
        for kind in (slots.BACKGROUND, slots.CUSTOMER_LIST):
            await self._slots_of(tenant_id, kind).settle()

    @asynccontextmanager
    async def slot(self, tenant_id: TenantId, kind: slots.Kind) -> AsyncIterator[None]:
        """The time of one call of a kind. Raises Waiting where other processes leave none."""
        here = self._slots_of(tenant_id, kind)
        try:
            await here.take()
        except slots.Crowded:
            now = self.clock()
            until = now + slots.RETRY
            raise errors.Waiting("no slot is free", what="other work at this site", until=until, now=now) from None
        try:
            yield
        finally:
            here.release()
            if kind == slots.AWAITED:  # a web process has no end of its work at which it could settle
                await self._end(here.settle())

    def _slots_of(self, tenant_id: TenantId, kind: slots.Kind) -> Slots:
        key = tenant_id, kind
        if key not in self._slots:
            self._slots[key] = Slots(leases=self._ledger, tenant_id=tenant_id, kind=kind)
        return self._slots[key]

    @asynccontextmanager
    async def call(
        self, tenant_id: TenantId, endpoint: str, *, most: int, is_awaited: bool, piece: int = 0
    ) -> AsyncIterator[Bill]:
        """The time of one call, which costs at most `most` points. `piece`: as in Gate.

        Raises Waiting where the call may not be made now.
        """
        async with self.slot(tenant_id, slots.AWAITED if is_awaited else slots.BACKGROUND):
            self._require_no_pause(tenant_id, endpoint)
            purse = self._purses[tenant_id, is_awaited]
            async with purse.lock:
                hour = await self._fill(purse, tenant_id, most=most, piece=piece, is_awaited=is_awaited)
                # The ledger may have told of a pause that another process met.
                self._require_no_pause(tenant_id, endpoint)
                purse.left -= most
            bill = Bill()
            try:
                yield bill
            finally:
                # Also where the call was cancelled: Jira has counted it. An hour that is over takes nothing back.
                if purse.hour == hour:
                    purse.left += most - bill.points
                metrics.POINTS.labels(awaited=str(is_awaited).lower()).inc(bill.points)

    async def _fill(self, purse: _Purse, tenant_id: TenantId, *, most: int, piece: int, is_awaited: bool) -> datetime:
        """Have `most` points in the purse, of the hour that it is now. The caller holds the purse's lock."""
        now = self.clock()
        hour = quota.hour_of(now)
        if purse.hour != hour:
            purse.hour, purse.left = hour, 0
        if purse.left < most:
            outcome = await self._end(
                self._borrow(purse, tenant_id, need=max(most, piece) - purse.left, is_awaited=is_awaited, now=now)
            )
            if isinstance(outcome, Later):
                raise errors.Waiting("no points are left", what=outcome.what, until=outcome.until, now=now)
        return hour

    async def _borrow(
        self, purse: _Purse, tenant_id: TenantId, *, need: int, is_awaited: bool, now: datetime
    ) -> Loan | Later:
        wanted = max(need, AWAITED_BLOCK if is_awaited else BLOCK)
        outcome, pauses = await self._ledger.borrow(tenant_id, need=need, wanted=wanted, is_awaited=is_awaited, now=now)
        for pause in pauses:
            self._remember(pause)
        if isinstance(outcome, Loan):
            purse.left += outcome.points
        return outcome

    async def _end(self, work: Coroutine[object, object, Answer]) -> Answer:
        """The answer of `work`, which comes to its end even if we are cancelled: side by side calls are, when one fails.

        What broke off while its transaction began would keep its connection (databases 0.9), and forget its loan.
        """
        task = asyncio.create_task(work)
        self._going.add(task)
        task.add_done_callback(self._going.discard)
        return await asyncio.shield(task)

    async def refuse(self, tenant_id: TenantId, endpoint: str, refusal: Refusal, message: str) -> errors.Throttled:
        """Note a 429 for all processes; the error that says what it means for the caller."""
        metrics.REFUSALS.labels(reason=refusal.reason).inc()
        now = self.clock()
        pause = limits.pause(refusal, tenant_id=tenant_id, endpoint=endpoint, now=now)
        if pause is None:
            return errors.Throttled(message, refusal.retry_after, is_alone=refusal.reason == "issue")
        self._remember(pause)
        await self._end(self._ledger.pause(pause))
        return errors.Waiting(message, what=pause.what, until=pause.until, now=now)

    def _remember(self, pause: Pause) -> None:
        key = pause.tenant_id, pause.endpoint
        known = self._pauses.get(key)
        if known is None or known.until < pause.until:
            self._pauses[key] = pause

    def _require_no_pause(self, tenant_id: TenantId, endpoint: str) -> None:
        now = self.clock()
        for key in ((None, EVERY_CALL), (tenant_id, EVERY_CALL), (tenant_id, endpoint)):
            pause = self._pauses.get(key)
            if pause is None:
                continue
            if pause.until > now:
                raise errors.Waiting(f"{endpoint}: paused", what=pause.what, until=pause.until, now=now)
            del self._pauses[key]


@dataclass(slots=True)
class Gate:
    """The throttle for the calls of one client. `points` is what they cost so far.

    `piece`: what calls that are worth nothing without each other cost at most. Points are then borrowed for all of them,
    so that work which is begun can be ended.
    """

    throttle: Throttle
    tenant_id: TenantId
    is_awaited: bool
    piece: int = 0
    points: int = 0

    @asynccontextmanager
    async def call(self, endpoint: str, *, most: int) -> AsyncIterator[Bill]:
        """See `Throttle.call`."""
        async with self.throttle.call(
            self.tenant_id, endpoint, most=most, is_awaited=self.is_awaited, piece=self.piece
        ) as bill:
            try:
                yield bill
            finally:
                self.points += bill.points

    async def refuse(self, endpoint: str, refusal: Refusal, message: str) -> errors.Throttled:
        """See `Throttle.refuse`."""
        return await self.throttle.refuse(self.tenant_id, endpoint, refusal, message)
