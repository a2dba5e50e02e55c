"""How much memory does a worker take, and does it grow with the site?"""

from collections.abc import AsyncIterator

from benchmarks import stage
from benchmarks.figure import Figure


async def measure(few: int, many: int) -> AsyncIterator[Figure]:
    """The worker's peak in the first run of a site of `many` people, against one of `few`."""
    peaks = []
    for people in (few, many):
        async with stage.build(people) as built:
            await built.tenants[0].run()
            peaks.append(built.peak_mib())
            yield Figure(name=f"worker's peak at {people} people", value=peaks[-1], unit="MiB")
    yield Figure(name=f"memory at {many} / at {few}", value=peaks[1] / peaks[0], unit="times", goal=1.2)
