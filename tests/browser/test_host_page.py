"""The site's page alone, with a stand-in for the add-on: does Atlassian's bridge work through it, as it does in Jira?"""

import json
import pathlib
import re
import urllib.parse

import httpx
import jwt
import playwright.async_api
import pytest

from sandbox import qsh, site
from tests.browser import stage, standin
from tests.support.patience import PATIENCE_S

pytestmark = pytest.mark.asyncio(loop_scope="session")

AXE = pathlib.Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
# The frames are not the site's, and in Jira too the heading of an app's page is the app's.
AXE_RUN = "axe.run(document, { iframes: false, rules: { 'page-has-heading-one': { enabled: false } } })"
NO_PERMISSION = "You don't have permission to view this page"


async def look_as(page: playwright.async_api.Page, here: site.Site, role: str) -> None:
    await page.goto(f"{here.base_url}/viewer?as={role}")


def claims_of(token: str, here: site.Site) -> dict[str, object]:
    decoded: dict[str, object] = jwt.decode(
        token, here.installations[standin.KEY].shared_secret, algorithms=["HS256"], options={"verify_iat": False}
    )
    return decoded


async def test_page_frame_is_addressed_with_a_token_for_exactly_that_address(
    sandbox_server: stage.SandboxServer, stand_in: stage.StandInServer, open_module: stage.OpenModule
) -> None:
    here = sandbox_server.first
    await open_module(here, standin.KEY, "contacts", "?ac.contact=a%2Fb%20c&other=1")
    [query] = stand_in.addon.frames
    parameters = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
    claims = claims_of(parameters["jwt"], here)
    assert parameters["contact"] == "a/b c"
    assert "other" not in parameters
    assert parameters["xdm_e"] == here.base_url
    assert claims["sub"] == here.admin.account_id
    assert claims["iss"] == here.installations[standin.KEY].client_key
    assert claims["qsh"] == qsh.compute("GET", "/page", query)


@pytest.mark.parametrize("role", ["admin", "member"])
async def test_get_token_gives_a_session_token_of_the_viewer_on_each_site(
    role: str,
    sandbox_server: stage.SandboxServer,
    stand_in: stage.StandInServer,  # noqa: ARG001 - installed is all that it has to be
    page: playwright.async_api.Page,
    open_module: stage.OpenModule,
) -> None:
    for here in (sandbox_server.first, sandbox_server.second):
        await look_as(page, here, role)
        frame = await open_module(here, standin.KEY, "contacts")
        claims = claims_of(await frame.evaluate("AP.context.getToken()"), here)
        viewer = here.admin if role == "admin" else here.member
        assert (claims["sub"], claims["qsh"]) == (viewer.account_id, "context-qsh")
        by_callback = await frame.evaluate("new Promise((resolve) => AP.context.getToken(resolve))")
        assert claims_of(by_callback, here)["sub"] == viewer.account_id


async def test_viewer_of_one_site_is_nobody_on_the_other(
    sandbox_server: stage.SandboxServer,
    stand_in: stage.StandInServer,  # noqa: ARG001 - installed is all that it has to be
    page: playwright.async_api.Page,
    open_module: stage.OpenModule,
) -> None:
    await look_as(page, sandbox_server.first, "member")
    frame = await open_module(sandbox_server.second, standin.KEY, "contacts")
    claims = claims_of(await frame.evaluate("AP.context.getToken()"), sandbox_server.second)
    assert claims["sub"] == sandbox_server.second.admin.account_id


@pytest.mark.parametrize("role", ["admin", "agent"])
async def test_request_reaches_the_rest_api_as_the_viewer(
    role: str,
    sandbox_server: stage.SandboxServer,
    stand_in: stage.StandInServer,  # noqa: ARG001 - installed is all that it has to be
    page: playwright.async_api.Page,
    open_module: stage.OpenModule,
) -> None:
    here = sandbox_server.first
    await look_as(page, here, role)
    frame = await open_module(here, standin.KEY, "contacts")
    answer = await frame.evaluate("AP.request('/rest/api/3/myself')")
    viewer = here.admin if role == "admin" else here.agent
    assert json.loads(answer["body"])["accountId"] == viewer.account_id
    assert answer["xhr"]["status"] == 200


