"""What the forms of the settings page mean, and what the page works out from what it reads."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from addon.crm import access
from addon.storage import estimate
from addon.storage.sync_state import Run
from addon.sync import filters as sync_filters
from addon.sync import slots
from addon.sync.filters import Filters
from addon.sync.scope import Scope
from addon.web import forms_settings, views_settings
from lifecycle.tenant import TenantId
from tests.integration.web.desk import NOW

ALL = Scope(include_inactive=False)


def test_form_without_a_choice_restricts_nothing() -> None:
    assert forms_settings.filters_body([("kinds", "all"), ("emailDomains", "  ")]) == {
        "filters": {},
        "includeInactive": False,
    }


def test_form_collects_boxes_and_words() -> None:
    fields = [
        ("groups", "a"),
        ("groups", "b"),
        ("kinds", "user"),
        ("emailDomains", "a.example, b.example\nc.example"),
        ("includeInactive", "on"),
        ("search-groups", "typed"),
    ]
    assert forms_settings.filters_body(fields) == {
        "filters": {"groups": ["a", "b"], "emailDomains": ["a.example", "b.example", "c.example"], "kinds": ["user"]},
        "includeInactive": True,
    }


def test_groups_are_kept_once_and_in_order() -> None:
    assert access.read([" b", "a", "b "]).groups == ("a", "b")
    assert access.read([]).groups == ()


@pytest.mark.parametrize(
    ("domain", "spellings"),
    [
        ("example.com", ["example.com"]),
        ("xn--gre-6ka8i.example", ["xn--gre-6ka8i.example", "größe.example"]),
        ("xn--a.example", ["xn--a.example"]),
    ],
)
def test_domain_is_looked_for_in_each_spelling(domain: str, spellings: list[str]) -> None:
    assert sync_filters.spellings(domain) == spellings


@pytest.mark.parametrize(
    ("read_by", "wanted", "source", "is_narrower"),
    [
        (ALL, ALL, "sync", False),
        (ALL, Scope(include_inactive=True), "sync", True),
        (ALL, Scope(include_inactive=True), "preview", False),
        (Scope(include_inactive=False, filters=Filters(kinds=("user",))), ALL, "sync", True),
        (Scope(include_inactive=False, filters=Filters(kinds=("user",))), ALL, "preview", False),
        (Scope(include_inactive=False, filters=Filters(groups=("g",))), ALL, "preview", True),
        (ALL, Scope(include_inactive=False, filters=Filters(groups=("g",))), "preview", False),
        (Scope(include_inactive=False, filters=Filters(email_domains=("a.b",))), ALL, "sync", True),
        (
            Scope(include_inactive=False, filters=Filters(email_domains=("a.b", "c.d"))),
            Scope(include_inactive=False, filters=Filters(email_domains=("a.b",))),
            "sync",
            False,
        ),
    ],
)
def test_estimate_knows_when_people_were_left_out(
    read_by: Scope,
    wanted: Scope,
    source: estimate.Source,
    is_narrower: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert estimate.is_narrower(read_by, wanted, source) is is_narrower


def a_run(*, seen: int, total: int | None, waiting_until: datetime | None = None) -> Run:
    return Run(
        id=1,
        trigger="person",
        state="running",
        phase="users",
        seen=seen,
        total=total,
        linked=0,
        created=0,
        updated=0,
        unlinked=0,
        held=0,
        points=0,
        failures=0,
        started_at=NOW,
        finished_at=None,
        error=None,
        waiting_until=waiting_until,
    )


@pytest.mark.parametrize(
    ("seen", "total", "after_s", "per_minute", "left_s"),
    [
        (0, 100, 30, None, None),
        (50, 100, 1, None, None),
        (50, 100, 30, 100, 30),
        (50, None, 30, 100, None),
        (120, 100, 60, 120, None),
    ],
)
def test_rate_and_time_left_of_a_run(
    seen: int, total: int | None, after_s: int, per_minute: int | None, left_s: int | None
) -> None:
    made = views_settings.progress(a_run(seen=seen, total=total), NOW + timedelta(seconds=after_s))
    assert made.per_minute == per_minute
    assert made.left == (None if left_s is None else timedelta(seconds=left_s))


def test_run_that_waits_has_no_time_left_to_tell() -> None:
    later = NOW + timedelta(minutes=30)
    made = views_settings.progress(a_run(seen=50, total=100, waiting_until=later), NOW + timedelta(seconds=30))
    assert made.left is None


def test_next_scan_is_the_next_turn_or_due_at_once() -> None:
    tenant_id = TenantId(uuid.UUID(int=12_345))
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    turn = slots.latest(tenant_id, slots.WHOLE_SCAN, now)
    assert slots.next_scan(tenant_id, None, now) == turn
    assert slots.next_scan(tenant_id, turn - timedelta(seconds=1), now) == turn
    assert slots.next_scan(tenant_id, turn, now) == turn + slots.WHOLE_SCAN
