"""The pages of issues: who sees what, what the apps' parts get, and what the forms change."""

import urllib.parse

import jwt
import pytest

from sandbox import issues, person, site
from tests.unit.sandbox_page.conftest import ADDON_URL, PROPERTY, Stage, host_data, look_as

MARKUP = "<script>alert('x')</script>"


def an_issue(here: site.Site, *, summary: str = "Help me", company: str | None = None) -> issues.Issue:
    made = here.create_issue(here.member.account_id, summary=summary)
    if company is not None:
        here.tracker.set_property(made.key, PROPERTY, {"id": "1", "name": company})
    return made


def a_customer(here: site.Site) -> person.Person:
    return next(one for one in here.people.values() if one.kind is person.PersonKind.CUSTOMER and one.active)


def query_of(url: str) -> dict[str, str]:
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query, keep_blank_values=True))


@pytest.mark.parametrize("role", ["admin", "agent", "member"])
async def test_issue_shows_its_reporter_and_the_fields_and_panels_of_apps(role: str, stage: Stage) -> None:
    for here, company in ((stage.first, "Acme & Sons"), (stage.second, "Contoso")):
        shown = an_issue(here, company=company)
        await look_as(stage, here, role)
        answer = await stage.browser.get(f"{here.base_url}/browse/{shown.key}")
        assert answer.status_code == 200
        assert here.member.display_name in answer.text
        assert company.replace("&", "&amp;") in answer.text
        panel = host_data(answer.text)["frames"][0]
        assert panel["title"] == "Reporter's company"
        assert panel["url"].startswith(f"{ADDON_URL}/reporter?issue={shown.issue_id}&of=&")
        assert f'src="{ADDON_URL}/icon.svg"' in answer.text


async def test_panel_is_signed_for_the_issue_with_the_secret_of_the_site(stage: Stage) -> None:
    for here, other in ((stage.first, stage.second), (stage.second, stage.first)):
        shown = an_issue(here)
        answer = await stage.browser.get(f"{here.base_url}/browse/{shown.key}")
        host = host_data(answer.text)
        token = query_of(host["frames"][0]["url"])["jwt"]
        claims = jwt.decode(token, stage.installed_on(here).shared_secret, algorithms=["HS256"])
        assert claims["sub"] == here.admin.account_id
        assert claims["context"] == host["context"]
        assert claims["context"]["jira"]["issue"]["key"] == shown.key
        with pytest.raises(jwt.InvalidSignatureError):
            jwt.decode(token, stage.installed_on(other).shared_secret, algorithms=["HS256"])


async def test_session_token_and_a_fresh_address_know_the_issue(stage: Stage) -> None:
    here = stage.first
    shown = an_issue(here)
    answer = await stage.browser.get(f"{here.base_url}/bridge/token?addon=crm&issue={shown.issue_id}")
    claims = jwt.decode(answer.json()["token"], stage.installed_on(here).shared_secret, algorithms=["HS256"])
    assert claims["context"]["jira"]["issue"]["id"] == shown.issue_id
    answer = await stage.browser.get(f"{here.base_url}/bridge/frame?addon=crm&module=reporter&issue={shown.issue_id}")
    assert query_of(answer.json()["url"])["issue"] == shown.issue_id
    answer = await stage.browser.get(f"{here.base_url}/bridge/frame?addon=crm&module=reporter&issue=none")
    assert query_of(answer.json()["url"])["issue"] == ""


async def test_panel_is_shown_to_those_who_meet_its_conditions_and_never_as_a_page(stage: Stage) -> None:
    here = stage.first
    shown = an_issue(here)
    for role, keys in (("admin", ["reporter", "secrets"]), ("agent", ["reporter"])):
        await look_as(stage, here, role)
        answer = await stage.browser.get(f"{here.base_url}/browse/{shown.key}")
        assert [panel["moduleKey"] for panel in host_data(answer.text)["frames"]] == keys
        answer = await stage.browser.get(f"{here.base_url}/plugins/servlet/ac/crm/reporter")
        assert answer.status_code == 404
    answer = await stage.browser.get(f"{here.base_url}/bridge/frame?addon=crm&module=secrets&issue={shown.issue_id}")
    assert answer.status_code == 403


async def test_parts_of_an_app_are_gone_with_it_and_come_back(stage: Stage) -> None:
    here = stage.first
    shown = an_issue(here, company="Acme")
    for move, is_there in ((stage.cloud.disable, False), (stage.cloud.enable, True), (stage.cloud.uninstall, False)):
        await move(here, "crm")
        for path in (f"/browse/{shown.key}", "/issues/"):
            answer = await stage.browser.get(f"{here.base_url}{path}")
            assert ("Acme" in answer.text) is is_there
            assert ("Company" in answer.text) is is_there
        answer = await stage.browser.get(f"{here.base_url}/browse/{shown.key}")
        assert bool(host_data(answer.text)["frames"]) is (is_there)


