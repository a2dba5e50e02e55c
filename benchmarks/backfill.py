"""What does it cost to write the companies of issues that were there already, and is the share of the budget kept?

Customers and companies are there first, so that the issues alone are measured. The share runs out before all is done; then
it is raised, as an administrator may, and the worker is killed in the middle of the rest.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence

from addon.crm.company import CompanyId, CompanyRef
from addon.issues import calls
from addon.issues.calls import Pending
from addon.storage import issue_state
from addon.storage.issue_state import IssueStatus
from addon.sync import quota
from benchmarks import backlog, stage
from benchmarks.figure import Figure
from benchmarks.stage import Tenant

PEOPLE = 50
FIRST_SHARE_PERCENT = 25
FIRST_PART = 0.6
# Of all points: what the first share comes to.

MIDDLE = 0.7
# So much is written when the worker is killed.


async def measure(issues: int, companies: int) -> AsyncIterator[Figure]:
    parts = backlog.parts(issues, companies)
    least = _least([part.open for part in parts]) + _least([part.rest for part in parts])
    points_per_hour = int((issues + least) * FIRST_PART / FIRST_SHARE_PERCENT * 100 / quota.BACKGROUND_PERCENT * 100)
    async with stage.build(PEOPLE, issues=(issues, companies), points_per_hour=points_per_hour) as built:
        [tenant] = built.tenants
        await _prepare(tenant, parts)
        before = await _written(tenant)
        began = time.perf_counter()
        await _set_share(tenant, FIRST_SHARE_PERCENT)
        await _until(tenant, "waiting")
        async with tenant.database.tenant(tenant.tenant_id) as scope:
            share = await issue_state.share(scope, points_per_hour=points_per_hour)
        yield Figure(
            name=f"points of the hour / its share, {issues} issues of {companies} companies",
            value=share.spent / share.per_hour,
            unit="",
            goal=1,
        )
        await _set_share(tenant, 100)
        await _until(tenant, written=int(issues * MIDDLE))
        built.worker.kill()
        await built.worker.wait()
        async with built.another_worker():
            await _until(tenant, "idle")
        seconds = time.perf_counter() - began
        made = await _written(tenant) - before
        yield Figure(
            name="points of its writes / the least possible, worker killed once", value=made / least, unit="", goal=1.1
        )
        yield Figure(name="seconds, those in which nobody worked included", value=seconds, unit="s")


def _least(sizes: list[int]) -> int:
    """Of the calls that write so many issues of each company, with one look at the task of each."""
    pending = [
        Pending(issue_id=number * 1_000_000 + place, company=CompanyRef(company_id=CompanyId(number), name=""))
        for number, size in enumerate(sizes)
        for place in range(size)
    ]
    return sum(call.points for call in calls.plan_calls(pending))


async def _prepare(tenant: Tenant, parts: Sequence[backlog.Part]) -> None:
    """Everybody is a contact, and every contact of a customer has its company; no issue is looked at yet."""
    await _set_share(tenant, 0)
    for part in parts:
        await tenant.admin.call("POST", "/api/companies", {"name": part.domain, "domains": [part.domain]})
    await tenant.run()
    customers = len(parts) * backlog.CUSTOMERS_EACH
    while True:
        async with tenant.database.tenant(tenant.tenant_id) as scope:
            found = await scope.fetch_val(
                "SELECT count(*) FROM contact WHERE tenant_id = :tenant_id AND company_by = 'domain'"
            )
        if found == customers:
            return
        await stage.pause()


async def _until(tenant: Tenant, state: str | None = None, *, written: int | None = None) -> IssueStatus:
    while True:
        async with tenant.database.tenant(tenant.tenant_id) as scope:
            status = await issue_state.status(scope)
        if status.state == state or (written is not None and status.written >= written):
            return status
        await asyncio.sleep(stage.POLL_S)


async def _set_share(tenant: Tenant, percent: int) -> None:
    async with tenant.database.tenant(tenant.tenant_id) as scope:
        await issue_state.set_share(scope, percent)


async def _written(tenant: Tenant) -> int:
    """The calls that wrote properties or looked at their tasks, as the site has counted them; each costs a point."""
    answer = await tenant.client.get(f"{tenant.base_url}/benchmarks/property-calls")
    answer.raise_for_status()
    return int(answer.json())
