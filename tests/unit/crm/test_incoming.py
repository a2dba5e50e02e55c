from dataclasses import replace
from typing import Any

import pytest

from addon.crm import contact, incoming
from addon.crm.columns import Row
from addon.crm.company import CompanyId
from addon.crm.contact import ContactId
from addon.crm.incoming import Create, Existing, Present, Refuse, Skip, Update

PRESENT = Present(
    contact_id=ContactId(1),
    name="Ada",
    email="ada@example.com",
    phone="1",
    job_title=None,
    attributes={"a": "1"},
    company_id=CompanyId(5),
    is_synced=False,
)


def a_row(**values: Any) -> Row:
    nothing = dict.fromkeys(("contact_id", "name", "email", "phone", "job_title", "company"))
    return Row(**{"row_no": 2, **nothing, "attributes": {}, **values})


def decide(row: Row, *found: Present, existing: Existing = "update", company_id: int | None = None) -> incoming.Fate:
    known = None if company_id is None else CompanyId(company_id)
    return incoming.decide(row, found, existing=existing, company_id=known)


def refused(fate: incoming.Fate) -> str:
    assert isinstance(fate, Refuse)
    return fate.problem.field


def test_row_of_nobody_is_a_new_contact() -> None:
    row = a_row(name="Ada")
    assert decide(row) == Create(row=row)


def test_new_contact_needs_a_name() -> None:
    assert refused(decide(a_row(email="ada@example.com"))) == "name"


def test_row_that_names_nobody_here_is_refused() -> None:
    assert refused(decide(a_row(contact_id=9, name="Ada"))) == "id"


def test_row_that_may_mean_two_is_refused() -> None:
    assert refused(decide(a_row(name="Ada"), PRESENT, replace(PRESENT, contact_id=ContactId(2)))) == "email"


def test_cells_with_something_change_the_contact_and_empty_ones_nothing() -> None:
    row = a_row(name="Ada L", email="ADA@example.com", job_title="Analyst", attributes={"b": "2"})
    after = replace(
        PRESENT, name="Ada L", email="ADA@example.com", job_title="Analyst", attributes={"a": "1", "b": "2"}
    )
    assert decide(row, PRESENT) == Update(row_no=2, after=after)


def test_synced_contact_keeps_what_jira_is_the_source_of() -> None:
    """S8."""
    synced = replace(PRESENT, is_synced=True)
    row = a_row(name="Eve", email="eve@example.com", phone="2")
    assert decide(row, synced) == Update(row_no=2, after=replace(synced, phone="2"))
    assert decide(a_row(name="Eve", email="eve@example.com"), synced) == Skip()


def test_company_is_taken_over() -> None:
    assert decide(a_row(company="Acme"), PRESENT, company_id=5) == Skip()
    assert decide(a_row(company="Acme"), PRESENT, company_id=6) == Update(
        row_no=2, after=replace(PRESENT, company_id=CompanyId(6))
    )
    # One that is yet to be made is a change, too.
    assert isinstance(decide(a_row(company="New"), PRESENT), Update)


def test_contact_that_is_there_is_left_if_so_wished() -> None:
    assert decide(a_row(name="Eve"), PRESENT, existing="skip") == Skip()


def test_too_many_attributes_are_refused() -> None:
    many = {str(number): "x" for number in range(contact.MAX_ATTRIBUTES)}
    assert refused(decide(a_row(attributes=many), PRESENT)) == "attributes"


@pytest.mark.parametrize("contact_id", [None, 5])
def test_row_is_kept_as_it_was_read(contact_id: int | None) -> None:
    row = a_row(contact_id=contact_id, name="Zoë ☃", email="a@b.c", company="Ü", attributes={"a": '"'})
    assert incoming.read_row(2, contact_id, incoming.write_row(row)) == row
