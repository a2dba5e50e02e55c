"""The page of the company rules in Jira's frame: a rule is previewed, applied and undone, in both themes and by keyboard."""

import asyncio
import time

import pytest
from playwright.async_api import Frame, Page, expect

from tests.browser import deployment, stage
from tests.browser.axe import violations
from tests.support.world import ADDON_KEY

pytestmark = pytest.mark.asyncio(loop_scope="session")

MODULE = "crm-company-rules"


async def wear(theme: str, page: Page, here: deployment.JiraSite) -> None:
    port = here.base_url.rpartition(":")[2]
    await page.context.add_cookies([{"name": f"sandbox-theme-{port}", "value": theme, "url": here.base_url}])


async def answer_yes(frame: Frame, what: str) -> None:
    await frame.get_by_role("dialog").get_by_role("button", name=what).click()


async def wait_for_a_question(here: deployment.JiraSite) -> None:
    """The rules decide in a job of their own, some time after the run."""
    deadline = time.monotonic() + deployment.PATIENCE_S
    while True:
        if (await here.api("GET", "/api/attention"))["values"]:
            return
        assert time.monotonic() < deadline, "nothing needs attention"
        await asyncio.sleep(deployment.POLL_S)


async def test_rules_are_previewed_applied_and_undone(
    here: deployment.JiraSite, open_module: stage.OpenModule, page: Page
) -> None:
    await wear("dark", page, here)
    for number in range(3):
        await here.add_person(f"Ada {number} of Acme", f"ada{number}@mail.acme.example")
    await here.sync()
    rules = await open_module(here, ADDON_KEY, MODULE)
    heading = rules.get_by_role("heading", name="What would change")
    begin = rules.get_by_role("button", name="Preview")
    await expect(begin).not_to_have_attribute("aria-disabled", "true")
    await here.api("POST", "/api/companies", {"name": "Acme & Söhne", "domains": ["acme.example"]})

    await begin.focus()
    await page.keyboard.press("Enter")
    await expect(heading).to_be_focused()
    await expect(rules.locator("#work-domain")).to_have_text("3")
    await expect(rules.locator("#rule-changes")).to_contain_text("ada1@mail.acme.example")
    await expect(heading).to_be_focused()
    assert await violations(rules) == []

    await rules.get_by_role("button", name="Apply").click()
    await expect(rules.get_by_role("dialog")).to_contain_text("Change the company of 3 contacts?")
    await answer_yes(rules, "Apply")
    await expect(rules.locator("#work-result")).to_contain_text("3 contacts have another company")
    (company,) = (await here.api("GET", "/api/companies?query=acme"))["values"]
    assert company["contacts"] == 3
    assert await violations(rules) == []

    await rules.get_by_role("button", name="Undo").click()
    await answer_yes(rules, "Undo")
    await expect(rules.locator("#work-result")).to_contain_text("3 contacts have the company")
    (company,) = (await here.api("GET", "/api/companies?query=acme"))["values"]
    assert company["contacts"] == 0
    assert await violations(rules) == []


async def test_rule_is_switched_by_keyboard_and_the_share_is_kept(
    here: deployment.JiraSite, open_module: stage.OpenModule, page: Page
) -> None:
    rules = await open_module(here, ADDON_KEY, MODULE)
    by_domain = rules.get_by_role("switch", name="By email domain")
    await by_domain.focus()
    await page.keyboard.press("Space")
    await expect(by_domain).to_have_attribute("aria-checked", "false")
    await expect(by_domain).to_be_focused()
    await rules.get_by_label("Share for issues that were there already").select_option("50")
    await rules.get_by_role("button", name="Save share").click()
    await expect(rules.locator("#share-saved")).to_be_visible()
    assert await violations(rules) == []
    again = await open_module(here, ADDON_KEY, MODULE)
    await expect(again.get_by_role("switch", name="By email domain")).to_have_attribute("aria-checked", "false")
    await expect(again.get_by_label("Share for issues that were there already")).to_have_value("50")


async def test_company_is_merged_and_a_tie_is_decided(
    here: deployment.JiraSite, open_module: stage.OpenModule, page: Page
) -> None:
    await wear("dark", page, here)
    for name in ("Globex Ltd", "Globex"):
        await here.api("POST", "/api/companies", {"name": name, "domains": ["globex.example"]})
    await here.add_person("Gina of Globex", "gina@globex.example")
    await here.sync()
    await wait_for_a_question(here)
    settings = await open_module(here, ADDON_KEY, "crm-settings")
    tie = settings.locator(".attention", has_text="Gina of Globex")
    assert await violations(settings) == []
    await tie.get_by_role("button", name="Choose this company: Globex Ltd").click()
    await expect(settings.get_by_role("status").filter(has_text="Company chosen")).to_be_visible()

    companies = await open_module(here, ADDON_KEY, "crm-companies")
    await companies.get_by_role("button", name="Globex Ltd").click()
    await companies.get_by_label("Find a company").fill("globex")
    await stage.press(companies, companies.get_by_role("button", name="Merge into Globex"))
    await expect(companies.get_by_role("dialog")).to_contain_text("Its 1 contact and its email domains move there")
    await answer_yes(companies, "Merge")
    await expect(companies.get_by_role("heading", name="Globex", exact=True)).to_be_focused()
    await companies.get_by_role("button", name="Gina of Globex").click()
    await expect(companies.get_by_text("Chosen by a person")).to_be_visible()
    assert await violations(companies) == []
    await stage.press(companies, companies.get_by_role("button", name="Let the rules choose"))
    await expect(companies.get_by_role("button", name="Let the rules choose")).to_have_count(0)
