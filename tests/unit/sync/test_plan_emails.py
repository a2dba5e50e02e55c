"""Accounts whose email is hidden, and emails that become visible: D5, and D8 for the email API."""

from addon.sync.people import AttentionKind, Cause, Known
from tests.unit.sync.builders import (
    EARLIER,
    NOW,
    a_contact,
    a_sighting,
    an_account,
    applied,
    attention,
    history,
    links,
    plan,
)

COLLISION = AttentionKind.EMAIL_COLLISION


def test_account_without_a_visible_email_gets_a_contact_with_a_name() -> None:
    made = plan([a_sighting(email_state="hidden")])
    (contact,) = made.created
    (account,) = made.accounts
    assert (contact.name, contact.email) == ("Ana Ruiz", None)
    assert (account.linked_by, account.email_state, account.email_checked_at) == ("account", "hidden", NOW)
    assert [change.cause for change in made.changes] == [Cause.CREATED_WITHOUT_EMAIL]


def test_outage_of_the_email_api_is_no_answer_about_the_email() -> None:
    before = an_account(email="ana@x.example", contact_id=1, email_checked_at=EARLIER)
    made = plan([a_sighting(email_state="unavailable")], [before], [a_contact(email="ana@x.example")])
    assert (made.accounts, made.updated, made.unchanged) == ([], [], ["ana"])
    (account,) = plan([a_sighting(email_state="unavailable")]).accounts
    assert (account.email_state, account.email_checked_at) == ("unavailable", None)


def test_email_that_was_hidden_again_is_marked_and_kept() -> None:
    before = an_account(email="ana@x.example", contact_id=1)
    made = plan([a_sighting(email_state="hidden")], [before], [a_contact(email="ana@x.example")])
    (account,) = made.accounts
    assert (account.email, account.email_state) == ("ana@x.example", "hidden")
    assert made.updated == []


def test_shown_email_without_a_match_fills_the_contact() -> None:
    made = plan([a_sighting(email="ana@x.example")], [an_account(contact_id=1)], [a_contact(is_bare=True)])
    assert [contact.email for contact in made.updated] == ["ana@x.example"]
    assert (made.removed, attention(made)) == ([], {(COLLISION, "ana"): False})


def test_shown_email_with_one_match_moves_the_link_and_removes_the_bare_contact() -> None:
    contacts = [a_contact(1, is_bare=True), a_contact(2, name="A. Ruiz", email="ana@x.example")]
    made = plan([a_sighting(email="ana@x.example")], [an_account(contact_id=1)], contacts)
    (account,) = made.accounts
    assert (account.contact_id, account.linked_by, account.linked_at) == (2, "email", NOW)
    assert made.removed == [1]
    assert [(contact.contact_id, contact.name) for contact in made.updated] == [(2, "Ana Ruiz")]
    assert history(made) == [
        (1, "contact", "Ana Ruiz", None),
        (2, "syncedJiraUser", None, "ana"),
        (2, "name", "A. Ruiz", "Ana Ruiz"),
    ]


def test_shown_email_with_one_match_keeps_a_contact_that_somebody_typed_into() -> None:
    contacts = [a_contact(1, is_bare=False), a_contact(2, email="ana@x.example")]
    made = plan([a_sighting(email="ana@x.example")], [an_account(contact_id=1)], contacts)
    assert made.removed == []
    assert history(made) == [(1, "syncedJiraUser", "ana", None), (2, "syncedJiraUser", None, "ana")]


def test_shown_email_with_one_match_keeps_a_contact_that_another_account_uses() -> None:
    accounts = [an_account("ana", contact_id=1), an_account("qm:ana", display_name="Portal Ana", contact_id=1)]
    contacts = [a_contact(1, is_bare=True), a_contact(2, email="ana@x.example")]
    made = plan([a_sighting(email="ana@x.example")], accounts, contacts)
    after = applied(Known(accounts=accounts, contacts=contacts), made)
    assert links(after) == {"ana": 2, "qm:ana": 1}
    assert {contact.contact_id: contact.name for contact in after.contacts} == {1: "Portal Ana", 2: "Ana Ruiz"}


def test_shown_email_with_two_matches_is_never_guessed() -> None:
    contacts = [
        a_contact(1, is_bare=True),
        a_contact(2, email="ana@x.example"),
        a_contact(3, email="ana@x.example"),
    ]
    made = plan([a_sighting(email="ana@x.example")], [an_account(contact_id=1)], contacts)
    (account,) = made.accounts
    assert (account.contact_id, made.removed) == (1, [])
    assert [(contact.contact_id, contact.email) for contact in made.updated] == [(1, "ana@x.example")]
    assert attention(made) == {(COLLISION, "ana"): True}


def test_email_shown_by_two_accounts_on_one_page_joins_their_contacts() -> None:
    accounts = [an_account("ana", contact_id=1), an_account("qm:ana", kind="customer", contact_id=2)]
    contacts = [a_contact(1, is_bare=True), a_contact(2, is_bare=True)]
    sightings = [a_sighting("ana", email="a@x.example"), a_sighting("qm:ana", kind="customer", email="a@x.example")]
    made = plan(sightings, accounts, contacts)
    assert links(applied(Known(accounts=accounts, contacts=contacts), made)) == {"ana": 1, "qm:ana": 1}
    assert made.removed == [2]


def test_account_seen_first_without_and_then_with_its_email_on_one_page_is_linked_once() -> None:
    made = plan([a_sighting(), a_sighting(email="ana@x.example")], contacts=[a_contact(email="ana@x.example")])
    assert (made.created, made.removed) == ([], [])
    assert history(made) == [(1, "syncedJiraUser", None, "ana")]
    assert (made.counts.seen, made.counts.created, made.counts.linked) == (1, 0, 1)


def test_email_is_not_matched_again_for_an_account_that_was_linked_by_email_or_by_a_person() -> None:
    contacts = [a_contact(1), a_contact(2, email="ana@x.example")]
    for linked_by in ("email", "person"):
        before = an_account(contact_id=1, linked_by=linked_by)
        made = plan([a_sighting(email="ana@x.example")], [before], contacts)
        assert [account.contact_id for account in made.accounts] == [1]
