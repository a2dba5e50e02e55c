"""What does a customer see who needs help? The portal of Jira Service Management: their desks and their own requests.

No page of Jira and no app is here. People with Jira may raise requests too, at every desk.
"""

import http

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox import access, chrome, cloud, issue_forms, issues, place, site, viewer

HOME = "/portal"


def routes(_: cloud.Cloud, around: chrome.Chrome) -> list[BaseRoute]:
    pages = PortalPages(around)
    return [
        Route(HOME, pages.show, methods=["GET"]),
        Route(HOME, pages.raise_request, methods=["POST"]),
        Route(f"{HOME}/requests/{{key}}", pages.show_request, methods=["GET"]),
    ]


def desks_of(here: site.Site, seen_by: viewer.Viewer) -> list[place.Desk]:
    """Where this person may ask."""
    if seen_by.has_jira:
        return list(here.desks.values())
    return access.list_portals(here, seen_by.account_id)


class PortalPages:
    def __init__(self, around: chrome.Chrome) -> None:
        self._chrome = around

    async def show(self, request: Request) -> Response:
        here, seen_by = self._chrome.arrive(request)
        if not _may_enter(seen_by):
            return self._chrome.refuse(request)
        return self._chrome.render(
            request, "portal.html", desks=desks_of(here, seen_by), requests=_requests_of(here, seen_by)
        )

    async def raise_request(self, request: Request) -> Response:
        here, seen_by = self._chrome.arrive(request)
        if not _may_enter(seen_by):
            return self._chrome.refuse(request)
        try:
            raised = issue_forms.request_help(
                here, seen_by.person, desks_of(here, seen_by), await chrome.read_form(request, here)
            )
        except issue_forms.FormError as exc:
            return self._chrome.say(request, status=400, heading="Your request was not sent", text=str(exc))
        return RedirectResponse(f"{HOME}/requests/{raised.key}", status_code=http.HTTPStatus.SEE_OTHER)

    async def show_request(self, request: Request) -> Response:
        """One's own request; another's looks as if it were not there."""
        here, seen_by = self._chrome.arrive(request)
        if not _may_enter(seen_by):
            return self._chrome.refuse(request)
        found = here.issues.find(request.path_params["key"])
        if found is None or found.reporter_id != seen_by.account_id:
            return self._chrome.say(
                request, status=404, heading="We couldn't find that request", text="You have none with this key."
            )
        desk = here.find_desk(found.project_key)
        return self._chrome.render(request, "request.html", sent=found, desk=desk)


def _may_enter(seen_by: viewer.Viewer) -> bool:
    return seen_by.has_jira or seen_by.is_customer


def _requests_of(here: site.Site, seen_by: viewer.Viewer) -> list[issues.Issue]:
    """Newest first."""
    own = [each for each in here.issues if each.reporter_id == seen_by.account_id]
    return sorted(own, key=lambda each: each.place("created"), reverse=True)
