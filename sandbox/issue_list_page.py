"""What does a person with Jira see of all issues? The search by JQL as a table, and *Create issue*.

What a query finds `sandbox.issue_listing` knows; one issue is on `sandbox.issue_page`.
"""

import http

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox import chrome, cloud, issue_forms, issue_listing, jql, listing

PATH = "/issues/"
CHOICES = 20
"""People whom a search for a reporter offers."""


def routes(of_cloud: cloud.Cloud, around: chrome.Chrome) -> list[BaseRoute]:
    pages = IssueListPages(of_cloud, around)
    return [
        Route(PATH, pages.show, methods=["GET"]),
        Route(PATH, pages.create, methods=["POST"]),
        Route("/issues/people", pages.search_people, methods=["GET"]),
    ]


class IssueListPages:
    def __init__(self, of_cloud: cloud.Cloud, around: chrome.Chrome) -> None:
        self._cloud = of_cloud
        self._chrome = around

    async def show(self, request: Request) -> Response:
        """What Jira has against a query is shown above an empty page, with the query still in its field."""
        here, seen_by = self._chrome.arrive(request)
        if not seen_by.has_jira:
            return self._chrome.refuse(request)
        text = request.query_params.get("jql", "")
        page = listing.read_page(request.query_params)
        problem, found = "", issue_listing.NOTHING
        try:
            found = issue_listing.list_issues(here, text, page=page, now=self._cloud.now())
        except jql.JqlError as exc:
            problem = str(exc)
        links = {
            name: chrome.link(PATH, jql=text, page=found.page + step) for name, step in (("previous", -1), ("next", 1))
        }
        return self._chrome.render(
            request,
            "issues.html",
            status=http.HTTPStatus.BAD_REQUEST if problem else http.HTTPStatus.OK,
            jql=text,
            problem=problem,
            listing=found,
            page_links=links,
            columns=issue_listing.columns_of(here),
            desks=list(here.desks.values()),
        )

    async def create(self, request: Request) -> Response:
        """An issue by the form of the list's page; leads to it."""
        here, seen_by = self._chrome.arrive(request)
        if not seen_by.has_jira:
            return self._chrome.refuse(request)
        try:
            created = issue_forms.create(here, await chrome.read_form(request, here))
        except issue_forms.FormError as exc:
            return self._chrome.say(request, status=400, heading="No issue was created", text=str(exc))
        return RedirectResponse(f"/browse/{created.key}", status_code=http.HTTPStatus.SEE_OTHER)

    async def search_people(self, request: Request) -> Response:
        """Whom an issue may have as its reporter: everyone who is here, apps included."""
        here, seen_by = self._chrome.arrive(request)
        if not seen_by.has_jira:
            return JSONResponse({"error": "This person has no access to Jira."}, status_code=403)
        living = (one for one in here.people.values() if not one.deleted)
        found = listing.list_people(living, listing.Query(text=request.query_params.get("text", "")))
        people = [
            {
                "accountId": one.account_id,
                "displayName": one.display_name,
                "detail": one.readable_email or listing.KIND_TITLES[one.kind],
            }
            for one in found.people[:CHOICES]
        ]
        return JSONResponse({"people": people, "total": found.total}, headers={"Cache-Control": "no-store"})
