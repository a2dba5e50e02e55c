"""One web application for all sites of a cloud: the `Host` header says which site is meant.

Routing only. It needs no socket: tests drive it through an ASGI transport.
"""

import collections.abc

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sandbox import cloud, control, page, rest, site

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
AVATAR = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48"><rect width="48" height="48" rx="24" fill="#8590a2"/>'
    '<circle cx="24" cy="19" r="8" fill="#fff"/><path d="M8 44c2-11 10-14 16-14s14 3 16 14z" fill="#fff"/></svg>'
)


def create(of_cloud: cloud.Cloud) -> Starlette:
    def on_site(
        handle: collections.abc.Callable[[Request, cloud.Cloud, site.Site], collections.abc.Awaitable[Response]],
    ) -> collections.abc.Callable[[Request], collections.abc.Awaitable[Response]]:
        async def dispatch(request: Request) -> Response:
            found = of_cloud.site_at(request.headers.get("host", ""))
            if found is None:
                return PlainTextResponse("There is no site at this address.", status_code=404)
            found.tasks.settle(found.now())
            return await handle(request, of_cloud, found)

        return dispatch

    return Starlette(
        routes=[
            Route("/rest/{path:path}", on_site(rest.answer), methods=METHODS),
            Route("/_edge/tenant_info", on_site(_show_tenant_info)),
            Route("/install-keys/{kid:path}", on_site(_show_install_key)),
            Route("/avatar.svg", _show_avatar),
            *(Route(path, on_site(handle), methods=methods) for path, methods, handle in control.ENDPOINTS),
            *page.routes(of_cloud),
        ]
    )


async def _show_tenant_info(_: Request, __: cloud.Cloud, here: site.Site) -> Response:
    return JSONResponse({"cloudId": here.cloud_id})


async def _show_install_key(request: Request, of_cloud: cloud.Cloud, _: site.Site) -> Response:
    pem = of_cloud.keys.public_pem(request.path_params["kid"])
    if pem is None:
        return PlainTextResponse("No such key.", status_code=404)
    return PlainTextResponse(pem, headers={"Cache-Control": "public, max-age=31536000, immutable"})


async def _show_avatar(_: Request) -> Response:
    return Response(AVATAR, media_type="image/svg+xml")
