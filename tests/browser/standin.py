"""The smallest app that a site can embed: it keeps what it was asked, and its page loads the bridge and nothing else."""

import dataclasses
import html
import urllib.parse

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

KEY = "stand-in"
PROPERTY = "stand-in-company"
"""The issue property that its field *Company* shows."""
ICON = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="8"/></svg>'
PAGE = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>Stand-in</title>
  <style>body {{ background: var(--ds-surface, #ffffff); }}</style>
  <script src="{host_script}"></script>
</head>
<body>
  <div class="ac-content"><h1>Stand-in</h1><p id="asked">{asked}</p></div>
</body>
</html>
"""


@dataclasses.dataclass(slots=True, kw_only=True)
class StandIn:
    """`frames` are the queries that its page was loaded with, oldest first."""

    base_url: str
    frames: list[str] = dataclasses.field(default_factory=list)

    @property
    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/atlassian-connect.json", self.describe),
                Route("/hooks/{event}", self.accept, methods=["POST"]),
                Route("/page", self.show),
                Route("/icon.svg", self.draw),
            ]
        )

    async def describe(self, _: Request) -> Response:
        return JSONResponse(
            {
                "key": KEY,
                "name": "Stand-in",
                "baseUrl": self.base_url,
                "authentication": {"type": "jwt"},
                "apiMigrations": {"signed-install": True, "context-qsh": True},
                "scopes": ["READ"],
                "lifecycle": {"installed": "/hooks/installed", "enabled": "/hooks/enabled"},
                "modules": {
                    "generalPages": [
                        {"key": "contacts", "name": {"value": "Contacts"}, "url": "/page?contact={ac.contact}"},
                        {"key": "companies", "name": {"value": "Companies"}, "url": "/page"},
                    ],
                    "adminPages": [{"key": "settings", "name": {"value": "CRM Settings"}, "url": "/page"}],
                    "jiraIssueContexts": [
                        {
                            "key": "reporter",
                            "name": {"value": "Reporter's company"},
                            "icon": {"width": 16, "height": 16, "url": "/icon.svg"},
                            "content": {"type": "label", "label": {"value": "Show the company"}},
                            "target": {
                                "type": "web_panel",
                                "url": "/page?issue={issue.id}&key={issue.key}&of={nobody.knows}",
                            },
                        }
                    ],
                    "jiraIssueFields": [
                        {
                            "key": "company",
                            "name": {"value": "Company"},
                            "description": {"value": "The reporter's company"},
                            "type": "read_only",
                            "property": {"key": PROPERTY, "path": "name", "type": "string"},
                        }
                    ],
                },
            }
        )

    async def accept(self, _: Request) -> Response:
        return Response(status_code=204)

    async def draw(self, _: Request) -> Response:
        return Response(ICON, media_type="image/svg+xml")

    async def show(self, request: Request) -> Response:
        """`xdm_e` is only believed here because this is a test: a real app has its host script in its settings."""
        query = request.url.query
        self.frames.append(query)
        site_url = dict(urllib.parse.parse_qsl(query))["xdm_e"]
        return HTMLResponse(PAGE.format(host_script=f"{site_url}/bridge/all.js", asked=html.escape(query)))
