"""A contact's page under other people's hands: a form that was overtaken, a merge, and a file that is too large to be sent."""

import pytest
from playwright.async_api import expect

from tests.browser import deployment, stage
from tests.browser.axe import violations
from tests.support.world import ADDON_KEY

pytestmark = pytest.mark.asyncio(loop_scope="session")

SMALL_LIMIT = "document.getElementById('field-file').dataset.maxBytes = '3'"


async def test_overtaken_form_keeps_what_was_typed(here: deployment.JiraSite, open_module: stage.OpenModule) -> None:
    made = await here.api("POST", "/api/contacts", {"name": "Ada", "phone": "1", "jobTitle": "Analyst"})
    contacts = await open_module(here, ADDON_KEY, "crm-contacts")
    await contacts.get_by_role("button", name="Ada").click()
    await contacts.get_by_label("Phone").fill("mine")
    theirs = {"version": made["version"], "phone": "theirs", "jobTitle": "Countess"}
    await here.api("PATCH", f"/api/contacts/{made['id']}", theirs)
    await stage.press(contacts, contacts.get_by_role("button", name="Save"))
    await expect(contacts.get_by_role("alert").filter(has_text="Somebody else saved a change")).to_be_focused()
    await expect(contacts.get_by_label("Phone")).to_have_value("mine")
    await expect(contacts.get_by_text("Meanwhile changed to: theirs")).to_be_visible()
    await expect(contacts.get_by_label("Job title")).to_have_value("Countess")
    assert await violations(contacts) == []
    await stage.press(contacts, contacts.get_by_role("button", name="Save"))
    await expect(contacts.get_by_role("status").first).to_have_text("Contact saved")
    saved = await here.api("GET", f"/api/contacts/{made['id']}")
    assert (saved["phone"], saved["jobTitle"]) == ("mine", "Countess")


async def test_contact_with_a_hidden_email_is_merged(here: deployment.JiraSite, open_module: stage.OpenModule) -> None:
    """D5."""
    await here.api("POST", "/api/contacts", {"name": "Ada Typed", "email": "typed@example.com", "phone": "1"})
    await here.add_person("Hidden Ada", None)
    await here.sync()
    contacts = await open_module(here, ADDON_KEY, "crm-contacts")
    await contacts.get_by_role("button", name="Hidden Ada").click()
    await contacts.get_by_label("Find a contact").fill("typed@")
    await stage.press(contacts, contacts.get_by_role("button", name="Merge into Ada Typed"))
    dialog = contacts.locator("#confirm")
    await expect(dialog).to_contain_text("Merge Hidden Ada into Ada Typed?")
    await dialog.get_by_role("button", name="Merge").click()
    await expect(contacts.get_by_role("heading", name="Hidden Ada")).to_be_focused()
    await expect(contacts.get_by_label("Email", exact=True)).to_have_value("typed@example.com")
    await expect(contacts.get_by_label("Phone")).to_have_value("1")
    await expect(contacts.locator("#linked-accounts")).to_contain_text("Linked by a person")
    assert await violations(contacts) == []


async def test_file_that_is_too_large_is_told_before_it_is_sent(
    here: deployment.JiraSite, open_module: stage.OpenModule
) -> None:
    contacts = await open_module(here, ADDON_KEY, "crm-contacts")
    await contacts.get_by_role("button", name="Import").click()
    file = contacts.get_by_label("File")
    await file.wait_for()
    await contacts.evaluate(SMALL_LIMIT)
    await file.set_input_files({"name": "a.csv", "mimeType": "text/csv", "buffer": b"name\nAda\n"})
    await expect(contacts.get_by_text("is larger than 50 MB; import it in parts")).to_be_visible()
    await expect(file).to_have_value("")
