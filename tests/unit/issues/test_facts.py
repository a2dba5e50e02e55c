"""What is kept of an event is what can be kept, and nothing of what it says about people but an id."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.crm.company import CompanyId, CompanyRef
from addon.issues import facts, label
from addon.issues.facts import IssueFacts, IssueGone
from lifecycle.tenant import AccountId

UPDATED = "2026-11-22T10:00:00.123+0000"
MOMENT = datetime(2026, 11, 22, 10, 0, 0, 123_000, tzinfo=UTC)


def an_event(**more: Any) -> dict[str, Any]:
    fields = {"reporter": {"accountId": "ann", "accountType": "customer"}, "updated": UPDATED, **more}
    return {"webhookEvent": "jira:issue_updated", "issue": {"id": "10001", "key": "A-1", "fields": fields}}


def test_event_tells_who_reported_and_as_of_when() -> None:
    expected = IssueFacts(issue_id=10001, reporter_id=AccountId("ann"), updated_at=MOMENT)
    assert facts.read(an_event()) == expected


def test_moment_is_the_same_in_every_zone() -> None:
    assert facts.read_moment("2026-11-22T12:00:00.123+0200") == MOMENT
    assert facts.read_moment("2026-11-22T10:00:00.123Z") == MOMENT


@pytest.mark.parametrize(
    "reporter",
    [
        None,
        "ann",
        {},
        {"accountId": "bot", "accountType": "app"},
        {"accountId": "unknown"},
        {"accountId": ""},
        {"accountId": 7},
        {"accountId": "a\x00b"},
        {"accountId": "a" * 129},
    ],
)
def test_who_is_no_person_is_nobody(reporter: object) -> None:
    found = facts.read(an_event(reporter=reporter))
    assert isinstance(found, IssueFacts)
    assert found.reporter_id is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"issue": None},
        {"issue": {}},
        {"issue": {"id": "10001"}},
        {"issue": {"id": "10001", "fields": {"updated": UPDATED}}},  # the reporter is not shown: nothing is known
        {"issue": {"id": "10001", "fields": {"reporter": None}}},
        an_event(updated="yesterday"),
        an_event(updated=1_700_000_000),
        an_event(updated="0001-01-01T00:00:00.000+1400"),
        {"issue": {"id": "ten", "fields": {"reporter": None, "updated": UPDATED}}},
        {"issue": {"id": "0", "fields": {"reporter": None, "updated": UPDATED}}},
        {"issue": {"id": True, "fields": {"reporter": None, "updated": UPDATED}}},
        {"issue": {"id": "9" * 19, "fields": {"reporter": None, "updated": UPDATED}}},
        {"issue": {"id": "9" * 400, "fields": {"reporter": None, "updated": UPDATED}}},
        {"issue": {"id": "\u0661", "fields": {"reporter": None, "updated": UPDATED}}},
    ],
)
def test_event_that_names_no_issue_or_no_moment_tells_nothing(body: dict[str, Any]) -> None:
    assert facts.read(body) is None


def test_deleted_issue_needs_nothing_but_its_id() -> None:
    assert facts.read({"webhookEvent": "jira:issue_deleted", "issue": {"id": "7"}}) == IssueGone(issue_id=7)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "fields", "reporter"]), inner),
)


@given(st.dictionaries(st.sampled_from(["webhookEvent", "issue", "timestamp"]), JSON))
def test_no_body_breaks_the_reading(body: dict[str, Any]) -> None:
    facts.read(body)


def test_property_is_id_and_name_and_nothing_else() -> None:
    company = CompanyRef(company_id=CompanyId(12), name="<b>Acme</b>")
    assert label.value(company) == {"id": "12", "name": "<b>Acme</b>"}
