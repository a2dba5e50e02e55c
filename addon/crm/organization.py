"""Which company does an organization of Jira Service Management stand for, and what is that company called (C2)? Pure."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from addon.crm import company, contact
from addon.crm.company import CompanyId
from addon.crm.draft import UNPRINTABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """`name`: as a company can bear it. is_declined: a person took its company away, so it gets no other by itself."""

    organization_id: str
    name: str
    is_declined: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """A company that is there. `organization_name`: what its organization was called when that was last read.

    is_organization_gone: it was read once, and Jira does not know it any more.
    """

    company_id: CompanyId
    name: str
    organization_id: str | None
    organization_name: str | None
    is_organization_gone: bool

    @property
    def is_free(self) -> bool:
        """Whether another organization may have it."""
        return self.organization_id is None or self.is_organization_gone


@dataclass(frozen=True, slots=True, kw_only=True)
class Create:
    """A company is made for the organization."""

    organization: Organization


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """The company is the organization's from now on, or still. `name`: what it is to be called."""

    company_id: CompanyId
    organization: Organization
    name: str
    is_new: bool


Fate = Create | Follow | None
"""None: nothing is to be done, or nothing can be without guessing."""


def clean_name(name: str, organization_id: str) -> str:
    """The name as a company can bear it; one of which nothing can be shown goes by its id."""
    shown = "".join(" " if unicodedata.category(char) in UNPRINTABLE else char for char in name)
    return " ".join(shown.split())[: contact.MAX_NAME_LENGTH].strip() or organization_id


def settle(organizations: Sequence[Organization], companies: Sequence[Present], *, may_begin: bool) -> list[Fate]:
    """What becomes of each. `companies`: those of the organizations, and all that have the name of one.

    may_begin: whether an organization without a company may get one.
    """
    of_organization = {each.organization_id: each for each in companies if each.organization_id is not None}
    taken: set[CompanyId] = set()
    made: set[str] = set()
    fates: list[Fate] = []
    for organization in organizations:
        present = of_organization.get(organization.organization_id)
        if present is not None:
            fates.append(_follow(present, organization))
            continue
        fate = None
        if may_begin and not organization.is_declined:
            named = [each for each in companies if _is_same(each.name, organization.name)]
            fate = _begin(organization, named, taken, made)
        fates.append(fate)
    return fates


def _follow(present: Present, organization: Organization) -> Follow | None:
    if present.organization_name == organization.name:
        return None
    # A name that is not the organization's was given by a person, and stays.
    is_its_name = present.name == present.organization_name
    return Follow(
        company_id=present.company_id,
        organization=organization,
        name=organization.name if is_its_name else present.name,
        is_new=False,
    )


def _begin(organization: Organization, named: Sequence[Present], taken: set[CompanyId], made: set[str]) -> Fate:
    """By name, if that means one company; `taken` and `made` are what others before it got."""
    key = company.company_key(organization.name)
    if not named and key not in made:
        made.add(key)
        return Create(organization=organization)
    free = [each for each in named if each.is_free and each.company_id not in taken]
    if len(free) != 1:
        return None
    taken.add(free[0].company_id)
    return Follow(company_id=free[0].company_id, organization=organization, name=free[0].name, is_new=True)


def _is_same(name: str, other: str) -> bool:
    return company.company_key(name) == company.company_key(other)
