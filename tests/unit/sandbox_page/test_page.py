import html
import urllib.parse

import pytest

from sandbox import person
from tests.unit.sandbox_page.conftest import ADDON_URL, Stage, host_data, look_as

ROLES = ("admin", "agent", "member")


async def test_home_shows_each_site_its_own_numbers_and_apps(stage: Stage) -> None:
    for here in (stage.first, stage.second):
        answer = await stage.browser.get(here.base_url)
        users = sum(one.kind is person.PersonKind.USER and not one.deleted for one in here.people.values())
        assert answer.status_code == 200
        assert f"<dt>Jira users</dt><dd>{users}</dd>" in answer.text
        assert here.base_url in answer.text
        assert "CRM &lt;Contacts&gt;" in answer.text
        assert 'href="/plugins/servlet/ac/crm/settings"' in answer.text


async def test_unknown_host_has_no_page(stage: Stage) -> None:
    for path in ("/", "/people", "/bridge/token?addon=crm", "/bridge/all.js"):
        answer = await stage.browser.get(f"http://localhost:9999{path}")
        assert answer.status_code == 404


@pytest.mark.parametrize("role", ROLES)
async def test_module_page_signs_the_frame_for_the_viewer(role: str, stage: Stage) -> None:
    for here in (stage.first, stage.second):
        await look_as(stage, here, role)
        answer = await stage.browser.get(f"{here.base_url}/plugins/servlet/ac/crm/contacts?ac.id=5&id=6")
        [embedded] = host_data(answer.text)["frames"]
        assert embedded["url"].startswith(f"{ADDON_URL}/contacts?id=5&")
        assert urllib.parse.quote(here.base_url, safe="") in embedded["url"]


@pytest.mark.parametrize(
    ("role", "path", "status"),
    [
        ("admin", "/people", 200),
        ("agent", "/people", 403),
        ("member", "/people", 403),
        ("customer", "/", 403),
        ("customer", "/people", 403),
        ("admin", "/plugins/servlet/ac/crm/settings", 200),
        ("agent", "/plugins/servlet/ac/crm/settings", 403),
        ("member", "/plugins/servlet/ac/crm/settings", 403),
        ("customer", "/plugins/servlet/ac/crm/settings", 403),
        ("customer", "/plugins/servlet/ac/crm/contacts", 403),
        ("admin", "/plugins/servlet/ac/crm/nothing", 404),
        ("admin", "/plugins/servlet/ac/other/contacts", 404),
    ],
)
async def test_page_is_shown_to_those_who_may_see_it(role: str, path: str, status: int, stage: Stage) -> None:
    for here in (stage.first, stage.second):
        await look_as(stage, here, role)
        answer = await stage.browser.get(f"{here.base_url}{path}")
        assert answer.status_code == status
        assert ("host-data" in answer.text) is (status == 200 and "servlet" in path)


async def test_viewer_is_chosen_for_one_site_only(stage: Stage) -> None:
    await look_as(stage, stage.first, "member")
    first = await stage.browser.get(f"{stage.first.base_url}/people")
    second = await stage.browser.get(f"{stage.second.base_url}/people")
    assert (first.status_code, second.status_code) == (403, 200)


async def test_viewer_may_be_anyone_by_account_id(stage: Stage) -> None:
    here = stage.first
    colon = next(
        one
        for one in here.people.values()
        if ":" in one.account_id
        and one.kind is person.PersonKind.USER
        and one is not here.agent
        and one is not here.member
    )
    await look_as(stage, here, colon.account_id)
    answer = await stage.browser.get(f"{here.base_url}/plugins/servlet/ac/crm/contacts")
    assert f'value="{html.escape(colon.account_id)}" selected' in answer.text


async def test_viewer_who_was_deleted_gives_way_to_the_administrator(stage: Stage) -> None:
    here = stage.first
    await look_as(stage, here, here.agent.account_id)
    here.delete_person(here.agent.account_id)
    answer = await stage.browser.get(f"{here.base_url}/people")
    assert answer.status_code == 200


async def test_unknown_viewer_is_refused(stage: Stage) -> None:
    answer = await stage.browser.post(f"{stage.first.base_url}/viewer", data={"as": "nobody"})
    assert answer.status_code == 400
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("to", "location"),
    [
        ("/people?text=a", "/people?text=a"),
        ("", "/"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example/", "/"),
    ],
)
async def test_switching_leads_to_places_of_this_site_only(to: str, location: str, stage: Stage) -> None:
    answer = await stage.browser.get(f"{stage.first.base_url}/viewer", params={"as": "agent", "to": to})
    assert answer.status_code == 303
    assert answer.headers["location"] == location


async def test_people_page_searches_pages_and_escapes(stage: Stage) -> None:
    here = stage.first
    here.change_person(here.member.account_id, display_name='<script>alert("x")</script>')
    answer = await stage.browser.get(f"{here.base_url}/people", params={"text": "<script>"})
    assert "<script>alert" not in answer.text
    assert "1\u20131 of 1" in answer.text
    everyone = await stage.browser.get(f"{here.base_url}/people")
    assert f"1\u201350 of {len(here.people)}" in everyone.text
    assert 'href="/people?text=&amp;kind=&amp;page=2"' in everyone.text
    for page in ("2", "999", "x"):
        answer = await stage.browser.get(f"{here.base_url}/people", params={"page": page})
        assert answer.status_code == 200


async def test_theme_is_taken_from_the_cookie_if_there_is_such_a_theme(stage: Stage) -> None:
    for value, theme in (("dark", "dark"), ("light", "light"), ('"><x', "light")):
        answer = await stage.browser.get(stage.first.base_url, headers={"Cookie": f"sandbox-theme-9000={value}"})
        assert f'data-color-mode="{theme}"' in answer.text


async def test_every_page_says_what_it_loads_and_is_not_stored(stage: Stage) -> None:
    answer = await stage.browser.get(stage.first.base_url)
    assert f"frame-src {ADDON_URL};" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
