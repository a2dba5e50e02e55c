"""The page of the company rules and its JSON: the rules, and what they would change."""

from typing import Any

import pytest

from tests.integration.web.desk import MEMBER, NOW, Desk, People
from tests.integration.web.html import fragment, read

EVIL = '<img src=x onerror="alert(1)">'
PAGE = "/pages/company-rules"
RULES = "/api/company-rules"
GOING = 'hx-trigger="every 1s"'


async def execute(desk: Desk, sql: str, **values: Any) -> None:
    async with desk.database.tenant(desk.tenant.tenant_id) as scope:
        await scope.execute(sql, **values)


async def be_ready(desk: Desk) -> None:
    """As after the first run: everybody was read, and the organizations."""
    await desk.turn(on=True)
    await execute(
        desk,
        """
        INSERT INTO probe_state (tenant_id, due_at, found_at, interval_s, rounds)
        VALUES (:tenant_id, :now, :now, 60, 1)
        """,
        now=NOW,
    )
    await execute(
        desk, "INSERT INTO company_rule (tenant_id, organizations_read_at) VALUES (:tenant_id, :now)", now=NOW
    )


async def add_work(desk: Desk, state: str = "ready", **columns: int) -> None:
    """What the rules' own job leaves behind."""
    numbers = {"checked": 0, "total": 0, "changes": 0, "ties": 0, "applied": 0, "undone": 0, "left_alone": 0, **columns}
    await execute(desk, "DELETE FROM rule_work WHERE tenant_id = :tenant_id")
    await execute(
        desk,
        """
        INSERT INTO rule_work (tenant_id, number, state, checked, total, changes, ties, applied, undone, left_alone,
            started_at, finished_at)
        VALUES (:tenant_id, 77, CAST(:state AS text), :checked, :total, :changes, :ties, :applied, :undone, :left_alone,
            :now, CASE WHEN CAST(:state AS text) NOT LIKE '%ing' THEN CAST(:now AS timestamptz) END)
        """,
        state=state,
        now=NOW,
        **numbers,
    )


async def add_change(desk: Desk, contact_id: str, **columns: Any) -> None:
    values = {"old_company_id": None, "old_by": None, "new_company_id": None, "new_by": None, "state": "planned"}
    await execute(
        desk,
        """
        INSERT INTO rule_change (tenant_id, contact_id, old_company_id, old_by, new_company_id, new_by, state)
        VALUES (:tenant_id, :contact_id, :old_company_id, :old_by, :new_company_id, :new_by, :state)
        """,
        contact_id=int(contact_id),
        **{**values, **columns},
    )


async def test_page_shows_both_rules_and_what_they_mean(acme: Desk) -> None:
    text = read(await acme.page(PAGE))
    assert text.count('role="switch"') == 2
    assert text.count('aria-checked="true"') == 2, "both rules are on until somebody turns one off"
    assert "Somebody in an organization of Jira Service Management gets its company" in text
    assert "Addresses of public mail services never count" in text
    assert "Syncing is turned off, so the rules rest" in text
    assert "What issues show stays" in text
    assert 'id="work-begin"' in text
    assert GOING not in text
    await acme.turn(on=True)
    text = read(await acme.page(PAGE))
    assert "so the rules rest" not in text
    assert "What issues show stays" not in text
    assert "The rules begin once syncing has read everybody" in text
    waiting = "/api/fragments/rules/trial?rest=reading"
    assert f'hx-get="{waiting.removeprefix("/")}"' in text
    assert 'aria-disabled="true"' in text.split('id="work-begin"')[1].split(">")[0]
    assert (await acme.call("GET", waiting)).status_code == 204
    assert "The rules begin" in read(await acme.call("GET", "/api/fragments/rules/trial?rest=off")), "it was turned on"
    await be_ready(acme)
    text = read(await acme.call("GET", waiting))
    assert "The rules begin" not in text
    assert 'hx-post="api/fragments/rules/trial"' in text.split('id="work-begin"')[1].split(">")[0]


async def test_rule_is_turned_off_and_on(acme: Desk, globex: Desk) -> None:
    text = await fragment(acme, "PUT", "rules", form={"byDomain": "false"})
    assert text.count('aria-checked="false"') == 1
    assert "data-focus" in text.split('id="rule-byDomain"')[1].split("</button>")[0], "the focus stays on the switch"
    assert (await acme.get(RULES))["byDomain"] is False
    assert (await acme.get(RULES))["byOrganization"] is True
    assert (await globex.get(RULES))["byDomain"] is True
    answer = await acme.call("PUT", RULES, json={"byDomain": True, "byOrganization": False})
    assert answer.json() == {"byOrganization": False, "byDomain": True, "issueSharePercent": 25}