async def test_markup_in_an_issue_stays_text(stage: Stage) -> None:
    here = stage.first
    shown = an_issue(here, summary=MARKUP, company=MARKUP)
    for path in (f"/browse/{shown.key}", "/issues/", f"/issues/?jql={urllib.parse.quote(MARKUP)}"):
        answer = await stage.browser.get(f"{here.base_url}{path}")
        assert "<script>alert" not in answer.text


async def test_issue_without_reporter_says_so(stage: Stage) -> None:
    here = stage.first
    shown = here.create_issue(None)
    for path in (f"/browse/{shown.key}", "/issues/"):
        answer = await stage.browser.get(f"{here.base_url}{path}")
        assert answer.status_code == 200
        assert '<span class="subtle">None</span>' in answer.text


async def test_unknown_and_deleted_issues_are_not_found(stage: Stage) -> None:
    here, other = stage.first, stage.second
    shown = an_issue(here)
    answer = await stage.browser.post(f"{here.base_url}/browse/{shown.key}/delete")
    assert answer.headers["location"] == "/issues/"
    assert here.issues.find(shown.key) is None
    assert len(other.issues) > 0
    for path in (f"/browse/{shown.key}", "/browse/NONE-1"):
        answer = await stage.browser.get(f"{here.base_url}{path}")
        assert answer.status_code == 404
    answer = await stage.browser.post(f"{here.base_url}/browse/{shown.key}/status", data={"status": "done"})
    assert answer.status_code == 404


async def test_forms_change_one_thing_of_one_issue(stage: Stage) -> None:
    here = stage.first
    await look_as(stage, here, "agent")
    changed, kept = an_issue(here), an_issue(here)
    customer = a_customer(here)
    for action, form in (
        ("summary", {"summary": "  Another word "}),
        ("status", {"status": "done"}),
        ("reporter", {"reporter": customer.account_id}),
    ):
        answer = await stage.browser.post(f"{here.base_url}/browse/{changed.key}/{action}", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/browse/{changed.key}")
    now = here.issues.find(changed.key)
    assert now is not None
    assert (now.summary, now.status, now.reporter_id) == ("Another word", "done", customer.account_id)
    await stage.browser.post(f"{here.base_url}/browse/{changed.key}/reporter", data={"reporter": ""})
    now = here.issues.find(changed.key)
    assert now is not None
    assert now.reporter_id is None
    assert here.issues.find(kept.key) == kept


@pytest.mark.parametrize(
    ("action", "form"),
    [
        ("summary", {"summary": "  "}),
        ("summary", {"summary": "x" * 256}),
        ("summary", {"summary": "two\nlines"}),
        ("summary", {}),
        ("status", {"status": "lost"}),
        ("reporter", {"reporter": "nobody"}),
        ("nothing", {}),
    ],
)
async def test_form_that_makes_no_sense_changes_nothing(action: str, form: dict[str, str], stage: Stage) -> None:
    here = stage.first
    kept = an_issue(here)
    answer = await stage.browser.post(f"{here.base_url}/browse/{kept.key}/{action}", data=form)
    assert answer.status_code == 400
    assert here.issues.find(kept.key) == kept


async def test_form_of_another_site_is_refused(stage: Stage) -> None:
    here, other = stage.first, stage.second
    kept = an_issue(here)
    for path in (f"/browse/{kept.key}/delete", "/issues/", "/portal"):
        answer = await stage.browser.post(
            f"{here.base_url}{path}", data={"summary": "x", "project": "SD1"}, headers={"Origin": other.base_url}
        )
        assert answer.status_code == 403
    assert here.issues.find(kept.key) == kept


async def test_agent_creates_an_issue_for_a_customer(stage: Stage) -> None:
    here, other = stage.first, stage.second
    await look_as(stage, here, "agent")
    customer, before = a_customer(here), len(other.issues)
    answer = await stage.browser.post(
        f"{here.base_url}/issues/",
        data={"project": "SD2", "summary": "By phone", "reporter": customer.account_id},
    )
    created = here.issues.find(answer.headers["location"].removeprefix("/browse/"))
    assert created is not None
    assert (created.project_key, created.summary, created.reporter_id) == ("SD2", "By phone", customer.account_id)
    answer = await stage.browser.post(f"{here.base_url}/issues/", data={"project": "NONE", "summary": "x"})
    assert answer.status_code == 400
    assert len(other.issues) == before


async def test_reporter_is_searched_among_everyone_but_the_deleted(stage: Stage) -> None:
    here = stage.first
    customer = a_customer(here)
    for choice in (customer, here.member):
        answer = await stage.browser.get(f"{here.base_url}/issues/people", params={"text": choice.account_id})
        assert [found["accountId"] for found in answer.json()["people"]] == [choice.account_id]
    here.delete_person(customer.account_id)
    answer = await stage.browser.get(f"{here.base_url}/issues/people", params={"text": customer.account_id})
    assert answer.json() == {"people": [], "total": 0}


async def test_hidden_address_of_a_person_is_not_shown_in_the_choice(stage: Stage) -> None:
    here = stage.first
    here.change_person(here.member.account_id, email_visible=False)
    answer = await stage.browser.get(f"{here.base_url}/issues/people", params={"text": here.member.account_id})
    assert answer.json()["people"][0]["detail"] == "Jira user"
