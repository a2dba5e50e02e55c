"""What does Jira send to an app at install, enable, disable and uninstall?

Pure: `sandbox.cloud` fetches and posts.
"""

import dataclasses
import datetime as dt
import enum
from typing import Any

import jwt

from sandbox import installation, keys, qsh, site

TOKEN_LIFETIME = dt.timedelta(minutes=3)
ACCEPTED_STATUSES = frozenset({200, 204})
SERVER_VERSION = "100295"
PLUGINS_VERSION = "1001.0.0-SNAPSHOT"


class Event(enum.StrEnum):
    INSTALLED = "installed"
    ENABLED = "enabled"
    DISABLED = "disabled"
    UNINSTALLED = "uninstalled"


# Only these two prove themselves with Atlassian's own key: the shared secret is not known yet, or not any more.
SIGNED_BY_ATLASSIAN = frozenset({Event.INSTALLED, Event.UNINSTALLED})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """One call to an app's lifecycle URL, ready to be posted."""

    url: str
    body: dict[str, Any]
    token: str


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
