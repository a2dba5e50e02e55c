"""May one more call be made to this site at the same time? Slots are leased from the ledger, so that it holds for all
processes together.

A process leases as many as it has calls to make, keeps them while it works for the site, and waits where others have them.
"""

import asyncio
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from lifecycle.tenant import TenantId

CALLS_AT_ONCE = 10
# Per tenant. Atlassian's guide for costs: at most 5 to 10 requests at the same time.

LEASE = timedelta(seconds=60)
CALL_TAKES = timedelta(seconds=40)
# A call that begins must be able to end within the lease; see TIMEOUT in `client`.

LOOK_AGAIN_S = 0.1
PATIENCE_S = 5.0
RETRY = timedelta(seconds=2)
# So long work waits for its first slot, before it lets its worker do something else, and then comes back.


class Leases(Protocol):
    """The slots of all processes."""

    async def lease(
        self, tenant_id: TenantId, *, holder: uuid.UUID, among: Sequence[int], most: int, leave: int, last: timedelta
    ) -> int:
        """Hold at most `most` slots of `among` for the time `last`, the first that are open, but let `leave` of these be if
        there is more than one; how many are held.
        """

    async def set_free(self, tenant_id: TenantId, *, holder: uuid.UUID, after: timedelta) -> None:
        """End a holder's leases, `after` a while."""


class Crowded(Exception):
    """Other processes leave this one no slot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A sort of calls. `among`: the slots that they may take, best first; `leave`: how many they let open for whoever else
    wants one; `per_slot`: the calls that share one; `lingers`: how long another process must not follow at once.
    """

    among: range | tuple[int, ...]
    most: int
    leave: int = 0
    per_slot: int = 1
    lingers: timedelta = timedelta()


BACKGROUND = Kind(among=range(CALLS_AT_ONCE - 1), most=CALLS_AT_ONCE - 2, leave=1)
# What nobody waits for takes 8 at most, as many as a run reads side by side, and lets another process have one.

AWAITED = Kind(among=range(CALLS_AT_ONCE - 1, -1, -1), most=CALLS_AT_ONCE - 2)

CUSTOMER_LIST = Kind(among=(100,), most=1, per_slot=100, lingers=timedelta(seconds=1))
# One process at a time reads the customers of desks, since it alone counts their calls per second (see `sites`).


@dataclass(slots=True)
class Slots:
    """The calls of one kind that this process makes to one site."""

    leases: Leases
    tenant_id: TenantId
    kind: Kind
    holder: uuid.UUID = field(default_factory=uuid.uuid4)
    _going: int = 0
    _waiting: int = 0
    _held: int = 0
    _asked_at: float = 0.0  # by the event loop's clock: leases are about real time, wherever the add-on's clock stands
    _refused_at: float = 0.0
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _released: asyncio.Event = field(default_factory=asyncio.Event)
    _asking: asyncio.Task[int] | None = None

    async def take(self) -> None:
        """Begin a call. Raises Crowded when other processes let it have none for long."""
        patience_ends = _time() + PATIENCE_S
        self._waiting += 1
        try:
            while not self._is_open():
                async with self._lock:
                    if not self._is_open():
                        await self._lease()
                if self._is_open():
                    break
                if not self._held and _time() > patience_ends:
                    raise Crowded
                await self._wait()
            self._going += 1
        finally:
            self._waiting -= 1

    def release(self) -> None:
        """A call has ended."""
        self._going -= 1
        self._released.set()

    async def settle(self) -> None:
        """Let others have what is not in use."""
        async with self._lock:
            if self._held and not self._going and not self._waiting:
                self._held = 0
                await self.leases.set_free(self.tenant_id, holder=self.holder, after=self.kind.lingers)

    def _is_open(self) -> bool:
        return self._going < self._held * self.kind.per_slot and not self._is_over()

    def _is_over(self) -> bool:
        """Whether the lease could end before a call that begins now."""
        return _time() > self._asked_at + (LEASE - CALL_TAKES).total_seconds()

    async def _lease(self) -> None:
        await asyncio.sleep(0)  # calls that are made side by side ask at once
        wanted = min(-(-(self._going + self._waiting) // self.kind.per_slot), self.kind.most)
        if not self._is_over() and (self._held >= wanted or _time() < self._refused_at + LOOK_AGAIN_S):
            return
        asked_at = _time()
        asking = asyncio.create_task(
            self.leases.lease(
                self.tenant_id,
                holder=self.holder,
                among=self.kind.among,
                most=wanted,
                leave=self.kind.leave,
                last=LEASE,
            )
        )
        self._asking = asking  # the event loop itself keeps no hold of its tasks
        # What broke off while its transaction began would keep its connection (databases 0.9).
        self._held = await asyncio.shield(asking)
        self._asked_at = asked_at
        if self._held < wanted:
            self._refused_at = asked_at

    async def _wait(self) -> None:
        """Until a call of ours ends; others tell nobody, so look again soon."""
        self._released.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_AGAIN_S):
                await self._released.wait()


def _time() -> float:
    return asyncio.get_running_loop().time()
