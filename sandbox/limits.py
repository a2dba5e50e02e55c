"""Is an app allowed this call by the quotas and bursts, and with what headers does Jira say so?

It asks the meters and changes only the bursts' buckets. Source: Atlassian, "Rate limiting" (12 August 2026).
"""

import datetime as dt
import http
import math

from sandbox import errors, metering
from sandbox.faults import Limit

HOUR = dt.timedelta(hours=1)
NEAR_LIMIT = 0.2
"""What is left when Jira begins to warn."""
POLICIES = {Limit.GLOBAL_QUOTA: "global-app-quota", Limit.TENANT_QUOTA: "tenant-app-quota"}
BURST_PAUSE_S = 1
PER_ISSUE_PAUSE_S = 2
DEFAULT_QUOTA = 65_000


def find_exhausted(
    addon_key: str,
    *,
    here: metering.Meter,
    quota_here: int | None,
    everywhere: metering.Meter,
    quota_everywhere: int | None,
    now: dt.datetime,
) -> tuple[Limit, int] | None:
    """The quota that this app has used up in this hour, and how large it is."""
    if quota_everywhere is not None and everywhere.spent(addon_key, now) >= quota_everywhere:
        return Limit.GLOBAL_QUOTA, quota_everywhere
    if quota_here is not None and here.spent(addon_key, now) >= quota_here:
        return Limit.TENANT_QUOTA, quota_here
    return None


def build_refusal(
    limit: Limit, *, now: dt.datetime, quota: int | None = None, pause_s: int | None = None
) -> dict[str, str]:
    """The headers of a 429. `pause_s` replaces the wait that belongs to the limit."""
    quota = quota or DEFAULT_QUOTA
    match limit:
        case Limit.GLOBAL_QUOTA | Limit.TENANT_QUOTA:
            to_next_hour = (metering.start_of_hour(now) + HOUR - now).total_seconds()
            return {
                "Retry-After": str(pause_s or math.ceil(to_next_hour)),
                "RateLimit-Reason": str(limit),
                **_show_quota(limit, quota, 0, now),
                "X-RateLimit-Reset": _show_moment(metering.start_of_hour(now) + HOUR),
            }
        case Limit.BURST | Limit.PER_ISSUE:
            pause_s = pause_s or (BURST_PAUSE_S if limit is Limit.BURST else PER_ISSUE_PAUSE_S)
            return {
                "Retry-After": str(pause_s),
                "RateLimit-Reason": str(limit),
                "X-RateLimit-Remaining": "0",
                "X-RateLimit-Reset": _show_moment(now + dt.timedelta(seconds=pause_s)),
            }
        case Limit.GATEWAY:
            # Met on 22 April 2026: turned away in front of Jira, with neither a reason nor Retry-After.
            return {"X-RateLimit-Reset": _show_moment(now + dt.timedelta(minutes=1))}


def turn_away(limit: Limit, *, now: dt.datetime, quota: int | None = None) -> errors.Refusal:
    """The 429 to be raised."""
    return errors.Refusal(
        "Rate limit exceeded.",
        status=http.HTTPStatus.TOO_MANY_REQUESTS,
        reason=str(limit),
        headers=build_refusal(limit, now=now, quota=quota),
    )


def build_remaining(limit: Limit, quota: int, spent: int, now: dt.datetime) -> dict[str, str]:
    """What an answer says of a quota that is not used up yet."""
    return _show_quota(limit, quota, max(0, quota - spent), now)


def _show_quota(limit: Limit, quota: int, left: int, now: dt.datetime) -> dict[str, str]:
    policy = POLICIES[limit]
    shown = {
        "X-RateLimit-Limit": str(quota),
        "X-RateLimit-Remaining": str(left),
        "RateLimit-Policy": f'"{policy}";q={quota};w={int(HOUR.total_seconds())}',
    }
    if left >= quota * NEAR_LIMIT:
        return shown
    seconds = math.ceil((metering.start_of_hour(now) + HOUR - now).total_seconds())
    return {**shown, "X-RateLimit-NearLimit": "true", "RateLimit": f'"{policy}";r={left};t={seconds}'}


def _show_moment(moment: dt.datetime) -> str:
    """Jira leaves the seconds out."""
    return moment.strftime("%Y-%m-%dT%H:%MZ")
