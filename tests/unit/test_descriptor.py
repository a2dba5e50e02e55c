import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from addon import descriptor

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "tests/data/connect-descriptor.schema.json").read_text())
BASE_URL = "https://crm.example/base"

# docs/security.md gives the reason for each.
SCOPES = {"READ", "ADMIN", "ACCESS_EMAIL_ADDRESSES"}

# Every address that Jira learns from us; each of them is a route that checks tokens.
LIFECYCLE_URLS = {
    "installed": "/lifecycle/installed",
    "enabled": "/lifecycle/enabled",
    "disabled": "/lifecycle/disabled",
    "uninstalled": "/lifecycle/uninstalled",
}
MODULE_URLS = {
    ("adminPages", "crm-settings"): "/pages/settings",
    ("generalPages", "crm-contacts"): "/pages/contacts",
    ("generalPages", "crm-companies"): "/pages/companies",
}
WEBHOOK_URLS = {
    "user_created": "/webhooks/user",
    "user_updated": "/webhooks/user",
    "user_deleted": "/webhooks/user",
    "jira:issue_created": "/webhooks/issue",
    "jira:issue_updated": "/webhooks/issue",
}


@pytest.fixture
def served() -> dict[str, Any]:
    return descriptor.load(f"{BASE_URL}/", "crm-contact-sync")


def validate(document: dict[str, Any]) -> None:
    jsonschema.Draft4Validator(SCHEMA).validate(document)


def test_descriptor_is_valid(served: dict[str, Any]) -> None:
    validate(served)
    assert set(served) <= set(SCHEMA["properties"])


def test_schema_would_notice_a_mistake(served: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        validate(served | {"scopes": ["EVERYTHING"]})


def test_address_and_key_are_filled_in(served: dict[str, Any]) -> None:
    assert (served["baseUrl"], served["key"]) == (BASE_URL, "crm-contact-sync")
    assert served["links"]["self"] == f"{BASE_URL}/atlassian-connect.json"


def test_calls_are_signed_in_the_present_ways(served: dict[str, Any]) -> None:
    assert served["authentication"] == {"type": "jwt"}
    assert served["apiMigrations"] == {"signed-install": True, "context-qsh": True}


def test_every_url_is_known(served: dict[str, Any]) -> None:
    assert served["lifecycle"] == LIFECYCLE_URLS
    modules = {
        (kind, module["key"]): module["url"]
        for kind, modules in served["modules"].items()
        for module in modules
        if kind != "webhooks"
    }
    assert modules == MODULE_URLS
    assert {module["event"]: module["url"] for module in served["modules"]["webhooks"]} == WEBHOOK_URLS


def test_scopes_are_the_least_and_each_has_its_reason(served: dict[str, Any]) -> None:
    assert set(served["scopes"]) == SCOPES
    documented = (ROOT / "docs/security.md").read_text()
    assert all(f"| `{scope}` |" in documented for scope in SCOPES)


def test_two_deployments_do_not_share_a_document() -> None:
    one = descriptor.load(BASE_URL, "one")
    one["modules"].clear()
    assert descriptor.load(BASE_URL, "two")["modules"]
