"""Which accounts a body hints at, in the shapes that Jira is known to send."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.sync import hints
from lifecycle.tenant import AccountId

ANN, BOB = "712020:0a5b", "qm:a713c8ea:5ad6"


def an_issue(reporter: object, *, items: object = None) -> dict[str, Any]:
    body: dict[str, Any] = {"webhookEvent": "jira:issue_updated", "issue": {"fields": {"reporter": reporter}}}
    return body if items is None else body | {"changelog": {"id": "1", "items": items}}


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"user": {"accountId": ANN}}, (ANN,)),
        ({"user": {"accoundId": ANN, "active": "true"}}, (ANN,)),
        ({"user": {"accountId": ANN, "accoundId": BOB}}, (ANN, BOB)),
        ({"user": {"accountId": ANN, "accountType": "app"}}, ()),
        ({"user": {"accountId": "unknown"}}, ()),
        ({"user": {"accountId": ""}}, ()),
        ({"user": {"accountId": "x" * 129}}, ()),
        ({"user": {"accountId": "712020:\0"}}, ()),
        ({"user": {"accountId": "\ud800"}}, ()),
        ({"user": {"accountId": 7}}, ()),
        ({"user": None}, ()),
        ({}, ()),
        (an_issue({"accountId": ANN}), (ANN,)),
        (an_issue({"accountId": ANN, "accountType": "app"}), ()),
        (an_issue(None), ()),
        (an_issue({"accountId": ANN}, items=[{"field": "reporter", "from": BOB, "to": ANN}]), (ANN,)),
        (an_issue({"accountId": ANN}, items=[{"field": "reporter", "from": None, "to": BOB}]), (ANN, BOB)),
        (an_issue(None, items=[{"field": "reporter", "from": ANN, "to": None}]), ()),
        (an_issue(None, items=[{"field": "assignee", "to": BOB}, "rubbish", None]), ()),
        (an_issue(None, items="rubbish"), ()),
        # Whoever changed the issue is not whom it is about.
        (an_issue({"accountId": ANN}) | {"user": {"accountId": BOB}}, (ANN,)),
        ({"issue": {"fields": None}, "changelog": []}, ()),
    ],
)
def test_accounts_of_a_body(body: dict[str, Any], found: tuple[str, ...]) -> None:
    assert hints.read(body).account_ids == found


def test_subject_and_event_are_those_of_the_body() -> None:
    assert hints.read(an_issue({"accountId": ANN})) == hints.Hint(
        event="jira:issue_updated", subject="issue", account_ids=(AccountId(ANN),)
    )
    assert hints.read({"webhookEvent": "user_created", "user": {"accountId": ANN}}).subject == "user"


@pytest.mark.parametrize("event", [None, 7, "\0", "x" * 1000])
def test_event_that_cannot_be_stored_is_not_kept(event: object) -> None:
    assert len(hints.read({"webhookEvent": event}).event) <= 128
    assert "\0" not in hints.read({"webhookEvent": event}).event


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["fields", "reporter", "items", "field"]), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["user", "issue", "changelog", "webhookEvent"]), JSON))
def test_no_body_is_too_strange(body: dict[str, object]) -> None:
    assert all(0 < len(account_id) <= 128 for account_id in hints.read(body).account_ids)
