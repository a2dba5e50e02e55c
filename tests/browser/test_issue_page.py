"""The pages of issues with a stand-in for the add-on: its panel beside an issue, what agents do there, and the portal."""

import json
import re
import urllib.parse

import jwt
import playwright.async_api
import pytest

from sandbox import issues, person, qsh, site
from tests.browser import axe, keyboard, stage, standin

pytestmark = pytest.mark.asyncio(loop_scope="session")

PANEL = f"[data-module={standin.KEY}__reporter]"


def an_issue(here: site.Site, *, company: str = "Acme & Sons") -> issues.Issue:
    made = here.create_issue(here.member.account_id, summary="<i>Printer</i> on fire")
    here.tracker.set_property(made.key, standin.PROPERTY, {"id": "1", "name": company})
    return made


async def open_issue(
    page: playwright.async_api.Page, here: site.Site, shown: issues.Issue
) -> playwright.async_api.Frame:
    await page.goto(f"{here.base_url}/browse/{shown.key}")
    return await stage.established_frame(page, PANEL)


def details(page: playwright.async_api.Page) -> playwright.async_api.Locator:
    return page.get_by_role("region", name="Details")


async def test_panel_is_addressed_with_the_issue_and_a_token_for_exactly_that(
    sandbox_server: stage.SandboxServer, stand_in: stage.StandInServer, page: playwright.async_api.Page
) -> None:
    for here in (sandbox_server.first, sandbox_server.second):
        shown = an_issue(here)
        frame = await open_issue(page, here, shown)
        query = stand_in.addon.frames[-1]
        parameters = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        assert (parameters["issue"], parameters["key"], parameters["of"]) == (shown.issue_id, shown.key, "")
        secret = here.installations[standin.KEY].shared_secret
        claims = jwt.decode(parameters["jwt"], secret, algorithms=["HS256"], options={"verify_iat": False})
        assert claims["qsh"] == qsh.compute("GET", "/page", query)
        context = await frame.evaluate("AP.context.getContext()")
        assert context["jira"]["issue"]["key"] == shown.key
        assert context["jira"]["project"]["key"] == shown.project_key
        token = jwt.decode(
            await frame.evaluate("AP.context.getToken()"), secret, algorithms=["HS256"], options={"verify_iat": False}
        )
        assert (token["qsh"], token["context"]) == ("context-qsh", context)


async def test_panel_asks_the_rest_api_as_the_viewer(
    sandbox_server: stage.SandboxServer,
    stand_in: stage.StandInServer,  # noqa: ARG001 - installed is all that it has to be
    page: playwright.async_api.Page,
) -> None:
    here = sandbox_server.first
    shown = an_issue(here)
    await page.goto(f"{here.base_url}/viewer?as=agent")
    frame = await open_issue(page, here, shown)
    query = urllib.parse.urlencode({"jql": 'Company = "Acme & Sons"', "fields": "summary"})
    answer = await frame.evaluate(f"AP.request('/rest/api/3/search/jql?{query}')")
    assert [found["key"] for found in json.loads(answer["body"])["issues"]] == [shown.key]
    answer = await frame.evaluate("AP.request({ url: '/rest/api/3/myself' })")
    assert json.loads(answer["body"])["accountId"] == here.agent.account_id


async def test_panel_is_as_high_as_its_content_in_a_narrow_column(
    sandbox_server: stage.SandboxServer,
    stand_in: stage.StandInServer,  # noqa: ARG001 - installed is all that it has to be
    page: playwright.async_api.Page,
) -> None:
    here = sandbox_server.first
    frame = await open_issue(page, here, an_issue(here))
    embedded = page.locator(f"{PANEL} iframe")
    box = await embedded.bounding_box()
    assert box is not None
    assert 280 <= box["width"] <= 360
    await frame.evaluate("document.querySelector('.ac-content').style.height = '700px'")
    await playwright.async_api.expect(embedded).to_have_css("height", re.compile(r"^7\d\d"))
    await frame.evaluate("document.querySelector('.ac-content').style.height = '90px'")
    await playwright.async_api.expect(embedded).to_have_css("height", re.compile(r"^1?\d\d(\.|px)"))


async def test_panel_folds_by_keyboard_and_stays_as_it_was_left(
    sandbox_server: stage.SandboxServer, stand_in: stage.StandInServer, page: playwright.async_api.Page
) -> None:
    here = sandbox_server.first
    shown = an_issue(here)
    await open_issue(page, here, shown)
    title = page.locator(f"{PANEL} summary")
    hands = keyboard.Hands(page=page)
    await hands.press_on(title)
    await playwright.async_api.expect(page.locator(f"{PANEL} iframe")).to_be_hidden()
    loaded = len(stand_in.addon.frames)
    await page.reload()
    await playwright.async_api.expect(title).to_be_visible()
    await playwright.async_api.expect(page.locator(f"{PANEL} iframe")).to_have_count(0)
    assert len(stand_in.addon.frames) == loaded
    await hands.press_on(title)
    await stage.established_frame(page, PANEL)
    await playwright.async_api.expect(page.locator(f"{PANEL} iframe")).to_be_visible()


