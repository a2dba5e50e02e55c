"""D11: whom the filters mean, which lists they have read, and what may be sent as filters."""

from typing import Any

import pytest

from addon.crm.contact import email_key
from addon.jira.directory import ConnectDirectory
from addon.sync import filters
from addon.sync.filters import NO_FILTERS, Filters, Membership
from addon.sync.scope import Scope
from tests.unit.sync.builders import a_contact, a_sighting, an_account, attention, plan

ALL_FIELDS: dict[str, Any] = {
    "kinds": ["customer"],
    "groups": ["g-1"],
    "projects": ["3"],
    "organizations": ["5"],
    "emailDomains": ["Example.com", "@bücher.example"],
}


def a_scope(membership: Membership = "inside", **restricted: Any) -> Scope:
    return Scope(include_inactive=False, filters=Filters(**restricted), membership=membership)


def test_phases_are_those_of_the_directory() -> None:
    assert {filters.USERS, filters.CUSTOMERS, filters.ORGANIZATIONS} == set(ConnectDirectory.phases)


def test_filters_survive_storage() -> None:
    reading = filters.read(ALL_FIELDS)
    assert reading.problems == []
    assert filters.from_json(reading.filters.to_json()) == reading.filters
    assert reading.filters.email_domains == ("example.com", "xn--bcher-kva.example")
    assert NO_FILTERS.to_json() == {}


def test_both_kinds_and_empty_lists_restrict_nothing() -> None:
    assert filters.read({"kinds": ["customer", "user"], "groups": [], "projects": None}).filters == NO_FILTERS


@pytest.mark.parametrize(
    ("sent", "fields"),
    [
        ("user", ["filters"]),
        ({"kinds": []}, ["filters.kinds"]),
        ({"kinds": ["robot"]}, ["filters.kinds"]),
        ({"kinds": [{}], "groups": "g"}, ["filters.kinds", "filters.groups"]),
        ({"projects": ["1/../2"]}, ["filters.projects"]),
        ({"organizations": [7]}, ["filters.organizations"]),
        ({"groups": ["\0"], "activeOnly": "yes"}, ["filters.activeOnly", "filters.groups"]),
        ({"groups": ["g"] * 101}, ["filters.groups"]),
        ({"emailDomains": ["example", "exa mple.com"]}, ["filters.emailDomains"] * 2),
        ({"age": 7}, ["filters.age"]),
    ],
)
def test_what_cannot_be_read_is_named(sent: object, fields: list[str]) -> None:
    assert [problem.field for problem in filters.read(sent).problems] == fields


@pytest.mark.parametrize(
    ("chosen", "users", "customers", "organizations"),
    [
        (Filters(), None, None, None),
        (Filters(kinds=("user",)), None, (), ()),
        (Filters(kinds=("customer",)), None, None, None),
        (Filters(groups=("g",)), ("g",), None, None),
        (Filters(projects=("1",)), None, ("1",), ()),
        (Filters(projects=("1",), organizations=("2",)), None, ("1",), ("2",)),
        (Filters(kinds=("user",), organizations=("2",)), None, (), ()),
    ],
)
def test_only_the_named_containers_are_read(
    chosen: Filters,
    users: tuple[str, ...] | None,
    customers: tuple[str, ...] | None,
    organizations: tuple[str, ...] | None,
) -> None:
    found = [chosen.containers(phase) for phase in (filters.USERS, filters.CUSTOMERS, filters.ORGANIZATIONS)]
    assert found == [users, customers, organizations]
    assert chosen.containers("another phase") is None


@pytest.mark.parametrize(
    ("email", "is_meant"),
    [
        ("a@Example.COM", True),
        ("a@sub.example.com", False),
        ("a@other.org", False),
        ("no address", False),
        (None, False),
    ],
)
def test_email_domain_decides_by_what_we_see(email: str | None, is_meant: bool) -> None:  # noqa: FBT001 - a column of the table
    chosen = Filters(email_domains=("example.com",))
    assert chosen.admits_email(None if email is None else email_key(email)) is is_meant


def test_account_outside_the_filters_becomes_no_contact_and_is_not_kept() -> None:
    made = plan([a_sighting(kind="customer")], scope=a_scope(kinds=("user",)))
    assert (made.created, made.accounts, made.forgotten) == ([], [], [])


def test_held_account_that_the_filters_exclude_is_forgotten() -> None:
    before = an_account(email="a@x.org", held=True)
    made = plan([a_sighting(email="a@x.org")], [before], scope=a_scope(email_domains=("example.com",)))
    assert made.forgotten == ["ana"]
    assert list(attention(made).values()) == [False]


def test_linked_account_outside_the_filters_stays_linked_until_its_run_ends() -> None:
    before = an_account(contact_id=1, kind="customer")
    made = plan([a_sighting(kind="customer")], [before], [a_contact(1)], scope=a_scope(kinds=("user",)))
    assert [(account.contact_id, account.in_scope) for account in made.accounts] == [(1, False)]
    assert made.changes == []


def test_remembered_account_outside_the_filters_is_not_linked_again() -> None:
    before = an_account(remembered_contact_id=1, remembered_by="email", kind="customer", in_scope=False)
    sightings, contacts = [a_sighting(kind="customer")], [a_contact(1)]
    made = plan(sightings, [before], contacts, scope=a_scope(kinds=("user",)))
    assert (made.created, made.changes) == ([], [])
    back = plan(sightings, [before], contacts)
    assert [(account.contact_id, account.in_scope) for account in back.accounts] == [(1, True)]


def test_user_whom_the_kind_excludes_is_no_customer_in_a_desks_list() -> None:
    scope = a_scope(kinds=("customer",))
    first = plan([a_sighting()], scope=scope)
    assert [(account.contact_id, account.in_scope) for account in first.accounts] == [(None, False)]
    again = plan([a_sighting(kind="customer")], first.accounts, scope=scope)
    assert again.created == []


@pytest.mark.parametrize(
    ("membership", "is_created", "is_kept"),
    [("inside", True, True), ("unknown", False, True), ("outside", False, False)],
)
def test_list_filter_believes_lists_alone(membership: Membership, is_created: bool, is_kept: bool) -> None:  # noqa: FBT001 - columns
    scope = a_scope(membership, groups=("g",))
    assert bool(plan([a_sighting()], scope=scope).created) is is_created
    made = plan([a_sighting(display_name="New")], [an_account(contact_id=1)], [a_contact(1)], scope=scope)
    assert [account.in_scope for account in made.accounts] == [is_kept]


def test_customer_found_by_id_does_not_become_a_user_by_that() -> None:
    before = an_account(contact_id=1, kind="customer")
    made = plan([a_sighting(kind="user")], [before], [a_contact(1)], scope=a_scope("outside", projects=("1",)))
    assert [(account.kind, account.in_scope) for account in made.accounts] == [("customer", False)]


def test_outage_of_the_email_api_takes_nobody_out() -> None:
    before = an_account(contact_id=1, email_state="unavailable")
    sighting = a_sighting(email_state="unavailable", display_name="New")
    made = plan([sighting], [before], [a_contact(1)], scope=a_scope(email_domains=("example.com",)))
    assert [account.in_scope for account in made.accounts] == [True]


def test_inactive_account_stays_linked() -> None:
    made = plan([a_sighting(active=False)], [an_account(contact_id=1)], [a_contact(1)], scope=a_scope())
    assert [(account.active, account.in_scope) for account in made.accounts] == [(False, True)]
