import dataclasses
from typing import Any

import pytest

from sandbox import installation, modules, person, site, viewer


def a_site(*installations: installation.Installation) -> site.Site:
    made = site.Site(base_url="http://localhost:9000", name="one", cloud_id="cloud", client_key="client")
    made.installations.update({installed.addon_key: installed for installed in installations})
    return made


def an_installation(
    addon_key: str = "crm",
    state: installation.State = installation.State.ENABLED,
    **declared: list[dict[str, Any]],
) -> installation.Installation:
    return installation.Installation(
        addon_key=addon_key,
        client_key="client",
        shared_secret="s" * 32,
        descriptor={"modules": declared},
        descriptor_url="https://addon.example/atlassian-connect.json",
        state=state,
        base_url="https://addon.example",
        account_id="app",
        oauth_client_id="oauth",
    )


def a_module(key: str, *conditions: dict[str, Any]) -> dict[str, Any]:
    return {"key": key, "name": {"value": key.title()}, "url": f"/{key}", "conditions": list(conditions)}


def a_viewer(
    *,
    is_admin: bool = False,
    account_type: person.AccountType = person.AccountType.ATLASSIAN,
    active: bool = True,
) -> viewer.Viewer:
    return viewer.Viewer(
        person=person.Person(account_id="ada", account_type=account_type, display_name="Ada", active=active),
        is_admin=is_admin,
    )


def a_page(place: modules.Place = modules.Place.GENERAL, *conditions: dict[str, Any]) -> modules.ModulePage:
    return modules.ModulePage(
        addon_key="crm", key="contacts", name="Contacts", url="/contacts", place=place, conditions=conditions
    )


def test_pages_of_disabled_and_uninstalled_apps_are_gone() -> None:
    kept = an_installation("kept", generalPages=[a_module("contacts")], adminPages=[a_module("settings")])
    others = [
        an_installation(f"app-{state}", state, generalPages=[a_module("contacts")])
        for state in installation.State
        if state is not installation.State.ENABLED
    ]
    pages = modules.pages_of(a_site(*others, kept))
    assert [(page.addon_key, page.key, page.place) for page in pages] == [
        ("kept", "contacts", modules.Place.GENERAL),
        ("kept", "settings", modules.Place.ADMIN),
    ]


def test_page_is_found_by_both_keys() -> None:
    here = a_site(
        an_installation("one", generalPages=[a_module("a")]), an_installation("two", generalPages=[a_module("b")])
    )
    found = modules.find_page(here, "two", "b")
    assert found is not None
    assert found.path == "/plugins/servlet/ac/two/b"
    assert modules.find_page(here, "one", "b") is None


def test_panel_has_its_address_in_a_target_its_label_and_the_whole_address_of_its_icon() -> None:
    panel = {
        "key": "reporter",
        "name": {"value": "Reporter's company"},
        "icon": {"width": 16, "height": 16, "url": "/static/icon.svg"},
        "content": {"type": "label", "label": {"value": "Show the company"}},
        "target": {"type": "web_panel", "url": "/reporter?issue={issue.id}"},
    }
    bare = {"key": "bare", "name": {"value": "Bare"}, "target": {"type": "web_panel", "url": "/bare"}}
    here = a_site(an_installation(jiraIssueContexts=[panel, bare], generalPages=[a_module("contacts")]))
    found, plain = modules.panels_of(here, a_viewer())
    assert (found.url, found.label) == ("/reporter?issue={issue.id}", "Show the company")
    assert found.icon_url == "https://addon.example/static/icon.svg"
    assert (plain.url, plain.label, plain.icon_url) == ("/bare", "", None)


def test_panels_are_those_whose_conditions_hold_and_nobodys_without_jira() -> None:
    here = a_site(
        an_installation(
            jiraIssueContexts=[a_module("open"), a_module("closed", {"condition": "user_is_admin"})],
        )
    )
    for seen_by, keys in (
        (a_viewer(), ["open"]),
        (a_viewer(is_admin=True), ["open", "closed"]),
        (a_viewer(account_type=person.AccountType.CUSTOMER), []),
    ):
        assert [panel.key for panel in modules.panels_of(here, seen_by)] == keys


@pytest.mark.parametrize(
    ("place", "is_admin", "may"),
    [
        (modules.Place.GENERAL, False, True),
        (modules.Place.GENERAL, True, True),
        (modules.Place.ADMIN, False, False),
        (modules.Place.ADMIN, True, True),
    ],
)
def test_admin_page_is_for_administrators(place: modules.Place, is_admin: bool, may: bool) -> None:  # noqa: FBT001 - table
    assert modules.may_open(a_page(place), a_viewer(is_admin=is_admin)) is may


@pytest.mark.parametrize(
    "seen_by",
    [
        a_viewer(account_type=person.AccountType.CUSTOMER),
        a_viewer(account_type=person.AccountType.APP),
        a_viewer(active=False),
    ],
)
def test_page_is_closed_to_those_without_jira(seen_by: viewer.Viewer) -> None:
    assert not modules.may_open(a_page(), seen_by)
    assert not modules.may_open(a_page(), dataclasses.replace(seen_by, is_admin=True))


@pytest.mark.parametrize(
    ("conditions", "for_member", "for_admin"),
    [
        ([{"condition": "user_is_logged_in"}], True, True),
        ([{"condition": "user_is_admin"}], False, True),
        ([{"condition": "user_is_sysadmin"}], False, True),
        ([{"condition": "user_is_admin", "invert": True}], True, False),
        ([{"condition": "user_is_logged_in"}, {"condition": "user_is_admin"}], False, True),
        ([{"or": [{"condition": "user_is_admin"}, {"condition": "user_is_logged_in"}]}], True, True),
        ([{"and": [{"condition": "user_is_admin"}, {"condition": "user_is_logged_in"}]}], False, True),
        ([{"condition": "never_heard_of"}], False, False),
        ([{"condition": "never_heard_of", "invert": True}], False, False),
    ],
)
def test_conditions_must_all_hold(
    conditions: list[dict[str, Any]],
    for_member: bool,  # noqa: FBT001 - table
    for_admin: bool,  # noqa: FBT001 - table
) -> None:
    page = a_page(modules.Place.GENERAL, *conditions)
    assert modules.may_open(page, a_viewer()) is for_member
    assert modules.may_open(page, a_viewer(is_admin=True)) is for_admin