async def test_request_beyond_the_scopes_of_the_app_is_refused(
    sandbox_server: stage.SandboxServer,
    stand_in: stage.StandInServer,  # noqa: ARG001 - installed is all that it has to be
    open_module: stage.OpenModule,
) -> None:
    frame = await open_module(sandbox_server.first, standin.KEY, "contacts")
    refused = await frame.evaluate(
        "AP.request('/rest/api/3/group/bulk').then(() => null, (error) => ({ status: error.xhr.status, text: error.err }))"
    )
    assert refused["status"] == 403
    assert "ADMIN" in refused["text"]


async def test_current_user_is_the_viewer(
    sandbox_server: stage.SandboxServer,
    stand_in: stage.StandInServer,  # noqa: ARG001 - installed is all that it has to be
    page: playwright.async_api.Page,
    open_module: stage.OpenModule,
) -> None:
    here = sandbox_server.second
    await look_as(page, here, "member")
    frame = await open_module(here, standin.KEY, "contacts")
    user = await frame.evaluate("new Promise((resolve) => AP.user.getCurrentUser(resolve))")
    assert user == {"atlassianAccountId": here.member.account_id}


async def test_frame_grows_with_its_content_and_on_demand(
    sandbox_server: stage.SandboxServer,
    stand_in: stage.StandInServer,  # noqa: ARG001 - installed is all that it has to be
    page: playwright.async_api.Page,
    open_module: stage.OpenModule,
) -> None:
    frame = await open_module(sandbox_server.first, standin.KEY, "contacts")
    await frame.evaluate("document.querySelector('.ac-content').style.height = '1500px'")
    element = page.locator("#module iframe")
    await playwright.async_api.expect(element).to_have_css("height", re.compile(r"^15\d\d"))
    frame = await open_module(sandbox_server.first, standin.KEY, "companies")
    await frame.evaluate("AP.resize('100%', '444px')")
    await playwright.async_api.expect(element).to_have_css("height", "444px")


async def test_flag_is_shown_as_text_and_its_action_comes_back(
    sandbox_server: stage.SandboxServer,
    stand_in: stage.StandInServer,  # noqa: ARG001 - installed is all that it has to be
    page: playwright.async_api.Page,
    open_module: stage.OpenModule,
) -> None:
    frame = await open_module(sandbox_server.first, standin.KEY, "contacts")
    await frame.evaluate(
        """() => {
          window.chosen = new Promise((resolve) => AP.events.on('flag.action', (event) => resolve(event.actionIdentifier)));
          window.dismissed = new Promise((resolve) => AP.events.on('flag.close', () => resolve('closed')));
          AP.flag.create({ title: 'Saved', body: '<b>bold</b>', type: 'success', actions: { undo: 'Undo' } });
        }"""
    )
    flag = page.locator("#flags .notice")
    assert await flag.locator(".notice-body").text_content() == "<b>bold</b>"
    await flag.get_by_role("button", name="Undo").click()
    assert await frame.evaluate("window.chosen") == "undo"
    await flag.get_by_role("button", name="Dismiss").click()
    assert await frame.evaluate("window.dismissed") == "closed"
    assert await flag.count() == 0


async def test_message_is_shown_and_can_be_cleared(
    sandbox_server: stage.SandboxServer,
    stand_in: stage.StandInServer,  # noqa: ARG001 - installed is all that it has to be
    page: playwright.async_api.Page,
    open_module: stage.OpenModule,
) -> None:
    frame = await open_module(sandbox_server.first, standin.KEY, "contacts")
    await frame.evaluate("() => { window.message = AP.messages.warning('Careful', 'Two contacts share an email'); }")
    shown = page.locator("#messages .notice-warning")
    await playwright.async_api.expect(shown).to_contain_text("Two contacts share an email")
    await frame.evaluate("() => AP.messages.clear(window.message)")
    await playwright.async_api.expect(shown).to_have_count(0)


