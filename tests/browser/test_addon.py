"""The add-on's own pages inside the site's, through the real bridge: what an administrator does on the first day."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Frame, Page, expect

from addon import app
from addon.settings import Settings
from addon.storage.database import Database
from lifecycle.vault import Vault
from sandbox.site import Site
from tests.browser import stage
from tests.support import sockets
from tests.support.world import ADDON_KEY, VAULT_KEY

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
RUN_MS = 30_000
REFUSED = "Only Jira administrators can open this"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """The add-on with a worker, installed on two sites."""

    first: Site
    second: Site
    base_url: str


@pytest.fixture
async def installed(
    sandbox_server: stage.SandboxServer, serve: stage.Serve, database: Database
) -> AsyncIterator[Installed]:
    first, second = sandbox_server.first, sandbox_server.second
    listening, port = sockets.listen("127.0.0.1")
    base_url = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient() as http:
        config = Settings(
            base_url=base_url,
            addon_key=ADDON_KEY,
            tenant_hosts=("localhost",),
            install_keys_url=f"{first.base_url}/install-keys",
            host_script_url=f"{first.base_url}/atlassian-connect/all.js",
        )
        parts = app.wire(config, database=database, vault=Vault([VAULT_KEY]), http=http)
        await serve(parts.web_app(), [listening])
        for site in (first, second):
            await sandbox_server.cloud.install(site, f"{base_url}/atlassian-connect.json")
        worker = parts.worker()
        working = asyncio.create_task(worker.run())
        yield Installed(first=first, second=second, base_url=base_url)
        worker.stop()
        await working


async def violations(frame: Frame) -> list[str]:
    """What axe has against the page."""
    await frame.evaluate(AXE.read_text(encoding="utf-8"))
    # Without preloading, for which axe would fetch Jira's style sheets and offend against the page's own policy.
    found = await frame.evaluate("axe.run(document, { preload: false })")
    return [
        f"{violation['id']}: {violation['help']}: {node['html']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


async def turn_on(open_module: stage.OpenModule, site: Site) -> Frame:
    settings = await open_module(site, ADDON_KEY, "crm-settings")
    await settings.get_by_role("switch").click()
    await expect(settings.get_by_text("Idle", exact=True)).to_be_visible(timeout=RUN_MS)
    return settings


async def test_first_day_of_an_administrator(installed: Installed, open_module: stage.OpenModule) -> None:
    site = installed.first
    site.change_person(site.member_id, display_name="Mia Member", email="mia@example.com")

    settings = await turn_on(open_module, site)
    await expect(settings.get_by_role("switch")).to_have_attribute("aria-checked", "true")
    assert await violations(settings) == []

    contacts = await open_module(site, ADDON_KEY, "crm-contacts")
    assert await violations(contacts) == []
    await contacts.get_by_label("Search").fill("mia@")
    await expect(contacts.get_by_role("row")).to_have_count(2)
    await contacts.get_by_role("button", name="Mia Member").click()
    await expect(contacts.get_by_role("heading", name="Mia Member")).to_be_focused()
    assert await violations(contacts) == []
    await expect(contacts.get_by_role("button", name="Delete")).to_be_disabled()
    await contacts.get_by_label("Phone").fill("+49 30 123")
    await contacts.get_by_role("button", name="Save").click()
    await expect(contacts.get_by_label("Phone")).to_have_value("+49 30 123")

    settings = await open_module(site, ADDON_KEY, "crm-settings")
    await settings.get_by_role("switch").click()
    await settings.get_by_role("button", name="Turn off").click()
    await expect(settings.get_by_role("switch")).to_have_attribute("aria-checked", "false")

    contacts = await open_module(site, ADDON_KEY, "crm-contacts")
    await contacts.get_by_role("button", name="Mia Member").click()
    await expect(contacts.get_by_label("Phone")).to_have_value("+49 30 123")
    await contacts.get_by_role("button", name="Delete").click()
    await contacts.locator("#confirm").get_by_role("button", name="Delete").click()
    await expect(contacts.get_by_role("heading", name="Contacts")).to_be_visible()
    await expect(contacts.get_by_role("button", name="Mia Member")).to_have_count(0)

    other = await open_module(installed.second, ADDON_KEY, "crm-contacts")
    await expect(other.get_by_role("row")).to_have_count(0)


async def test_non_administrator_is_refused_by_the_server(
    installed: Installed, open_module: stage.OpenModule, page: Page
) -> None:
    for site in (installed.first, installed.second):
        await page.goto(f"{site.base_url}/viewer?as=member")
        contacts = await open_module(site, ADDON_KEY, "crm-contacts")
        await expect(contacts.get_by_text(REFUSED)).to_be_visible()


async def test_company_is_made_and_stays_in_its_tenant(installed: Installed, open_module: stage.OpenModule) -> None:
    site = installed.first
    companies = await open_module(site, ADDON_KEY, "crm-companies")
    assert await violations(companies) == []
    await companies.get_by_role("button", name="New company").first.click()
    await companies.get_by_label("Name").fill("Größe & Söhne <GmbH>")
    await companies.get_by_role("button", name="Create").click()
    await expect(companies.get_by_text("Größe & Söhne <GmbH>").first).to_be_visible()
    other = await open_module(installed.second, ADDON_KEY, "crm-companies")
    await expect(other.get_by_text("Größe & Söhne <GmbH>")).to_have_count(0)
