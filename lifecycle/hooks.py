"""Which HTTP endpoints does Atlassian call when the app is installed, switched or removed?

Parse, delegate, choose a status; no rules. Refusals are raised for the app to render and leave one line in the log.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from http import HTTPStatus

import databases
import structlog
from databases.core import Connection
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from lifecycle import body, caller, errors
from lifecycle.caller import Binding, Callers
from lifecycle.install import Installer
from lifecycle.tenant import ClientKey, Tenant

MAX_BODY_BYTES = 1_000_000

Change = Callable[[Connection, datetime], Awaitable[Tenant | None]]


def routes(
    *,
    database: databases.Database,
    installer: Installer,
    callers: Callers,
    base_url: str,
    clock: Callable[[], datetime],
) -> list[Route]:
    """POST /lifecycle/installed and /uninstalled (signed by Atlassian), /enabled and /disabled (by the tenant)."""
    hooks = _Hooks(database=database, installer=installer, callers=callers, base_url=base_url, clock=clock)
    return [
        Route("/lifecycle/installed", hooks.installed, methods=["POST"]),
        Route("/lifecycle/enabled", hooks.enabled, methods=["POST"]),
        Route("/lifecycle/disabled", hooks.disabled, methods=["POST"]),
        Route("/lifecycle/uninstalled", hooks.uninstalled, methods=["POST"]),
    ]


class _Hooks:
    def __init__(
        self,
        *,
        database: databases.Database,
        installer: Installer,
        callers: Callers,
        base_url: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._installer = installer
        self._callers = callers
        self._base_url = base_url
        self._clock = clock

    async def installed(self, request: Request) -> Response:
        with errors.logged(request.url.path):
            verified = await self._installer.verify_install(
                caller.read_token(request, header_only=True),
                await _read_body(request),
                qsh=caller.hash_request(request, base_url=self._base_url),
                now=self._clock(),
            )
            return await self._commit(
                "installed", lambda connection, now: self._installer.install(connection, verified, now=now)
            )

    async def uninstalled(self, request: Request) -> Response:
        with errors.logged(request.url.path):
            client_key = await self._installer.verify_uninstall(
                caller.read_token(request, header_only=True),
                await _read_body(request),
                qsh=caller.hash_request(request, base_url=self._base_url),
                now=self._clock(),
            )
            return await self._commit(
                "uninstalled", lambda connection, now: self._installer.uninstall(connection, client_key, now=now)
            )

    async def enabled(self, request: Request) -> Response:
        client_key = await self._identify(request)
        with errors.logged(request.url.path):
            return await self._commit(
                "enabled", lambda connection, now: self._installer.enable(connection, client_key, now=now)
            )

    async def disabled(self, request: Request) -> Response:
        client_key = await self._identify(request)
        with errors.logged(request.url.path):
            return await self._commit(
                "disabled", lambda connection, now: self._installer.disable(connection, client_key, now=now)
            )

    async def _identify(self, request: Request) -> ClientKey:
        """The tenant that calls, if its body speaks of nobody else."""
        identified = await self._callers.identify(request, Binding.REQUEST, may_be_disabled=True)
        with errors.logged(request.url.path):
            if body.read_client_key(await _read_body(request)) != identified.tenant.client_key:
                raise errors.WrongIssuer("iss is not the body's clientKey")
        return identified.tenant.client_key

    async def _commit(self, event: str, change: Change) -> Response:
        """One request, one transaction."""
        async with self._database.connection() as connection, connection.transaction():
            tenant = await change(connection, self._clock())
        tenant_id = None if tenant is None else str(tenant.tenant_id)
        structlog.get_logger().info("lifecycle event", lifecycle_event=event, tenant_id=tenant_id)
        return Response(status_code=HTTPStatus.NO_CONTENT)


async def _read_body(request: Request) -> bytes:
    """The body, of which no more than MAX_BODY_BYTES is ever kept. Raises BodyTooLarge, MalformedBody."""
    content = bytearray()
    try:
        async for chunk in request.stream():
            content += chunk
            if len(content) > MAX_BODY_BYTES:
                raise errors.BodyTooLarge(f"more than {MAX_BODY_BYTES} bytes")
    except HTTPException as exc:
        if exc.status_code != HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            raise
        # The app that we are mounted in counts, too; the refusal is to leave its reason all the same.
        raise errors.BodyTooLarge("more than the app takes") from exc
    except ClientDisconnect as exc:
        raise errors.MalformedBody("the caller hung up") from exc
    return bytes(content)