async def test_dialog_opens_a_module_and_hands_its_answer_back(
    sandbox_server: stage.SandboxServer,
    stand_in: stage.StandInServer,
    page: playwright.async_api.Page,
    open_module: stage.OpenModule,
) -> None:
    frame = await open_module(sandbox_server.first, standin.KEY, "companies")
    await frame.evaluate(
        """() => {
          window.answer = new Promise((resolve) => AP.events.on('dialog.close', resolve));
          AP.dialog.create({ key: 'contacts', header: 'Pick a contact', chrome: true, customData: { contact: '7' } });
        }"""
    )
    dialog = await stage.established_frame(page, "dialog")
    assert dict(urllib.parse.parse_qsl(stand_in.addon.frames[-1]))["contact"] == "7"
    custom_data = await dialog.evaluate("new Promise((resolve) => AP.dialog.getCustomData(resolve))")
    assert custom_data == {"contact": "7"}
    await dialog.evaluate("() => AP.dialog.close({ picked: 7 })")
    assert await frame.evaluate("window.answer") == {"picked": 7}
    await playwright.async_api.expect(page.locator("dialog")).to_have_count(0)


@pytest.mark.parametrize("way", ["cancel", "escape", "escape in the frame"])
async def test_dialog_is_closed_by_cancel_and_by_escape(
    way: str,
    sandbox_server: stage.SandboxServer,
    stand_in: stage.StandInServer,  # noqa: ARG001 - installed is all that it has to be
    page: playwright.async_api.Page,
    open_module: stage.OpenModule,
) -> None:
    frame = await open_module(sandbox_server.first, standin.KEY, "companies")
    await frame.evaluate("() => { AP.dialog.create({ key: 'contacts', header: 'Pick', chrome: true }); }")
    inside = await stage.established_frame(page, "dialog")
    dialog = page.get_by_role("dialog", name="Pick")
    if way == "cancel":
        await dialog.get_by_role("button", name="Cancel").click()
    elif way == "escape":
        await page.keyboard.press("Escape")
    else:
        await inside.locator("h1").click()
        await page.keyboard.press("Escape")
    await playwright.async_api.expect(dialog).to_have_count(0)


async def test_theme_of_the_page_reaches_the_frame_and_stays(
    sandbox_server: stage.SandboxServer,
    stand_in: stage.StandInServer,  # noqa: ARG001 - installed is all that it has to be
    page: playwright.async_api.Page,
    open_module: stage.OpenModule,
) -> None:
    here = sandbox_server.first
    frame = await open_module(here, standin.KEY, "contacts")
    await frame.evaluate("() => AP.theming.initializeTheming()")
    surface = "getComputedStyle(document.body).backgroundColor"
    await frame.wait_for_function("document.documentElement.dataset.colorMode === 'light'")
    await page.get_by_role("button", name="Dark theme").click()
    await frame.wait_for_function(f"{surface} === 'rgb(29, 33, 37)'")
    assert await page.evaluate(surface) == "rgb(29, 33, 37)"
    await page.reload()
    assert await page.evaluate("document.documentElement.dataset.colorMode") == "dark"


@pytest.mark.parametrize("role", ["agent", "member"])
async def test_admin_page_is_refused_to_those_who_are_not_administrators(
    role: str,
    sandbox_server: stage.SandboxServer,
    stand_in: stage.StandInServer,
    page: playwright.async_api.Page,
) -> None:
    for here in (sandbox_server.first, sandbox_server.second):
        await look_as(page, here, role)
        answer = await page.goto(f"{here.base_url}/plugins/servlet/ac/{standin.KEY}/settings")
        assert answer is not None
        assert answer.status == 403
        assert await page.get_by_role("heading", level=1).text_content() == NO_PERMISSION
        assert await page.get_by_role("link", name="CRM Settings").count() == 0
        assert await page.get_by_role("link", name="Contacts").count() == 1
    assert stand_in.addon.frames == []


