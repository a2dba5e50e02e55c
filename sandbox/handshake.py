"""What does Jira demand of a descriptor, and what does it send to an app at install, enable, disable and uninstall?

Pure: `sandbox.cloud` fetches and posts.
"""

import dataclasses
import datetime as dt
import enum
import urllib.parse
from typing import Any

import jwt

from sandbox import installation, keys, qsh, site

TOKEN_LIFETIME = dt.timedelta(minutes=3)
ACCEPTED_STATUSES = frozenset({200, 204})
MAX_KEY_CHARS = 64
SCOPES = frozenset({*installation.LADDER, "NONE", "SPACE_ADMIN", "ACT_AS_USER", "ACCESS_EMAIL_ADDRESSES"})
FIELD_TYPES = frozenset({"string", "text", "rich_text", "single_select", "multi_select", "number", "read_only"})
SHOWN_TYPES = frozenset({"string", "number", "date"})
INDEXED_TYPES = frozenset({"number", "text", "string", "user", "date"})
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1"})
SERVER_VERSION = "100295"
PLUGINS_VERSION = "1001.0.0-SNAPSHOT"


class Event(enum.StrEnum):
    INSTALLED = "installed"
    ENABLED = "enabled"
    DISABLED = "disabled"
    UNINSTALLED = "uninstalled"


# Only these two prove themselves with Atlassian's own key: the shared secret is not known yet, or not any more.
SIGNED_BY_ATLASSIAN = frozenset({Event.INSTALLED, Event.UNINSTALLED})


class DescriptorError(Exception):
    """Jira would not install this descriptor; the message says why."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """One call to an app's lifecycle URL, ready to be posted."""

    url: str
    body: dict[str, Any]
    token: str


def check_descriptor(descriptor: object) -> dict[str, Any]:
    """The descriptor, if Jira would take it. Raises DescriptorError."""
    if not isinstance(descriptor, dict):
        raise DescriptorError("the descriptor is not a JSON object")
    missing = [name for name in ("key", "baseUrl", "authentication") if not descriptor.get(name)]
    if missing:
        raise DescriptorError(f"the descriptor lacks {', '.join(missing)}")
    if len(descriptor["key"]) > MAX_KEY_CHARS:
        raise DescriptorError(f"the key has more than {MAX_KEY_CHARS} characters")
    _check_base_url(descriptor["baseUrl"])
    if descriptor["authentication"].get("type") != "jwt":
        raise DescriptorError("authentication.type is not jwt")
    lifecycle = descriptor.get("lifecycle", {})
    if "installed" not in lifecycle:
        raise DescriptorError("an app that authenticates by jwt needs lifecycle.installed")
    relative = [url for url in lifecycle.values() if not str(url).startswith("/")]
    if relative:
        raise DescriptorError(f"lifecycle URLs must start with a slash: {', '.join(relative)}")
    if descriptor.get("apiMigrations", {}).get("signed-install") is not True:
        raise DescriptorError("apiMigrations.signed-install is not true")
    unknown = {str(scope).upper() for scope in descriptor.get("scopes", ())} - SCOPES
    if unknown:
        raise DescriptorError(f"unknown scopes: {', '.join(sorted(unknown))}")
    _check_webhooks(descriptor)
    _check_fields(descriptor.get("modules", {}))
    return descriptor


def build_hook(
    event: Event,
    of_site: site.Site,
    installed: installation.Installation,
    *,
    install_keys: keys.InstallKeys,
    now: dt.datetime,
) -> Hook | None:
    """The call for this event; None if the descriptor does not ask to be told."""
    path = installed.descriptor.get("lifecycle", {}).get(str(event))
    if path is None:
        return None
    if event in SIGNED_BY_ATLASSIAN:
        token = install_keys.sign({**_claim(installed, path, now), "aud": [installed.descriptor["baseUrl"]]})
    else:
        token = sign_call(installed, path, now)
    return Hook(
        url=installed.base_url + path,
        body=_build_body(event, of_site, installed, install_keys),
        token=token,
    )


def sign_call(installed: installation.Installation, path: str, now: dt.datetime) -> str:
    """A token for a POST to the app's `path`, made with the secret that it has now."""
    return jwt.encode(_claim(installed, path, now), installed.shared_secret, algorithm="HS256")


def _claim(installed: installation.Installation, path: str, now: dt.datetime) -> dict[str, Any]:
    raw_path, _, query = path.partition("?")
    issued_at = int(now.timestamp())
    return {
        "iss": installed.client_key,
        "iat": issued_at,
        "exp": issued_at + int(TOKEN_LIFETIME.total_seconds()),
        "qsh": qsh.compute("POST", raw_path, query),
    }


def _build_body(
    event: Event, of_site: site.Site, installed: installation.Installation, install_keys: keys.InstallKeys
) -> dict[str, Any]:
    body = {
        "key": installed.addon_key,
        "clientKey": installed.client_key,
        "accountId": of_site.admin_id,
        "oauthClientId": installed.oauth_client_id,
        "publicKey": install_keys.public_pem(install_keys.kid),
        "serverVersion": SERVER_VERSION,
        "pluginsVersion": PLUGINS_VERSION,
        "baseUrl": of_site.base_url,
        "displayUrl": of_site.base_url,
        "displayUrlServicedeskHelpCenter": of_site.base_url,
        "cloudId": of_site.cloud_id,
        "productType": "jira",
        "description": "Atlassian Jira Cloud",
        "eventType": str(event),
    }
    return {**body, "sharedSecret": installed.shared_secret} if event is Event.INSTALLED else body


def _check_webhooks(descriptor: dict[str, Any]) -> None:
    declared = descriptor.get("modules", {}).get("webhooks", [])
    if any(not each.get("event") or not str(each.get("url", "")).startswith("/") for each in declared):
        raise DescriptorError("every webhook needs an event and a URL that starts with a slash")
    if declared and not {str(scope).upper() for scope in descriptor.get("scopes", ())} & set(installation.LADDER):
        raise DescriptorError("an app that uses webhooks must declare the read scope")


def _check_fields(modules: dict[str, Any]) -> None:
    """Source: Atlassian, the modules "Issue field" and "Entity property"; types may be written in capitals."""
    for field in modules.get("jiraIssueFields", ()):
        named = {"key", "name", "description", "type"} <= field.keys()
        if not named or field["type"].lower() not in FIELD_TYPES:
            raise DescriptorError(f"an issue field needs a key, a name, a description and a known type: {field}")
        shown = field.get("property", {})
        is_shown = shown.keys() == {"key", "path", "type"} and shown["type"].lower() in SHOWN_TYPES
        if field["type"].lower() == "read_only" and not is_shown:
            raise DescriptorError(f"a read_only field needs a property with key, path and type: {field['key']}")
    for module in modules.get("jiraEntityProperties", ()):
        configured = module.get("keyConfigurations", ())
        extractions = [extraction for each in configured for extraction in each.get("extractions", ())]
        if (
            not {"key", "name"} <= module.keys()
            or not all({"propertyKey", "extractions"} <= each.keys() for each in configured)
            or not all(
                each.get("objectName") and str(each.get("type")).lower() in INDEXED_TYPES for each in extractions
            )
        ):
            raise DescriptorError(f"an entity property needs names, and extractions of known types: {module}")


def _check_base_url(base_url: object) -> None:
    parts = urllib.parse.urlsplit(str(base_url))
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS):
        return
    raise DescriptorError(f"baseUrl must be https, or http on this machine: {base_url}")
