"""What is around every page of the site? The bar, the navigation, who looks, and what the browser may load.

It finds the site and the viewer of a request and renders; what a page shows, and who may see it, the pages know.
"""

import http
import pathlib
import urllib.parse
from typing import Any

import jinja2
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from sandbox import bridge, cloud, installation, modules, site, viewer

HERE = pathlib.Path(__file__).parent
THEMES = ("light", "dark")
# The two style elements that atlassian-connect-js 5.3 writes into its host page, both for links that open a dialog.
BRIDGE_STYLES = (
    "'sha256-noKUDODRQd3Pu1pplDdnyFgo1+JRfPSFy8xZ4QYt0aM='",
    "'sha256-si3uLF78H3NKo7FJkSxFjioHKquA+0du5fhpo6lKdX4='",
)


class Chrome:
    """Holds the templates and keeps nothing between requests."""

    def __init__(self, of_cloud: cloud.Cloud) -> None:
        self._cloud = of_cloud
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
        )

    def arrive(self, request: Request) -> tuple[site.Site, viewer.Viewer]:
        here = bridge.find_site(self._cloud, request)
        return here, viewer.viewer_of(request, here)

    def refuse(self, request: Request) -> Response:
        _, seen_by = self.arrive(request)
        if seen_by.has_jira:
            heading, text = "You don't have permission to view this page", "Only Jira administrators can open it."
        else:
            heading, text = (
                "You don't have access to Jira",
                "This account is no active Jira user. Choose another person above.",
            )
        return self.say(request, status=403, heading=heading, text=text)

    def say(self, request: Request, *, status: int, heading: str, text: str) -> Response:
        return self.render(request, "notice.html", status=status, heading=heading, text=text)

    def render(self, request: Request, template: str, status: int = 200, **values: Any) -> Response:
        here, seen_by = self.arrive(request)
        theme = request.cookies.get(viewer.theme_cookie_name(here), "")
        open_pages = [page for page in modules.pages_of(here) if modules.may_open(page, seen_by)]
        text = self._templates.get_template(template).render(
            site=here,
            viewer=seen_by,
            roles=viewer.roles_of(here),
            theme=theme if theme in THEMES else THEMES[0],
            theme_cookie=viewer.theme_cookie_name(here),
            apps=[page for page in open_pages if page.place is modules.Place.GENERAL],
            admin_apps=[page for page in open_pages if page.place is modules.Place.ADMIN],
            here=f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path,
            here_path=request.url.path,
            **values,
        )
        return HTMLResponse(text, status_code=status, headers=_security_headers(here))


def local_path(path: str) -> str:
    """`path` if it stays on this site: browsers read two slashes, of either kind, as the start of another host."""
    return path if path.startswith("/") and path[1:2] not in ("/", "\\") else "/"


async def read_form(request: Request, here: site.Site) -> dict[str, str]:
    """What a form of this site's pages says. Raises a 403 for one of another page: cookies alone would let it in."""
    if request.headers.get("origin", here.base_url) != here.base_url:
        raise HTTPException(http.HTTPStatus.FORBIDDEN, "XSRF check failed")
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


def link(path: str, **parameters: object) -> str:
    return f"{path}?{urllib.parse.urlencode(parameters)}"


def _security_headers(here: site.Site) -> dict[str, str]:
    live = (installation.State.ENABLED, installation.State.DISABLED)
    origins = sorted({bridge.origin_of(one.base_url) for one in here.installations.values() if one.state in live})
    policy = {
        "default-src": "'none'",
        "base-uri": "'none'",
        "connect-src": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "frame-src": " ".join(origins) or "'none'",
        "img-src": " ".join(("'self'", "data:", *origins)),  # an app's context panel has an icon of the app's
        "script-src": "'self'",
        "style-src": " ".join(("'self'", *BRIDGE_STYLES)),
    }
    return {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
