"""Sites for the benchmarks, in a process of their own so that they do not run on the add-on's time.

`python -m benchmarks.site SHARE ISSUES COMPANIES SIZE [SIZE …]`: one site for each size, with that share of portal customers,
the first with so many issues of so many companies besides, if any; prints their addresses as one line of JSON when they answer.
"""

import asyncio
import json
import socket
import sys
from datetime import UTC, datetime

import httpx
import uvicorn
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from benchmarks import backlog
from sandbox import app
from sandbox.cloud import Cloud

WEBHOOKS_AT_ONCE = 20
DELIVERY_PAUSE_S = 0.05

PROPERTY_PATHS = ("/rest/api/3/issue/", "/rest/api/3/task/")


async def serve(customers_share: float, issues: int, companies: int, sizes: list[int]) -> None:
    async with httpx.AsyncClient() as client:
        cloud = Cloud(client=client)
        listeners = []
        for seed, size in enumerate(sizes, start=1):
            listening = socket.create_server(("localhost", 0))
            # asyncio (3.11) does this for sockets of its own only; without it every answer waits for a delayed ACK.
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            listeners.append(listening)
            address = f"http://localhost:{listening.getsockname()[1]}"
            cloud.create_site(base_url=address, people=size, seed=seed, customers_share=customers_share)
        if issues:
            backlog.fill(next(iter(cloud.sites.values())), issues, companies, datetime.now(UTC))
        print(json.dumps([site.base_url for site in cloud.sites.values()]), flush=True)  # noqa: T201 - the parent reads it
        server = uvicorn.Server(uvicorn.Config(PropertyCalls(app.create(cloud)), log_config=None, access_log=False))
        delivering = asyncio.create_task(deliver_forever(cloud))
        await server.serve(sockets=listeners)
        delivering.cancel()


class PropertyCalls:
    """Counts the calls that wrote issues' properties, or looked at what became of them, and tells how many there were."""

    def __init__(self, site: ASGIApp) -> None:
        self._site = site
        self._count = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if path == "/benchmarks/property-calls":
            await JSONResponse(self._count)(scope, receive, send)
            return
        self._count += path.startswith(PROPERTY_PATHS)
        await self._site(scope, receive, send)


async def deliver_forever(cloud: Cloud) -> None:
    """Send webhooks as soon as there are any."""
    while True:
        await cloud.deliver(at_once=WEBHOOKS_AT_ONCE)
        await asyncio.sleep(DELIVERY_PAUSE_S)


if __name__ == "__main__":
    share, counts = float(sys.argv[1]), [int(argument) for argument in sys.argv[2:]]
    asyncio.run(serve(share, counts[0], counts[1], counts[2:]))
