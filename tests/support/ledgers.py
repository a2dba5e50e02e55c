"""A ledger in memory that lends without end and notes what came in, for tests of the calls themselves."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from addon.sync.quota import Loan, Pause
from lifecycle.tenant import TenantId


class GenerousLedger:
    """`taken`: what is lent and not given back. `pauses`: those asked for; `told` is what borrowers learn."""

    def __init__(self) -> None:
        self.taken = 0
        self.loans: list[int] = []
        self.pauses: list[Pause] = []
        self.told: list[Pause] = []

    async def borrow(
        self, tenant_id: TenantId, *, need: int, wanted: int, is_awaited: bool, now: datetime
    ) -> tuple[Loan, Sequence[Pause]]:
        del tenant_id, need, is_awaited, now
        self.taken += wanted
        self.loans.append(wanted)
        return Loan(points=wanted), list(self.told)

    async def give_back(self, tenant_id: TenantId, points: int, *, hour: datetime, is_awaited: bool) -> None:
        del tenant_id, hour, is_awaited
        self.taken -= points

    async def lease(
        self, tenant_id: TenantId, *, holder: UUID, among: Sequence[int], most: int, leave: int, last: timedelta
    ) -> int:
        del tenant_id, holder, among, leave, last
        return most

    async def set_free(self, tenant_id: TenantId, *, holder: UUID, after: timedelta) -> None:
        del tenant_id, holder, after

    async def pause(self, pause: Pause) -> None:
        self.pauses.append(pause)
