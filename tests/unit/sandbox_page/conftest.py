"""Two sites of one cloud behind an ASGI transport, with a small app on both."""

import collections.abc
import dataclasses
import json
import re
from typing import Any

import httpx
import pytest

from sandbox import app, cloud, installation, site

ADDON_URL = "https://addon.example"
ADDON_KEY = "crm"
PROPERTY = "crm-company"
DESCRIPTOR = {
    "key": ADDON_KEY,
    "name": "CRM <Contacts>",
    "baseUrl": ADDON_URL,
    "authentication": {"type": "jwt"},
    "apiMigrations": {"signed-install": True, "context-qsh": True},
    "scopes": ["READ"],
    "lifecycle": {"installed": "/installed"},
    "modules": {
        "generalPages": [{"key": "contacts", "name": {"value": "Contacts"}, "url": "/contacts?id={ac.id}"}],
        "adminPages": [{"key": "settings", "name": {"value": "CRM Settings"}, "url": "/settings"}],
        "jiraIssueContexts": [
            {
                "key": "reporter",
                "name": {"value": "Reporter's company"},
                "icon": {"width": 16, "height": 16, "url": "/icon.svg"},
                "content": {"type": "label", "label": {"value": "Show the company"}},
                "target": {"type": "web_panel", "url": "/reporter?issue={issue.id}&of={nobody.knows}"},
                "conditions": [{"condition": "user_is_logged_in"}],
            },
            {
                "key": "secrets",
                "name": {"value": "Secrets"},
                "icon": {"width": 16, "height": 16, "url": "/icon.svg"},
                "content": {"type": "label", "label": {"value": "Show secrets"}},
                "target": {"type": "web_panel", "url": "/secrets?issue={issue.key}"},
                "conditions": [{"condition": "user_is_admin"}],
            },
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


async def look_as(stage: "Stage", here: site.Site, choice: str) -> None:
    answer = await stage.browser.post(f"{here.base_url}/viewer", data={"as": choice})
    assert answer.status_code == 303


def host_data(text: str) -> dict[str, Any]:
    """What a page tells its scripts."""
    found = re.search(r'id="host-data">(.*?)</script>', text)
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    cloud: cloud.Cloud
    first: site.Site
    second: site.Site
    browser: httpx.AsyncClient
    """Keeps cookies as a browser does, and follows no redirect."""

    def installed_on(self, here: site.Site) -> installation.Installation:
        return here.installations[ADDON_KEY]


def _answer_as_addon(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json=DESCRIPTOR) if request.method == "GET" else httpx.Response(204)


@pytest.fixture
async def stage() -> collections.abc.AsyncIterator[Stage]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(_answer_as_addon)) as client:
        made = cloud.Cloud(client=client)
        first = made.create_site(base_url="http://localhost:9000", people=60, seed=1)
        second = made.create_site(base_url="http://localhost:9001", people=60, seed=2)
        for here in (first, second):
            await made.install(here, f"{ADDON_URL}/atlassian-connect.json")
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app.create(made))) as browser:
            yield Stage(cloud=made, first=first, second=second, browser=browser)
