"""Which addresses does the add-on answer, and through which middlewares? The list that the composition root mounts."""

from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import addon
from addon.web import (
    api_attention,
    api_companies,
    api_contacts,
    api_export,
    api_import,
    api_issues,
    api_merge,
    api_preview,
    api_rules,
    api_sync,
    errors,
    fragments,
    fragments_attention,
    fragments_company,
    fragments_contact,
    fragments_filters,
    fragments_history,
    fragments_import,
    fragments_issue,
    fragments_preview,
    fragments_rules,
    fragments_settings,
    pages,
    probes,
    upload,
    webhooks,
)
from addon.web.deps import WebDeps
from addon.web.headers import BodyLimit, SecurityHeaders

STATIC = Path(__file__).parent / "static"
HTMX = Path(addon.__file__).parent.parent / "node_modules" / "htmx.org" / "dist" / "htmx.min.js"
STATIC_CACHE = "public, max-age=300"


def application(deps: WebDeps, lifecycle_hooks: Sequence[BaseRoute]) -> Starlette:
    """All that answers."""
    made = Starlette(
        routes=[*routes(deps), *lifecycle_hooks], middleware=middleware(deps), exception_handlers=errors.HANDLERS
    )
    # To send somebody to the address without the last slash would tell it apart before any token is looked at, and repeat one.
    made.router.redirect_slashes = False
    return made


def routes(deps: WebDeps) -> list[BaseRoute]:
    """Every route but the lifecycle hooks, which `lifecycle` brings."""
    return [
        *public_routes(deps),
        *pages.routes(deps),
        *api_sync.routes(deps),
        *api_attention.routes(deps),
        *api_preview.routes(deps),
        *api_rules.routes(deps),
        *fragments.routes(deps),
        *fragments_settings.routes(deps),
        *fragments_rules.routes(deps),
        *fragments_preview.routes(deps),
        *fragments_filters.routes(deps),
        *fragments_attention.routes(deps),
        *fragments_history.routes(deps),
        *fragments_contact.routes(deps),
        *fragments_company.routes(deps),
        *fragments_import.routes(deps),
        *fragments_issue.routes(deps),
        *api_contacts.routes(deps),
        *api_merge.routes(deps),
        *api_export.routes(deps),
        *api_import.routes(deps),
        *api_issues.routes(deps),
        *api_companies.routes(deps),
        *webhooks.routes(deps),
    ]


def public_routes(deps: WebDeps) -> list[BaseRoute]:
    """Open to anyone: nothing of a tenant is behind them."""

    async def descriptor(_request: Request) -> Response:
        return JSONResponse(deps.descriptor)

    return [
        Route("/atlassian-connect.json", descriptor),
        Route("/healthz", probes.healthz),
        Route("/readyz", probes.readyz(deps)),
        Route("/metrics", probes.metrics),
        Route("/static/htmx.min.js", _htmx, middleware=[Middleware(_Whole)]),
        Mount("/static", _Static(directory=STATIC), name="static", middleware=[Middleware(_Whole)]),
    ]


def middleware(deps: WebDeps) -> list[Middleware]:
    """Outermost first."""
    larger = dict.fromkeys(upload.PATHS, upload.MAX_BODY_BYTES) | {webhooks.ISSUE_PATH: webhooks.MAX_ISSUE_BYTES}
    return [
        Middleware(SecurityHeaders, is_https=urlsplit(deps.base_url).scheme == "https"),
        Middleware(errors.Boundary),
        Middleware(BodyLimit, larger=larger),
    ]


async def _htmx(_request: Request) -> Response:
    if not HTMX.is_file():
        raise HTTPException(404)
    return FileResponse(HTMX, headers={"Cache-Control": STATIC_CACHE})


class _Whole:
    """Answers without ranges: nobody needs a part of so small a file, and Starlette refuses odd ones with a bare text."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(name, value) for name, value in scope["headers"] if name != b"range"]
        await self.app({**scope, "headers": headers}, receive, send)


class _Static(StaticFiles):
    """Our own files; they change with a release, and a browser asks again after minutes."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_cacheable(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < HTTPStatus.BAD_REQUEST:
                message["headers"].append((b"cache-control", STATIC_CACHE.encode()))
            await send(message)

        await super().__call__(scope, receive, send_cacheable)
