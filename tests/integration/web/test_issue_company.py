"""A person's word about the company of an issue's reporter: by the panel's form and by the API."""

import asyncio
import html
import json
from typing import Any

import pytest

from addon.storage import sync_state
from lifecycle.tenant import AccountId
from tests.integration.storage.site import Site
from tests.integration.web import reported
from tests.integration.web.desk import ADMIN, MEMBER, Desk, People
from tests.integration.web.html import read
from tests.integration.web.reported import ADA, AGENT, ISSUE, ada, due, panel, report, said, set_company

MARKUP = '"><script>alert(1)</script> & \\ "Sons"'


@pytest.fixture(autouse=True)
def everybody(people: People, acme: Desk, globex: Desk) -> None:
    reported.show_issue(people, [acme, globex])


async def test_company_is_chosen_and_its_issues_are_marked(acme: Desk, globex: Desk) -> None:
    """C2: a person's word. The other site's contact of the same id stays."""
    company = await acme.make_company()
    made, theirs = await ada(acme), await ada(globex)
    text = await panel(acme.as_person(MEMBER))
    assert "Choose a company" in text
    assert '<details class="change" open>' in text
    assert '<option value="rules" selected>' in text
    answer = await set_company(acme.as_person(MEMBER), made, company=company["id"])
    assert "Acme" in said(read(answer))
    notice = "Company saved. Jira shows it on the issue within a minute."
    assert json.loads(answer.headers["hx-trigger"]) == {"crm:notice": notice}
    assert await due(acme) == [ADA]
    now = await acme.get(f"/api/contacts/{made['id']}")
    assert (now["company"], now["companyBy"]) == ({"id": company["id"], "name": "Acme"}, "person")
    assert (await globex.get(f"/api/contacts/{theirs['id']}"))["company"] is None
    none = await set_company(acme, now, company="")
    assert "A person decided that there is none" in said(read(none))
    back = await set_company(acme, await acme.get(f"/api/contacts/{made['id']}"), company="rules")
    assert "The rules choose the company now" in back.headers["hx-trigger"]
    assert (await acme.get(f"/api/contacts/{made['id']}"))["companyBy"] is None


async def test_company_of_another_site_is_none(acme: Desk, globex: Desk) -> None:
    made = await ada(acme)
    for name in ("One", "Two"):
        there = await globex.make_company(name=name)
    answer = await set_company(acme, made, company=there["id"])
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == ["company"]


async def test_new_company_is_made_once(acme: Desk) -> None:
    made = await ada(acme)
    read(await set_company(acme, made, company="new", newCompany=MARKUP))
    text = await panel(acme)
    assert (
        html.escape(MARKUP, quote=False) in text or html.escape(MARKUP) in html.unescape(text) or MARKUP in said(text)
    )
    assert "<script>alert" not in text
    now = await acme.get(f"/api/contacts/{made['id']}")
    assert now["company"]["name"] == MARKUP
    read(await set_company(acme, now, company="new", newCompany=f"  {MARKUP.upper()} "))
    assert len((await acme.get("/api/companies"))["values"]) == 1


async def test_new_company_that_two_people_save_at_once_is_made_once(acme: Desk, globex: Desk, people: People) -> None:
    """Of one site; the same name at another is another company."""
    other = 10002
    for person in (ADMIN, MEMBER):
        people.shown.add((acme.tenant.tenant_id, person, other))
    made, theirs = await ada(acme), await ada(globex)
    bob = await acme.make_contact(name="Bob")
    await acme.link(bob["id"], "qm:bob", kind="customer")
    await report(acme, AccountId("qm:bob"), other)
    async with acme.database.tenant(acme.tenant.tenant_id) as scope:
        await sync_state.lock_switch(scope)
        saving = [
            asyncio.create_task(set_company(site, contact, issue_id, company="new", newCompany="Acme"))
            for site, contact, issue_id in ((acme, made, ISSUE), (acme.as_person(MEMBER), bob, other))
        ]
        await Site(database=acme.database, tenant_id=acme.tenant.tenant_id, queue=[]).somebody_waits(sessions=2)
    read(await set_company(globex, theirs, company="new", newCompany="Acme"))
    for answer in await asyncio.gather(*saving):
        assert "Acme" in said(read(answer))
    assert [company["contacts"] for company in (await acme.get("/api/companies"))["values"]] == [2]
    assert [company["contacts"] for company in (await globex.get("/api/companies"))["values"]] == [1]


async def test_new_company_that_cannot_be_is_refused_beside_its_field(acme: Desk) -> None:
    made = await ada(acme)
    for _ in range(2):
        await acme.make_company(name="Twice")
    for name in ("", "  ", "x" * 256, "a\0b", "twice"):
        answer = await set_company(acme, made, company="new", newCompany=name)
        assert answer.status_code == 422, name
        assert [each["field"] for each in answer.json()["errors"]] == ["newCompany"]
    for chosen in ({"company": "x"}, {"company": "-1"}, {"company": "99999999999999999999"}, {}):
        answer = await set_company(acme, made, **chosen)
        assert [each["field"] for each in answer.json()["errors"]] == ["company"]
    assert len((await acme.get("/api/companies"))["values"]) == 2


