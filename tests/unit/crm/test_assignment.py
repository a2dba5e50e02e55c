from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.crm import assignment, domains
from addon.crm.assignment import Assigned, AssignedBy, Facts, Kept, Nothing, RuleSettings, Tie
from addon.crm.company import CompanyId

BOTH = RuleSettings()
ACME, GLOBEX, HOOLI = CompanyId(1), CompanyId(2), CompanyId(3)
NOBODY = Facts(email="ana@mail.acme.com", company_id=None, assigned_by=None, of_hosts={})
ORGANIZED = replace(NOBODY, is_linked=True, company_id=ACME, assigned_by="organization")


def some(**fields: Any) -> Facts:
    return replace(NOBODY, **fields)


@pytest.mark.parametrize(
    ("facts", "decision"),
    [
        (some(), Nothing()),
        (some(of_organizations={ACME}), Assigned(company_id=ACME, rule="organization")),
        (some(of_hosts={"acme.com": {ACME}}), Assigned(company_id=ACME, rule="domain")),
        (
            some(of_organizations={ACME}, of_hosts={"acme.com": {GLOBEX}}),
            Assigned(company_id=ACME, rule="organization"),
        ),
        # A tie of one rule is no answer, and the next one is asked.
        (
            some(of_organizations={ACME, HOOLI}, of_hosts={"acme.com": {GLOBEX}}),
            Assigned(company_id=GLOBEX, rule="domain"),
        ),
        (some(of_organizations={HOOLI, ACME}), Tie(companies=(ACME, HOOLI))),
        (some(of_hosts={"acme.com": {GLOBEX, ACME}}), Tie(companies=(ACME, GLOBEX))),
        (
            some(of_organizations={HOOLI, ACME}, of_hosts={"acme.com": {GLOBEX, ACME}}),
            Tie(companies=(ACME, GLOBEX, HOOLI)),
        ),
        # The most specific host that any company names.
        (
            some(of_hosts={"acme.com": {GLOBEX}, "mail.acme.com": {ACME}}),
            Assigned(company_id=ACME, rule="domain"),
        ),
        (some(of_hosts={"acme.com": {GLOBEX}, "mail.acme.com": set()}), Assigned(company_id=GLOBEX, rule="domain")),
        (some(of_hosts={"com": {GLOBEX}, "other.com": {ACME}}), Nothing()),
    ],
)
def test_first_rule_with_one_answer_counts(facts: Facts, decision: assignment.Decision) -> None:
    assert assignment.decide(facts, BOTH) == decision


@pytest.mark.parametrize(
    ("rules", "decision"),
    [
        (RuleSettings(by_organization=False), Assigned(company_id=GLOBEX, rule="domain")),
        (RuleSettings(by_domain=False), Assigned(company_id=ACME, rule="organization")),
        (RuleSettings(by_organization=False, by_domain=False), Nothing()),
    ],
)
def test_rule_that_is_off_gives_nothing(rules: RuleSettings, decision: assignment.Decision) -> None:
    facts = some(of_organizations={ACME}, of_hosts={"acme.com": {GLOBEX}})
    assert assignment.decide(facts, rules) == decision


@pytest.mark.parametrize(
    ("facts", "decision"),
    [
        (ORGANIZED, Nothing()),
        (replace(ORGANIZED, of_organizations={GLOBEX}), Assigned(company_id=GLOBEX, rule="organization")),
        # S12: the sync has let go of the contact.
        (replace(ORGANIZED, is_linked=False), Kept()),
        (replace(ORGANIZED, is_linked=False, of_hosts={"acme.com": {GLOBEX}}), Kept()),
        # D8: nobody knows who is in the organization.
        (replace(ORGANIZED, is_company_listed=False), Kept()),
        (replace(ORGANIZED, is_company_listed=False, of_hosts={"acme.com": {GLOBEX}}), Kept()),
        (
            replace(ORGANIZED, is_company_listed=False, of_organizations={GLOBEX}),
            Assigned(company_id=GLOBEX, rule="organization"),
        ),
        (some(company_id=ACME, assigned_by="domain"), Nothing()),
        # Given back to the rules.
        (some(company_id=ACME), Nothing()),
    ],
)
def test_company_that_a_rule_gave_follows_it(facts: Facts, decision: assignment.Decision) -> None:
    assert assignment.decide(facts, BOTH) == decision


COMPANIES = st.sets(st.sampled_from([ACME, GLOBEX, HOOLI]))
HOSTS = ("acme.com", "mail.acme.com", "gmail.com", "yahoo.co.uk", "mail.gmail.com", "acme.co.uk")
FACTS = st.builds(
    Facts,
    email=st.none() | st.sampled_from([f"ana@{host}" for host in (*HOSTS, "x.mail.acme.com", "localhost")]) | st.text(),
    company_id=st.none() | st.sampled_from([ACME, GLOBEX, HOOLI]),
    assigned_by=st.sampled_from([None, *get_args(AssignedBy)]),
    is_linked=st.booleans(),
    is_company_listed=st.booleans(),
    of_organizations=COMPANIES,
    of_hosts=st.dictionaries(st.sampled_from(HOSTS), COMPANIES),
)
RULES = st.builds(RuleSettings, by_organization=st.booleans(), by_domain=st.booleans())


@given(FACTS, RULES)
def test_what_a_person_chose_is_never_touched(facts: Facts, rules: RuleSettings) -> None:
    assert assignment.decide(replace(facts, assigned_by="person"), rules) == Kept()


@given(FACTS, RULES)
def test_every_answer_is_the_only_one_of_its_rule(facts: Facts, rules: RuleSettings) -> None:
    decision = assignment.decide(facts, rules)
    match decision:
        case Assigned(company_id=company_id, rule="organization"):
            assert rules.by_organization
            assert set(facts.of_organizations) == {company_id}
        case Assigned(company_id=company_id, rule="domain"):
            assert rules.by_domain
            assert len(facts.of_organizations) != 1 or not rules.by_organization
            assert {company_id} in list(facts.of_hosts.values())
        case Tie(companies=companies):
            assert len(companies) > 1
            assert set(companies) <= {*facts.of_organizations}.union(*facts.of_hosts.values())
        case Kept() | Nothing():
            pass


@given(FACTS, RULES)
def test_public_mail_never_decides(facts: Facts, rules: RuleSettings) -> None:
    host = (facts.email or "").rpartition("@")[2].lower()
    if any(host == public or host.endswith(f".{public}") for public in domains.PUBLIC_MAIL):
        without = replace(facts, email=None)
        assert assignment.decide(facts, rules) == assignment.decide(without, rules)


@given(FACTS, RULES)
def test_decision_that_was_carried_out_stays(facts: Facts, rules: RuleSettings) -> None:
    match assignment.decide(facts, rules):
        case Assigned(company_id=company_id, rule=rule):
            after = replace(facts, company_id=company_id, assigned_by=rule, is_linked=True)
        case Kept():
            after = facts
        case _:
            after = replace(facts, company_id=None, assigned_by=None)
    again = assignment.decide(after, rules)
    assert again == assignment.decide(facts, rules) or isinstance(again, Kept)
