"""What does Jira sign for an add-on's frame? The address of a frame, and the session token of `AP.context.getToken()`.

Pure: time comes in. It says who is looking and at which issue; whether they may look is `sandbox.modules`' question.
"""

import collections.abc
import datetime as dt
import re
import urllib.parse
from typing import Any

import jwt

from sandbox import installation, issues, qsh

FRAME_TOKEN_LIFETIME = dt.timedelta(minutes=3)
SESSION_TOKEN_LIFETIME = dt.timedelta(minutes=15)

# The version of Atlassian's bridge, as a development host names itself.
BRIDGE_VERSION = "1001.0.0-DEV"

CONTEXT_PREFIX = "ac."
PLACEHOLDER = re.compile(r"\{([A-Za-z0-9._-]+)\}")

Claim = collections.abc.Mapping[str, object]
"""What a token's `context` says of the place where the frame is."""
NO_CLAIM: Claim = {}


def context_of(parameters: collections.abc.Mapping[str, str]) -> dict[str, str]:
    """The page's parameters that are meant for the add-on: only those with Jira's prefix, which placeholders keep."""
    return {name: value for name, value in parameters.items() if name.startswith(CONTEXT_PREFIX)}


def placeholders_of(issue: issues.Issue) -> dict[str, str]:
    """What `{issue.key}` and the like mean beside this issue. Source: Atlassian, "Context parameters"."""
    return {
        "issue.id": issue.issue_id,
        "issue.key": issue.key,
        "issuetype.id": issues.ISSUE_TYPE_ID,
        "project.id": issue.project_id,
        "project.key": issue.project_key,
    }


def claim_of(issue: issues.Issue | None) -> dict[str, Any]:
    """What `AP.context.getContext()` answers beside this issue, or beside none; tokens say the same, signed."""
    if issue is None:
        return {}
    return {
        "jira": {
            "issue": {"id": issue.issue_id, "key": issue.key, "issuetype": {"id": issues.ISSUE_TYPE_ID}},
            "project": {"id": issue.project_id, "key": issue.project_key},
        }
    }


def sign_frame_url(
    installed: installation.Installation,
    *,
    module_key: str,
    module_url: str,
    account_id: str,
    site_url: str,
    context: collections.abc.Mapping[str, str],
    now: dt.datetime,
    claim: Claim = NO_CLAIM,
) -> str:
    """The address to load in the frame: the module's, with Connect's standard parameters and a token for exactly it.

    `context` fills the placeholders of the module's url (`{ac.id}`); one that it lacks becomes empty, as in Jira.
    """
    path, _, query = _fill_placeholders(module_url, context).partition("?")
    standard = urllib.parse.urlencode(
        {
            "xdm_e": site_url,
            "xdm_c": f"channel-{installed.addon_key}__{module_key}",
            "cp": "",
            "xdm_deprecated_addon_key_do_not_use": installed.addon_key,
            "lic": "none",
            "cv": BRIDGE_VERSION,
        }
    )
    full_query = f"{query}&{standard}" if query else standard
    token = _sign(
        installed,
        account_id=account_id,
        query_hash=qsh.compute("GET", path, full_query),
        lifetime=FRAME_TOKEN_LIFETIME,
        now=now,
        claim=claim,
    )
    return f"{installed.base_url.rstrip('/')}/{path.removeprefix('/')}?{full_query}&jwt={token}"


def sign_session_token(
    installed: installation.Installation,
    *,
    account_id: str,
    now: dt.datetime,
    lifetime: dt.timedelta = SESSION_TOKEN_LIFETIME,
    claim: Claim = NO_CLAIM,
) -> str:
    """A token of the person who looks, bound to no request: the add-on's page sends it to the add-on's own API."""
    return _sign(
        installed,
        account_id=account_id,
        query_hash=qsh.CONTEXT_QSH,
        lifetime=lifetime,
        now=now,
        claim=claim,
    )


def _fill_placeholders(module_url: str, context: collections.abc.Mapping[str, str]) -> str:
    return PLACEHOLDER.sub(lambda found: urllib.parse.quote(context.get(found[1], ""), safe=""), module_url)


def _sign(
    installed: installation.Installation,
    *,
    account_id: str,
    query_hash: str,
    lifetime: dt.timedelta,
    now: dt.datetime,
    claim: Claim,
) -> str:
    claims = {
        "iss": installed.client_key,
        "sub": account_id,
        "iat": now,
        "exp": now + lifetime,
        "qsh": query_hash,
        "context": dict(claim),
    }
    return jwt.encode(claims, installed.shared_secret, algorithm="HS256")
