"""What does the page of the company rules show? Read from storage, for the first paint and for every later swap.

Renders nothing and changes nothing, and asks Jira nothing.
"""

import hashlib
from datetime import datetime
from typing import Any, Literal

from addon.storage import company_rules, issue_state, rule_work, sync_state
from addon.storage.database import TenantScope
from addon.storage.issue_state import IssueStatus
from addon.storage.ledger import Ledger
from addon.sync import quota

CHANGES_SHOWN = 20
UNMATCHED_SHOWN = 20
SHARES = (0, 10, 25, 50, 75, 100)
"""What the page offers, in percent."""

GOING = ("reading-open", "reading-rest", "writing")

View = dict[str, Any]
Focus = Literal["byOrganization", "byDomain"]
Rest = Literal["off", "reading"]


async def page(scope: TenantScope, *, ledger: Ledger, now: datetime) -> View:
    """All of it."""
    status = await issue_state.status(scope)
    return {
        **await rules_view(scope),
        **await work_view(scope),
        **await issues_view(scope, status, ledger=ledger, now=now),
        **await share_view(scope, status, ledger=ledger, now=now),
    }


async def rules_view(scope: TenantScope, *, focus: Focus | None = None) -> View:
    unmatched = await company_rules.unmatched(scope, limit=UNMATCHED_SHOWN)
    return {
        "rules": await company_rules.read(scope),
        "unmatched": unmatched.shown,
        "unmatched_more": unmatched.total - len(unmatched.shown),
        "focus": focus,
    }


async def work_view(scope: TenantScope, *, has_begun: bool = False) -> View:
    """What the rules would change, or changed. `has_begun`: a person began it just now, and goes on reading here."""
    work = await rule_work.read(scope)
    view: View = {}
    if work is not None and work.state not in rule_work.GOING:
        # Its progress is asked for each second, and shows neither.
        view = {"counts": await rule_work.counts(scope), **await change_rows(scope, cursor=None)}
    return {
        **view,
        "work": work,
        "rest": await _rest(scope),
        "has_begun": has_begun,
    }


async def _rest(scope: TenantScope) -> Rest | None:
    """Why the rules cannot be asked now; None where they can."""
    if await company_rules.is_ready(scope):
        return None
    return "reading" if await sync_state.is_enabled(scope) else "off"


async def change_rows(scope: TenantScope, *, cursor: str | None) -> View:
    """Raises Invalid for a cursor of another list."""
    found = await rule_work.changes(scope, cursor=cursor, limit=CHANGES_SHOWN)
    return {"changes": found.items, "more": found.next_cursor, "goes_on": cursor is not None}


async def issues_view(scope: TenantScope, status: IssueStatus, *, ledger: Ledger, now: datetime) -> View:
    """`digest` changes with everything that is shown. `taken`: of `allowed`, the points of this hour's share."""
    hour = await ledger.hour(scope, now=now)
    share = await issue_state.share(scope, points_per_hour=hour.quota)
    view = {"issues": status, "allowed": share.per_hour, "taken": share.taken(now)}
    return {
        **view,
        "is_going": status.state in GOING,
        "digest": hashlib.sha256(repr(view).encode()).hexdigest()[:16],
    }


async def share_view(
    scope: TenantScope, status: IssueStatus, *, ledger: Ledger, now: datetime, is_saved: bool = False
) -> View:
    """`background`: the points of an hour that the share is a part of."""
    hour = await ledger.hour(scope, now=now)
    return {
        "share": status.share_percent,
        # One that was set through the API stands among those that the page offers.
        "shares": sorted({*SHARES, status.share_percent}),
        "background": quota.background(hour.quota),
        "is_saved": is_saved,
    }
