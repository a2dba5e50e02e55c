"""How long does a change at one site take to reach its contact while another site's first run goes on?"""

import itertools
from collections.abc import AsyncIterator, Sequence

from benchmarks import stage
from benchmarks.figure import Figure, p95
from benchmarks.stage import Stage, Tenant

PEOPLE = 200
ENOUGH = 200
WARM = 3
CHANGE_EACH_S = 0.25


async def measure(people: int) -> AsyncIterator[Figure]:
    """From the moment at which the webhook arrives to the one at which the contact is changed, by the add-on's own clock."""
    async with stage.build(PEOPLE, people) as built:
        quiet, loud = built.tenants
        await quiet.run()
        begun = await loud.switch(enabled=True)
        [first_run] = [begun["run"]["id"]]
        renamed = 0
        accounts = await _users(quiet)
        for number in itertools.count():
            # Each account once: a second change of the same one would hide when the first arrived.
            if number == len(accounts) or number == ENOUGH:
                break
            await quiet.change_person(accounts[number], {"displayName": f"Renamed {number}"})
            renamed += 1
            await stage.pause(CHANGE_EACH_S)
            run = await loud.admin.call("GET", f"/api/sync/runs/{first_run}")
            if run["state"] != "running":
                break
        waits = await _waits(built, quiet, renamed)
        yield Figure(
            name=f"webhook → contact changed, p95 of {len(waits)}, during another's first run of {people}",
            value=p95(waits[WARM:] or waits),
            unit="s",
            goal=2,
        )


async def _users(tenant: Tenant) -> Sequence[str]:
    state = (await tenant.client.get(f"{tenant.base_url}/sandbox/state", params={"people": "1"})).json()
    return [
        person["accountId"]
        for person in state["list"]
        if person["kind"] == "user" and person["active"] and person["reachable"]
    ]


async def _waits(built: Stage, tenant: Tenant, renamed: int) -> Sequence[float]:
    """Of every change; waits until the last one is there. The first webhook of an account counts."""
    for _ in range(120):
        async with built.database.tenant(tenant.tenant_id) as scope:
            rows = await scope.fetch_all(
                """
                SELECT extract(epoch FROM min(contact.updated_at) - min(received_at))::float AS wait
                FROM webhook_delivery JOIN account USING (tenant_id, account_id) JOIN contact USING (tenant_id, contact_id)
                WHERE tenant_id = :tenant_id AND contact.name LIKE 'Renamed %'
                GROUP BY account_id ORDER BY min(received_at)
                """
            )
        if len(rows) == renamed:
            return [row["wait"] for row in rows]
        await stage.pause()
    raise RuntimeError(f"{renamed - len(rows)} changes never arrived")
