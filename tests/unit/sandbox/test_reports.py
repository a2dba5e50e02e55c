from collections import Counter
from datetime import UTC, datetime

import pytest

from sandbox import issue_store, issues, people, reports, site
from sandbox.person import AccountType

NOW = datetime(2026, 11, 22, 9, 45, tzinfo=UTC)


def a_site(seed: int) -> site.Site:
    made = site.Site(base_url="http://localhost:9000", name="t", cloud_id="c", client_key="k", now=lambda: NOW)
    people.populate(made, people=200, seed=seed)
    reports.write(made, seed=seed)
    return made


def test_same_seed_makes_the_same_issues_and_another_does_not() -> None:
    first, second, other = ([*_walk(a_site(seed))] for seed in (1, 1, 2))
    assert first == second != other


def test_issues_of_a_generated_site_are_reported_by_customers_and_most_are_recent() -> None:
    made = a_site(1)
    found = list(_walk(made))
    assert len(found) == len(made.issues) > 30
    for each in found:
        assert NOW - reports.PAST <= each.created == each.updated <= NOW
        assert each.reporter_id is not None
        assert made.people[each.reporter_id].account_type is AccountType.CUSTOMER
    assert [each.created for each in found] == sorted(each.created for each in found)
    assert len({each.key for each in found}) == len(found)
    recent = [each for each in found if each.created >= NOW - reports.PERIOD]
    assert len(found) / 2 < len(recent) < len(found)
    assert {each.status for each in found} == set(issues.StatusCategory)


def test_many_issues_are_shared_evenly_by_organizations() -> None:
    made = site.Site(base_url="http://localhost:9000", name="t", cloud_id="c", client_key="k", now=lambda: NOW)
    people.populate(made, people=200, seed=1, organizations=12)
    reports.write_many(made, seed=1, count=600)
    assert len(made.issues) == 600
    counted: Counter[str] = Counter()
    for each in made.issues:
        assert each.reporter_id is not None
        [organization_id] = made.organization_members.owners(each.reporter_id)
        counted[organization_id] += 1
    assert sorted(counted.values()) == [50] * 12
    still_open = sum(each.status is not issues.StatusCategory.DONE for each in made.issues)
    assert 0 < still_open < 600


def test_nobody_writes_on_a_site_without_members() -> None:
    empty = site.Site(base_url="http://localhost:9000", name="t", cloud_id="c", client_key="k", now=lambda: NOW)
    people.populate(empty, people=3, seed=1)
    with pytest.raises(ValueError, match="no organization"):
        reports.write_many(empty, seed=1, count=1)


def _walk(made: site.Site) -> list[issues.Issue]:
    return list(made.issues.walk(issue_store.Range(descending=False)))
