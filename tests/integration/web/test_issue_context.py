"""The panel of an issue: whose it is, and what each person sees of them."""

import html
import re

import httpx
import pytest

from addon.jira.accounts import Described
from addon.jira.errors import Unreachable
from lifecycle.tenant import AccountId
from tests.integration.web import reported
from tests.integration.web.desk import ADMIN, MEMBER, Desk, People, Tracker
from tests.integration.web.html import read
from tests.integration.web.reported import ADA, AGENT, CUSTOMER, ISSUE, ada, panel, report, said, set_company


@pytest.fixture(autouse=True)
def everybody(people: People, acme: Desk, globex: Desk) -> None:
    reported.show_issue(people, [acme, globex])


async def test_who_may_see_contacts_sees_the_card_and_the_form(acme: Desk) -> None:
    company = await acme.make_company()
    made = await ada(acme, company={"id": company["id"]})
    for person in (ADMIN, MEMBER):
        text = await panel(acme.as_person(person))
        for part in ("Ada Lovelace", "Acme", "Chosen by a person", "ada@example.com", "+44 1", "Analyst"):
            assert part in said(text)
        link = f"https://acme.atlassian.net/plugins/servlet/ac/crm-contact-sync/crm-contacts?ac.contact={made['id']}"
        assert f'href="{link}" target="_top"' in text
        assert f'<option value="{company["id"]}" selected>Acme</option>' in text
        assert "static/issue.js" in text


async def test_anybody_else_who_sees_the_issue_sees_name_and_company_alone(acme: Desk) -> None:
    company = await acme.make_company()
    made = await ada(acme, company={"id": company["id"]})
    text = await panel(acme.as_person(AGENT))
    assert "Ada in Jira" in said(text)
    assert "Acme" in said(text)
    for part in ("ada@example.com", "+44 1", "Analyst", "Ada Lovelace", "<form", "Open contact", "Chosen by"):
        assert part not in text
    assert (await set_company(acme.as_person(AGENT), made, company="")).status_code == 403


async def test_portal_customer_and_nobody_see_nothing(acme: Desk) -> None:
    await ada(acme)
    for person in (CUSTOMER, ADA, None):
        visitor = acme.as_person(person)
        assert (await visitor.page("/pages/issue-context", f"issue={ISSUE}")).status_code == 403
        assert (await visitor.call("GET", f"/api/issues/{ISSUE}")).status_code == 403


async def test_user_whom_the_sync_knows_is_let_in_without_asking_jira(acme: Desk, people: People) -> None:
    made = await ada(acme)
    await acme.link(made["id"], AGENT, kind="user")
    people.groups.clear()
    assert "Ada in Jira" in said(await panel(acme.as_person(AGENT)))


async def test_issue_that_jira_does_not_show_is_none(acme: Desk, people: People) -> None:
    """A token of the API names no issue, so Jira is asked; the panel's address is signed by Jira."""
    made = await ada(acme)
    people.shown.discard((acme.tenant.tenant_id, MEMBER, ISSUE))
    member = acme.as_person(MEMBER)
    word = {"contactId": made["id"], "companyId": None, "version": 1}
    assert (await member.call("GET", f"/api/issues/{ISSUE}")).json()["code"] == "not-found"
    assert (await member.call("PUT", f"/api/issues/{ISSUE}/company", json=word)).status_code == 404
    assert (await set_company(member, made, company="")).status_code == 404
    assert (await acme.page("/pages/issue-context", "issue=")).status_code == 404
    assert (await acme.page("/pages/issue-context", "issue=ABC-1")).status_code == 422


async def test_query_for_other_issues_holds_the_name_as_one_literal(acme: Desk) -> None:
    company = await acme.make_company(name='A "B" \\ <i>')
    await ada(acme, company={"id": company["id"]})
    text = await panel(acme.as_person(AGENT))
    query = html.unescape(re.search(r'data-jql="([^"]*)"', text)[1])  # type: ignore[index]  # it is there, or this fails
    name = r'"A \"B\" \\ <i>"'
    assert query == f'"Company" = {name} AND statusCategory != Done AND id != {ISSUE} ORDER BY updated DESC'
    link = httpx.URL(html.unescape(re.search(r'href="([^"]*/issues/[^"]*)"', text)[1]))  # type: ignore[index]  # as above
    assert link.params["jql"] == f'"Company" = {name} AND statusCategory != Done ORDER BY updated DESC'
    assert 'data-site="https://acme.atlassian.net"' in text


async def test_issue_that_is_unknown_is_asked_about_once_and_remembered(acme: Desk, tracker: Tracker) -> None:
    await ada(acme)
    tracker.reporters[acme.tenant.tenant_id, 10002] = ADA
    for _ in range(2):
        assert "Ada Lovelace" in said(await panel(acme, 10002))
    assert tracker.asked == 1
    assert "Jira does not show this issue to CRM Contact Sync" in said(await panel(acme, 10003))


