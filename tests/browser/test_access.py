"""Who may see what in Jira's frame, and what becomes of somebody whose session ran out while they typed."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Page, expect

from sandbox import accounts
from tests.browser import deployment, stage
from tests.browser.axe import violations
from tests.support.world import ADDON_KEY

pytestmark = pytest.mark.asyncio(loop_scope="session")

REFUSED = "You are not allowed to do this"
NO_PERMISSION = "You don't have permission to view this page"


async def status_of(page: Page, here: deployment.JiraSite, method: str, path: str) -> int:
    """What the server says to the person who looks, with the token that Jira gives them."""
    given = await page.request.get(f"{here.base_url}/bridge/token?addon={ADDON_KEY}")
    headers = {"Authorization": f"JWT {(await given.json())['token']}"}
    body = {"enabled": True} if method == "PUT" else None
    return (await here.http.request(method, here.addon_url + path, json=body, headers=headers)).status_code


async def look_as(page: Page, here: deployment.JiraSite, role: str) -> None:
    await page.goto(f"{here.base_url}/viewer?as={role}")


async def test_non_administrator_is_refused_by_the_server(
    here: deployment.JiraSite, open_module: stage.OpenModule, page: Page
) -> None:
    await look_as(page, here, "member")
    for module in ("crm-contacts", "crm-companies"):
        refusal = await open_module(here, ADDON_KEY, module)
        await expect(refusal.get_by_role("heading", name=REFUSED)).to_be_visible()
        await expect(refusal.get_by_role("button")).to_have_count(0)
        assert await violations(refusal) == []
        for method, path in (("GET", "/api/contacts"), ("GET", "/api/sync"), ("PUT", "/api/sync")):
            assert await status_of(page, here, method, path) == 403
    await page.goto(f"{here.base_url}/plugins/servlet/ac/{ADDON_KEY}/crm-settings")
    await expect(page.get_by_role("heading", name=NO_PERMISSION)).to_be_visible()


async def test_member_of_a_named_group_sees_contacts_and_no_settings(
    here: deployment.JiraSite, open_module: stage.OpenModule, page: Page
) -> None:
    member = await here.call("GET", f"people/{accounts.WELL_KNOWN_MEMBER}")
    await here.api("PUT", "/api/sync", {"crmGroups": member["groups"][:1]})
    await look_as(page, here, "member")
    contacts = await open_module(here, ADDON_KEY, "crm-contacts")
    await contacts.get_by_role("button", name="New contact").click()
    await contacts.get_by_label("Name").fill("Ada")
    await stage.press(contacts, contacts.get_by_role("button", name="Create"))
    await expect(contacts.get_by_role("heading", name="Ada")).to_be_focused()
    for method in ("GET", "PUT"):
        assert await status_of(page, here, method, "/api/sync") == 403


async def test_other_site_sees_nothing_of_it(
    here: deployment.JiraSite, deployed: deployment.Deployment, open_module: stage.OpenModule
) -> None:
    other = deployed.next_site()
    await other.install()
    await here.api("POST", "/api/companies", {"name": "Größe & Söhne <GmbH>"})
    companies = await open_module(here, ADDON_KEY, "crm-companies")
    await expect(companies.get_by_text("Größe & Söhne <GmbH>").first).to_be_visible()
    companies = await open_module(other, ADDON_KEY, "crm-companies")
    await expect(companies.get_by_role("heading", name="Companies", exact=True)).to_be_visible()
    await expect(companies.get_by_text("Größe & Söhne <GmbH>")).to_have_count(0)


async def test_what_was_typed_outlives_the_session(
    here: deployment.JiraSite, open_module: stage.OpenModule, page: Page
) -> None:
    # By a clock that is an hour late every token seems to be good, so that the server alone says that it is not.
    await page.clock.install(time=datetime.now(UTC) - timedelta(hours=1))
    contacts = await open_module(here, ADDON_KEY, "crm-contacts")
    await contacts.get_by_role("button", name="New contact").click()
    await contacts.get_by_label("Name").fill("Grace Hopper")
    await contacts.get_by_label("Phone").fill("+1 555 0100")
    answers: list[int] = []
    page.on("response", lambda answer: answers.append(answer.status) if "/api/fragments" in answer.url else None)

    # The page's token is of a secret that the site has given up, twice; and the tokens that Jira gives have run out.
    for _ in range(2):
        await here.call("POST", "reinstall", {})
    await here.break_with(sessionSeconds=-120)
    await stage.press(contacts, contacts.get_by_role("button", name="Create"))
    await expect(contacts.get_by_role("alert")).to_contain_text("Not authenticated")
    assert answers == [401, 401]
    await expect(contacts.get_by_label("Name")).to_have_value("Grace Hopper")
    await expect(contacts.get_by_label("Phone")).to_have_value("+1 555 0100")

    await here.break_with(healthy=True)
    await stage.press(contacts, contacts.get_by_role("button", name="Create"))
    await expect(contacts.get_by_role("heading", name="Grace Hopper")).to_be_focused()
    assert answers == [401, 401, 401, 200]
    await expect(contacts.get_by_label("Phone")).to_have_value("+1 555 0100")
