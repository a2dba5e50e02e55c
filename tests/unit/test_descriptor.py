from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from addon import descriptor
from addon.issues import label
from sandbox import descriptors

ROOT = Path(__file__).parents[2]
BASE_URL = "https://crm.example/base"

# docs/security.md gives the reason for each.
SCOPES = {"READ", "WRITE", "DELETE", "ADMIN", "ACCESS_EMAIL_ADDRESSES"}

# Every address that Jira learns from us; each of them is a route that checks tokens.
LIFECYCLE_URLS = {
    "installed": "/lifecycle/installed",
    "enabled": "/lifecycle/enabled",
    "disabled": "/lifecycle/disabled",
    "uninstalled": "/lifecycle/uninstalled",
}
MODULE_URLS = {
    ("adminPages", "crm-settings"): "/pages/settings",
    ("adminPages", "crm-company-rules"): "/pages/company-rules",
    ("generalPages", "crm-contacts"): "/pages/contacts?contact={ac.contact}",
    ("generalPages", "crm-companies"): "/pages/companies",
    ("jiraIssueContexts", "crm-reporter"): "/pages/issue-context?issue={issue.id}",
}
WEBHOOK_URLS = {
    "user_created": "/webhooks/user",
    "user_updated": "/webhooks/user",
    "user_deleted": "/webhooks/user",
    "jira:issue_created": "/webhooks/issue",
    "jira:issue_updated": "/webhooks/issue",
    "jira:issue_deleted": "/webhooks/issue",
}
WITHOUT_URL = ("webhooks", "jiraIssueFields", "jiraEntityProperties")


@pytest.fixture
def served() -> dict[str, Any]:
    return descriptor.load(f"{BASE_URL}/", "crm-contact-sync")


def test_descriptor_is_valid(served: dict[str, Any]) -> None:
    descriptors.check(served)
    assert set(served) <= set(descriptors.load_schema()["properties"])


def test_schema_would_notice_a_mistake(served: dict[str, Any]) -> None:
    with pytest.raises(descriptors.DescriptorError, match="EVERYTHING"):
        descriptors.check(served | {"scopes": ["EVERYTHING"]})


def test_address_and_key_are_filled_in(served: dict[str, Any]) -> None:
    assert (served["baseUrl"], served["key"]) == (BASE_URL, "crm-contact-sync")
    assert served["links"]["self"] == f"{BASE_URL}/atlassian-connect.json"


def test_calls_are_signed_in_the_present_ways(served: dict[str, Any]) -> None:
    assert served["authentication"] == {"type": "jwt"}
    assert served["apiMigrations"] == {"signed-install": True, "context-qsh": True}


def test_every_url_is_known(served: dict[str, Any]) -> None:
    assert served["lifecycle"] == LIFECYCLE_URLS
    modules = {
        (kind, module["key"]): module.get("target", module)["url"]
        for kind, modules in served["modules"].items()
        for module in modules
        if kind not in WITHOUT_URL
    }
    assert modules == MODULE_URLS
    assert {module["event"]: module["url"] for module in served["modules"]["webhooks"]} == WEBHOOK_URLS


def test_scopes_are_the_least_and_each_has_its_reason(served: dict[str, Any]) -> None:
    assert set(served["scopes"]) == SCOPES
    documented = (ROOT / "docs/security.md").read_text()
    assert all(f"| `{scope}` |" in documented for scope in SCOPES)


def test_address_of_a_target_is_an_address_that_must_be_answered(served: dict[str, Any]) -> None:
    assert "/pages/issue-context?issue={issue.id}" in descriptor.unanswered(served, ["/pages/contacts"])
    paths = {urlsplit(url).path for url in (*LIFECYCLE_URLS.values(), *MODULE_URLS.values(), *WEBHOOK_URLS.values())}
    assert descriptor.unanswered(served, paths) == []


def test_icon_is_a_file_that_we_serve(served: dict[str, Any]) -> None:
    (panel,) = served["modules"]["jiraIssueContexts"]
    assert (ROOT / "addon/web" / panel["icon"]["url"].removeprefix("/")).is_file()


def test_field_and_index_read_the_property_that_we_write(served: dict[str, Any]) -> None:
    """C4, C5: its name is shown and searched, its id is searched; there is nothing else in it."""
    (field,) = served["modules"]["jiraIssueFields"]
    assert field["property"] == {"key": label.PROPERTY_KEY, "path": "name", "type": "string"}
    (index,) = served["modules"]["jiraEntityProperties"]
    (configured,) = index["keyConfigurations"]
    assert configured["propertyKey"] == label.PROPERTY_KEY
    assert {extraction["objectName"] for extraction in configured["extractions"]} == {"id", "name"}


def test_two_deployments_do_not_share_a_document() -> None:
    one = descriptor.load(BASE_URL, "one")
    one["modules"].clear()
    assert descriptor.load(BASE_URL, "two")["modules"]
