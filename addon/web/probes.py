"""Is the process alive, can it serve, and what has it counted? For load balancers and Prometheus; knows no tenant."""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from addon.errors import Busy
from addon.web.deps import WebDeps

READY_TIMEOUT_S = 2.0

Probe = Callable[[Request], Awaitable[Response]]


async def healthz(_request: Request) -> Response:
    return PlainTextResponse("ok\n")


def readyz(deps: WebDeps) -> Probe:
    """Whether the database and the queue's table answer."""

    async def answer(_request: Request) -> Response:
        try:
            async with asyncio.timeout(READY_TIMEOUT_S), deps.database.transaction() as connection:
                # all tenants: the queue is shared
                await connection.fetch_val("SELECT 1 FROM pgqueuer LIMIT 1")
        except Exception as exc:  # whatever it is, no request should be sent here now
            structlog.get_logger().warning("not ready", error=type(exc).__name__)
            raise Busy("The database or the queue does not answer.") from exc
        return PlainTextResponse("ready\n")

    return answer


async def metrics(request: Request) -> Response:
    """For callers on this machine; others learn not even that it exists."""
    if request.client is None or not _is_loopback(request.client.host):
        raise HTTPException(404)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
