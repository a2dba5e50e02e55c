from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest

from addon.jira import limits
from addon.jira.limits import Refusal
from addon.sync.quota import EVERY_CALL, Pause
from lifecycle.tenant import TenantId

NOW = datetime(2026, 11, 22, 9, 20, tzinfo=UTC)
HOUR_END = datetime(2026, 11, 22, 10, tzinfo=UTC)
TENANT = TenantId(UUID(int=1))
MEMBERS = "GET /rest/api/3/group/member"

GLOBAL = "Jira's hourly quota"
OWN = "this site's hourly quota in Jira"
RATE = "Jira's rate limit"


@pytest.mark.parametrize(
    ("headers", "refusal"),
    [
        ({}, Refusal(reason="other")),
        (
            {"RateLimit-Reason": "jira-burst-based", "Retry-After": "3"},
            Refusal(reason="burst", retry_after=timedelta(seconds=3)),
        ),
        (
            {"ratelimit-reason": " Jira-Quota-Global-Based ", "X-RateLimit-Reset": "2026-11-22T10:00Z"},
            Refusal(reason="global-quota", reset=HOUR_END),
        ),
        (
            {"RateLimit-Reason": "jira-quota-tenant-based", "X-RateLimit-Reset": "2026-11-22T10:00:00"},
            Refusal(reason="tenant-quota", reset=HOUR_END),
        ),
        ({"RateLimit-Reason": "jira-per-issue-on-write"}, Refusal(reason="issue")),
        ({"RateLimit-Reason": "jira-cost-based", "X-RateLimit-Reset": "soon"}, Refusal(reason="other")),
        ({"Retry-After": "9" * 5000}, Refusal(reason="other", retry_after=timedelta(hours=1))),
    ],
)
def test_headers_of_a_429_are_read(headers: dict[str, str], refusal: Refusal) -> None:
    assert limits.read(httpx.Headers(headers)) == refusal


def a_refusal(reason: limits.Reason, retry_after_s: int = 0, reset: datetime | None = None) -> Refusal:
    return Refusal(reason=reason, retry_after=timedelta(seconds=retry_after_s), reset=reset)


def for_tenant(endpoint: str, until: datetime, what: str) -> Pause:
    return Pause(tenant_id=TENANT, endpoint=endpoint, until=until, what=what)


def for_all(until: datetime) -> Pause:
    return Pause(tenant_id=None, endpoint=EVERY_CALL, until=until, what=GLOBAL)


@pytest.mark.parametrize(
    ("refusal", "pause"),
    [
        (a_refusal("burst", 3), for_tenant(MEMBERS, NOW + timedelta(seconds=3), RATE)),
        (a_refusal("burst"), None),
        (a_refusal("issue", 3), None),
        (a_refusal("tenant-quota"), for_tenant(EVERY_CALL, HOUR_END, OWN)),
        (
            a_refusal("tenant-quota", reset=HOUR_END - timedelta(minutes=5)),
            for_tenant(EVERY_CALL, HOUR_END - timedelta(minutes=5), OWN),
        ),
        (a_refusal("tenant-quota", 90, NOW), for_tenant(EVERY_CALL, NOW + timedelta(seconds=90), OWN)),
        (a_refusal("tenant-quota", reset=NOW - timedelta(days=1)), for_tenant(EVERY_CALL, HOUR_END, OWN)),
        (
            a_refusal("tenant-quota", reset=NOW + timedelta(days=1)),
            for_tenant(EVERY_CALL, NOW + timedelta(hours=1), OWN),
        ),
        (a_refusal("global-quota"), for_all(HOUR_END)),
        (a_refusal("global-quota", 60), for_all(HOUR_END)),
        (a_refusal("global-quota", 3_000), for_all(NOW + timedelta(seconds=3_000))),
        (a_refusal("other"), None),
        (a_refusal("other", 7), for_tenant(MEMBERS, NOW + timedelta(seconds=7), RATE)),
        # A gateway that says when, but not how long.
        (a_refusal("other", reset=HOUR_END), for_tenant(MEMBERS, HOUR_END, RATE)),
    ],
)
def test_each_reason_has_its_own_reach(refusal: Refusal, pause: Pause | None) -> None:
    assert limits.pause(refusal, tenant_id=TENANT, endpoint=MEMBERS, now=NOW) == pause


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [
        ("/rest/api/3/group/member", "GET /rest/api/3/group/member"),
        ("/rest/servicedeskapi/servicedesk/12/customer", "GET /rest/servicedeskapi/servicedesk/{id}/customer"),
        ("/rest/servicedeskapi/organization/7/user", "GET /rest/servicedeskapi/organization/{id}/user"),
        ("/rest/api/3/issue/ABC-12/properties/crm", "GET /rest/api/3/issue/{id}/properties/crm"),
        ("/rest/api/3/issue/10001", "GET /rest/api/3/issue/{id}"),
    ],
)
def test_endpoint_is_the_operation_whatever_it_is_about(path: str, endpoint: str) -> None:
    assert limits.endpoint("GET", path) == endpoint
