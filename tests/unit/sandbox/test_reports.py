from datetime import UTC, datetime

from sandbox import issues, people, reports, site
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


def test_issues_of_a_generated_site_are_recent_and_reported_by_customers() -> None:
    made = a_site(1)
    found = list(_walk(made))
    assert len(found) == len(made.issues) > 30
    for each in found:
        assert NOW - reports.PERIOD <= each.created == each.updated <= NOW
        assert made.people[each.reporter_id].account_type is AccountType.CUSTOMER
    assert [each.created for each in found] == sorted(each.created for each in found)
    assert len({each.key for each in found}) == len(found)


def _walk(made: site.Site) -> list[issues.Issue]:
    return list(made.issues.walk("created", since=None, after=None, descending=False))