async def test_preview_of_other_rules_is_forgotten_and_what_was_applied_is_not(acme: Desk, globex: Desk) -> None:
    for desk in (acme, globex):
        await add_work(desk)
    answer = await acme.call("PUT", "/api/fragments/rules", form={"byDomain": "false"})
    assert answer.headers["hx-trigger"] == "crm:rules-changed", "so that the part about the preview is read again"
    assert (await acme.get(f"{RULES}/preview"))["state"] == "none"
    assert (await globex.get(f"{RULES}/preview"))["state"] == "ready"
    await acme.call("PUT", RULES, json={"issueSharePercent": 10})
    for state in ("applying", "applied", "undoing", "undone"):
        await add_work(acme, state)
        await acme.call("PUT", RULES, json={"byDomain": True})
        assert (await acme.get(f"{RULES}/preview"))["state"] == state


async def test_preview_of_ties_alone_can_be_applied(acme: Desk) -> None:
    await be_ready(acme)
    await add_work(acme, ties=2)
    text = await fragment(acme, "GET", "rules/trial")
    assert "Ask under Needs attention about the contacts" in text
    assert "Every contact has the company" not in text
    await add_work(acme)
    text = await fragment(acme, "GET", "rules/trial")
    assert 'id="work-apply"' not in text
    assert "Every contact has the company that the rules give it" in text


@pytest.mark.parametrize(
    ("sent", "fields"),
    [
        ({"byDomain": "yes"}, {"byDomain"}),
        ({"byOrganization": 1, "issueSharePercent": True}, {"byOrganization", "issueSharePercent"}),
        ({"issueSharePercent": -1}, {"issueSharePercent"}),
        ({"issueSharePercent": 101}, {"issueSharePercent"}),
        ({"issueSharePercent": 12.5}, {"issueSharePercent"}),
        ({"issueSharePercent": "25"}, {"issueSharePercent"}),
        ({"byName": True}, {"byName"}),
    ],
)
async def test_setting_that_is_none_is_refused_and_changes_nothing(acme: Desk, sent: object, fields: set[str]) -> None:
    before = await acme.get(RULES)
    answer = await acme.call("PUT", RULES, json={"byDomain": False, **sent} if isinstance(sent, dict) else sent)
    assert answer.status_code == 422
    assert {problem["field"] for problem in answer.json()["errors"]} == fields
    assert await acme.get(RULES) == before


async def test_preview_is_begun_watched_and_shown(acme: Desk, globex: Desk) -> None:
    refused = await acme.call("POST", f"{RULES}/preview", json={})
    assert refused.status_code == 422, "syncing is off"
    await be_ready(acme)
    text = await fragment(acme, "POST", "rules/trial", form={})
    assert GOING in text
    assert "Nothing is changed" in text
    assert (await acme.get(f"{RULES}/preview"))["state"] == "previewing"
    await add_work(acme, "previewing", checked=1234, total=5000)
    assert "1,234 of 5,000 contacts" in await fragment(acme, "GET", "rules/trial")
    assert "1,234 of 5,000 contacts" in read(await acme.page(PAGE)), "a reload shows the same"
    assert GOING not in await fragment(globex, "GET", "rules/trial")
    assert await globex.get(f"{RULES}/preview") == {
        "id": None,
        "state": "none",
        **dict.fromkeys(("checked", "total", "changes", "byOrganization", "byDomain", "emptied", "ties"), 0),
        **dict.fromkeys(("applied", "undone", "leftAlone"), 0),
        "startedAt": None,
        "finishedAt": None,
    }


async def test_ready_preview_counts_by_rule_and_lists_before_and_after(acme: Desk, globex: Desk) -> None:
    old, new = await acme.make_company(name="Old & Co"), await acme.make_company(name=EVIL)
    await be_ready(acme)
    people = [await acme.make_contact(name=f"{EVIL}{number}") for number in range(25)]
    await add_work(acme, checked=1100, total=1100, changes=1025, ties=3)
    for number, contact in enumerate(people):
        facts: dict[str, Any] = {"new_company_id": int(new["id"]), "new_by": "domain"}
        if number == 0:
            facts = {"old_company_id": int(old["id"]), "old_by": "domain"}
        elif number < 3:
            facts["new_by"] = "organization"
        await add_change(acme, contact["id"], **facts)
    text = await fragment(acme, "GET", "rules/trial")
    for name, shown in (("organization", "2"), ("domain", "22"), ("emptied", "1"), ("ties", "3")):
        assert f'id="work-{name}">{shown}</td>' in text
    assert "Change the company of 1,025 contacts?" in text
    assert EVIL not in text
    rows = text.split('id="rule-changes"')[1]
    assert rows.count("<td><bdi>&lt;img") == 20 + 19, "twenty contacts; one of them becomes none's"
    assert "Old &amp; Co" in rows
    assert "No rule fits any more" in rows
    more = text.split('hx-get="api/fragments/rules/trial/changes?')[1].split('"')[0]
    rest = read(await acme.call("GET", f"/api/fragments/rules/trial/changes?{more}"))
    assert rest.count("<tr") == 5
    assert rest.count("data-focus") == 1
    assert (await globex.get(f"{RULES}/preview/changes"))["values"] == []


