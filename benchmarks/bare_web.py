"""The least that a Python web app can do: 50 rows as a page, and an event stored, without any check. A process of its own.

`python -m benchmarks.bare_web DATABASE_URL TENANT_ID`: prints its address as one line when it listens.
"""

import asyncio
import contextlib
import html
import json
import socket
import sys
from collections.abc import AsyncIterator

import asyncpg
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

CONNECTIONS = 10
TABLE = "CREATE TABLE IF NOT EXISTS bare_event (identifier text PRIMARY KEY, account_id text NOT NULL)"


def build(database_url: str, tenant_id: str) -> Starlette:
    pools: list[asyncpg.Pool] = []

    async def show_page(_: Request) -> Response:
        rows = await pools[0].fetch(
            """
            SELECT contact_id, name, email, company_id, updated_at FROM contact WHERE tenant_id = $1
            ORDER BY name_key, contact_id LIMIT 50
            """,
            tenant_id,
        )
        lines = [
            f"<tr><td><a href='/{row['contact_id']}'>{html.escape(row['name'])}</a></td>"
            f"<td>{html.escape(row['email'] or '')}</td><td>{row['company_id']}</td><td>{row['updated_at']}</td></tr>"
            for row in rows
        ]
        return HTMLResponse(f"<!doctype html><title>Contacts</title><table>{''.join(lines)}</table>")

    async def store_event(request: Request) -> Response:
        event = json.loads(await request.body())
        await pools[0].execute(
            "INSERT INTO bare_event VALUES ($1, $2)",
            request.headers["X-Atlassian-Webhook-Identifier"],
            event["user"]["accountId"],
        )
        return Response(status_code=204)

    @contextlib.asynccontextmanager
    async def connect(_: Starlette) -> AsyncIterator[None]:
        async with asyncpg.create_pool(database_url, min_size=CONNECTIONS, max_size=CONNECTIONS) as pool:
            await pool.execute(TABLE)
            pools.append(pool)
            yield

    routes = [Route("/page", show_page), Route("/event", store_event, methods=["POST"])]
    return Starlette(routes=routes, lifespan=connect)


async def serve(database_url: str, tenant_id: str) -> None:
    listening = socket.create_server(("localhost", 0))
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    print(f"http://localhost:{listening.getsockname()[1]}", flush=True)  # noqa: T201 - the parent reads it
    config = uvicorn.Config(build(database_url, tenant_id), log_config=None, access_log=False, server_header=False)
    await uvicorn.Server(config).serve(sockets=[listening])


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2]))