async def test_refresh_shows_the_field_anew_and_leaves_the_panel_alone(
    sandbox_server: stage.SandboxServer, stand_in: stage.StandInServer, page: playwright.async_api.Page
) -> None:
    here = sandbox_server.first
    shown = an_issue(here)
    frame = await open_issue(page, here, shown)
    await playwright.async_api.expect(details(page)).to_contain_text("Acme & Sons")
    here.tracker.set_property(shown.key, standin.PROPERTY, {"id": "2", "name": "<b>Contoso</b>"})
    here.edit_issue(shown.key, summary="Put out", status="done")
    loaded = len(stand_in.addon.frames)
    await frame.evaluate("() => AP.jira.refreshIssuePage()")
    await playwright.async_api.expect(details(page)).to_contain_text("<b>Contoso</b>")
    await playwright.async_api.expect(page.get_by_role("heading", name="Put out")).to_be_visible()
    await playwright.async_api.expect(page.get_by_label("Status", exact=True)).to_have_value("done")
    await page.get_by_role("button", name="Edit summary").click()
    await playwright.async_api.expect(page.get_by_role("textbox", name="Summary")).to_have_value("Put out")
    await page.get_by_role("button", name="Cancel").click()
    await page.get_by_role("button", name="Change reporter").click()
    await page.get_by_label("Find a person").fill(here.agent.display_name)
    await playwright.async_api.expect(page.get_by_role("radio", name=here.agent.display_name)).to_be_visible()
    assert len(stand_in.addon.frames) == loaded


async def test_panel_leads_to_an_issue_and_to_a_page_of_its_app(
    sandbox_server: stage.SandboxServer, stand_in: stage.StandInServer, page: playwright.async_api.Page
) -> None:
    here = sandbox_server.first
    shown, other = an_issue(here), an_issue(here)
    frame = await open_issue(page, here, shown)
    place = await frame.evaluate("new Promise((resolve) => AP.navigator.getLocation(resolve))")
    assert (place["target"], place["context"]["issueKey"]) == ("issueview", shown.key)
    async with page.expect_navigation(url=f"**/browse/{other.key}"):
        await frame.evaluate("(issueKey) => AP.navigator.go('issue', { issueKey })", other.key)
    frame = await stage.established_frame(page, PANEL)
    target = {"addonKey": standin.KEY, "moduleKey": "contacts", "customData": {"contact": "7"}}
    async with page.expect_navigation(url="**/plugins/servlet/ac/**"):
        await frame.evaluate("(target) => AP.navigator.go('addonModule', target)", target)
    await stage.established_frame(page, "#module")
    assert dict(urllib.parse.parse_qsl(stand_in.addon.frames[-1]))["contact"] == "7"


async def test_dialog_from_the_panel_knows_the_issue(
    sandbox_server: stage.SandboxServer, stand_in: stage.StandInServer, page: playwright.async_api.Page
) -> None:
    here = sandbox_server.first
    shown = an_issue(here)
    frame = await open_issue(page, here, shown)
    await frame.evaluate("() => { AP.dialog.create({ key: 'reporter', header: 'Reporter', chrome: true }); }")
    dialog = await stage.established_frame(page, "dialog[open]")
    assert dict(urllib.parse.parse_qsl(stand_in.addon.frames[-1]))["issue"] == shown.issue_id
    context = await dialog.evaluate("AP.context.getContext()")
    assert context["jira"]["issue"]["id"] == shown.issue_id


async def test_agent_edits_an_issue_by_keyboard(
    sandbox_server: stage.SandboxServer,
    stand_in: stage.StandInServer,  # noqa: ARG001 - installed is all that it has to be
    page: playwright.async_api.Page,
) -> None:
    here = sandbox_server.first
    shown = an_issue(here)
    customer = here.add_person(
        person.Person(account_id="qm:cora", account_type=person.AccountType.CUSTOMER, display_name="Cora Customer")
    )
    await open_issue(page, here, shown)
    hands = keyboard.Hands(page=page)
    await hands.press_on(page.get_by_role("button", name="Edit summary"))
    await page.keyboard.press("Control+A")
    await page.keyboard.type("Printer works")
    async with page.expect_navigation():
        await page.keyboard.press("Enter")
    await hands.press_on(page.get_by_role("button", name="Change reporter"))
    await hands.type_into(page.get_by_label("Find a person"), "cora cust")
    found = page.get_by_role("radio", name="Cora Customer")
    await playwright.async_api.expect(found).to_be_visible()
    await hands.press_on(page.get_by_role("radio", checked=True), key="ArrowUp")  # from the first choice to the last
    await playwright.async_api.expect(found).to_be_checked()
    async with page.expect_navigation():
        await hands.press_on(page.get_by_role("button", name="Save"))
    await playwright.async_api.expect(details(page)).to_contain_text("Cora Customer")
    await page.get_by_label("Status", exact=True).select_option(label="In Progress")
    async with page.expect_navigation():
        await page.get_by_role("button", name="Set status").click()
    now = here.issues.find(shown.key)
    assert now is not None
    assert (now.summary, now.reporter_id, now.status) == ("Printer works", customer.account_id, "indeterminate")
    await page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog", name=f"Delete {shown.key}?")
    await dialog.get_by_role("button", name="Cancel").click()
    await playwright.async_api.expect(dialog).to_be_hidden()
    await page.get_by_role("button", name="Delete").click()
    async with page.expect_navigation(url="**/issues/"):
        await dialog.get_by_role("button", name="Delete").click()
    assert here.issues.find(shown.key) is None