async def test_changes_can_be_had_as_json_and_as_a_sheet(acme: Desk, globex: Desk) -> None:
    company = await acme.make_company(name="=Acme")
    ada = await acme.make_contact(name="Ada", email="ada@example.com")
    bob = await acme.make_contact(name="Bob")
    await add_work(acme, changes=2)
    await add_change(acme, ada["id"], new_company_id=int(company["id"]), new_by="domain")
    await add_change(acme, bob["id"], old_company_id=int(company["id"]), old_by="organization")
    first = await acme.get(f"{RULES}/preview/changes", limit=1)
    assert first["values"] == [
        {
            "contactId": ada["id"],
            "contactName": "Ada",
            "email": "ada@example.com",
            "before": None,
            "beforeBy": None,
            "after": {"id": company["id"], "name": "=Acme"},
            "afterBy": "domain",
            "isTie": False,
            "state": "planned",
        }
    ]
    (second,) = (await acme.get(f"{RULES}/preview/changes", cursor=first["next"]))["values"]
    assert (second["before"]["name"], second["beforeBy"], second["after"]) == ("=Acme", "organization", None)
    sheet = await acme.call("GET", f"{RULES}/preview/changes", headers={"Accept": "text/csv"})
    lines = sheet.text.splitlines()
    assert lines[0] == "\ufeffcontactId,contactName,email,beforeCompany,beforeBy,afterCompany,afterBy,isTie,state"
    assert lines[1:] == [
        f"{ada['id']},Ada,ada@example.com,,,'=Acme,domain,false,planned",
        f"{bob['id']},Bob,,'=Acme,organization,,,false,planned",
    ]
    empty = await globex.call("GET", f"{RULES}/preview/changes", headers={"Accept": "text/csv"})
    assert len(empty.text.splitlines()) == 1


async def test_preview_is_applied_and_undone_by_its_id(acme: Desk, globex: Desk) -> None:
    await be_ready(acme)
    contact = await acme.make_contact()
    company = await acme.make_company()
    await add_work(acme, changes=1)
    await add_change(acme, contact["id"], new_company_id=int(company["id"]), new_by="domain")
    for path in ("apply", "undo"):
        for sent in ({}, {"id": "x"}, {"id": 77}, {"id": "77", "more": 1}):
            assert (await acme.call("POST", f"{RULES}/{path}", json=sent)).status_code == 422
        assert (await globex.call("POST", f"{RULES}/{path}", json={"id": "77"})).status_code in {404, 422}
    assert (await acme.call("POST", f"{RULES}/apply", json={"id": "76"})).status_code in {404, 422}
    text = await fragment(acme, "POST", "rules/trial/apply", form={"id": "77"})
    assert GOING in text
    assert (await acme.get(f"{RULES}/preview"))["state"] == "applying"
    await add_work(acme, "applied", changes=3, applied=2, left_alone=1)
    text = await fragment(acme, "GET", "rules/trial")
    assert "2 contacts have another company now" in text
    assert "1 was left as it is" in text
    assert "Give 2 contacts back the company that they had?" in text
    answer = await acme.call("POST", f"{RULES}/undo", json={"id": "77"})
    assert answer.status_code == 202
    assert answer.json()["state"] == "undoing"
    await add_work(acme, "undone", changes=3, applied=2, undone=2)
    assert "2 contacts have the company they had before" in await fragment(acme, "GET", "rules/trial")
    await add_work(acme, "failed")
    assert "Preview again" in await fragment(acme, "GET", "rules/trial")


async def test_change_that_was_left_says_so(acme: Desk) -> None:
    contact, company = await acme.make_contact(), await acme.make_company()
    await add_work(acme, "applied", changes=1, left_alone=1)
    await add_change(acme, contact["id"], new_company_id=int(company["id"]), new_by="organization", state="left")
    assert "Left, as it was changed in between" in await fragment(acme, "GET", "rules/trial")


async def test_nobody_but_an_administrator_sees_or_sets_rules(acme: Desk, people: People) -> None:
    await acme.call("PUT", "/api/sync", json={"crmGroups": ["g1"]})
    people.groups[acme.tenant.tenant_id, MEMBER] = frozenset({"g1"})
    member = acme.as_person(MEMBER)
    assert (await member.page("/pages/companies")).status_code == 200
    assert (await member.page(PAGE)).status_code == 403
    assert (await member.call("PUT", RULES, json={"byDomain": False})).status_code == 403
    assert (await member.call("POST", f"{RULES}/preview", json={})).status_code == 403


@pytest.mark.parametrize("path", ["company-rules/preview/changes?cursor=x", "fragments/rules/trial/changes?cursor=x"])
async def test_cursor_of_another_list_is_refused(acme: Desk, path: str) -> None:
    await add_work(acme)
    assert (await acme.call("GET", f"/api/{path}")).status_code == 422
