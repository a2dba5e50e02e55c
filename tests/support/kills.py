"""A worker's death at a chosen moment, in one process: the call that is to be its last raises what nothing catches."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import httpx
import pytest

from addon.queue.worker import Again
from addon.sync.work import Kind, Work
from tests.support.world import Tenant

When = Literal["before-sending", "after-answering"]


class Killed(BaseException):
    """The process is gone: nobody may catch it, and nothing is tidied up but what a lost connection tidies up."""


@dataclass(slots=True)
class KillingTransport(httpx.AsyncBaseTransport):
    """Passes calls on to `inner` until one of `method` to a path that starts with `prefix`: that one is the last.

    `answered` gets it too, if the site has answered it, since nobody else lives to note it.
    """

    inner: httpx.AsyncBaseTransport
    method: str
    prefix: str
    when: When
    answered: list[tuple[str, str, int]]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        is_last = request.method == self.method and request.url.path.startswith(self.prefix)
        if is_last and self.when == "before-sending":
            raise Killed
        response = await self.inner.handle_async_request(request)
        if is_last:
            self.answered.append((request.method, request.url.path, response.status_code))
            raise Killed
        return response


@contextmanager
def killing(tenant: Tenant, method: str, prefix: str, when: When) -> Iterator[None]:
    """Within the block, whoever makes such a call dies of it."""
    way = tenant.world.way
    target = way.target
    way.target = KillingTransport(
        inner=target, method=method, prefix=prefix, when=when, answered=tenant.world.jira.calls
    )
    try:
        yield
    finally:
        way.target = target


async def die(tenant: Tenant, kind: Kind, *, method: str, prefix: str, when: When) -> None:
    """Carry the job out, again and again as a worker would, until that call kills it."""
    number = 0
    if kind == "issues":
        async with tenant.world.database.tenant(tenant.tenant_id) as scope:
            number = await scope.fetch_val("SELECT turn FROM duty WHERE tenant_id = :tenant_id AND kind = 'issues'")
    work = Work(kind=kind, tenant_id=tenant.tenant_id, number=number)
    with killing(tenant, method, prefix, when), pytest.raises(Killed):
        await _carry_out(tenant, work)


async def _carry_out(tenant: Tenant, work: Work) -> None:
    again: Again | None = Again()
    while again is not None:
        tenant.world.clock.advance(again.delay)
        again = await tenant.world.jobs().handlers()[work.kind](work)
