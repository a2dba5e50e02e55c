from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.crm import contact, merge
from addon.crm.assignment import AssignedBy
from addon.crm.company import CompanyId, CompanyRef
from addon.crm.contact import Contact, ContactId, LinkedAccount
from addon.errors import Invalid
from lifecycle.tenant import AccountId

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ACCOUNT = LinkedAccount(
    account_id=AccountId("a1"),
    display_name="Hidden",
    kind="user",
    active=True,
    email_state="hidden",
    linked_by="account",
    linked_at=NOW,
    checked_at=NOW,
)
KEPT = Contact(
    contact_id=ContactId(1),
    name="Ada",
    email="ada@example.com",
    phone=None,
    job_title=None,
    attributes={},
    company=None,
    company_by=None,
    origin="manual",
    accounts=(),
    version=1,
    created_at=NOW,
    updated_at=NOW,
)
GONE = replace(KEPT, contact_id=ContactId(2), name="Hidden", email=None, accounts=(ACCOUNT,), origin="sync")
ACME, GLOBEX = (CompanyRef(company_id=CompanyId(n), name=name) for n, name in enumerate(("Acme", "Globex")))
TEXTS = st.sampled_from(["x", "y", "z"])
NAMES = st.sampled_from(["a", "b", "Phone (merged)", "a (merged)", "a (merged 2)", "Company (merged)"])


def test_contact_takes_over_what_it_has_not_got() -> None:
    gone = replace(GONE, phone="1", job_title="Analyst", company=ACME, company_by="organization", attributes={"a": "1"})
    merged = merge.merge(gone, KEPT)
    assert (merged.phone, merged.job_title, merged.attributes) == ("1", "Analyst", {"a": "1"})
    assert (merged.company, merged.company_by) == (ACME, "organization")


def test_what_both_have_differently_is_kept_as_an_attribute() -> None:
    attributes = {"a": "1", "b": "2"}
    gone = replace(GONE, phone="1", job_title="A", company=ACME, company_by="person", attributes=attributes)
    attributes = {"a": "3", "b": "2", "a (merged)": "4"}
    kept = replace(KEPT, phone="2", job_title="B", company=GLOBEX, company_by="person", attributes=attributes)
    merged = merge.merge(gone, kept)
    assert (merged.phone, merged.job_title, merged.company) == ("2", "B", GLOBEX)
    assert merged.attributes == {
        **kept.attributes,
        "Phone (merged)": "1",
        "Job title (merged)": "A",
        "Company (merged)": "Acme",
        "a (merged 2)": "1",
    }


def test_what_both_have_alike_is_kept_once() -> None:
    gone, kept = (replace(each, phone="1", company=ACME, attributes={"a": "1"}) for each in (GONE, KEPT))
    assert merge.merge(gone, kept).attributes == {"a": "1"}


@pytest.mark.parametrize(
    ("of_gone", "of_kept", "left"),
    [
        ((ACME, "person"), (GLOBEX, "domain"), (ACME, "person")),
        ((ACME, "person"), (None, None), (ACME, "person")),
        ((ACME, "domain"), (GLOBEX, "organization"), (GLOBEX, "organization")),
        ((ACME, "domain"), (None, "person"), (None, "person")),
        ((None, "person"), (GLOBEX, "domain"), (None, "person")),
        ((None, None), (GLOBEX, "domain"), (GLOBEX, "domain")),
        ((ACME, "domain"), (GLOBEX, "person"), (GLOBEX, "person")),
    ],
)
def test_word_of_a_person_counts_for_more_than_that_of_a_rule(
    of_gone: tuple[CompanyRef | None, AssignedBy | None],
    of_kept: tuple[CompanyRef | None, AssignedBy | None],
    left: tuple[CompanyRef | None, AssignedBy | None],
) -> None:
    gone = replace(GONE, company=of_gone[0], company_by=of_gone[1])
    kept = replace(KEPT, company=of_kept[0], company_by=of_kept[1])
    merged = merge.merge(gone, kept)
    assert (merged.company, merged.company_by) == left
    assert merged.attributes == {}


@given(
    st.none() | TEXTS,
    st.none() | TEXTS,
    st.dictionaries(NAMES, TEXTS),
    st.dictionaries(NAMES, TEXTS),
    st.sampled_from([None, ACME, GLOBEX]),
    st.sampled_from([None, ACME, GLOBEX]),
)
def test_nothing_that_was_typed_is_lost(
    gone_phone: str | None,
    kept_phone: str | None,
    gone_attributes: dict[str, str],
    kept_attributes: dict[str, str],
    gone_company: CompanyRef | None,
    kept_company: CompanyRef | None,
) -> None:
    gone = replace(
        GONE,
        phone=gone_phone,
        attributes=gone_attributes,
        company=gone_company,
        company_by="person" if gone_company else None,
    )
    kept = replace(
        KEPT,
        phone=kept_phone,
        attributes=kept_attributes,
        company=kept_company,
        company_by="person" if kept_company else None,
    )
    merged = merge.merge(gone, kept)
    assert kept.attributes.items() <= merged.attributes.items()
    assert {gone_phone, kept_phone} - {None} <= {merged.phone, *merged.attributes.values()}
    assert set(gone_attributes.values()) <= set(merged.attributes.values())
    companies = {company.name for company in (gone_company, kept_company) if company is not None}
    assert companies <= {merged.company.name if merged.company else None, *merged.attributes.values()}


def test_too_many_attributes_are_refused() -> None:
    half = contact.MAX_ATTRIBUTES // 2 + 1
    gone, kept = (replace(each, attributes={f"{each.name}{n}": "x" for n in range(half)}) for each in (GONE, KEPT))
    with pytest.raises(Invalid, match="attributes"):
        merge.merge(gone, kept)


def test_name_that_would_be_too_long_is_refused() -> None:
    name = "n" * contact.MAX_TEXT_LENGTH
    gone, kept = replace(GONE, attributes={name: "1"}), replace(KEPT, attributes={name: "2"})
    with pytest.raises(Invalid, match="longer"):
        merge.merge(gone, kept)


@pytest.mark.parametrize(
    ("gone", "field"),
    [
        (KEPT, "intoContactId"),
        (replace(GONE, accounts=()), "id"),
        (replace(GONE, email="x@example.com"), "id"),
    ],
)
def test_only_a_synced_contact_without_email_is_merged(gone: Contact, field: str) -> None:
    problem = merge.problem_of_merging(gone, KEPT)
    assert problem is not None
    assert problem.field == field
    assert merge.problem_of_merging(GONE, KEPT) is None
