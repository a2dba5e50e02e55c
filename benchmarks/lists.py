"""How long does the server need for the settings page, the contact list and a search, at a million contacts?

One request at a time over a connection that stays open, so that it is the server's own time and the loopback's.
"""

from collections.abc import AsyncIterator, Sequence
from urllib.parse import quote

from benchmarks import load, rows, signed, stage
from benchmarks.figure import Figure, p95
from benchmarks.stage import Tenant

PEOPLE = 20  # of the site itself, which is not what is measured
WARM = 2
FOLLOWING = 5
EACH = 15  # times that a question is asked

LISTS = (
    "/api/contacts",
    "/api/contacts?sort=name",
    "/api/contacts?sort=-updatedAt",
    "/api/contacts?linked=true",
    "/api/contacts?linked=false",
    f"/api/contacts?companyId={rows.FIRST_ID + 17}",
    "/api/fragments/contacts",
)
SEARCHES = (
    "smith",
    "mary s",
    "jo",
    "zimmerman",
    "company 417",
    "linda johnson",
    "smith99",
    "nobody at all",
    "e",
    "a b",
)


async def measure(contacts: int) -> AsyncIterator[Figure]:
    async with stage.build(PEOPLE) as built:
        [tenant] = built.tenants
        await tenant.run()
        await built.end_worker()
        await rows.fill(built.database.url, tenant.tenant_id, contacts=contacts)
        for name, goal_ms, asked in (
            ("settings page", 100, [signed.page(tenant, "/pages/settings")]),
            ("contact page", None, [signed.page(tenant, "/pages/contacts")]),
            ("contact list", 50, [*(signed.api(tenant, path) for path in LISTS), *await _following(tenant)]),
            ("search", 50, [signed.api(tenant, f"/api/contacts?query={quote(each)}") for each in SEARCHES]),
        ):
            times = await _ask(tenant, asked)
            yield Figure(name=f"{name} at {contacts} contacts, p95", value=1000 * p95(times), unit="ms", goal=goal_ms)


async def _ask(tenant: Tenant, asked: Sequence[bytes]) -> Sequence[float]:
    """Every question EACH times, in turn; the first answers warm up."""
    turns = [each for _ in range(EACH) for each in asked]
    await load.run_all(tenant.installed.base_url, [*asked] * WARM)
    return await load.run_all(tenant.installed.base_url, turns)


async def _following(tenant: Tenant) -> Sequence[bytes]:
    """The next pages of a list, each by the cursor of the one before."""
    found: list[bytes] = []
    path = "/api/contacts?limit=50"
    while len(found) < FOLLOWING:
        answer = await tenant.admin.call("GET", path)
        if answer["next"] is None:
            break
        path = f"/api/contacts?limit=50&cursor={answer['next']}"
        found.append(signed.api(tenant, path))
    return found
