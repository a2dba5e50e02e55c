"""Every rule of the plan, one by one: S4, S5, S13, D1 to D4, D7, D10. Those about hidden emails are in test_plan_emails."""

from dataclasses import replace

import pytest

from addon.sync.people import AttentionKind, Cause, Known
from addon.sync.plan import by_rank
from tests.unit.sync.builders import (
    EARLIER,
    EVERYBODY,
    NOW,
    RUN,
    a_contact,
    a_sighting,
    an_account,
    applied,
    attention,
    history,
    links,
    plan,
)

AMBIGUOUS = AttentionKind.AMBIGUOUS_EMAIL
COLLISION = AttentionKind.EMAIL_COLLISION
NOBODY = Known(accounts=(), contacts=())


def test_account_without_a_contact_gets_a_new_one() -> None:
    made = plan([a_sighting(email="ana@acme.example")])
    (contact,) = made.created
    (account,) = made.accounts
    assert (contact.name, contact.email, contact.email_key) == ("Ana Ruiz", "ana@acme.example", "ana@acme.example")
    assert (account.contact_id, account.linked_by, account.linked_at) == (contact.contact_id, "email", NOW)
    assert account.seen_in_run == RUN
    assert [change.cause for change in made.changes] == [Cause.CREATED]
    assert (made.counts.seen, made.counts.created, made.counts.linked, made.counts.held) == (1, 1, 0, 0)


@pytest.mark.parametrize("typed", ["ana@acme.example", "  ANA@Acme.Example ", "ana@ACME.example"])
def test_account_is_linked_to_the_contact_with_its_email(typed: str) -> None:
    made = plan([a_sighting(email="Ana@acme.example")], contacts=[a_contact(email=typed)])
    (account,) = made.accounts
    assert (account.contact_id, account.linked_by, account.linked_at) == (1, "email", NOW)
    assert (made.created, made.updated) == ([], [])  # and the email stays as it was typed (D1)
    assert history(made) == [(1, "syncedJiraUser", None, "ana")]
    assert (made.counts.linked, made.counts.created) == (1, 0)


@pytest.mark.parametrize("other", ["ana+crm@acme.example", "an.a@acme.example", "ana@acme.example.org"])
def test_nothing_but_case_and_space_makes_two_emails_the_same(other: str) -> None:
    made = plan([a_sighting(email="ana@acme.example")], contacts=[a_contact(email=other)])
    assert len(made.created) == 1


def test_linking_takes_the_name_of_the_account() -> None:
    made = plan([a_sighting(email="ana@x.example")], contacts=[a_contact(name="A. Ruiz", email="ana@x.example")])
    assert [contact.name for contact in made.updated] == ["Ana Ruiz"]
    assert history(made) == [(1, "syncedJiraUser", None, "ana"), (1, "name", "A. Ruiz", "Ana Ruiz")]
    assert (made.counts.linked, made.counts.updated) == (1, 0)


def test_email_of_two_contacts_holds_the_account() -> None:
    contacts = [a_contact(1, email="ana@x.example"), a_contact(2, email="ANA@x.example")]
    made = plan([a_sighting(email="ana@x.example")], contacts=contacts)
    (account,) = made.accounts
    assert (account.held, account.contact_id) == (True, None)
    assert (made.created, made.updated, made.changes) == ([], [], [])
    assert attention(made) == {(AMBIGUOUS, "ana"): True}
    assert made.counts.held == 1


def test_held_account_stays_held_while_its_email_is_not_shown_again() -> None:
    contacts = [a_contact(1, email="ana@x.example"), a_contact(2, email="ana@x.example")]
    made = plan([a_sighting()], [an_account(email="ana@x.example", held=True)], contacts)
    assert (made.created, made.accounts, made.unchanged) == ([], [], ["ana"])


@pytest.mark.parametrize(("left", "linked_to"), [([1], 1), ([2], 2)])
def test_held_account_is_linked_once_one_contact_is_left(left: list[int], linked_to: int) -> None:
    contacts = [a_contact(number, email="ana@x.example") for number in left]
    made = plan([a_sighting(email="ana@x.example")], [an_account(email="ana@x.example", held=True)], contacts)
    (account,) = made.accounts
    assert (account.contact_id, account.held) == (linked_to, False)
    assert attention(made) == {(AMBIGUOUS, "ana"): False}


def test_held_account_gets_a_contact_once_none_is_left() -> None:
    made = plan([a_sighting(email="ana@x.example")], [an_account(email="ana@x.example", held=True)])
    assert len(made.created) == 1
    assert attention(made) == {(AMBIGUOUS, "ana"): False}


def test_second_account_of_an_email_on_the_same_page_shares_the_contact() -> None:
    made = plan(
        [a_sighting("ana", email="ana@x.example"), a_sighting("qm:ana", kind="customer", email="ANA@x.example")]
    )
    (contact,) = made.created
    assert links(applied(NOBODY, made)) == {"ana": contact.contact_id, "qm:ana": contact.contact_id}
    assert (made.counts.created, made.counts.linked) == (1, 1)


