"""What does a person with Jira see of one issue, and how do they change it? Its fields, apps' panels, and its forms.

What a form may change `sandbox.issue_forms` decides; the list of issues is `sandbox.issue_list_page`.
"""

import http

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox import chrome, cloud, embedding, issue_forms, issue_listing, issues, modules, tracker


def routes(of_cloud: cloud.Cloud, around: chrome.Chrome) -> list[BaseRoute]:
    pages = IssuePages(of_cloud, around)
    return [
        Route("/browse/{key}", pages.show, methods=["GET"]),
        Route("/browse/{key}/{action}", pages.act, methods=["POST"]),
    ]


class IssuePages:
    def __init__(self, of_cloud: cloud.Cloud, around: chrome.Chrome) -> None:
        self._cloud = of_cloud
        self._chrome = around

    async def show(self, request: Request) -> Response:
        here, seen_by = self._chrome.arrive(request)
        if not seen_by.has_jira:
            return self._chrome.refuse(request)
        shown = here.issues.find(request.path_params["key"])
        if shown is None:
            return self._say_gone(request)
        panels = modules.panels_of(here, seen_by)
        columns = issue_listing.columns_of(here)
        return self._chrome.render(
            request,
            "issue.html",
            row=issue_listing.build_row(here, shown, columns),
            columns=columns,
            project_name=here.find_desk(shown.project_key).project_name,
            statuses=list(issues.StatusCategory),
            panels=panels,
            host=embedding.build_host(
                here, seen_by, panels, parameters=request.query_params, on_issue=shown, now=self._cloud.now()
            ),
        )

    async def act(self, request: Request) -> Response:
        """One change of the issue, by a form of its page."""
        here, seen_by = self._chrome.arrive(request)
        if not seen_by.has_jira:
            return self._chrome.refuse(request)
        key: str = request.path_params["key"]
        action: str = request.path_params["action"]
        try:
            issue_forms.edit(here, key, action, await chrome.read_form(request, here))
        except issue_forms.FormError as exc:
            return self._chrome.say(request, status=400, heading="The issue is as it was", text=str(exc))
        except tracker.UnknownIssueError:
            return self._say_gone(request)
        to = "/issues/" if action == "delete" else f"/browse/{key}"
        return RedirectResponse(to, status_code=http.HTTPStatus.SEE_OTHER)

    def _say_gone(self, request: Request) -> Response:
        return self._chrome.say(
            request,
            status=404,
            heading="We couldn't find that issue",
            text="It was deleted, or there never was one with this key.",
        )
