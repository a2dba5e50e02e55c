from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox import metering

NOW = datetime(2026, 11, 22, 9, 45, tzinfo=UTC)


@pytest.mark.parametrize(
    ("operation_id", "body", "points"),
    [
        # Atlassian's own example: 8 members are 17 points.
        ("getUsersFromGroup", {"values": [{}] * 8}, 17),
        ("getUserEmailBulk", [{}] * 90, 181),
        ("getUser", {"accountId": "a", "groups": {"items": []}}, 3),
        ("findGroups", {"groups": [{}] * 2}, 5),
        ("searchAndReconsileIssuesUsingJqlPost", {"issues": [{}] * 3}, 4),
        ("getUsersFromGroup", {"values": []}, 1),
        ("getMyPermissions", {"permissions": {"USER_PICKER": {}, "ADMINISTER": {}}}, 5),
        ("getServerInfo", {"version": "1"}, 1),
        ("getIssue", {"id": "1", "fields": {}}, 2),
        ("getIssueProperty", {"key": "p", "value": {"issues": "many"}}, 2),
        ("bulkFetchIssues", {"issues": [{}] * 100, "issueErrors": []}, 101),
        ("countIssues", {"count": 100_000}, 1),
        ("getTask", {"id": "1"}, 1),
        ("bulkSetIssuesPropertiesList", None, 1),
        ("AddonPropertiesResource.deleteAddonProperty_delete", None, 1),
    ],
)
def test_price_counts_what_came_back(operation_id: str, body: Any, points: int) -> None:
    assert metering.price(operation_id, body) == points


def test_meter_forgets_the_hour_but_not_the_sum() -> None:
    meter = metering.Meter()
    meter.charge("one", 5, NOW)
    meter.charge("two", 7, NOW)
    assert (meter.spent("one", NOW), meter.spent("two", NOW), meter.total) == (5, 7, 12)
    later = NOW + timedelta(minutes=15)
    assert (meter.spent("one", later), meter.total) == (0, 12)


def test_bucket_fills_up_with_time_and_not_beyond_its_rim() -> None:
    bursts = metering.Bursts()
    assert [bursts.admit("getCustomers", "GET", NOW) for _ in range(6)] == [True] * 5 + [False]
    assert bursts.admit("getCustomers", "GET", NOW + timedelta(seconds=0.2))
    assert not bursts.admit("getCustomers", "GET", NOW + timedelta(seconds=0.2))
    later = NOW + timedelta(hours=1)
    assert sum(bursts.admit("getCustomers", "GET", later) for _ in range(20)) == 5
    assert sum(bursts.admit("putProperty", "PUT", later) for _ in range(60)) == 50