async def test_issue_is_created_and_found_by_the_company_of_its_reporter(
    sandbox_server: stage.SandboxServer,
    stand_in: stage.StandInServer,  # noqa: ARG001 - installed is all that it has to be
    page: playwright.async_api.Page,
) -> None:
    here = sandbox_server.first
    await page.goto(f"{here.base_url}/issues/")
    await page.get_by_role("button", name="Create issue").click()
    dialog = page.get_by_role("dialog", name="Create issue")
    await dialog.get_by_label("Summary").fill("By phone")
    async with page.expect_navigation(url="**/browse/*"):
        await dialog.get_by_role("button", name="Create").click()
    key = page.url.rpartition("/")[2]
    here.tracker.set_property(key, standin.PROPERTY, {"id": "1", "name": "Acme"})
    await page.get_by_role("link", name="Issues").click()
    await page.get_by_label("JQL query").fill("Company = acme")
    await page.keyboard.press("Enter")
    row = page.get_by_role("row").filter(has_text=key)
    await playwright.async_api.expect(row).to_contain_text("Acme")
    await playwright.async_api.expect(row).to_contain_text(here.admin.display_name)
    await page.get_by_label("JQL query").fill("Company ~~ acme")
    await page.get_by_role("button", name="Search").click()
    await playwright.async_api.expect(page.get_by_role("alert")).to_contain_text("JQL")
    await playwright.async_api.expect(page.get_by_label("JQL query")).to_have_value("Company ~~ acme")


async def test_customer_raises_a_request_that_an_agent_sees_with_the_panel(
    sandbox_server: stage.SandboxServer,
    stand_in: stage.StandInServer,
    page: playwright.async_api.Page,
) -> None:
    here = sandbox_server.first
    await page.goto(here.base_url)
    await page.get_by_label("Viewing as").select_option("customer")
    await page.get_by_role("button", name="Switch").click()
    await page.get_by_label("What is it about?").fill("I cannot print")
    async with page.expect_navigation(url="**/portal/requests/*"):
        await page.get_by_role("button", name="Send").click()
    key = page.url.rpartition("/")[2]
    assert await page.locator("iframe").count() == 0
    await page.get_by_role("link", name="Customer portal").click()
    await playwright.async_api.expect(page.get_by_role("row").filter(has_text=key)).to_contain_text("I cannot print")
    assert stand_in.addon.frames == []
    await page.get_by_label("Viewing as").select_option("agent")
    await page.get_by_role("button", name="Switch").click()
    await page.goto(f"{here.base_url}/browse/{key}")
    await stage.established_frame(page, PANEL)
    await playwright.async_api.expect(details(page)).to_contain_text("Portal customer")


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_issue_pages_pass_the_accessibility_checks(
    theme: str,
    sandbox_server: stage.SandboxServer,
    stand_in: stage.StandInServer,  # noqa: ARG001 - installed is all that it has to be
    page: playwright.async_api.Page,
) -> None:
    here = sandbox_server.first
    shown = an_issue(here)
    await page.goto(here.base_url)
    if theme == "dark":
        await page.get_by_role("button", name="Dark theme").click()
    frameless = "axe.run(document, { iframes: false })"
    for path in ("/issues/", "/issues/?jql=oops", "/issues/?jql=Company+%3D+x", f"/browse/{shown.key}", "/portal"):
        await page.goto(f"{here.base_url}{path}")
        for dialog in (None, *await page.locator("button[data-dialog]").all()):
            if dialog is not None:
                await dialog.click()
            await page.evaluate(axe.SCRIPT.read_text(encoding="utf-8"))
            checked = await page.evaluate(frameless)
            assert [(broken["id"], broken["nodes"][0]["html"]) for broken in checked["violations"]] == []
            if dialog is not None:
                await page.keyboard.press("Escape")