def test_second_account_of_an_email_on_a_later_page_shares_the_contact() -> None:
    known = applied(NOBODY, plan([a_sighting("ana", email="ana@x.example")]))
    made = plan([a_sighting("qm:ana", kind="customer", email="ana@x.example")], known.accounts, known.contacts)
    assert made.created == []
    assert set(links(applied(known, made)).values()) == {100}


def test_rank_is_active_then_user_then_older_link() -> None:
    ranked = by_rank(
        [
            an_account("inactive", contact_id=1, active=False),
            an_account("younger", contact_id=1, linked_at=NOW),
            an_account("customer", contact_id=1, kind="customer"),
            an_account("older", contact_id=1),
        ]
    )
    assert [account.account_id for account in ranked] == ["older", "younger", "customer", "inactive"]


def test_contact_follows_its_primary_account_alone() -> None:
    accounts = [
        an_account("ana", email="ana@x.example", contact_id=1),
        an_account("qm:ana", kind="customer", email="ana@x.example", contact_id=1),
    ]
    contact = a_contact(email="ana@x.example")
    sighted = a_sighting("qm:ana", kind="customer", display_name="ana (portal)", email="ana@x.example")
    assert plan([sighted], accounts, [contact]).updated == []
    made = plan([a_sighting("ana", display_name="Ana Ruiz-Gil", email="ana@x.example")], accounts, [contact])
    assert [contact.name for contact in made.updated] == ["Ana Ruiz-Gil"]


def test_primary_account_that_becomes_inactive_hands_over() -> None:
    accounts = [
        an_account("ana", email="ana@x.example", contact_id=1),
        an_account("qm:ana", kind="customer", display_name="Ana R.", email="ana@x.example", contact_id=1),
    ]
    made = plan([a_sighting("ana", active=False)], accounts, [a_contact(email="ana@x.example")])
    assert [contact.name for contact in made.updated] == ["Ana R."]
    assert [(change.account_id, change.field) for change in made.changes] == [("qm:ana", "name")]


def test_contact_of_a_primary_account_without_email_takes_the_next_ones() -> None:
    accounts = [an_account("ana", contact_id=1), an_account("qm:ana", kind="customer", contact_id=1)]
    sighted = a_sighting("qm:ana", kind="customer", email="ana@x.example")
    made = plan([sighted], accounts, [a_contact(is_bare=True)])
    assert [(contact.name, contact.email) for contact in made.updated] == [("Ana Ruiz", "ana@x.example")]


def test_name_and_email_of_the_contact_follow_the_account() -> None:
    made = plan(
        [a_sighting(display_name="Ana Gil", email="gil@x.example")],
        [an_account(email="ana@x.example", contact_id=1)],
        [a_contact(email="ana@x.example")],
    )
    assert [(contact.name, contact.email, contact.email_key) for contact in made.updated] == [
        ("Ana Gil", "gil@x.example", "gil@x.example")
    ]
    assert history(made) == [
        (1, "name", "Ana Ruiz", "Ana Gil"),
        (1, "email", "ana@x.example", "gil@x.example"),
    ]
    assert {change.cause for change in made.changes} == {Cause.FOLLOWED}
    assert (made.created, made.counts.updated) == ([], 1)
    assert attention(made) == {(COLLISION, "ana"): False}


def test_new_spelling_of_the_same_email_changes_no_contact() -> None:
    made = plan(
        [a_sighting(email="ANA@x.example")],
        [an_account(email="ana@x.example", contact_id=1)],
        [a_contact(email="ana@x.example")],
    )
    assert made.updated == []


def test_email_that_collides_is_followed_and_listed() -> None:
    accounts = [an_account(email="ana@x.example", contact_id=1)]
    contacts = [a_contact(1, email="ana@x.example"), a_contact(2, name="Bo", email="bo@x.example")]
    made = plan([a_sighting(email="bo@x.example")], accounts, contacts)
    assert [(contact.contact_id, contact.email) for contact in made.updated] == [(1, "bo@x.example")]
    assert attention(made) == {(COLLISION, "ana"): True}
    assert links(applied(Known(accounts=accounts, contacts=contacts), made)) == {"ana": 1}


def test_two_accounts_that_swap_emails_on_one_page_do_not_collide() -> None:
    accounts = [
        an_account("ana", email="a@x.example", contact_id=1),
        an_account("bo", email="b@x.example", contact_id=2),
    ]
    contacts = [a_contact(1, email="a@x.example"), a_contact(2, email="b@x.example")]
    made = plan([a_sighting("ana", email="b@x.example"), a_sighting("bo", email="a@x.example")], accounts, contacts)
    assert {contact.contact_id: contact.email for contact in made.updated} == {1: "b@x.example", 2: "a@x.example"}
    assert attention(made) == {(COLLISION, "ana"): False, (COLLISION, "bo"): False}


