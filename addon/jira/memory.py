"""What did a site say about a person, not long ago? Remembered in this process, so that not every request asks again.

Decides nothing: how long an answer counts is for whoever asks to say. An error is not remembered and reaches the caller.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from lifecycle.tenant import AccountId, TenantId

MAX_REMEMBERED = 10_000

Value = TypeVar("Value")


class Memory(Generic[Value]):
    """What was asked about a person of a tenant, for `max_age`."""

    def __init__(self, clock: Callable[[], datetime], max_age: timedelta) -> None:
        self._clock = clock
        self._max_age = max_age
        self._remembered: dict[tuple[TenantId, AccountId], tuple[Value, datetime]] = {}

    async def get(
        self, tenant_id: TenantId, account_id: AccountId, ask: Callable[[TenantId, AccountId], Awaitable[Value]]
    ) -> Value:
        key = tenant_id, account_id
        found = self._remembered.get(key)
        now = self._clock()
        if found is not None and now - found[1] < self._max_age:
            return found[0]
        answer = await ask(tenant_id, account_id)
        self._keep(key, answer, now)
        return answer

    def _keep(self, key: tuple[TenantId, AccountId], answer: Value, now: datetime) -> None:
        if len(self._remembered) >= MAX_REMEMBERED:
            self._remembered = {k: v for k, v in self._remembered.items() if now - v[1] < self._max_age}
        if len(self._remembered) < MAX_REMEMBERED:
            self._remembered[key] = answer, now
