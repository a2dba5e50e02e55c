from typing import Any

import pytest

from addon.crm import contact, organization
from addon.crm.company import CompanyId
from addon.crm.organization import Create, Fate, Follow, Organization, Present

ACME = Organization(organization_id="7", name="Acme")


def present(company_id: int = 1, name: str = "Acme", **fields: Any) -> Present:
    facts: dict[str, Any] = {"organization_id": None, "organization_name": None, "is_organization_gone": False}
    return Present(company_id=CompanyId(company_id), name=name, **(facts | fields))


def settle(*companies: Present, of: Organization = ACME, may_begin: bool = True) -> Fate:
    [fate] = organization.settle([of], companies, may_begin=may_begin)
    return fate


def follow(company_id: int, name: str, *, is_new: bool = True) -> Follow:
    return Follow(company_id=CompanyId(company_id), organization=ACME, name=name, is_new=is_new)


def test_organization_of_a_new_name_gets_a_company() -> None:
    assert settle() == Create(organization=ACME)
    assert settle(present(name="Globex")) == Create(organization=ACME)
    assert settle(present(name="Acmé")) == Create(organization=ACME)


def test_one_company_of_its_name_becomes_the_organization_s() -> None:
    assert settle(present(name=" ACME")) == follow(1, " ACME")
    assert settle(present(1, organization_id="8", organization_name="Acme"), present(2)) == follow(2, "Acme")


def test_company_of_an_organization_that_is_gone_is_free() -> None:
    gone = present(1, organization_id="8", organization_name="Acme", is_organization_gone=True)
    assert settle(gone) == follow(1, "Acme")
    assert settle(gone, present(2, organization_id="7", organization_name="Acme")) is None


@pytest.mark.parametrize(
    "companies",
    [
        [present(1), present(2)],
        [present(1), present(2, organization_id="8", organization_name="Acme", is_organization_gone=True)],
        [present(1, organization_id="8", organization_name="Acme")],
        [present(1), present(2), present(3, organization_id="8")],
    ],
)
def test_name_of_several_companies_is_not_guessed(companies: list[Present]) -> None:
    assert settle(*companies) is None


def test_name_follows_unless_a_person_gave_another() -> None:
    assert settle(present(organization_id="7", organization_name="Acme")) is None
    renamed = settle(present(name="Old", organization_id="7", organization_name="Old"))
    assert renamed == follow(1, "Acme", is_new=False)
    kept = settle(present(name="Mine", organization_id="7", organization_name="Old"))
    assert kept == follow(1, "Mine", is_new=False)
    # A person named the organization.
    assert settle(present(name="Mine", organization_id="7")) == follow(1, "Mine", is_new=False)


def test_nothing_begins_where_it_must_not() -> None:
    assert settle(may_begin=False) is None
    assert settle(present(), may_begin=False) is None
    assert settle(of=Organization(organization_id="7", name="Acme", is_declined=True)) is None
    followed = settle(present(name="Old", organization_id="7", organization_name="Old"), may_begin=False)
    assert followed == follow(1, "Acme", is_new=False)


def test_two_organizations_of_one_name_do_not_share_a_company() -> None:
    other = Organization(organization_id="8", name="acme")
    assert organization.settle([ACME, other], [], may_begin=True) == [Create(organization=ACME), None]
    assert organization.settle([ACME, other], [present()], may_begin=True) == [follow(1, "Acme"), None]


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("Acme", "Acme"),
        ("  Acme \n & Söhne\x00 ", "Acme & Söhne"),
        ("<b>Acme</b>", "<b>Acme</b>"),
        ("\x00\x07", "7"),
        ("", "7"),
        ("n" * 300, "n" * contact.MAX_NAME_LENGTH),
        ("n" * 254 + " m", "n" * 254),
    ],
)
def test_name_is_one_that_a_company_can_bear(name: str, clean: str) -> None:
    assert organization.clean_name(name, "7") == clean
