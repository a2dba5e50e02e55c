"""What do the scripts of a page need to embed an app's modules in it? Signed addresses, and what `AP.*` may be told.

The page carries it as JSON; `static/host.js` reads it. A frame whose token ran out asks `sandbox.bridge` for a new address.
"""

import collections.abc
import datetime as dt
from typing import Any

from sandbox import frame, issues, modules, site, viewer


def build_host(
    here: site.Site,
    seen_by: viewer.Viewer,
    shown: collections.abc.Iterable[modules.ModulePage],
    *,
    parameters: collections.abc.Mapping[str, str],
    on_issue: issues.Issue | None = None,
    now: dt.datetime,
) -> dict[str, Any]:
    """For these modules on one page; `parameters` are those of the page's own address."""
    return {
        "viewer": {"accountId": seen_by.account_id, "locale": "en_US", "timeZone": seen_by.person.time_zone},
        "context": {"jira": {}, **frame.claim_of(on_issue)},
        "issueId": None if on_issue is None else on_issue.issue_id,
        "frames": [
            {
                "addonKey": each.addon_key,
                "moduleKey": each.key,
                "title": each.name,
                "url": sign_address(here, seen_by, each, parameters=parameters, on_issue=on_issue, now=now),
                "isFullPage": each.place is modules.Place.GENERAL,
            }
            for each in shown
        ],
    }


def sign_address(
    here: site.Site,
    seen_by: viewer.Viewer,
    shown: modules.ModulePage,
    *,
    parameters: collections.abc.Mapping[str, str],
    on_issue: issues.Issue | None,
    now: dt.datetime,
) -> str:
    """The address of one frame; the module must be one that this person may open."""
    filled = {} if on_issue is None else frame.placeholders_of(on_issue)
    return frame.sign_frame_url(
        here.installations[shown.addon_key],
        module_key=shown.key,
        module_url=shown.url,
        account_id=seen_by.account_id,
        site_url=here.base_url,
        context={**frame.context_of(parameters), **filled},
        now=now,
        claim=frame.claim_of(on_issue),
    )
