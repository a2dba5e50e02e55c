"""What does a person see who opens the site in a browser? Its home, the pages of add-ons in it, and *People*.

It renders and redirects; it changes nothing on the site (`sandbox.control` does) and signs nothing itself
(`sandbox.frame` does). What a frame asks of its page goes to `sandbox.bridge`; issues have pages of their own.
"""

import collections
import pathlib

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from sandbox import (
    bridge,
    chrome,
    cloud,
    embedding,
    issue_list_page,
    issue_page,
    listing,
    modules,
    person,
    portal,
    viewer,
)

STATIC = pathlib.Path(__file__).parent / "static"
VIEWER_COOKIE_AGE_S = 30 * 24 * 3600


def routes(of_cloud: cloud.Cloud) -> list[BaseRoute]:
    """All of the site that is for browsers. The site is the one under the request's `Host`."""
    around = chrome.Chrome(of_cloud)
    pages = Pages(of_cloud, around)
    return [
        Route("/", pages.show_home, methods=["GET"]),
        Route("/plugins/servlet/ac/{addon_key}/{module_key}", pages.show_module, methods=["GET"]),
        Route("/people", pages.show_people, methods=["GET"]),
        Route("/viewer", pages.switch_viewer, methods=["GET", "POST"]),
        Mount("/static", StaticFiles(directory=STATIC)),
        *bridge.routes(of_cloud),
        *issue_list_page.routes(of_cloud, around),
        *issue_page.routes(of_cloud, around),
        *portal.routes(of_cloud, around),
    ]


class Pages:
    """The handlers; they keep nothing between requests."""

    def __init__(self, of_cloud: cloud.Cloud, around: chrome.Chrome) -> None:
        self._cloud = of_cloud
        self._chrome = around

    async def show_home(self, request: Request) -> Response:
        here, seen_by = self._chrome.arrive(request)
        if not seen_by.has_jira:
            return self._chrome.refuse(request)
        counts = collections.Counter(one.kind.value for one in here.people.values() if not one.deleted)
        return self._chrome.render(
            request,
            "home.html",
            counts={kind.value: counts[kind.value] for kind in person.PersonKind},
            issues=len(here.issues),
            installations=list(here.installations.values()),
        )

    async def show_module(self, request: Request) -> Response:
        """An add-on's page in its frame; the page's own `ac.x` parameters fill the add-on's placeholders."""
        here, seen_by = self._chrome.arrive(request)
        page = modules.find_page(here, request.path_params["addon_key"], request.path_params["module_key"])
        if page is None or page.place not in modules.PAGES:
            return self._chrome.say(
                request,
                status=404,
                heading="We couldn't find that page",
                text="The app that it belongs to is not installed, is disabled, or has no such page.",
            )
        if not modules.may_open(page, seen_by):
            return self._chrome.refuse(request)
        host = embedding.build_host(here, seen_by, [page], parameters=request.query_params, now=self._cloud.now())
        return self._chrome.render(request, "module.html", page=page, host=host)

    async def show_people(self, request: Request) -> Response:
        here, seen_by = self._chrome.arrive(request)
        if not seen_by.is_admin:
            return self._chrome.refuse(request)
        query = listing.Query(
            text=request.query_params.get("text", ""),
            kind=request.query_params.get("kind", ""),
            page=listing.read_page(request.query_params),
        )
        shown = listing.list_people(here.people.values(), query)
        links = {
            name: chrome.link("/people", text=query.text, kind=query.kind, page=shown.page + step)
            for name, step in (("previous", -1), ("next", 1))
        }
        return self._chrome.render(request, "people.html", query=query, listing=shown, page_links=links)

    async def switch_viewer(self, request: Request) -> Response:
        """Become another person (`as`: a role's name or an account id) and go on to `to`, a path of this site.

        Customers and those with Jira see no page of each other's, and start on their own first page instead.
        """
        here, seen_by = self._chrome.arrive(request)
        asked = await request.form() if request.method == "POST" else request.query_params
        chosen = viewer.find_choice(here, str(asked.get("as", "")))
        if chosen is None:
            return self._chrome.say(
                request,
                status=400,
                heading="Nobody like that is here",
                text="You are still looking at the site as before.",
            )
        becoming = viewer.look_as(chosen, here)
        to = chrome.local_path(str(asked.get("to", "/")))
        if becoming.is_customer:
            to = portal.HOME
        elif seen_by.is_customer and to.startswith(portal.HOME):
            to = "/"
        response = RedirectResponse(to, status_code=303)
        for name, value in viewer.cookies_of(becoming, here).items():
            response.set_cookie(name, value, max_age=VIEWER_COOKIE_AGE_S, httponly=True, samesite="lax")
        return response