async def test_switcher_changes_the_viewer_and_stays_on_the_page(
    sandbox_server: stage.SandboxServer,
    stand_in: stage.StandInServer,  # noqa: ARG001 - installed is all that it has to be
    page: playwright.async_api.Page,
    open_module: stage.OpenModule,
) -> None:
    here = sandbox_server.first
    await open_module(here, standin.KEY, "contacts", "?ac.contact=3")
    before = page.url
    await page.get_by_label("Viewing as").select_option("member")
    await page.get_by_role("button", name="Switch").click()
    frame = await stage.established_frame(page, "#module")
    assert page.url == before
    claims = claims_of(await frame.evaluate("AP.context.getToken()"), here)
    assert claims["sub"] == here.member.account_id


async def test_people_are_added_edited_deactivated_closed_by_hand(
    sandbox_server: stage.SandboxServer, page: playwright.async_api.Page
) -> None:
    here, other = sandbox_server.first, sandbox_server.second
    untouched = dict(other.people)
    await page.goto(f"{here.base_url}/people")
    await page.get_by_role("button", name="Add person").click()
    dialog = page.get_by_role("dialog", name="Add person")
    await dialog.get_by_label("Name").fill("Zoë Quartz")
    await dialog.get_by_label("Email", exact=True).fill("zoe@quartz.example")
    async with page.expect_navigation():
        await dialog.get_by_role("button", name="Add").click()

    await page.goto(f"{here.base_url}/people?text=zoe@quartz")
    row = page.get_by_role("row", name="Zoë Quartz")
    await row.get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog", name="Edit person")
    await dialog.get_by_label("Name").fill("Zoë Quarz")
    await dialog.get_by_label("Apps may see the email").uncheck()
    async with page.expect_navigation():
        await dialog.get_by_role("button", name="Save").click()
    row = page.get_by_role("row", name="Zoë Quarz")
    await playwright.async_api.expect(row).to_contain_text("hidden from apps")
    async with page.expect_navigation():
        await row.get_by_role("button", name="Deactivate").click()
    await playwright.async_api.expect(row).to_contain_text("Inactive")
    [zoe] = [one for one in here.people.values() if one.email == "zoe@quartz.example"]
    assert (zoe.display_name, zoe.active, zoe.email_visible) == ("Zoë Quarz", False, False)
    async with page.expect_navigation():
        await row.get_by_role("button", name="Close account").click()
    assert here.people[zoe.account_id].closed
    assert other.people == untouched


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_pages_of_the_site_pass_the_accessibility_checks(
    theme: str,
    sandbox_server: stage.SandboxServer,
    stand_in: stage.StandInServer,  # noqa: ARG001 - installed is all that it has to be
    page: playwright.async_api.Page,
) -> None:
    here = sandbox_server.first
    await page.goto(here.base_url)
    if theme == "dark":
        await page.get_by_role("button", name="Dark theme").click()
    for path in ("/", "/people", "/people?text=nobody-at-all", "/plugins/servlet/ac/stand-in/contacts"):
        await page.goto(f"{here.base_url}{path}")
        await page.evaluate(AXE.read_text(encoding="utf-8"))
        checked = await page.evaluate(AXE_RUN)
        assert [(broken["id"], broken["nodes"][0]["html"]) for broken in checked["violations"]] == []


async def test_uninstalled_app_leaves_the_page(
    sandbox_server: stage.SandboxServer,
    stand_in: stage.StandInServer,  # noqa: ARG001 - installed is all that it has to be
    page: playwright.async_api.Page,
    open_module: stage.OpenModule,
) -> None:
    here, other = sandbox_server.first, sandbox_server.second
    await sandbox_server.cloud.uninstall(here, standin.KEY)
    answer = await page.goto(f"{here.base_url}/plugins/servlet/ac/{standin.KEY}/contacts")
    assert answer is not None
    assert answer.status == 404
    await open_module(other, standin.KEY, "contacts")


async def test_page_admits_frames_of_installed_apps_only(
    sandbox_server: stage.SandboxServer, stand_in: stage.StandInServer
) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE_S) as client:
        answer = await client.get(sandbox_server.first.base_url)
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["frame-src"] == stand_in.addon.base_url
    assert policy["script-src"] == "'self'"
    assert policy["default-src"] == "'none'"
