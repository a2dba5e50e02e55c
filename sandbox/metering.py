"""What do an app's calls cost, and how fast do they come? Prices and counters; what follows from them is `limits`.

Prices: Atlassian, "Rate limiting", points-based quota (12 August 2026): each request 1; a read adds 2 for each user, group,
role or permission and 1 for each issue, project or the like that it returns; writes and everything else 1 flat. What the
service management API charges is not published; its people are charged as users.
"""

import collections
import collections.abc
import datetime as dt
from typing import Any

ISSUE_WRITES = {dt.timedelta(seconds=2): 20, dt.timedelta(seconds=30): 100}
"""Within how long an issue may be written to how often."""
REQUEST = 1
IDENTITY = 2
CORE = 1
PRICES: collections.abc.Mapping[str, int] = {
    "bulkGetGroups": IDENTITY,
    "getUsersFromGroup": IDENTITY,
    "findGroups": IDENTITY,
    "getUserGroups": IDENTITY,
    "getUser": IDENTITY,
    "getCurrentUser": IDENTITY,
    "bulkGetUsers": IDENTITY,
    "findUsers": IDENTITY,
    "getUserEmail": IDENTITY,
    "getUserEmailBulk": IDENTITY,
    "getMyPermissions": IDENTITY,
    "getCustomers": IDENTITY,
    "getUsersInOrganization": IDENTITY,
    "getServiceDesks": CORE,
    "getServiceDeskById": CORE,
    "getOrganizations": CORE,
    "getOrganizationsOfServiceDesk": CORE,
    "getOrganization": CORE,
    "searchAndReconsileIssuesUsingJql": CORE,
    "searchAndReconsileIssuesUsingJqlPost": CORE,
    "getIssue": CORE,
    "bulkFetchIssues": CORE,
    "getIssueProperty": CORE,
    "getFields": CORE,
}
"""Per object that the answer holds, on top of the request."""
LISTS = ("values", "issues", "groups", "permissions")
"""Where an answer keeps its objects; one without any of these is a single object."""
BURSTS_BY_METHOD = {"GET": 100, "POST": 100, "PUT": 50, "DELETE": 50}
BURSTS_BY_OPERATION = {
    "getCustomers": 5,
    "getUser": 150,
    "getUserEmail": 200,
    "getUserEmailBulk": 200,
    "getIssue": 150,
    "countIssues": 150,
}
"""Requests a second for one operation of one site, all apps together. Bucket sizes are not published: one second's worth."""


def price(operation_id: str, body: Any) -> int:
    """The points of a call that was answered with `body`."""
    each = PRICES.get(operation_id, 0)
    return REQUEST + each * _count(body) if each else REQUEST


def start_of_hour(moment: dt.datetime) -> dt.datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


class Meter:
    """Points by app and UTC hour; of past hours only the sum is kept."""

    def __init__(self) -> None:
        self.total = 0
        self._hour: dt.datetime | None = None
        self._spent: collections.Counter[str] = collections.Counter()

    def charge(self, addon_key: str, points: int, now: dt.datetime) -> None:
        self._turn(now)
        self.total += points
        self._spent[addon_key] += points

    def spent(self, addon_key: str, now: dt.datetime) -> int:
        """Since the hour began; nothing is carried over."""
        self._turn(now)
        return self._spent[addon_key]

    def _turn(self, now: dt.datetime) -> None:
        hour = start_of_hour(now)
        if hour != self._hour:
            self._hour = hour
            self._spent.clear()


class Bursts:
    """One bucket for each operation; every call takes a token, and time fills the bucket up again."""

    def __init__(self) -> None:
        self._buckets: dict[str, tuple[float, dt.datetime]] = {}

    def admit(self, operation_id: str, method: str, now: dt.datetime) -> bool:
        """Whether a call may come now; one that is turned away takes no token."""
        rate = find_rate(operation_id, method)
        tokens, at = self._buckets.get(operation_id, (float(rate), now))
        tokens = min(rate, tokens + max(0.0, (now - at).total_seconds()) * rate)
        admitted = tokens >= 1
        self._buckets[operation_id] = (tokens - admitted, now)
        return admitted


class IssueWrites:
    """When each issue was written to by a call of its own; bulk operations are not published to count."""

    def __init__(self) -> None:
        self._writes: dict[int, collections.deque[dt.datetime]] = {}

    def admit(self, number: int, now: dt.datetime) -> bool:
        """Whether this issue may be written to once more; a write that is turned away does not count."""
        writes = self._writes.setdefault(number, collections.deque())
        while writes and writes[0] <= now - max(ISSUE_WRITES):
            writes.popleft()
        admitted = all(sum(at > now - window for at in writes) < most for window, most in ISSUE_WRITES.items())
        if admitted:
            writes.append(now)
        return admitted


def find_rate(operation_id: str, method: str) -> int:
    """Requests a second."""
    return BURSTS_BY_OPERATION.get(operation_id) or BURSTS_BY_METHOD.get(method, BURSTS_BY_METHOD["GET"])


def _count(body: Any) -> int:
    if isinstance(body, list):
        return len(body)
    return next((len(body[name]) for name in LISTS if _is_collection(name, body.get(name))), 1)


def _is_collection(name: str, found: Any) -> bool:
    """Permissions come by name; a user's groups come with their number, and belong to the user."""
    return isinstance(found, list) or (name == "permissions" and isinstance(found, dict))
