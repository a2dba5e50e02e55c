"""An administrator's first days with the add-on, from install to off again, inside Jira's page: in both themes, and by keyboard."""

import re

import pytest
import pytest_asyncio
from playwright.async_api import Frame, Page, expect

from sandbox import accounts
from tests.browser import deployment, keyboard, stage
from tests.browser.axe import violations
from tests.support.world import ADDON_KEY

pytestmark = pytest.mark.asyncio(loop_scope="session")

CANNOT_DELETE = "The contact cannot be deleted while it is synced with Jira."
SURFACES = {"light": "rgb(255, 255, 255)", "dark": "rgb(29, 33, 37)"}


@pytest_asyncio.fixture(loop_scope="session")
async def site(deployed: deployment.Deployment) -> deployment.JiraSite:
    """Nothing is installed yet."""
    found = deployed.next_site()
    await found.change_person(accounts.WELL_KNOWN_MEMBER, displayName="Mia Member", email="mia@example.com")
    return found


async def wears(theme: str, frame: Frame) -> None:
    """The page has the theme of Jira."""
    await expect(frame.locator("html")).to_have_attribute("data-color-mode", theme)
    await expect(frame.locator("body")).to_have_css("background-color", SURFACES[theme])


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_from_install_to_off_again(
    theme: str,
    site: deployment.JiraSite,
    deployed: deployment.Deployment,
    open_module: stage.OpenModule,
    page: Page,
) -> None:
    await page.goto(site.base_url)
    if theme == "dark":
        await page.get_by_role("button", name="Dark theme").click()
    await site.install()

    settings = await open_module(site, ADDON_KEY, "crm-settings")
    await wears(theme, settings)
    await settings.get_by_role("button", name="Preview", exact=True).click()
    await expect(settings.locator("#preview-create")).to_have_text(re.compile(r"[1-9]"))
    await settings.locator("#list-create").click()
    await expect(settings.get_by_role("cell", name="Mia Member")).to_be_visible()
    assert await violations(settings) == []
    wanted = await settings.locator("#preview-create").inner_text()
    await settings.get_by_role("button", name="Turn on and apply").click()
    await expect(settings.get_by_role("switch")).to_have_attribute("aria-checked", "true")
    await expect(settings.locator("#sync-state")).to_contain_text("Idle")
    await expect(settings.get_by_role("row", name=re.compile("Turned on"))).to_contain_text(wanted)

    contacts = await open_module(site, ADDON_KEY, "crm-contacts")
    await wears(theme, contacts)
    await contacts.get_by_label("Search").fill("mia@")
    await expect(contacts.get_by_role("row")).to_have_count(2)
    await contacts.get_by_role("button", name="Mia Member").click()
    await expect(contacts.get_by_role("heading", name="Mia Member")).to_be_focused()
    await contacts.get_by_label("Phone").fill("+49 30 123")
    await stage.press(contacts, contacts.get_by_role("button", name="Save"))
    await expect(contacts.get_by_role("status").first).to_have_text("Contact saved")
    await expect(contacts.get_by_label("Phone")).to_have_value("+49 30 123")
    await expect(contacts.get_by_text(CANNOT_DELETE)).to_be_visible()
    await expect(contacts.get_by_role("button", name="Delete")).to_have_count(0)
    await expect(contacts.get_by_label("Name", exact=True)).not_to_be_editable()

    # No webhook tells of the change: opening the list is what brings it.
    await site.break_with(webhooks={"lost": 1})
    await site.change_person(accounts.WELL_KNOWN_MEMBER, displayName="Mia Marple")
    await deployed.let_minutes_pass()
    contacts = await open_module(site, ADDON_KEY, "crm-contacts")
    await expect(contacts.get_by_role("button", name="Mia Marple")).to_be_visible()

    settings = await open_module(site, ADDON_KEY, "crm-settings")
    await settings.get_by_role("switch").click()
    await expect(settings.get_by_role("dialog")).to_contain_text("No contact is deleted.")
    assert await violations(settings) == []
    await settings.get_by_role("button", name="Turn off").click()
    await expect(settings.get_by_role("switch")).to_have_attribute("aria-checked", "false")

    contacts = await open_module(site, ADDON_KEY, "crm-contacts")
    await contacts.get_by_role("button", name="Mia Marple").click()
    await expect(contacts.get_by_label("Phone")).to_have_value("+49 30 123")
    await stage.press(contacts, contacts.get_by_role("button", name="Delete"))
    await contacts.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(contacts.get_by_role("heading", name="Contacts", exact=True)).to_be_visible()
    await expect(contacts.get_by_role("status").first).to_have_text("Contact deleted")
    await expect(contacts.get_by_role("button", name="Mia Marple")).to_have_count(0)


async def test_by_keyboard_alone(site: deployment.JiraSite, page: Page) -> None:
    await site.install()
    await page.goto(site.base_url)
    hands = keyboard.Hands(page=page)

    await hands.press_on(page.get_by_role("link", name="CRM Settings").last)
    settings = await stage.established_frame(page, "#module")
    await hands.press_on(settings.get_by_role("button", name="Preview", exact=True))
    await hands.press_on(settings.get_by_role("button", name="Turn on and apply"))
    await expect(settings.locator("#sync-state")).to_contain_text("Idle")

    await hands.go_back_to_the_top()
    await hands.press_on(page.get_by_role("link", name="Contacts").last)
    contacts = await stage.established_frame(page, "#module")
    await hands.type_into(contacts.get_by_label("Search"), "mia@")
    await expect(contacts.get_by_role("row")).to_have_count(2)
    await hands.press_on(contacts.get_by_role("button", name="Mia Member"))
    await expect(contacts.get_by_role("heading", name="Mia Member")).to_be_focused()
    await hands.type_into(contacts.get_by_label("Phone"), "+49 30 123")
    await page.keyboard.press("Enter")
    await expect(contacts.get_by_role("status").first).to_have_text("Contact saved")

    await hands.go_back_to_the_top()
    await hands.press_on(page.get_by_role("link", name="CRM Settings").last)
    settings = await stage.established_frame(page, "#module")
    await hands.press_on(settings.get_by_role("switch"), "Space")
    dialog = settings.get_by_role("dialog")
    await expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(settings.get_by_role("switch")).to_be_focused()
    await page.keyboard.press("Space")
    await hands.press_on(dialog.get_by_role("button", name="Turn off"), backwards=True)
    await expect(settings.get_by_role("switch")).to_have_attribute("aria-checked", "false")
    await expect(settings.get_by_role("switch")).to_be_focused()

    await hands.go_back_to_the_top()
    await hands.press_on(page.get_by_role("link", name="Contacts").last)
    contacts = await stage.established_frame(page, "#module")
    await hands.press_on(contacts.get_by_role("button", name="Mia Member"))
    await expect(contacts.get_by_role("heading", name="Mia Member")).to_be_focused()
    await hands.press_on(contacts.get_by_role("button", name="Delete"))
    await hands.press_on(contacts.get_by_role("dialog").get_by_role("button", name="Delete"), backwards=True)
    await expect(contacts.get_by_role("heading", name="Contacts", exact=True)).to_be_focused()
    await expect(contacts.get_by_role("button", name="Mia Member")).to_have_count(0)
