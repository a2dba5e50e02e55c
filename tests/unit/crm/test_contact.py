import unicodedata
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.crm import contact
from addon.crm.contact import Contact, ContactId, LinkedAccount
from lifecycle.tenant import AccountId

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def a_linked_account(account_id: str = "ana", **fields: Any) -> LinkedAccount:
    facts: dict[str, Any] = {
        "display_name": "Ana Ruiz",
        "kind": "user",
        "active": True,
        "email_state": "visible",
        "linked_by": "email",
        "linked_at": NOW,
        "checked_at": NOW,
    }
    return LinkedAccount(account_id=AccountId(account_id), **(facts | fields))


def a_contact(**fields: Any) -> Contact:
    facts: dict[str, Any] = {
        "name": "Ana Ruiz",
        "email": "ana@x.example",
        "phone": None,
        "job_title": None,
        "attributes": {},
        "company": None,
        "company_by": None,
        "origin": "manual",
        "accounts": (),
        "version": 1,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Contact(contact_id=ContactId(1), **(facts | fields))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ana@Acme.Example", "ana@acme.example"),
        ("  ana@acme.example\t", "ana@acme.example"),
        ("jos\u00e9@acme.example", "jose\u0301@acme.example"),
        ("STRASSE@acme.example", "stra\u00dfe@acme.example"),
    ],
)
def test_emails_are_the_same(one: str, other: str) -> None:
    assert contact.email_key(one) == contact.email_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ana+crm@acme.example", "ana@acme.example"),
        ("a.na@acme.example", "ana@acme.example"),
        ("jose@acme.example", "jos\u00e9@acme.example"),
        ("ana@acme.example", "ana@acme.example."),
    ],
)
def test_emails_are_not_the_same(one: str, other: str) -> None:
    assert contact.email_key(one) != contact.email_key(other)


@given(st.text(max_size=30))
def test_email_key_does_not_depend_on_how_unicode_spells_it(text: str) -> None:
    forms = {contact.email_key(unicodedata.normalize(form, text)) for form in ("NFC", "NFD")}
    assert forms == {contact.email_key(text)}
    assert unicodedata.is_normalized("NFC", contact.email_key(text))


@given(st.emails())
def test_email_key_of_an_email_key_is_itself(email: str) -> None:
    assert contact.email_key(contact.email_key(email)) == contact.email_key(email) == contact.email_key(email.upper())


def test_names_sort_without_case_and_accents() -> None:
    assert contact.name_key(" \u00c9mile Z\u00f6LA ") == "emile zola"


@given(st.text(max_size=400))
def test_name_key_fits_into_an_index(name: str) -> None:
    assert len(contact.name_key(name)) <= contact.MAX_NAME_LENGTH


def test_synced_contact_is_read_only_in_part_and_cannot_be_deleted() -> None:
    synced = a_contact(accounts=(a_linked_account("ana"), a_linked_account("qm:ana")))
    assert synced.synced_jira_user is synced.accounts[0]
    assert synced.read_only == ("name", "email", "syncedJiraUser")
    assert not synced.deletable


def test_regular_contact_is_all_editable_and_deletable() -> None:
    regular = a_contact()
    assert regular.synced_jira_user is None
    assert regular.read_only == ()
    assert regular.deletable


@pytest.mark.parametrize(
    ("wanted", "refused"),
    [
        ({"name": "Somebody"}, ("name",)),
        ({"name": "Ana Ruiz"}, ()),  # what is there already
        ({"phone": "+34 600 000 000", "jobTitle": "CTO"}, ()),
        ({"email": None}, ("email",)),
        ({"email": "new@x.example", "name": "Somebody", "syncedJiraUser": "bo"}, ("name", "email", "syncedJiraUser")),
    ],
)
def test_edits_of_a_synced_contact(wanted: dict[str, object], refused: tuple[str, ...]) -> None:
    current = {"name": "Ana Ruiz", "email": "ana@x.example", "syncedJiraUser": "ana", "phone": None}
    assert contact.refused_edits(current, wanted, is_synced=True) == refused
    assert contact.refused_edits(current, wanted, is_synced=False) == ()
