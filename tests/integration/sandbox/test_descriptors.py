"""Which descriptors Jira takes, and that nothing happens for the others."""

import json
from typing import Any

import httpx
import pytest

from sandbox import descriptors, viewer
from sandbox.cloud import Cloud
from tests.integration.sandbox.conftest import World
from tests.integration.sandbox.standin import BASE_URL, ISSUE_FIELDS, a_descriptor, an_index

PAGE = {"key": "contacts", "name": {"value": "Contacts"}, "url": "/contacts"}
PANEL = {
    "key": "reporter",
    "name": {"value": "Reporter"},
    "icon": {"url": "/icon.svg", "width": 24, "height": 24},
    "content": {"type": "label", "label": {"value": "Company"}},
    "target": {"type": "web_panel", "url": "/reporter"},
}


def without(name: str, module: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in module.items() if key != name}


def a_page(**changes: Any) -> dict[str, Any]:
    return {"generalPages": [{**PAGE, **changes}]}


BAD_MODULES: list[tuple[object, str]] = [
    ([], "modules"),
    ({"generalPages": {}}, "generalPages"),
    ({"generalPages": [without("url", PAGE)]}, "url"),
    ({"generalPages": [without("name", PAGE)]}, "name"),
    ({"adminPages": [without("key", PAGE)]}, "key"),
    ({"generalPages": [PAGE], "adminPages": [PAGE]}, "contacts"),
    ({"somePages": [PAGE]}, "somePages"),
    (a_page(url="https://elsewhere.example/contacts"), "url"),
    (a_page(url="//elsewhere.example/contacts"), "url"),
    (a_page(url="contacts"), "url"),
    (a_page(key="a b"), "key"),
    (a_page(conditions=[{"invert": True}]), "condition"),
    (a_page(conditions=[{"or": [{}]}]), "condition"),
    *(({"jiraIssueContexts": [without(name, PANEL)]}, name) for name in PANEL),
    ({"webhooks": [{"event": "user_made", "url": "/webhooks/user"}]}, "user_made"),
    ({"webhooks": [{"event": "user_created", "url": "https://elsewhere.example/user"}]}, "url"),
    ({"jiraIssueFields": [{**ISSUE_FIELDS[0], "type": "company"}]}, "company"),
    ({"jiraIssueFields": [{**ISSUE_FIELDS[0], "property": {"key": "p", "path": "n"}}]}, "property"),
    ({"jiraIssueFields": [without("property", ISSUE_FIELDS[0])]}, "read_only"),
    ({"jiraIssueFields": [{"key": "company", "type": "string"}]}, "name"),
    ({"jiraEntityProperties": [{"key": "index"}]}, "name"),
    ({"jiraEntityProperties": [an_index(type="company")]}, "extractions"),
]


async def test_conditions_may_be_written_in_every_documented_way(bare_world: World) -> None:
    one = {"condition": "user_is_admin"}
    bare_world.app.descriptor = a_descriptor(
        modules=a_page(conditions=[one, {"or": [one]}, {"and": [one]}, {"type": "OR", "conditions": [one]}])
    )
    site = bare_world.sites[0]
    await bare_world.install(site)
    for person in (site.admin, site.member):
        browser = await bare_world.browser(site)
        browser.cookies.set(viewer.cookie_name(site), person.account_id.replace(":", "%3A"))
        assert ("Contacts" in (await browser.get("/")).text) == (person is site.admin)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"key": ""}, "key"),
        ({"key": "k" * 65}, "key"),
        ({"key": "a b/c"}, "key"),
        ({"baseUrl": "http://app.example"}, "https"),
        ({"baseUrl": "ftp://localhost"}, "baseUrl"),
        ({"baseUrl": "https://["}, "https"),
        ({"authentication": "jwt"}, "authentication"),
        ({"authentication": {"type": "none"}}, "jwt"),
        ({"lifecycle": {}}, "installed"),
        ({"lifecycle": {"installed": "http://elsewhere.example/installed"}}, "lifecycle"),
        ({"apiMigrations": {}}, "signed-install"),
        ({"apiMigrations": []}, "apiMigrations"),
        ({"apiMigrations": {"signed-install": False}}, "signed-install"),
        ({"scopes": ["READ", "EVERYTHING"]}, "EVERYTHING"),
        ({"scopes": []}, "read scope"),
        *(({"modules": modules}, problem) for modules, problem in BAD_MODULES),
    ],
)
async def test_bad_descriptor_is_refused_before_anything_is_sent(
    bare_world: World, changes: dict[str, object], problem: str
) -> None:
    bare_world.app.descriptor = a_descriptor(**changes)
    with pytest.raises(descriptors.DescriptorError, match=problem):
        await bare_world.install(bare_world.sites[0])
    assert bare_world.app.heard == []
    assert bare_world.sites[0].installations == {}


@pytest.mark.parametrize(
    "content", [b"<html>", b"[]", b"{}", b"[" * 100_000, json.dumps(a_descriptor(name="\ud800")).encode()]
)
async def test_descriptor_that_is_none_is_refused(content: bytes) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=content))
    async with httpx.AsyncClient(transport=transport) as client:
        cloud = Cloud(client=client)
        with pytest.raises(descriptors.DescriptorError):
            await cloud.install(cloud.create_site(base_url="http://localhost:9001", people=3), BASE_URL)


@pytest.mark.parametrize("url", ["http://[", "http://localhost:99999999/"])
async def test_descriptor_at_an_impossible_address_is_not_fetched(bare_world: World, url: str) -> None:
    browser = await bare_world.browser(bare_world.sites[0])
    assert (await browser.post("/sandbox/install", json={"descriptorUrl": url})).status_code == 502
