"""The panel beside an issue, in Jira's narrow column: what it tells, how a company is chosen, and where its links lead."""

import asyncio
import re
import time
from typing import Any

import pytest
from playwright.async_api import Frame, Page, Route, expect

from tests.browser import deployment, keyboard, stage
from tests.browser.axe import violations
from tests.support.world import ADDON_KEY

pytestmark = pytest.mark.asyncio(loop_scope="session")

PANEL = f"[data-module={ADDON_KEY}__crm-reporter]"
MARKUP = '"Dent" <b>& Sons</b> \\'
SEARCH = "**/rest/api/3/search/jql*"


async def report(here: deployment.JiraSite, reporter_id: str | None, summary: str = "Help") -> str:
    """The issue's key."""
    made = await here.call("POST", "issues", {"reporterId": reporter_id, "summary": summary})
    return str(made["key"])


async def written(here: deployment.JiraSite, key: str) -> dict[str, Any]:
    """The issue's properties, once it has any."""
    deadline = time.monotonic() + deployment.PATIENCE_S
    while True:
        properties: dict[str, Any] = (await here.call("GET", f"issues/{key}"))["properties"]
        if properties:
            return properties
        assert time.monotonic() < deadline
        await asyncio.sleep(deployment.POLL_S)


async def open_panel(page: Page, here: deployment.JiraSite, key: str) -> Frame:
    await page.goto(f"{here.base_url}/browse/{key}")
    return await stage.established_frame(page, PANEL)


async def wear(theme: str, page: Page, here: deployment.JiraSite) -> None:
    port = here.base_url.rpartition(":")[2]
    await page.context.add_cookies([{"name": f"sandbox-theme-{port}", "value": theme, "url": here.base_url}])


async def offends_nobody(panel: Frame) -> None:
    assert await violations(panel) == []
    assert await panel.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


async def test_company_is_chosen_in_the_panel_and_seen_on_every_issue_of_the_reporter(
    here: deployment.JiraSite, page: Page
) -> None:
    """C2, C4. By keyboard; the company's name is text wherever it stands: in the panel, the field and the query."""
    arthur = await here.add_person("Arthur Dent", "arthur@example.com", kind="customer")
    await here.sync()
    first, second = [await report(here, arthur, summary) for summary in ("No tea", "<i>No towel</i>")]
    panel, hands = await open_panel(page, here, first), keyboard.Hands(page=page)
    await expect(panel.get_by_text("arthur@example.com")).to_be_visible()
    new_name = panel.get_by_label("Name of the new company")
    await expect(new_name).to_be_hidden()
    company = panel.get_by_role("combobox", name="Company")
    await hands.reach(company)
    await company.select_option(label="New company …")
    await hands.press_on(panel.get_by_role("button", name="Save"))
    await expect(panel.get_by_role("alert")).to_contain_text("Some fields are invalid")
    await expect(new_name).to_be_focused()
    await offends_nobody(panel)
    await new_name.fill(MARKUP)
    await hands.press_on(panel.get_by_role("button", name="Save"))
    await expect(panel.get_by_role("status").first).to_have_text(
        re.compile("Jira shows it on the issue within a minute")
    )
    await expect(panel.get_by_role("heading", name="Arthur Dent")).to_be_focused()
    await expect(panel.get_by_text("Chosen by a person")).to_be_visible()
    await expect(panel.get_by_text("Asking Jira")).to_be_hidden()
    await expect(panel.get_by_role("strong")).to_have_text(MARKUP)
    for key in (first, second):
        (value,) = (await written(here, key)).values()
        assert value["name"] == MARKUP
        assert set(value) == {"id", "name"}
    panel = await open_panel(page, here, first)
    await expect(page.get_by_role("region", name="Details").get_by_text(MARKUP)).to_be_visible()
    others = panel.get_by_role("region", name="Other open issues of the company")
    await expect(others.get_by_role("listitem")).to_have_text([f"{second} <i>No towel</i>"])
    await offends_nobody(panel)
    await hands.press_on(others.get_by_role("link", name=second))
    await expect(page.get_by_role("heading", name="<i>No towel</i>")).to_be_visible()
    panel = await stage.established_frame(page, PANEL)
    await panel.get_by_role("link", name="Show all in the issue search").click()
    await expect(page.get_by_role("link", name=first, exact=True)).to_be_visible()
    await expect(page.get_by_role("link", name=second, exact=True)).to_be_visible()