async def test_overtaken_form_comes_back_with_what_was_chosen(acme: Desk) -> None:
    company, other = await acme.make_company(), await acme.make_company(name="Other")
    made = await ada(acme)
    read(await set_company(acme, made, company=other["id"]))
    answer = await set_company(acme, made, company=company["id"])
    text = read(answer)
    assert "Nothing was saved" in text
    assert "hx-trigger" not in answer.headers
    assert f'<option value="{company["id"]}" selected>Acme</option>' in text
    text = read(await set_company(acme, made, company="new", newCompany='A "new" one'))
    assert '<option value="new" selected>' in text
    assert 'value="A &#34;new&#34; one"' in text
    assert (await acme.get(f"/api/contacts/{made['id']}"))["company"]["id"] == other["id"]
    assert len((await acme.get("/api/companies"))["values"]) == 2


async def test_form_about_another_reporter_changes_nobody(acme: Desk) -> None:
    company = await acme.make_company()
    made = await ada(acme)
    bob = await acme.make_contact(name="Bob")
    await acme.link(bob["id"], "qm:bob", kind="customer")
    await report(acme, AccountId("qm:bob"))
    text = read(await set_company(acme, made, company=company["id"]))
    assert "Nothing was saved" in text
    assert "Bob" in text
    assert "selected>Acme" not in text
    for contact in (made, bob):
        assert (await acme.get(f"/api/contacts/{contact['id']}"))["company"] is None


async def test_word_about_another_reporter_changes_nobody(acme: Desk, globex: Desk) -> None:
    """Contacts that are new have one version, so that it cannot tell them apart."""
    company = await acme.make_company()
    made, theirs = await ada(acme), await ada(globex)
    bob = await acme.make_contact(name="Bob")
    await acme.link(bob["id"], "qm:bob", kind="customer")
    await report(acme, AccountId("qm:bob"))
    word = {"contactId": made["id"], "companyId": company["id"], "version": bob["version"]}
    answer = await acme.call("PUT", f"/api/issues/{ISSUE}/company", json=word)
    assert (answer.status_code, answer.json()["code"]) == (409, "stale-version")
    assert (await globex.call("PUT", f"/api/issues/{ISSUE}/company", json=word)).status_code == 409
    for site, contact in ((acme, made), (acme, bob), (globex, theirs)):
        assert (await site.get(f"/api/contacts/{contact['id']}"))["company"] is None


async def test_json_says_the_same_by_the_same_rights(acme: Desk, globex: Desk) -> None:
    company = await acme.make_company()
    made = await ada(acme, company={"id": company["id"]})
    path = f"/api/issues/{ISSUE}"
    ref = {"id": company["id"], "name": "Acme"}
    person = {"accountId": ADA, "name": "Ada in Jira"}
    whole = await acme.as_person(MEMBER).get(path)
    assert whole["contact"]["email"] == "ada@example.com"
    assert {name: value for name, value in whole.items() if name != "contact"} == {
        "issueId": str(ISSUE),
        "reporter": person,
        "company": ref,
        "companyBy": "person",
        "syncOn": True,
    }
    part = await acme.as_person(AGENT).get(path)
    assert (part["contact"], part["companyBy"], part["company"], part["reporter"]) == (None, None, ref, person)
    assert (await globex.get(path)) == {
        "issueId": str(ISSUE),
        "reporter": None,
        "contact": None,
        "company": None,
        "companyBy": None,
        "syncOn": False,
    }
    member, word = acme.as_person(MEMBER), {"contactId": made["id"], "companyId": None, "version": made["version"]}
    said_none = await member.call("PUT", f"{path}/company", json=word)
    assert (said_none.json()["company"], said_none.json()["companyBy"]) == (None, "person")
    assert (await member.call("PUT", f"{path}/company", json=word)).json()["code"] == "stale-version"
    rules = await member.call(
        "PUT", f"{path}/company", json=word | {"companyId": "rules", "version": word["version"] + 1}
    )
    assert rules.json()["companyBy"] is None
    assert (await acme.as_person(AGENT).call("PUT", f"{path}/company", json=word)).status_code == 403
    assert (await globex.call("PUT", f"{path}/company", json=word)).status_code == 404


@pytest.mark.parametrize(
    ("word", "fields"),
    [
        ({"contactId": None}, ["contactId", "companyId", "version"]),
        ({"contactId": 1, "companyId": None, "version": 1}, ["contactId"]),
        ({"companyId": 1, "version": 1}, ["companyId"]),
        ({"companyId": "new", "version": True}, ["companyId", "version"]),
        ({"companyId": None, "version": 1, "name": "x"}, ["name"]),
        ({"companyId": "999", "version": 1}, ["companyId"]),
    ],
)
async def test_word_that_means_nothing_is_refused(acme: Desk, word: dict[str, Any], fields: list[str]) -> None:
    """`word` is about the reporter's contact where it names none."""
    made = await ada(acme)
    answer = await acme.call("PUT", f"/api/issues/{ISSUE}/company", json={"contactId": made["id"]} | word)
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == fields
