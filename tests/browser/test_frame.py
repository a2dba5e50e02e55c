"""What does a page do in Jira's frame whatever it shows? Time zones, themes, size, policy, cookies, and a way out of errors."""

import html
import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import BrowserContext, Page, Response, Route, expect
from starlette.responses import HTMLResponse

from sandbox import accounts
from tests.browser import deployment, stage
from tests.support import sockets
from tests.support.world import ADDON_KEY

pytestmark = pytest.mark.asyncio(loop_scope="session")

CONTACTS, COMPANIES, SETTINGS = "crm-contacts", "crm-companies", "crm-settings"
MODULES = (SETTINGS, CONTACTS, COMPANIES)
UNREACHABLE = "The service does not answer"
TOKYO = ZoneInfo("Asia/Tokyo")
# The page waits two seconds for Jira to name the time zone, and then keeps the browser's.
PATIENT = "const s = setTimeout; window.setTimeout = (f, ms, ...given) => s(f, ms === 2000 ? 60000 : ms, ...given);"


def in_words(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{local.day} {local:%B} {local:%Y, %H:%M}"


async def test_times_are_those_of_the_readers_zone_and_profile_wins(
    here: deployment.JiraSite, open_module: stage.OpenModule, page: Page
) -> None:
    await page.add_init_script(PATIENT)
    await here.change_person(accounts.WELL_KNOWN_ADMIN, timeZone="Asia/Tokyo")
    await here.sync()
    settings = await open_module(here, ADDON_KEY, SETTINGS)
    shown = settings.locator("time:not([data-show])").first
    exact = await shown.get_attribute("datetime")
    assert exact is not None
    await expect(shown).to_have_text(in_words(datetime.fromisoformat(exact), TOKYO))
    await expect(shown).to_have_attribute("title", re.compile(r"GMT\+9$"))


async def test_times_that_a_swap_brings_are_relative_and_exact_in_the_title(
    here: deployment.JiraSite, open_module: stage.OpenModule, page: Page
) -> None:
    await page.add_init_script(PATIENT)
    await here.change_person(accounts.WELL_KNOWN_ADMIN, timeZone="America/New_York")
    contacts = await open_module(here, ADDON_KEY, CONTACTS)
    await contacts.locator("main").evaluate(
        """(main, at) => {
          const time = Object.assign(document.createElement('time'), { dateTime: at, id: 'probe', textContent: 'UTC' });
          time.dataset.show = 'ago';
          main.append(time);
        }""",
        datetime.now(UTC).isoformat(),
    )
    await expect(contacts.locator("#probe")).to_have_text("just now")
    await expect(contacts.locator("#probe")).to_have_attribute("title", re.compile(r", \d\d:\d\d GMT-[45]$"))


async def test_time_is_shown_in_the_browsers_zone_where_jira_names_none_that_it_knows(
    here: deployment.JiraSite, open_module: stage.OpenModule
) -> None:
    await here.change_person(accounts.WELL_KNOWN_ADMIN, timeZone="Mars/Olympus")
    await here.sync()
    settings = await open_module(here, ADDON_KEY, SETTINGS)
    shown = settings.locator("time:not([data-show])").first
    exact = await shown.get_attribute("datetime")
    zone = await settings.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")
    assert exact is not None
    await expect(shown).to_have_text(in_words(datetime.fromisoformat(exact), ZoneInfo(zone)))


async def test_fragment_that_failed_is_asked_for_again(
    here: deployment.JiraSite, open_module: stage.OpenModule, page: Page
) -> None:
    contacts = await open_module(here, ADDON_KEY, CONTACTS)

    async def fail(route: Route) -> None:
        await route.abort()

    await page.route("**/api/fragments/contacts/new", fail)
    await contacts.get_by_role("button", name="New contact").click()
    await expect(contacts.get_by_role("alert")).to_contain_text(UNREACHABLE)
    await page.unroute("**/api/fragments/contacts/new")
    await contacts.get_by_role("button", name="Try again").click()
    await expect(contacts.get_by_role("heading", name="New contact")).to_be_focused()
    await expect(contacts.get_by_role("alert")).to_be_hidden()


async def test_search_that_failed_is_repeated_with_its_words(
    here: deployment.JiraSite, open_module: stage.OpenModule, page: Page
) -> None:
    await here.api("POST", "/api/contacts", {"name": "Zoë"})
    await here.api("POST", "/api/contacts", {"name": "Adam"})
    contacts = await open_module(here, ADDON_KEY, CONTACTS)

    async def fail(route: Route) -> None:
        await route.fulfill(status=503, body='{"title": "The service is busy", "detail": "Later."}')

    await page.route("**/api/fragments/contacts/rows*", fail)
    await contacts.get_by_label("Search").fill("zoë")
    await expect(contacts.get_by_role("alert")).to_have_text("The service is busy: Later.")
    await page.unroute("**/api/fragments/contacts/rows*")
    await contacts.get_by_role("button", name="Try again").click()
    await expect(contacts.get_by_role("button", name="Adam")).to_have_count(0)
    await expect(contacts.get_by_role("button", name="Zoë")).to_be_visible()


async def test_page_that_failed_offers_to_load_it_again(
    here: deployment.JiraSite, open_module: stage.OpenModule, page: Page
) -> None:
    # Jira does not say who is an administrator: nobody is let in on a guess.
    await here.break_with(interruptions=[{"pathPrefix": "/rest/api/3/permissions", "times": None}])
    contacts = await open_module(here, ADDON_KEY, CONTACTS)
    await expect(contacts.get_by_role("heading", name="The service is busy")).to_be_visible()
    await here.break_with(healthy=True)
    await contacts.get_by_role("button", name="Try again").click()
    again = await stage.established_frame(page, "#module")
    await expect(again.get_by_role("heading", name="Contacts", exact=True)).to_be_visible()


async def test_waiting_shows_after_a_moment(
    here: deployment.JiraSite, open_module: stage.OpenModule, page: Page
) -> None:
    contacts = await open_module(here, ADDON_KEY, CONTACTS)
    held: list[Route] = []

    async def hold(route: Route) -> None:
        held.append(route)

    await page.route("**/api/fragments/contacts/new", hold)
    bar = contacts.locator(".loading")
    assert await bar.evaluate("bar => getComputedStyle(bar).animationName") == "none"
    await contacts.get_by_role("button", name="New contact").click()
    await expect(contacts.get_by_role("main")).to_have_attribute("aria-busy", "true")
    assert await bar.evaluate("bar => getComputedStyle(bar).animationName") == "loading"
    await held[0].continue_()
    await expect(contacts.get_by_role("heading", name="New contact")).to_be_visible()
    await expect(contacts.get_by_role("main")).not_to_have_attribute("aria-busy", "true")


async def test_pages_have_a_strict_policy_and_need_no_cookie(
    here: deployment.JiraSite, open_module: stage.OpenModule, page: Page, browser_context: BrowserContext
) -> None:
    ours: list[Response] = []
    page.on("response", lambda response: ours.append(response) if response.url.startswith(here.addon_url) else None)
    for module in MODULES:
        frame = await open_module(here, ADDON_KEY, module)
        await expect(frame.get_by_role("heading").first).to_be_visible()
        # What a frame of another site wants to keep is refused, as people set their browsers to; the pages want nothing.
        assert await frame.evaluate("document.cookie = 'kept=1; SameSite=None; Secure'; document.cookie") == ""
    pages = [response for response in ours if "/pages/" in response.url]
    assert len(pages) == len(MODULES)
    for response in pages:
        policy = dict(part.strip().split(" ", 1) for part in response.headers["content-security-policy"].split(";"))
        assert "unsafe" not in response.headers["content-security-policy"]
        assert policy["default-src"] == "'none'"
        assert policy["frame-ancestors"] == here.base_url
    for response in ours:
        assert "set-cookie" not in await response.all_headers()
        assert "cookie" not in await response.request.all_headers()
    assert {cookie["name"].split("-")[0] for cookie in await browser_context.cookies()} <= {"sandbox"}


async def test_page_is_not_shown_in_a_frame_of_anybody_else(
    here: deployment.JiraSite,
    open_module: stage.OpenModule,
    serve: stage.Serve,
    browser_context: BrowserContext,
) -> None:
    contacts = await open_module(here, ADDON_KEY, CONTACTS)
    listening, port = sockets.listen("localhost")
    await serve(HTMLResponse(f'<iframe src="{html.escape(contacts.url)}"></iframe>'), [listening])
    stranger = await browser_context.new_page()
    async with stranger.expect_event("requestfailed") as failed:
        await stranger.goto(f"http://localhost:{port}/")
    refused = await failed.value
    assert (refused.url, refused.failure) == (contacts.url, "net::ERR_BLOCKED_BY_RESPONSE")


async def test_frame_is_as_tall_as_its_content(
    here: deployment.JiraSite, open_module: stage.OpenModule, page: Page
) -> None:
    contacts = await open_module(here, ADDON_KEY, CONTACTS)
    await contacts.get_by_role("button", name="New contact").click()
    for _ in range(12):
        await stage.press(contacts, contacts.get_by_role("button", name="Add attribute"))
    height = await contacts.locator(".ac-content").evaluate("content => content.scrollHeight")
    assert height > (page.viewport_size or {"height": 0})["height"]
    await page.wait_for_function(
        "height => document.querySelector('#module iframe').getBoundingClientRect().height >= height", arg=height
    )


async def test_what_the_page_asks_by_itself_ends_its_own_problems_alone(
    here: deployment.JiraSite, open_module: stage.OpenModule, page: Page
) -> None:
    await here.sync()
    await here.break_with(delaySeconds=2)  # so that the run goes on, and the page asks each second how
    settings = await open_module(here, ADDON_KEY, SETTINGS)
    await settings.get_by_role("button", name="Run now").click()
    await expect(settings.locator("#sync-state")).to_contain_text("Running")

    async def fail(route: Route) -> None:
        await route.abort()

    await page.route("**/api/fragments/sync/status*", fail)
    await expect(settings.get_by_role("alert")).to_contain_text(UNREACHABLE)
    await page.unroute("**/api/fragments/sync/status*")
    await expect(settings.get_by_role("alert")).to_be_hidden()

    await page.route("**/api/fragments/sync/access", fail)
    await settings.get_by_role("button", name="Save groups").click()
    await expect(settings.get_by_role("alert")).to_contain_text(UNREACHABLE)
    async with page.expect_response("**/api/fragments/sync/status*"):
        pass
    await expect(settings.get_by_role("alert")).to_contain_text(UNREACHABLE)
    await here.break_with(healthy=True)


async def test_theme_follows_jira_while_the_page_is_open(
    here: deployment.JiraSite, open_module: stage.OpenModule, page: Page
) -> None:
    contacts = await open_module(here, ADDON_KEY, CONTACTS)
    await contacts.get_by_label("Search").fill("typed")
    for theme, surface in (("dark", "rgb(29, 33, 37)"), ("light", "rgb(255, 255, 255)")):
        await page.get_by_role("button", name="Dark theme").click()
        await expect(contacts.locator("html")).to_have_attribute("data-color-mode", theme)
        await expect(contacts.locator("body")).to_have_css("background-color", surface)
    await expect(contacts.get_by_label("Search")).to_have_value("typed")


async def test_what_a_search_found_is_read_out(here: deployment.JiraSite, open_module: stage.OpenModule) -> None:
    await here.api("POST", "/api/contacts", {"name": "Ada"})
    contacts = await open_module(here, ADDON_KEY, CONTACTS)
    await contacts.evaluate(
        """
        window.heard = [];
        const box = document.getElementById('announcement');
        new MutationObserver(() => { if (box.textContent) heard.push(box.textContent); }).observe(box, { childList: true });
        """
    )
    await contacts.get_by_label("Search").fill("nobody")
    await expect(contacts.get_by_role("heading", name="No contact fits")).to_be_visible()
    await contacts.get_by_label("Search").fill("ada")
    await expect(contacts.get_by_role("button", name="Ada")).to_be_visible()
    await contacts.wait_for_function("() => heard.length >= 2")
    nobody, one = await contacts.evaluate("heard")
    assert nobody.startswith("No contact fits")
    assert one == "One contact"