@pytest.mark.parametrize(
    ("described", "words"),
    [
        (None, "Jira does not know the reporter any more"),
        (Described(display_name="Bot", kind="app", active=True), "an app is the reporter"),
        (Described(display_name="Eve", kind="user", active=False), "the reporter's account is inactive"),
        (Described(display_name="Eve", kind="customer", active=True), "about to be read from Jira"),
    ],
)
async def test_reporter_without_contact_is_told_why(
    acme: Desk, tracker: Tracker, described: Described | None, words: str
) -> None:
    await acme.turn(on=True)
    await report(acme, AccountId("x"))
    if described is not None:
        tracker.accounts[acme.tenant.tenant_id, AccountId("x")] = described
    text = said(await panel(acme))
    assert words in text
    assert ("Eve" in text) == (described is not None and described.display_name == "Eve")


async def test_stranger_is_read_once_an_hour(acme: Desk, tracker: Tracker) -> None:
    await acme.turn(on=True)
    await report(acme, AccountId("x"))
    tracker.accounts[acme.tenant.tenant_id, AccountId("x")] = Described(display_name="Eve", kind="user", active=True)
    for _ in range(3):
        await panel(acme)
    async with acme.database.tenant(acme.tenant.tenant_id) as scope:
        hinted = await scope.fetch_all("SELECT account_id FROM webhook_delivery WHERE tenant_id = :tenant_id")
    assert [row["account_id"] for row in hinted] == ["x"]


async def test_filters_and_open_questions_are_named(acme: Desk) -> None:
    made = await ada(acme)
    change = "UPDATE account SET contact_id = NULL, linked_by = NULL, linked_at = NULL, held = :held WHERE tenant_id = :tenant_id"
    for held, words in ((True, "several contacts have the reporter's email"), (False, "about to be read")):
        async with acme.database.tenant(acme.tenant.tenant_id) as scope:
            await scope.execute(change, held=held)
        assert words in said(await panel(acme))
    await acme.call("PUT", "/api/sync", json={"filters": {"kinds": ["user"]}})
    text = await panel(acme)
    assert "the filters in CRM Settings leave the reporter out" in said(text)
    assert "https://acme.atlassian.net/plugins/servlet/ac/crm-contact-sync/crm-settings" in text
    assert "crm-settings" not in await panel(acme.as_person(MEMBER))
    assert (await set_company(acme, made, company="")).status_code == 404


async def test_nobody_reported(acme: Desk) -> None:
    await acme.turn(on=True)
    await report(acme, None)
    assert "it has no reporter, or an app is the reporter" in said(await panel(acme))


async def test_company_stays_on_the_issue_when_syncing_is_off_and_says_so(acme: Desk, tracker: Tracker) -> None:
    """S12: no contact by the link, but what the issue says is still true of it."""
    company = await acme.make_company()
    made = await ada(acme, company={"id": company["id"]})
    async with acme.database.tenant(acme.tenant.tenant_id) as scope:
        await scope.execute(
            """
            UPDATE issue_company SET company_id = CAST(:company_id AS bigint), company_name = 'Acme'
            WHERE tenant_id = :tenant_id
            """,
            company_id=int(company["id"]),
        )
    await acme.turn(on=False)
    text = said(await panel(acme))
    assert "as it was when syncing was turned off" in text
    assert "Acme" in text
    assert "Ada in Jira" in text
    assert "ada@example.com" not in text
    assert "so no company is looked for" in said(await panel(acme, 10002))
    assert tracker.asked == 0
    assert (await set_company(acme, made, company="")).status_code == 404


async def test_nobody_asks_jira_about_a_known_user_while_syncing_is_off(acme: Desk, people: People) -> None:
    """Points are for the sync; a panel is opened with every issue."""
    made = await ada(acme)
    await acme.link(made["id"], AGENT, kind="user")
    await acme.turn(on=False)
    people.trouble = Unreachable("permissions/check")
    assert "Syncing with Jira is off" in said(await panel(acme.as_person(AGENT)))


async def test_domain_that_no_company_names_is_told(acme: Desk) -> None:
    await ada(acme)
    assert "No company has the email domain example.com" in said(await panel(acme))
    assert "email domain" not in said(await panel(acme.as_person(AGENT)))
    await acme.make_company(domains=["example.com"])
    assert "No company has the email domain" not in said(await panel(acme))


async def test_jira_that_does_not_answer_is_said(acme: Desk, tracker: Tracker, people: People) -> None:
    await ada(acme)
    tracker.trouble = Unreachable("issue/bulkfetch")
    assert "Ada Lovelace" in said(await panel(acme)), "nothing needs to be asked"
    answer = await acme.page("/pages/issue-context", "issue=10002")
    assert answer.status_code == 503
    assert "Try again" in answer.text
    people.trouble = Unreachable("permissions/check")
    assert (await acme.page("/pages/issue-context", f"issue={ISSUE}")).status_code == 503


async def test_contact_is_opened_by_the_address_of_the_list(acme: Desk, globex: Desk) -> None:
    made = await acme.make_contact()
    assert 'id="contact-form"' in read(await acme.page("/pages/contacts", f"contact={made['id']}"))
    assert 'id="contact-filters"' in read(await acme.page("/pages/contacts", "contact="))
    assert (await globex.page("/pages/contacts", f"contact={made['id']}")).status_code == 404
    assert (await acme.page("/pages/contacts", "contact=x")).status_code == 422
