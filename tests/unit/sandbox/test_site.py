import pytest

from sandbox import faults, people, search, site
from sandbox.installation import Installation, State
from sandbox.person import AccountType, Person, PersonKind


@pytest.fixture(name="made")
def a_site() -> site.Site:
    made = site.Site(base_url="http://localhost:9000", name="test", cloud_id="cloud", client_key="client")
    people.populate(made, people=100, seed=3)
    return made


def a_person(account_id: str = "p1", **more: object) -> Person:
    defaults = {"account_type": AccountType.ATLASSIAN, "display_name": "Pat Person", "email": "pat@site.example"}
    return Person(account_id=account_id, **{**defaults, **more})  # type: ignore[arg-type]  # a builder with defaults


def test_newcomer_is_where_they_were_put(made: site.Site) -> None:
    made.add_person(a_person(), group_ids=[made.licence_group_id("jira-core") or ""], desk_ids=["1"])
    assert made.is_reachable("p1")
    assert made.desk_customers.owners("p1") == ["1"]


def test_newcomer_to_a_place_that_is_not_there_is_not_added(made: site.Site) -> None:
    with pytest.raises(KeyError):
        made.add_person(a_person(), desk_ids=["1"], organization_ids=["none"])
    assert "p1" not in made.people
    assert made.desk_customers.owners("p1") == []


def test_change_touches_only_what_is_given(made: site.Site) -> None:
    before = made.member
    after = made.change_person(made.member_id, display_name="Mia Changed")
    assert (after.display_name, after.email, after.active) == ("Mia Changed", before.email, True)
    assert made.change_person(made.member_id, email="mia@new.example", email_visible=False).readable_email is None


def test_deactivated_admin_stays_listed_and_administers_no_more(made: site.Site) -> None:
    made.deactivate_person(made.admin_id)
    assert made.group_members.owners(made.admin_id)
    assert not made.is_admin(made.admin_id)


def test_deleted_person_is_a_tombstone_without_places(made: site.Site) -> None:
    tombstone = made.delete_person(made.member_id)
    assert (tombstone.deleted, tombstone.closed, tombstone.email, tombstone.active) == (True, False, None, False)
    assert not made.is_reachable(made.member_id)
    with pytest.raises(site.UnknownPersonError):
        made.delete_person(made.member_id)


def test_deleted_person_can_still_be_closed(made: site.Site) -> None:
    made.delete_person(made.member_id)
    assert made.close_person(made.member_id).closed
    with pytest.raises(site.UnknownPersonError):
        made.close_person("nobody")


def test_migrated_customer_leaves_their_places_to_the_other_account(made: site.Site) -> None:
    made.add_person(a_person("qm:1", account_type=AccountType.CUSTOMER), desk_ids=["1"], organization_ids=["2"])
    made.migrate_customer("qm:1", made.member_id)
    assert made.people["qm:1"].deleted
    assert made.desk_customers.owners(made.member_id) == ["1"]
    assert made.organization_members.owners(made.member_id) == ["2"]


def test_members_keep_their_order_while_people_come_and_go(made: site.Site) -> None:
    group_id = made.licence_group_id("jira-software") or ""
    before = list(made.group_members.members(group_id))
    made.add_person(a_person(username="ug:5"), group_ids=[group_id])
    members = list(made.group_members.members(group_id))
    assert [each for each in members if each != "p1"] == before
    usernames = [made.people[each].username for each in members]
    assert usernames == sorted(usernames)
    made.group_members.remove(group_id, "p1")
    made.group_members.remove(group_id, "p1")
    assert list(made.group_members.members(group_id)) == before


def test_search_sees_changes_at_once(made: site.Site) -> None:
    assert made.search_index() is made.search_index()
    made.change_person(made.member_id, display_name="Quentin")
    assert made.search_index().find("quent") == [made.member_id]


def test_search_for_nothing_finds_everyone_and_the_deleted_never() -> None:
    index = search.Index([a_person("a"), a_person("b", display_name="Åsa"), a_person("c").as_deleted()])
    assert index.find("") == ["a", "b"]
    assert index.find("ås") == ["b"]
    assert index.find("pat@site") == ["a", "b"]
    assert index.find("former") == []


def test_email_api_outage_is_for_everyone_and_approval_for_one(made: site.Site) -> None:
    made.email_api["mine"] = faults.EmailApi.APPROVED
    made.faults.email_api = faults.EmailApi.NOT_APPROVED
    assert made.email_api_for("mine") is faults.EmailApi.APPROVED
    assert made.email_api_for("other") is faults.EmailApi.NOT_APPROVED
    made.faults.email_api = faults.EmailApi.DISABLED
    assert made.email_api_for("mine") is faults.EmailApi.DISABLED


def test_unknown_product_has_no_licence_group(made: site.Site) -> None:
    assert made.licence_group_id("confluence") is None


def test_kind_of_every_type() -> None:
    assert {a_person(account_type=each).kind for each in AccountType} == set(PersonKind)


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        ([], set()),
        (["read"], {"READ"}),
        (["DELETE"], {"READ", "WRITE", "DELETE"}),
        (["admin"], {"READ", "WRITE", "DELETE", "PROJECT_ADMIN", "ADMIN"}),
        (["WRITE", "ACCESS_EMAIL_ADDRESSES"], {"READ", "WRITE", "ACCESS_EMAIL_ADDRESSES"}),
    ],
)
def test_scope_brings_the_lower_ones_along(asked: list[str], granted: set[str]) -> None:
    installed = Installation(
        addon_key="app",
        client_key="client",
        shared_secret="s",
        descriptor={"scopes": asked},
        descriptor_url="http://localhost/d.json",
        state=State.ENABLED,
        base_url="http://localhost",
        account_id="a",
        oauth_client_id="o",
    )
    assert installed.scopes == granted