def test_newcomer_with_the_new_email_of_a_contact_on_the_same_page_shares_it() -> None:
    accounts = [an_account("ana", email="ana@x.example", contact_id=1)]
    sightings = [a_sighting("ana", email="gil@x.example"), a_sighting("qm:gil", kind="customer", email="gil@x.example")]
    made = plan(sightings, accounts, [a_contact(email="ana@x.example")])
    assert made.created == []
    assert {account.account_id: account.contact_id for account in made.accounts} == {"ana": 1, "qm:gil": 1}


def test_inactive_account_makes_no_contact() -> None:
    made = plan([a_sighting(active=False, email="ana@x.example")], contacts=[a_contact(email="ana@x.example")])
    assert (made.accounts, made.created, made.unchanged, made.forgotten, made.counts.seen) == ([], [], [], [], 0)


def test_inactive_account_makes_a_contact_where_the_setting_says_so() -> None:
    made = plan([a_sighting(active=False, email="ana@x.example")], scope=EVERYBODY)
    assert len(made.created) == 1


def test_linked_account_that_becomes_inactive_stays_linked_and_is_marked() -> None:
    before = an_account(email="ana@x.example", contact_id=1)
    made = plan([a_sighting(active=False, email="ana@x.example")], [before], [a_contact(email="ana@x.example")])
    assert [(account.active, account.contact_id) for account in made.accounts] == [(False, 1)]
    assert (made.updated, made.changes) == ([], [])


def test_held_account_that_becomes_inactive_is_forgotten() -> None:
    made = plan([a_sighting(active=False)], [an_account(email="ana@x.example", held=True)])
    assert made.forgotten == ["ana"]
    assert attention(made) == {(AMBIGUOUS, "ana"): False}


def test_account_seen_inactive_and_then_active_on_one_page_is_not_forgotten() -> None:
    before = an_account(email="ana@x.example", held=True)
    made = plan([a_sighting(active=False), a_sighting(email="ana@x.example")], [before])
    assert made.forgotten == []
    assert len(made.created) == 1


def test_link_comes_back_by_the_remembered_account_and_not_by_email() -> None:
    before = an_account(email="ana@x.example", remembered_contact_id=1, remembered_by="person", linked_at=EARLIER)
    contacts = [a_contact(1, email="old@x.example"), a_contact(2, email="ana@x.example")]
    made = plan([a_sighting(email="ana@x.example")], [before], contacts)
    (account,) = made.accounts
    assert (account.contact_id, account.linked_by, account.linked_at) == (1, "person", EARLIER)
    assert (account.remembered_contact_id, account.remembered_by) == (None, None)
    assert [change.cause for change in made.changes if change.field == "syncedJiraUser"] == [Cause.REMEMBERED]


def test_remembered_link_comes_back_for_an_inactive_account() -> None:
    before = an_account(remembered_contact_id=1, remembered_by="email", linked_at=EARLIER)
    made = plan([a_sighting(active=False)], [before], [a_contact(1)])
    assert [account.contact_id for account in made.accounts] == [1]


def test_remembered_link_without_email_is_matched_once_more_when_the_email_is_shown() -> None:
    before = an_account(remembered_contact_id=1, remembered_by="account", linked_at=EARLIER)
    contacts = [a_contact(1, is_bare=True), a_contact(2, email="ana@x.example")]
    made = plan([a_sighting(email="ana@x.example")], [before], contacts)
    assert [account.contact_id for account in made.accounts] == [2]
    assert made.removed == [1]
    assert made.counts.linked == 1


def test_account_whose_contact_was_deleted_is_linked_anew_and_from_now() -> None:
    before = an_account(email="ana@x.example", linked_at=EARLIER)
    (account,) = plan([a_sighting(email="ana@x.example")], [before]).accounts
    assert (account.linked_by, account.linked_at) == ("email", NOW)


def test_unchanged_account_is_merely_noted() -> None:
    before = an_account(email="ana@x.example", contact_id=1)
    made = plan([a_sighting(email="ana@x.example")], [before], [a_contact(email="ana@x.example")])
    assert (made.unchanged, made.accounts, made.updated, made.changes) == (["ana"], [], [], [])
    assert made.counts.seen == 1


def test_account_counts_as_seen_once_in_a_run() -> None:
    before = an_account(email="ana@x.example", contact_id=1)
    contacts = [a_contact(email="ana@x.example")]
    twice = [a_sighting(email="ana@x.example"), a_sighting(email="ana@x.example")]
    assert plan(twice, [before], contacts).counts.seen == 1
    assert plan(twice, [replace(before, seen_in_run=RUN)], contacts).counts.seen == 0


def test_desk_that_lists_a_user_of_this_run_leaves_it_a_user() -> None:
    before = an_account(contact_id=1, seen_in_run=RUN)
    made = plan([a_sighting(kind="customer")], [before], [a_contact()])
    assert (made.accounts, made.unchanged) == ([], ["ana"])


def test_user_of_an_earlier_run_that_only_a_desk_lists_now_is_a_customer() -> None:
    made = plan([a_sighting(kind="customer")], [an_account(contact_id=1)], [a_contact()])
    assert [account.kind for account in made.accounts] == ["customer"]
