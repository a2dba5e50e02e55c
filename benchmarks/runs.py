"""How long do a first run, an unchanged one and turning off take, and what do they cost? Against the bare loop, same site."""

import time
from collections.abc import AsyncIterator

from addon.storage import sync_state
from benchmarks import bare, stage
from benchmarks.figure import Figure
from benchmarks.stage import Stage, Tenant

LEAST_POINTS = (
    2  # for each row that a list shows, and for each email that only the email API tells: one read of one user
)

TOLD_BY_ID = """
    SELECT count(*) FROM account
    WHERE tenant_id = :tenant_id AND email_checked_at IS NOT NULL AND email_key IS NOT NULL
"""


async def measure(people: int) -> AsyncIterator[Figure]:
    async with stage.build(people) as built:
        [tenant] = built.tenants
        await bare.fetch_and_copy(tenant, built.database.url)  # warms up the site
        started = time.perf_counter()
        rows = await bare.fetch_and_copy(tenant, built.database.url)
        bare_s = time.perf_counter() - started
        yield Figure(name=f"bare loop, {rows} rows", value=bare_s, unit="s")
        first = await tenant.run()
        yield Figure(name=f"first run, {first.seen} people", value=_took_s(first), unit="s")
        yield Figure(name="first run / bare loop", value=_took_s(first) / bare_s, unit="times", goal=1.5)
        async with built.database.tenant(tenant.tenant_id) as scope:
            emails = await scope.fetch_val(TOLD_BY_ID)
        yield Figure(
            name="points of a first run / the least for what it had to read",
            value=first.points / (LEAST_POINTS * (rows + emails)),
            unit="times",
            goal=1.05,
        )
        again = await tenant.run()
        yield Figure(name="unchanged run", value=_took_s(again), unit="s")
        yield Figure(name="unchanged run / bare loop", value=_took_s(again) / bare_s, unit="times", goal=1.2)
        async for figure in _off(built, tenant):
            yield figure


async def _off(built: Stage, tenant: Tenant) -> AsyncIterator[Figure]:
    started = time.perf_counter()
    await tenant.switch(enabled=False)
    yield Figure(name="off: acknowledged", value=time.perf_counter() - started, unit="s", goal=0.5)
    async with built.database.pool.connection() as connection:
        while await connection.fetch_val("SELECT count(*) FROM pgqueuer"):
            await stage.pause()
    yield Figure(name="off: finished", value=time.perf_counter() - started, unit="s", goal=10)


def _took_s(run: sync_state.Run) -> float:
    if run.finished_at is None:
        raise LookupError("the run has not ended")
    return (run.finished_at - run.started_at).total_seconds()
