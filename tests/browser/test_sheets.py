"""Sheets in a frame without cookies: a file goes up and its rows become contacts, and what is filtered comes down."""

import pathlib

import pytest
from playwright.async_api import FilePayload, Page, expect

from tests.browser import deployment, stage
from tests.browser.axe import violations
from tests.support.world import ADDON_KEY

pytestmark = pytest.mark.asyncio(loop_scope="session")


def sheet(text: str) -> FilePayload:
    return FilePayload(name="people.csv", mimeType="text/csv", buffer=text.encode())


def read(path: pathlib.Path) -> str:
    return path.read_text("utf-8-sig")


async def test_sheet_is_checked_imported_and_exported(
    here: deployment.JiraSite, open_module: stage.OpenModule, page: Page
) -> None:
    contacts = await open_module(here, ADDON_KEY, "crm-contacts")
    await contacts.get_by_role("button", name="Import").click()
    await expect(contacts.get_by_role("heading", name="Import contacts")).to_be_focused()
    assert await violations(contacts) == []

    await contacts.get_by_label("File").set_input_files(sheet("Name,Email\nAda,ada@example.com\nBob,not-an-address\n"))
    await contacts.get_by_role("button", name="Continue").click()
    await expect(contacts.get_by_role("heading", name="What do the columns mean?")).to_be_focused()
    assert await violations(contacts) == []
    await stage.press(contacts, contacts.get_by_role("button", name="Check the file"))
    await expect(contacts.get_by_role("heading", name="The file cannot be imported")).to_be_visible()
    await expect(contacts.locator("#import-problems").get_by_role("row")).to_have_count(2)
    assert (await here.api("GET", "/api/contacts"))["values"] == []
    assert await violations(contacts) == []
    await contacts.get_by_role("button", name="Cancel").click()

    await contacts.get_by_role("button", name="Import").click()
    await contacts.get_by_label("File").set_input_files(
        sheet("Name;E-mail\nZoë;zoe@example.com\nÅsa;asa@example.com\n")
    )
    await contacts.get_by_role("button", name="Continue").click()
    await stage.press(contacts, contacts.get_by_role("button", name="Check the file"))
    await stage.press(contacts, contacts.get_by_role("button", name="Import 2 contacts"))
    await expect(contacts.get_by_role("heading", name="The contacts are imported")).to_be_visible()
    await stage.press(contacts, contacts.get_by_role("button", name="Show the contacts"))

    await contacts.get_by_label("Search").fill("zoe@")
    await expect(contacts.get_by_role("button", name="Åsa")).to_have_count(0)
    async with page.expect_download() as coming:
        await contacts.get_by_role("button", name="Export CSV").click()
    saved = read(await (await coming.value).path())
    assert "zoe@example.com" in saved
    assert "asa@example.com" not in saved
