"""What does a 429 of Jira ask for, and of whom? Pure: headers in, a pause out.

Source: Atlassian, "Rate limiting": `RateLimit-Reason` says which limit was met, `Retry-After` is the least to wait, and
`X-RateLimit-Reset` is when a quota is whole again. Gateways answer 429 with some of these headers, or with none.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from addon.sync import quota
from addon.sync.quota import EVERY_CALL, Pause
from lifecycle.tenant import TenantId

Reason = Literal["global-quota", "tenant-quota", "burst", "issue", "other"]

REASONS: Mapping[str, Reason] = {
    "jira-quota-global-based": "global-quota",
    "jira-quota-tenant-based": "tenant-quota",
    "jira-burst-based": "burst",
    "jira-per-issue-on-write": "issue",
}

LONGEST_WAIT = timedelta(hours=1)  # every quota of Atlassian's is whole again at the next hour

# A number or an issue's key; the 3 of /rest/api/3 is part of the name.
ID = re.compile(r"(?<!/api)/(?:\d+|[A-Z][A-Z0-9_]*-\d+)(?=/|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A 429. `retry_after`: the least to wait; zero where Jira does not say. `reset`: when the quota is whole again."""

    reason: Reason
    retry_after: timedelta = timedelta()
    reset: datetime | None = None


def endpoint(method: str, path: str) -> str:
    """What a burst limit counts: the operation, whatever it is about."""
    return f"{method} {ID.sub('/{id}', path)}"


def read(headers: Mapping[str, str]) -> Refusal:
    """What the headers of a 429 say. `headers` finds names in any case, as httpx's do."""
    return Refusal(
        reason=REASONS.get(headers.get("RateLimit-Reason", "").strip().lower(), "other"),
        retry_after=_retry_after(headers.get("Retry-After")),
        reset=_reset(headers.get("X-RateLimit-Reset")),
    )


def pause(refusal: Refusal, *, tenant_id: TenantId, endpoint: str, now: datetime) -> Pause | None:
    """Who has to stop what, and until when; None where nothing but the refused call has to wait."""
    hour_end = quota.hour_of(now) + quota.HOUR
    least = now + refusal.retry_after
    asked = max(least, refusal.reset or now)
    match refusal.reason:
        case "global-quota":
            until = max(hour_end, least)
            return Pause(tenant_id=None, endpoint=EVERY_CALL, until=until, what="Jira's hourly quota")
        case "tenant-quota":
            until = min(asked, now + LONGEST_WAIT) if asked > now else hour_end
            return Pause(tenant_id=tenant_id, endpoint=EVERY_CALL, until=until, what="this site's hourly quota in Jira")
        case "issue":
            return None
        case "burst" | "other" if asked > now:
            until = min(asked, now + LONGEST_WAIT)
            return Pause(tenant_id=tenant_id, endpoint=endpoint, until=until, what="Jira's rate limit")
        case _:
            return None


def _retry_after(value: str | None) -> timedelta:
    """At most LONGEST_WAIT; zero where there is none or it is a date, which Jira never sends."""
    if value is None or not value.isdecimal():
        return timedelta()
    # Nine digits are more than the limit already, and no number of digits breaks `timedelta`.
    return min(timedelta(seconds=int(value[:9])), LONGEST_WAIT)


def _reset(value: str | None) -> datetime | None:
    """ISO 8601, with or without seconds; None where there is none, or it is something else."""
    try:
        moment = datetime.fromisoformat(value or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
