"""What does the page behind `AP.*` ask of the site? Atlassian's scripts, signed frame addresses, tokens, and requests
on behalf of the person who looks.

It answers the site's own pages and nobody else: it gives a token only for the person in the page's cookie, and the
browser keeps other origins from reading the answers.
"""

import datetime as dt
import json
import pathlib
import urllib.parse

import httpx
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox import cloud, embedding, frame, installation, issues, modules, operations, site, viewer

NODE_MODULES = pathlib.Path(__file__).parent.parent / "node_modules"
CONNECT_JS = NODE_MODULES / "atlassian-connect-js" / "dist"
HOST_FILES = {
    "connect-host.css": CONNECT_JS / "connect-host.css",
    "connect-host.js": CONNECT_JS / "connect-host.js",
    "jquery.js": NODE_MODULES / "jquery" / "dist" / "jquery.min.js",
    "surfaces.css": CONNECT_JS / "surfaces.css",
}

# Where the frame's script (atlassian-connect-js 5.3) has the address of its theme stylesheets built in. They are part
# of the same package, so the site serves them itself and frames need nothing from outside this machine.
STYLES_URL_EXPRESSION = '"https://" + CDN_DOMAIN'

# The request headers that AP.request lets an add-on set.
FORWARDED_HEADERS = ("accept", "content-type", "x-experimentalapi")


def routes(of_cloud: cloud.Cloud) -> list[BaseRoute]:
    """`/atlassian-connect/all.js` is where products serve the frame's script; it reads its `data-options` only there."""
    handlers = Bridge(of_cloud)
    return [
        Route("/bridge/all.js", handlers.serve_frame_script, methods=["GET"]),
        Route("/atlassian-connect/all.js", handlers.serve_frame_script, methods=["GET"]),
        Route("/bridge/token", handlers.issue_token, methods=["GET"]),
        Route("/bridge/frame", handlers.address_frame, methods=["GET"]),
        Route(
            "/bridge/request/{addon_key}/rest/{path:path}",
            handlers.forward_request,
            methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        ),
        Route("/bridge/themes/{name}", _serve_theme, methods=["GET"]),
        Route("/bridge/{name}", _serve_host_file, methods=["GET"]),
    ]


def find_site(of_cloud: cloud.Cloud, request: Request) -> site.Site:
    """The site under the request's `Host`, or a 404."""
    found = of_cloud.site_at(request.headers.get("host", ""))
    if found is None:
        raise HTTPException(404, "No site answers under this address.")
    return found


def origin_of(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class Bridge:
    def __init__(self, of_cloud: cloud.Cloud) -> None:
        self._cloud = of_cloud

    async def serve_frame_script(self, request: Request) -> Response:
        """The script that an add-on's page loads, with the theme stylesheets taken from this site."""
        here = find_site(self._cloud, request)
        script = _package_file(CONNECT_JS / "iframe.js").read_text(encoding="utf-8")
        local = script.replace(STYLES_URL_EXPRESSION, json.dumps(f"{here.base_url}/bridge"))
        return Response(local, media_type="text/javascript", headers={"Cache-Control": "max-age=3600"})

    async def issue_token(self, request: Request) -> Response:
        """What `AP.context.getToken()` gets."""
        here = find_site(self._cloud, request)
        seen_by = viewer.viewer_of(request, here)
        installed = _find_installation(here, request.query_params.get("addon", ""))
        if installed is None or not seen_by.has_jira:
            return _refuse(403, "This person has no such app here.")
        session_s = here.faults.session_s
        lifetime = frame.SESSION_TOKEN_LIFETIME if session_s is None else dt.timedelta(seconds=session_s)
        token = frame.sign_session_token(
            installed,
            account_id=seen_by.account_id,
            now=self._cloud.now(),
            lifetime=lifetime,
            claim=frame.claim_of(_find_issue(here, request)),
        )
        return JSONResponse({"token": token}, headers={"Cache-Control": "no-store"})

    async def address_frame(self, request: Request) -> Response:
        """A fresh address for a module's frame: a dialog's first one, or instead of one whose token ran out."""
        here = find_site(self._cloud, request)
        seen_by = viewer.viewer_of(request, here)
        addon_key = request.query_params.get("addon", "")
        page = modules.find_page(here, addon_key, request.query_params.get("module", ""))
        if page is None:
            return _refuse(404, "The app has no such module.")
        if not modules.may_open(page, seen_by):
            return _refuse(403, "This person may not open that module.")
        url = embedding.sign_address(
            here,
            seen_by,
            page,
            parameters=request.query_params,
            on_issue=_find_issue(here, request),
            now=self._cloud.now(),
        )
        answer = {"url": url, "origin": origin_of(here.installations[addon_key].base_url)}
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})

    async def forward_request(self, request: Request) -> Response:
        """`AP.request`: the REST API as the person who looks, within what the app's scopes allow."""
        here = find_site(self._cloud, request)
        if request.headers.get("origin", here.base_url) != here.base_url:
            return _refuse(403, "XSRF check failed")  # Jira's words; cookies alone would let any local page in
        seen_by = viewer.viewer_of(request, here)
        installed = _find_installation(here, request.path_params["addon_key"])
        if installed is None or not seen_by.has_jira:
            return _refuse(403, "This person has no such app here.")
        raw_path = "/" + request.scope["raw_path"].decode("ascii").split("/", 4)[4]
        match = operations.load_catalogue().find(request.method, raw_path)
        if match is not None and match.operation.scope not in ("NONE", *installed.scopes):
            return _refuse(403, f"The app's scopes do not allow this request; it needs {match.operation.scope}.")
        headers = {name: request.headers[name] for name in FORWARDED_HEADERS if name in request.headers}
        transport = httpx.ASGITransport(app=request.app)
        cookies = viewer.cookies_of(seen_by, here)
        async with httpx.AsyncClient(transport=transport, base_url=here.base_url, cookies=cookies) as client:
            answer = await client.request(
                request.method,
                f"{raw_path}?{request.url.query}" if request.url.query else raw_path,
                content=await request.body() or None,
                headers=headers,
            )
        return Response(answer.content, status_code=answer.status_code, media_type=answer.headers.get("content-type"))


def _find_installation(here: site.Site, addon_key: str) -> installation.Installation | None:
    found = here.installations.get(addon_key)
    return found if found is not None and found.state is installation.State.ENABLED else None


def _find_issue(here: site.Site, request: Request) -> issues.Issue | None:
    """The issue on whose page the frame is; everyone with Jira sees every issue here."""
    return here.issues.find(request.query_params.get("issue", ""))


def _refuse(status: int, message: str) -> Response:
    return JSONResponse({"errorMessages": [message], "errors": {}, "message": message}, status_code=status)


async def _serve_theme(request: Request) -> Response:
    return _serve(CONNECT_JS / "themes" / pathlib.PurePath(request.path_params["name"]).name)


async def _serve_host_file(request: Request) -> Response:
    path = HOST_FILES.get(request.path_params["name"])
    if path is None:
        raise HTTPException(404)
    return _serve(path)


def _serve(path: pathlib.Path) -> Response:
    if not path.is_file() and CONNECT_JS.is_dir():
        raise HTTPException(404)
    return FileResponse(_package_file(path))


def _package_file(path: pathlib.Path) -> pathlib.Path:
    if not path.is_file():
        raise HTTPException(503, "The npm packages are missing: run `make setup`.")
    return path
