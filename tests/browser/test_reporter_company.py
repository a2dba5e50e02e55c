"""What the whole sync is for: a customer's request shows its reporter's company, in the app's panel and in Jira's own field, and
goes on to show it whatever changes. Inside Jira's page, with the add-on and its worker as processes of their own.
"""

import dataclasses
import re

import pytest
import pytest_asyncio
from playwright.async_api import Frame, Locator, Page, expect

from tests.browser import deployment, stage
from tests.browser.axe import violations
from tests.support.world import ADDON_KEY

# Issues that were there already begin at the worker's next minute, before the test.
pytestmark = pytest.mark.asyncio(loop_scope="session")

PATIENCE_S = 30
PANEL = f"[data-module={ADDON_KEY}__crm-reporter]"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Firm:
    """Acme, an organization of the site, and Cora, its customer, who has an older request: resolved, and `old`."""

    site: deployment.JiraSite
    cora_id: str
    acme_id: str
    old: str

    async def request(self, summary: str) -> str:
        made = await self.site.call("POST", "issues", {"reporterId": self.cora_id, "summary": summary})
        return str(made["key"])


@pytest_asyncio.fixture(loop_scope="session")
async def firm(here: deployment.JiraSite) -> Firm:
    """The sync is on, and everything that was there before is read."""
    cora_id = await here.add_person("Cora Customer", "cora@acme.example", accountType="customer", desks=["1"])
    acme = await here.call("POST", "organizations", {"name": "Acme", "desks": ["1"], "members": [cora_id]})
    made = await here.call("POST", "issues", {"reporterId": cora_id, "summary": "Last year's", "status": "done"})
    await here.sync()
    await here.written(made["key"])
    return Firm(site=here, cora_id=cora_id, acme_id=acme["id"], old=made["key"])


def field(page: Page) -> Locator:
    """Jira's own field among the issue's details."""
    return page.get_by_role("region", name="Details").locator("div", has=page.get_by_text("Company", exact=True))


async def shows(page: Page, firm: Firm, key: str, company: str) -> Frame:
    """Reload the issue, as its reader would, until Jira's field and the panel say the company."""

    async def look() -> Frame:
        await page.goto(f"{firm.site.base_url}/browse/{key}")
        return await stage.established_frame(page, PANEL)

    panel = await look()
    for _ in range(PATIENCE_S):
        if company in await field(page).inner_text() and company in await panel.locator("dl").inner_text():
            return panel
        await page.wait_for_timeout(1000)  # the worker's job, which no page tells of
        panel = await look()
    await expect(field(page)).to_contain_text(company)
    await expect(panel.locator("dl")).to_contain_text(company)
    return panel


async def choose(panel: Frame, company: str) -> None:
    await panel.get_by_text("Change company").click()
    await panel.get_by_label("Company", exact=True).select_option(label="New company …")
    await panel.get_by_label("Name of the new company").fill(company)
    await stage.press(panel, panel.get_by_role("button", name="Save"))


async def test_request_shows_the_company_of_its_reporter_whatever_changes(
    firm: Firm, page: Page, open_module: stage.OpenModule
) -> None:
    new = await firm.request("It does not print")
    panel = await shows(page, firm, new, "Acme")
    await expect(panel.get_by_role("heading", name="Cora Customer")).to_be_visible()
    await expect(panel.locator("dl")).to_contain_text("cora@acme.example")
    await expect(panel.get_by_text("organization")).to_be_visible()
    assert await violations(panel) == []
    await shows(page, firm, firm.old, "Acme")

    # The organization of the contact changes in Jira: its issues follow, the old one as well.
    initech = await firm.site.call("POST", "organizations", {"name": "Initech", "desks": ["1"], "members": []})
    await firm.site.call("DELETE", f"organizations/{firm.acme_id}/members/{firm.cora_id}")
    await firm.site.call("PUT", f"organizations/{initech['id']}/members/{firm.cora_id}")
    await firm.site.api("POST", "/api/sync/runs")
    await shows(page, firm, firm.old, "Initech")
    panel = await shows(page, firm, new, "Initech")

    # A person corrects the company in the panel.
    await choose(panel, "Globex <b>& Co</b>")
    await expect(panel.locator("dl")).to_contain_text("Globex <b>& Co</b>")
    await shows(page, firm, new, "Globex <b>& Co</b>")
    await shows(page, firm, firm.old, "Globex <b>& Co</b>")

    # The company is renamed.
    companies = await open_module(firm.site, ADDON_KEY, "crm-companies")
    await companies.get_by_role("button", name="Globex <b>& Co</b>").click()
    await companies.get_by_label("Name (required)").fill('Globex "Europe"')
    await stage.press(companies, companies.get_by_role("button", name="Save"))
    # The request begins a moment after the click, and leaving the page would end it.
    await expect(companies.get_by_role("heading", name='Globex "Europe"')).to_be_visible()
    await shows(page, firm, firm.old, 'Globex "Europe"')
    panel = await shows(page, firm, new, 'Globex "Europe"')

    # Jira finds the issues by it, and so does the panel.
    await panel.get_by_role("link", name="Show all in the issue search").click()
    await expect(page.get_by_role("link", name=new)).to_be_visible()
    await page.get_by_label("JQL query").fill('Company = "Globex \\"Europe\\""')
    await page.keyboard.press("Enter")
    for key in (new, firm.old):
        await expect(page.get_by_role("row").filter(has_text=key)).to_contain_text('Globex "Europe"')
    another = await firm.request("Nor does it scan")
    await shows(page, firm, another, 'Globex "Europe"')
    panel = await shows(page, firm, new, 'Globex "Europe"')
    await expect(panel.get_by_role("link", name=re.compile(another))).to_be_visible()

    # Off: what is there stays, and says so.
    await firm.site.api("PUT", "/api/sync", {"enabled": False})
    await page.goto(f"{firm.site.base_url}/browse/{new}")
    panel = await stage.established_frame(page, PANEL)
    await expect(field(page)).to_contain_text('Globex "Europe"')
    await expect(panel.get_by_text("Syncing with Jira is off. The company stays on the issue")).to_be_visible()
    assert await violations(panel) == []


async def test_reader_who_may_not_see_contacts_sees_the_company_alone(firm: Firm, page: Page) -> None:
    key = await firm.request("It does not print")
    await shows(page, firm, key, "Acme")
    await page.goto(f"{firm.site.base_url}/viewer?as=member")
    panel = await shows(page, firm, key, "Acme")
    await expect(panel.get_by_role("heading", name="Cora Customer")).to_be_visible()
    await expect(panel.get_by_text("cora@acme.example")).to_have_count(0)
    await expect(panel.get_by_text("Change company")).to_have_count(0)
    await expect(panel.get_by_role("link", name="Open contact")).to_have_count(0)
