"""How many pages and webhooks a second does one process on one core answer? Against a bare Starlette + asyncpg loop.

The design's peer, atlassian-connect-express, was measured once against such a loop; PEER_* turn our ratio into one to it.
"""

import json
import os
import sys
from collections.abc import AsyncIterator, Callable

from benchmarks import load, rows, signed, stage
from benchmarks.figure import Figure
from benchmarks.load import Load
from benchmarks.stage import Stage, Tenant

PEOPLE = 20
CONTACTS = 500
CONNECTIONS = 16
WARM_S = 1.0

# The bare loop's own ratio to the peer, from the design.
PEER_PAGE = 2.0
PEER_WEBHOOK = 2.5

EVENT = json.dumps(
    {"timestamp": 1, "webhookEvent": "user_updated", "user": {"accountId": "712020:benchmark", "displayName": "Ann"}}
).encode()


async def measure(seconds: float) -> AsyncIterator[Figure]:
    async with stage.build(PEOPLE) as built:
        [tenant] = built.tenants
        await tenant.run()
        await built.end_worker()
        await rows.fill(built.database.url, tenant.tenant_id, contacts=CONTACTS)
        command = (sys.executable, "-m", "benchmarks.bare_web", built.database.url, str(tenant.tenant_id))
        async with stage.process(built.folder, "bare", {}, *command) as bare:
            bare_url = (await stage.first_line(bare)).decode("ascii").strip()
            _keep_to_one_core(built.web.pid, bare.pid)
            for name, peer, ours, theirs in (
                ("page with 50 contacts", PEER_PAGE, _pages(tenant), _bare_pages(bare_url)),
                ("webhook stored", PEER_WEBHOOK, _webhooks(tenant), _bare_webhooks(bare_url)),
            ):
                async for figure in _compare(name, peer, built, bare_url, ours, theirs, seconds):
                    yield figure


async def _compare(
    name: str,
    peer: float,
    built: Stage,
    bare_url: str,
    ours: Callable[[int], bytes],
    theirs: Callable[[int], bytes],
    seconds: float,
) -> AsyncIterator[Figure]:
    bare = await _run(bare_url, theirs, seconds)
    addon = await _run(built.addon_url, ours, seconds)
    yield Figure(name=f"{name}, bare loop", value=bare.per_second, unit="per s")
    yield Figure(name=name, value=addon.per_second, unit="per s")
    ratio = addon.per_second / bare.per_second
    yield Figure(name=f"{name} / bare loop", value=ratio, unit="times")
    yield Figure(
        name=f"{name} / the peer, if the bare loop is {peer:g} of it",
        value=ratio * peer,
        unit="times",
        goal=3,
        better="more",
    )


async def _run(origin: str, make: Callable[[int], bytes], seconds: float) -> Load:
    await load.run(origin, lambda number: make(-1 - number), connections=CONNECTIONS, seconds=WARM_S)
    return await load.run(origin, make, connections=CONNECTIONS, seconds=seconds)


def _pages(tenant: Tenant) -> Callable[[int], bytes]:
    request = signed.page(tenant, "/pages/contacts")
    return lambda _: request


def _webhooks(tenant: Tenant) -> Callable[[int], bytes]:
    request = signed.webhook(tenant, "/webhooks/user", EVENT)
    return lambda number: request.replace(signed.IDENTIFIER, b"ours-%d" % number, 1)


def _bare_pages(origin: str) -> Callable[[int], bytes]:
    request = load.build_request("GET", f"{origin}/page")
    return lambda _: request


def _bare_webhooks(origin: str) -> Callable[[int], bytes]:
    headers = {"X-Atlassian-Webhook-Identifier": signed.IDENTIFIER.decode("ascii")}
    request = load.build_request("POST", f"{origin}/event", headers=headers, body=EVENT)
    return lambda number: request.replace(signed.IDENTIFIER, b"bare-%d" % number, 1)


def _keep_to_one_core(*processes: int) -> None:
    """The servers on the first core; the client and PostgreSQL's processes may have the others, where there are any."""
    cores = sorted(os.sched_getaffinity(0))
    for pid in processes:
        os.sched_setaffinity(pid, cores[:1])
    os.sched_setaffinity(0, cores[1:] or cores)
