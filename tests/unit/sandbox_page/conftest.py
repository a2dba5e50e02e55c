"""Two sites of one cloud behind an ASGI transport, with a small app on both."""

import collections.abc
import dataclasses

import httpx
import pytest

from sandbox import app, cloud, installation, site

ADDON_URL = "https://addon.example"
ADDON_KEY = "crm"
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
    },
}


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
