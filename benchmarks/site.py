"""Sites for the benchmarks, in a process of their own so that they do not run on the add-on's time.

`python -m benchmarks.site SHARE SIZE [SIZE …]`: one site for each size, with that share of portal customers; prints their
addresses as one line of JSON when they answer.
"""

import asyncio
import json
import socket
import sys

import httpx
import uvicorn

from sandbox import app
from sandbox.cloud import Cloud

WEBHOOKS_AT_ONCE = 20
DELIVERY_PAUSE_S = 0.05


async def serve(customers_share: float, sizes: list[int]) -> None:
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
        print(json.dumps([site.base_url for site in cloud.sites.values()]), flush=True)  # noqa: T201 - the parent reads it
        server = uvicorn.Server(uvicorn.Config(app.create(cloud), log_config=None, access_log=False))
        delivering = asyncio.create_task(deliver_forever(cloud))
        await server.serve(sockets=listeners)
        delivering.cancel()


async def deliver_forever(cloud: Cloud) -> None:
    """Send webhooks as soon as there are any."""
    while True:
        await cloud.deliver(at_once=WEBHOOKS_AT_ONCE)
        await asyncio.sleep(DELIVERY_PAUSE_S)


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]), [int(size) for size in sys.argv[2:]]))
