"""Does every page suit everybody, in both themes, empty and full? What axe finds, and what long and foreign names do."""

import re

import pytest
import pytest_asyncio
from playwright.async_api import Frame, Page, ViewportSize, expect

from tests.browser import deployment, stage
from tests.browser.axe import violations
from tests.support.world import ADDON_KEY

pytestmark = pytest.mark.asyncio(loop_scope="session")

LONG = "Maximiliane-Friederike " * 9 + "von und zu Hohenzollern-Sigmaringen"
UNBROKEN = "x" * 200
FEW = re.compile(
    r"^\s*(One contact|2 contacts)\s*$"
)  # what a search finds: a row of the whole list goes when its answer comes
NARROW = ViewportSize(width=700, height=800)
PAGES = ("crm-settings", "crm-company-rules", "crm-contacts", "crm-companies")


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def full(deployed: deployment.Deployment) -> deployment.JiraSite:
    """A site with people whose names are hard to show, all of them synced."""
    site = deployed.next_site()
    await site.install()
    await site.add_person(LONG, f"{UNBROKEN[:60]}@long.example.com")
    await site.add_person("מתי כהן", "mati@example.co.il")
    await site.add_person("Hidden <b>Person</b>", "hidden@example.com", emailVisible=False)
    await site.add_person("Cora Customer", "cora@example.com", accountType="customer")
    await site.sync()
    await site.api("POST", "/api/companies", {"name": UNBROKEN, "domains": ["example.com", f"{UNBROKEN[:60]}.example"]})
    await site.api("POST", "/api/contacts", {"name": UNBROKEN, "phone": UNBROKEN})
    return site


async def wear(theme: str, page: Page, site: deployment.JiraSite) -> None:
    port = site.base_url.rpartition(":")[2]
    await page.context.add_cookies([{"name": f"sandbox-theme-{port}", "value": theme, "url": site.base_url}])


async def fits(frame: Frame) -> bool:
    """Nothing stands out of the page at its side."""
    return bool(await frame.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


async def test_empty_pages_offend_nobody(here: deployment.JiraSite, open_module: stage.OpenModule, page: Page) -> None:
    for theme in ("light", "dark"):
        await wear(theme, page, here)
        for module in PAGES:
            frame = await open_module(here, ADDON_KEY, module)
            await expect(frame.locator("html")).to_have_attribute("data-color-mode", theme)
            assert await violations(frame) == [], (theme, module)


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_full_pages_offend_nobody(
    theme: str, full: deployment.JiraSite, open_module: stage.OpenModule, page: Page
) -> None:
    await wear(theme, page, full)
    for module in PAGES:
        frame = await open_module(full, ADDON_KEY, module)
        await expect(frame.locator("html")).to_have_attribute("data-color-mode", theme)
        assert await violations(frame) == [], module
    contacts = await open_module(full, ADDON_KEY, "crm-contacts")
    for name in ("מתי כהן", "Hidden <b>Person</b>", "Cora Customer"):
        await contacts.get_by_label("Search").fill(name[:12])
        await expect(contacts.locator("#contact-count")).to_have_text(FEW)
        await contacts.get_by_role("button", name=name).click()
        await expect(contacts.get_by_role("heading", name=name)).to_be_focused()
        assert await violations(contacts) == [], name
        await contacts.get_by_role("button", name="Back to contacts").click()
    await contacts.get_by_role("button", name="New contact").click()
    await stage.press(contacts, contacts.get_by_role("button", name="Add attribute"))
    await stage.press(contacts, contacts.get_by_role("button", name="Create"))
    await expect(contacts.get_by_label("Name", exact=False).first).to_be_focused()
    await expect(contacts.get_by_text("Name is required", exact=True)).to_be_visible()
    assert await violations(contacts) == []


async def test_nothing_stands_out_of_a_narrow_frame(
    full: deployment.JiraSite, open_module: stage.OpenModule, page: Page
) -> None:
    await page.set_viewport_size(NARROW)
    for module in PAGES:
        frame = await open_module(full, ADDON_KEY, module)
        assert await fits(frame), module
        assert await violations(frame) == [], module
    contacts = await open_module(full, ADDON_KEY, "crm-contacts")
    for name in (LONG, UNBROKEN):
        await contacts.get_by_label("Search").fill(name[:40])
        await expect(contacts.locator("#contact-count")).to_have_text(FEW)
        await contacts.get_by_role("button", name=name).click()
        await expect(contacts.get_by_role("heading", name=name)).to_be_focused()
        assert await fits(contacts), name
        await contacts.get_by_role("button", name="Back to contacts").click()
