"""What does a person see who opens the site in a browser? Its chrome, the pages of add-ons in it, and *People*.

It renders and redirects; it changes nothing on the site (`sandbox.control` does) and signs nothing itself
(`sandbox.frame` does). What a frame asks of its page goes to `sandbox.bridge`.
"""

import collections
import pathlib
import urllib.parse
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from sandbox import bridge, cloud, frame, installation, listing, modules, person, site, viewer

HERE = pathlib.Path(__file__).parent
THEMES = ("light", "dark")
# The two style elements that atlassian-connect-js 5.3 writes into its host page, both for links that open a dialog.
BRIDGE_STYLES = (
    "'sha256-noKUDODRQd3Pu1pplDdnyFgo1+JRfPSFy8xZ4QYt0aM='",
    "'sha256-si3uLF78H3NKo7FJkSxFjioHKquA+0du5fhpo6lKdX4='",
)
VIEWER_COOKIE_AGE_S = 30 * 24 * 3600


def routes(of_cloud: cloud.Cloud) -> list[BaseRoute]:
    """All of the site that is for browsers. The site is the one under the request's `Host`."""
    pages = Pages(of_cloud)
    return [
        Route("/", pages.show_home, methods=["GET"]),
        Route("/plugins/servlet/ac/{addon_key}/{module_key}", pages.show_module, methods=["GET"]),
        Route("/people", pages.show_people, methods=["GET"]),
        Route("/viewer", pages.switch_viewer, methods=["GET", "POST"]),
        Mount("/static", StaticFiles(directory=HERE / "static")),
        *bridge.routes(of_cloud),
    ]


class Pages:
    """The handlers; they hold the cloud and the templates and keep nothing between requests."""

    def __init__(self, of_cloud: cloud.Cloud) -> None:
        self._cloud = of_cloud
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
        )

    async def show_home(self, request: Request) -> Response:
        here, seen_by = self._arrive(request)
        if not seen_by.has_jira:
            return self._refuse(request, here, seen_by)
        counts = collections.Counter(one.kind.value for one in here.people.values() if not one.deleted)
        installations = list(here.installations.values())
        return self._render(
            request,
            here,
            seen_by,
            "home.html",
            counts={kind.value: counts[kind.value] for kind in person.PersonKind},
            installations=installations,
        )

    async def show_module(self, request: Request) -> Response:
        """An add-on's page in its frame; the page's own `ac.x` parameters fill the add-on's placeholders."""
        here, seen_by = self._arrive(request)
        addon_key: str = request.path_params["addon_key"]
        page = modules.find_page(here, addon_key, request.path_params["module_key"])
        if page is None:
            return self._say(
                request,
                here,
                seen_by,
                status=404,
                heading="We couldn't find that page",
                text="The app that it belongs to is not installed, is disabled, or has no such page.",
            )
        if not modules.may_open(page, seen_by):
            return self._refuse(request, here, seen_by)
        url = frame.sign_frame_url(
            here.installations[addon_key],
            module_key=page.key,
            module_url=page.url,
            account_id=seen_by.account_id,
            site_url=here.base_url,
            context=frame.context_of(request.query_params),
            now=self._cloud.now(),
        )
        host = {
            "addonKey": page.addon_key,
            "moduleKey": page.key,
            "title": page.name,
            "url": url,
            "isFullPage": page.place is modules.Place.GENERAL,
            "viewer": {"accountId": seen_by.account_id, "locale": "en_US", "timeZone": seen_by.person.time_zone},
        }
        return self._render(request, here, seen_by, "module.html", page=page, host=host)

    async def show_people(self, request: Request) -> Response:
        here, seen_by = self._arrive(request)
        if not seen_by.is_admin:
            return self._refuse(request, here, seen_by)
        page = request.query_params.get("page", "1")
        query = listing.Query(
            text=request.query_params.get("text", ""),
            kind=request.query_params.get("kind", ""),
            page=int(page) if page.isdecimal() else 1,
        )
        shown = listing.list_people(here.people.values(), query)
        links = {name: _people_link(query, shown.page + step) for name, step in (("previous", -1), ("next", 1))}
        return self._render(request, here, seen_by, "people.html", query=query, listing=shown, page_links=links)

    async def switch_viewer(self, request: Request) -> Response:
        """Become another person (`as`: a role's name or an account id) and go on to `to`, a path of this site."""
        here, seen_by = self._arrive(request)
        asked = await request.form() if request.method == "POST" else request.query_params
        chosen = viewer.find_choice(here, str(asked.get("as", "")))
        if chosen is None:
            return self._say(
                request,
                here,
                seen_by,
                status=400,
                heading="Nobody like that is here",
                text="You are still looking at the site as before.",
            )
        response = RedirectResponse(_local_path(str(asked.get("to", "/"))), status_code=303)
        for name, value in viewer.cookies_of(viewer.look_as(chosen, here), here).items():
            response.set_cookie(name, value, max_age=VIEWER_COOKIE_AGE_S, httponly=True, samesite="lax")
        return response

    def _arrive(self, request: Request) -> tuple[site.Site, viewer.Viewer]:
        here = bridge.find_site(self._cloud, request)
        return here, viewer.viewer_of(request, here)

    def _refuse(self, request: Request, here: site.Site, seen_by: viewer.Viewer) -> Response:
        if seen_by.has_jira:
            heading, text = "You don't have permission to view this page", "Only Jira administrators can open it."
        else:
            heading, text = (
                "You don't have access to Jira",
                "This account is no active Jira user. Choose another person above.",
            )
        return self._say(request, here, seen_by, status=403, heading=heading, text=text)

    def _say(
        self, request: Request, here: site.Site, seen_by: viewer.Viewer, *, status: int, heading: str, text: str
    ) -> Response:
        return self._render(request, here, seen_by, "notice.html", status=status, heading=heading, text=text)

    def _render(
        self,
        request: Request,
        here: site.Site,
        seen_by: viewer.Viewer,
        template: str,
        status: int = 200,
        **values: Any,
    ) -> Response:
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


def _people_link(query: listing.Query, page: int) -> str:
    return "/people?" + urllib.parse.urlencode({"text": query.text, "kind": query.kind, "page": page})


def _local_path(path: str) -> str:
    """`path` if it stays on this site: browsers read two slashes, of either kind, as the start of another host."""
    return path if path.startswith("/") and path[1:2] not in ("/", "\\") else "/"


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
        "img-src": "'self' data:",
        "script-src": "'self'",
        "style-src": " ".join(("'self'", *BRIDGE_STYLES)),
    }
    return {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
