"""What is measured, each figure beside its goal in the design. One function per figure or pair of figures."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from addon.storage import sync_state
from benchmarks import bare, stage
from benchmarks.stage import Stage, Tenant

LEAST_POINTS = 2  # for each account: one read of one user


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A result. `goal` is the most that it may be, None for a figure that only explains another."""

    name: str
    value: float
    unit: str
    goal: float | None = None

    @property
    def is_met(self) -> bool | None:
        return None if self.goal is None else self.value <= self.goal


async def runs(people: int) -> AsyncIterator[Figure]:
    """A first run, an unchanged one, and turning off, against the bare loop on the same site."""
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
        again = await tenant.run()
        yield Figure(name="unchanged run", value=_took_s(again), unit="s")
        yield Figure(name="unchanged run / bare loop", value=_took_s(again) / bare_s, unit="times", goal=1.2)
        yield Figure(
            name="points per row of a first run / the least possible",
            value=first.points / (LEAST_POINTS * rows),
            unit="times",
            goal=1.05,
        )
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


async def memory(few: int, many: int) -> AsyncIterator[Figure]:
    """The worker's peak for a site of `many` people against one of `few`."""
    peaks = []
    for people in (few, many):
        async with stage.build(people) as built:
            await built.tenants[0].run()
            peaks.append(built.peak_mib())
            yield Figure(name=f"worker's peak at {people} people", value=peaks[-1], unit="MiB")
    yield Figure(name=f"memory at {many} / at {few}", value=peaks[1] / peaks[0], unit="times", goal=1.2)


def _took_s(run: sync_state.Run) -> float:
    if run.finished_at is None:
        raise LookupError("the run has not ended")
    return (run.finished_at - run.started_at).total_seconds()
