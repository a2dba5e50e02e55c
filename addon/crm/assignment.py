"""To which company does a contact belong by the rules (C2)? Pure; what a person chose is never decided anew.

The first rule with exactly one answer counts: organization, then email domain. Of several answers none is guessed.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from addon.crm import domains
from addon.crm.company import CompanyId

Rule = Literal["organization", "domain"]
AssignedBy = Literal["organization", "domain", "person"]
"""What gave a contact its company; a person may also have decided that there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSettings:
    """Which rules are used."""

    by_organization: bool = True
    by_domain: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the rules look at. `company_id`, `assigned_by`: as it is now.

    of_organizations: the companies of the organizations that list one of the contact's accounts. of_hosts: the companies
    that name a host, of those in the contact's address at least. is_linked: an account is linked. is_company_listed: the
    present company's organization is one whose members were read.
    """

    email: str | None
    company_id: CompanyId | None
    assigned_by: AssignedBy | None
    is_linked: bool = False
    is_company_listed: bool = True
    of_organizations: Collection[CompanyId] = ()
    of_hosts: Mapping[str, Collection[CompanyId]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """The company that a rule gives."""

    company_id: CompanyId
    rule: Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Tie:
    """No rule gives one company, and at least one gives several: a person decides. By id."""

    companies: tuple[CompanyId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """No rule gives any company."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The contact keeps what it has."""


Decision = Assigned | Tie | Nothing | Kept


def decide(facts: Facts, rules: RuleSettings) -> Decision:
    if facts.assigned_by == "person":
        return Kept()
    answers: dict[Rule, set[CompanyId]] = {
        "organization": set(facts.of_organizations) if rules.by_organization else set(),
        "domain": set(_of_domain(facts)) if rules.by_domain else set(),
    }
    if _is_beyond_doubt(facts, answers["organization"]):
        return Kept()
    for rule, companies in answers.items():
        if len(companies) == 1:
            return Assigned(company_id=next(iter(companies)), rule=rule)
    several = answers["organization"] | answers["domain"]
    return Tie(companies=tuple(sorted(several))) if several else Nothing()


def _is_beyond_doubt(facts: Facts, of_organizations: Collection[CompanyId]) -> bool:
    """A company that an organization gave stays while nothing is known of the contact's organizations: the sync has let
    go of the contact (S12), or the organization's members cannot be read (D8).
    """
    if facts.assigned_by != "organization" or facts.company_id is None:
        return False
    return not facts.is_linked or (not facts.is_company_listed and not of_organizations)


def _of_domain(facts: Facts) -> Collection[CompanyId]:
    """The companies that name the most specific of the address's hosts that any names."""
    for host in domains.hosts_of(facts.email):
        if facts.of_hosts.get(host):
            return facts.of_hosts[host]
    return ()