async def test_contact_is_opened_from_the_panel(here: deployment.JiraSite, page: Page) -> None:
    arthur = await here.add_person("Arthur Dent", "arthur@example.com")
    await here.sync()
    panel = await open_panel(page, here, await report(here, arthur))
    await panel.get_by_role("link", name="Open contact").click()
    contact = await stage.established_frame(page, "#module")
    await expect(contact.get_by_role("heading", name="Arthur Dent")).to_be_visible()
    await contact.get_by_role("button", name="Back to contacts").click()
    await expect(contact.get_by_role("heading", name="Contacts", exact=True)).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_panel_tells_an_agent_the_company_and_why_there_is_none(
    theme: str, here: deployment.JiraSite, page: Page
) -> None:
    """In 300 pixels, in both themes. Email, form and way to the contact are for who may see contacts (D13)."""
    long_name = "Zaphod" * 20
    known = await here.add_person(long_name, "zaphod@example.com", kind="customer")
    await here.sync()
    issue, orphan = await report(here, known), await report(here, None)
    company = await here.api("POST", "/api/companies", {"name": "Heart of Gold" * 10})
    found = await here.api("GET", "/api/contacts?query=zaphod@example.com")
    edit = {"version": found["values"][0]["version"], "company": {"id": company["id"]}}
    await here.api("PATCH", f"/api/contacts/{found['values'][0]['id']}", edit)
    await page.set_viewport_size({"width": 300, "height": 900})
    await page.goto(f"{here.base_url}/viewer?as=agent")
    await wear(theme, page, here)
    panel = await open_panel(page, here, issue)
    await expect(panel.locator("html")).to_have_attribute("data-color-mode", theme)
    await expect(panel.get_by_role("heading", name=long_name)).to_be_visible()
    await expect(panel.get_by_text(company["name"])).to_be_visible()
    await expect(panel.get_by_text("zaphod@example.com")).to_have_count(0)
    await expect(panel.get_by_role("button", name="Save")).to_have_count(0)
    await expect(panel.get_by_role("link", name="Open contact")).to_have_count(0)
    await expect(panel.get_by_text("Asking Jira")).to_be_hidden()
    await offends_nobody(panel)
    panel = await open_panel(page, here, orphan)
    await expect(panel.get_by_text("No person reported this issue")).to_be_visible()
    await offends_nobody(panel)
    await written(here, issue)
    await here.api("PUT", "/api/sync", {"enabled": False})
    panel = await open_panel(page, here, issue)
    await expect(panel.get_by_text("as it was when syncing was turned off")).to_be_visible()
    await expect(panel.get_by_text(company["name"])).to_be_visible()
    await offends_nobody(panel)


async def test_panel_says_when_jira_does_not_answer_and_asks_again(here: deployment.JiraSite, page: Page) -> None:
    arthur = await here.add_person("Arthur Dent", "arthur@example.com")
    await here.sync()
    company = await here.api("POST", "/api/companies", {"name": "Acme"})
    found = await here.api("GET", "/api/contacts?query=arthur@example.com")
    edit = {"version": found["values"][0]["version"], "company": {"id": company["id"]}}
    await here.api("PATCH", f"/api/contacts/{found['values'][0]['id']}", edit)

    async def fail(route: Route) -> None:
        await route.fulfill(status=503, body="{}")

    await page.route(SEARCH, fail)
    key = await report(here, arthur)
    panel = await open_panel(page, here, key)
    await expect(panel.get_by_text("Jira did not list them.")).to_be_visible()
    await offends_nobody(panel)
    await page.unroute(SEARCH)
    await panel.get_by_role("button", name="Try again").click()
    await expect(panel.get_by_text("None that you can see.")).to_be_visible()
    await expect(panel.get_by_role("heading", name="Other open issues of the company")).to_be_focused()
    await here.break_with(interruptions=[{"pathPrefix": "/rest/api/3", "times": None}])
    await page.goto(f"{here.base_url}/viewer?as=member")
    panel = await open_panel(page, here, key)
    await expect(panel.get_by_role("heading", name="The service is busy")).to_be_visible()
    await offends_nobody(panel)
    await here.break_with(healthy=True)
