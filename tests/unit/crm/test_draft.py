from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.crm import contact, draft

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()), inner, max_size=3),
    max_leaves=5,
)
names = st.sampled_from(
    sorted(draft.CONTACT_FIELDS | draft.COMPANY_FIELDS | {"version", "syncedJiraUser", "x", "\ud800"})
)


def fields_of(reading: draft.Reading[Any]) -> list[str]:
    return [problem.field for problem in reading.problems]


def test_new_contact_reads_every_attribute() -> None:
    reading = draft.read_new_contact(
        {
            "name": " Ada ",
            "email": "ada@example.com",
            "phone": "",
            "jobTitle": None,
            "attributes": {"team": "x"},
            "company": {"id": "5", "name": "Acme"},
        }
    )
    assert reading.problems == []
    assert reading.edit == {
        "name": "Ada",
        "email": "ada@example.com",
        "phone": None,
        "job_title": None,
        "attributes": {"team": "x"},
        "company_id": 5,
    }


def test_edit_holds_only_what_the_body_names() -> None:
    reading = draft.read_contact_edit({"version": 3, "phone": "1", "company": None, "syncedJiraUser": None})
    assert reading.problems == []
    assert reading.version == 3
    assert reading.edit == {"phone": "1", "company_id": None, "synced_account_id": None}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": None}, "name"),
        ({"name": "  "}, "name"),
        ({"name": 1}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"name": "\u200b"}, "name"),
        ({"name": "\ufeff \u2060"}, "name"),
        ({"name": "\u3164"}, "name"),
        ({"name": "a", "email": "a@" + "x" * 253}, "email"),
        ({"name": "a", "attributes": []}, "attributes"),
        ({"name": "a", "attributes": {str(n): "" for n in range(contact.MAX_ATTRIBUTES + 1)}}, "attributes"),
        ({"name": "a", "attributes": {"k": None}}, "attributes.k"),
        ({"name": "a", "attributes": {"k": "\0"}}, "attributes.k"),
        ({"name": "a", "attributes": {"k" * 256: "v"}}, "attributes"),
        ({"name": "a", "attributes": {"\0": "v"}}, "attributes"),
        ({"name": "a", "attributes": {"a\ud800": 5}}, "attributes"),
        ({"name": "a", "attributes": {"\u200b": "v"}}, "attributes"),
        ({"name": "a", "attributes": {"  a ": "1", "a": "2"}}, "attributes"),
        ({"name": "a", "b\0\ud800": 1}, "b"),
        ({"name": "a", "company": "5"}, "company"),
        ({"name": "a", "company": {}}, "company"),
        ({"name": "a", "company": {"id": 5}}, "company"),
        ({"name": "a", "version": 1}, "version"),
    ],
)
def test_new_contact_names_the_one_field_that_is_wrong(body: dict[str, object], field: str) -> None:
    assert fields_of(draft.read_new_contact(body)) == [field]


@pytest.mark.parametrize("name", ["👩\u200d💻", "\u200bAda", "नि", "\ue000", "-"])
def test_names_of_which_something_is_seen_are_taken(name: str) -> None:
    assert draft.read_new_contact({"name": name}).edit == {"name": name}


def test_names_of_attributes_are_trimmed_like_other_texts() -> None:
    assert draft.read_new_contact({"name": "a", "attributes": {" b ": " 1 "}}).edit["attributes"] == {"b": " 1 "}


@pytest.mark.parametrize("email", ["a@b", "A.b+c@d.example", "zoë@münchen.de", '"a"@b.c', "x" * 250 + "@a.b"])
def test_plausible_emails_are_taken(email: str) -> None:
    assert draft.email_problem(email) is None


@pytest.mark.parametrize("email", ["", "a", "@", "a@", "@b", "a@b@c", "a b@c", "a@b\u00a0c", "a@b c"])
def test_implausible_emails_are_refused(email: str) -> None:
    assert draft.email_problem(email) is not None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5", 5),
        ("9223372036854775807", 9223372036854775807),
        ("9223372036854775808", None),
        ("9" * 5000, None),
        ("-1", None),
        ("", None),
        ("\u0663", None),
        ("1_0", None),
        (5, None),
        (None, None),
    ],
)
def test_ids_are_digits_that_the_database_can_hold(text: object, number: int | None) -> None:
    assert draft.read_id(text) == number


@given(st.dictionaries(names, json_values))
def test_any_body_is_read_into_storable_texts_or_problems(body: dict[str, object]) -> None:
    for read in (draft.read_new_contact, draft.read_contact_edit, draft.read_new_company, draft.read_company_edit):
        reading: draft.Reading[Any] = read(body)
        assert not any(char == "\0" or "\ud800" <= char <= "\udfff" for name in fields_of(reading) for char in name)
        if not reading.problems:
            for value in reading.edit.values():
                if isinstance(value, str):
                    value.encode()
                    assert "\0" not in value
