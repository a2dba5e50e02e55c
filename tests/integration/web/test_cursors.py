"""Cursors that somebody wrote by hand: refused, whatever is in them, and never a failure of ours."""

import base64
import json

import pytest

from tests.integration.web.desk import Desk


@pytest.mark.parametrize("path", ["/api/contacts", "/api/companies"])
@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-11-22T09:00:00"])
async def test_cursor_with_a_time_that_is_none_is_refused(acme: Desk, globex: Desk, path: str, moment: str) -> None:
    """The first two are outside the years that can be counted, once they are in UTC; the third names no zone."""
    await acme.make_contact()
    await acme.make_company()
    cursor = base64.urlsafe_b64encode(json.dumps(["updatedAt", moment, 1]).encode()).decode().rstrip("=")
    for site in (acme, globex):
        answer = await site.call("GET", path, params={"sort": "updatedAt", "cursor": cursor})
        assert answer.status_code == 422
        assert [each["field"] for each in answer.json()["errors"]] == ["cursor"]


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59-00:00"])
async def test_cursor_at_the_end_of_time_is_read(acme: Desk, moment: str) -> None:
    made = await acme.make_contact()
    cursor = base64.urlsafe_b64encode(json.dumps(["updatedAt", moment, 1]).encode()).decode().rstrip("=")
    page = await acme.get("/api/contacts", sort="updatedAt", cursor=cursor)
    assert [each["id"] for each in page["values"]] == ([made["id"]] if moment < "2026" else [])
