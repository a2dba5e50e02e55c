import collections
import time
import unicodedata

import pytest

from sandbox import people, site
from sandbox.person import AccountType, Person


def a_site(*, count: int, seed: int = 1, share: float = people.CUSTOMERS_SHARE) -> site.Site:
    made = site.Site(base_url="http://localhost:9000/", name="test", cloud_id="cloud", client_key="client")
    people.populate(made, people=count, seed=seed, customers_share=share)
    return made


def memberships(of_site: site.Site) -> list[list[str]]:
    return [
        list(roster.members(owner))
        for roster, owners in (
            (of_site.group_members, of_site.groups),
            (of_site.desk_customers, of_site.desks),
            (of_site.organization_members, of_site.organizations),
        )
        for owner in owners
    ]


def test_same_seed_gives_the_same_site() -> None:
    first, second = a_site(count=500, seed=7), a_site(count=500, seed=7)
    assert first.people == second.people
    assert list(first.people) == list(second.people)
    assert (first.groups, first.desks, first.organizations) == (second.groups, second.desks, second.organizations)
    assert memberships(first) == memberships(second)


def test_another_seed_gives_other_people_with_the_same_well_known_ones() -> None:
    first, second = a_site(count=500, seed=7), a_site(count=500, seed=8)
    assert first.people.keys() & second.people.keys() == {first.admin_id, first.agent_id, first.member_id}
    assert [first.admin_id, first.agent_id, first.member_id] == [second.admin_id, second.agent_id, second.member_id]


@pytest.mark.parametrize("count", [3, 4, 5, 10, 50, 2000])
def test_site_has_as_many_people_as_asked(count: int) -> None:
    assert len(a_site(count=count).people) == count


def test_smallest_site_is_the_well_known_three() -> None:
    made = a_site(count=0)
    assert list(made.people) == [made.admin_id, made.agent_id, made.member_id]
    assert [made.is_admin(each) for each in made.people] == [True, False, False]
    assert made.is_admin("nobody") is False


def test_mix_of_people_is_that_of_a_real_site() -> None:
    everyone = list(a_site(count=5000).people.values())
    kinds = collections.Counter(each.account_type for each in everyone)
    assert kinds[AccountType.CUSTOMER] == pytest.approx(1500, abs=50)
    assert kinds[AccountType.APP] == 50
    living = [each for each in everyone if not each.deleted and each.account_type is not AccountType.APP]
    assert sum(not each.email_visible for each in living) == pytest.approx(500, abs=80)
    assert sum(not each.active for each in living) == pytest.approx(300, abs=60)
    assert len(everyone) - len(living) - 50 == pytest.approx(100, abs=40)


def test_share_of_customers_is_as_asked() -> None:
    nobody = a_site(count=300, share=0.0)
    assert all(each.account_type is not AccountType.CUSTOMER for each in nobody.people.values())
    mostly = collections.Counter(each.account_type for each in a_site(count=300, share=0.9).people.values())
    assert mostly[AccountType.CUSTOMER] > 250


def test_everyone_living_can_be_found_and_some_only_through_organizations() -> None:
    made = a_site(count=1000)
    living = [each for each in made.people.values() if not each.deleted]
    assert all(made.is_reachable(each.account_id) for each in living)
    customers = [each for each in living if each.account_type is AccountType.CUSTOMER]
    assert any(not made.desk_customers.owners(each.account_id) for each in customers)
    assert any(made.desk_customers.owners(each.account_id) for each in living if each not in customers)
    assert all(not made.group_members.owners(each.account_id) for each in customers)


def test_ids_have_every_known_shape() -> None:
    ids = list(a_site(count=1000).people)
    shapes = {each.rpartition(":")[0].partition(":")[0] for each in ids}
    assert shapes == {"", "557058", "70121", "712020", "99", "qm"}
    assert {each.count(":") for each in ids} == {0, 1, 2}
    assert all(len(each) <= 128 for each in ids)


def test_names_come_in_many_scripts_lengths_and_twice() -> None:
    living = [each.display_name for each in a_site(count=2000).people.values() if not each.deleted]
    directions = {unicodedata.bidirectional(name[0]) for name in living}
    assert {"L", "R", "AL"} <= directions
    assert any("\u4e00" <= letter <= "\u9fff" for name in living for letter in name)
    assert max(map(len, living)) > 100
    assert collections.Counter(living).most_common(1)[0][1] > 1


def test_some_addresses_belong_to_a_customer_and_a_user_in_different_case() -> None:
    by_key: dict[str, list[Person]] = collections.defaultdict(list)
    for each in a_site(count=1000).people.values():
        if each.email:
            by_key[each.email.casefold()].append(each)
    shared = [owners for owners in by_key.values() if len(owners) > 1]
    assert shared
    for owners in shared:
        assert owners[0].account_type is AccountType.ATLASSIAN
        assert {each.account_type for each in owners[1:]} == {AccountType.CUSTOMER}
        assert owners[0].email != owners[1].email
    assert all(each.rpartition(".")[2] == "example" for each in by_key)


def test_desks_and_organizations_grow_with_the_customers() -> None:
    small, large = a_site(count=10), a_site(count=5000)
    assert (len(small.desks), len(small.organizations)) == (2, 2)
    customers = sum(each.account_type is AccountType.CUSTOMER for each in large.people.values())
    assert len(large.desks) == customers // 150
    assert len(large.organizations) == customers // 20
    assert all(each.desk_ids <= large.desks.keys() for each in large.organizations.values())


def test_twenty_thousand_people_are_made_in_seconds() -> None:
    started = time.process_time()
    a_site(count=20_000)
    assert time.process_time() - started < 5
