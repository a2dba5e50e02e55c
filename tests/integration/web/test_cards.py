"""The page of a contact and of a company: what it shows, what it lets people do, and what becomes of an overtaken form."""

import html
import json
import re

from tests.integration.web.desk import ADMIN, NOW, Desk, People
from tests.integration.web.html import fragment, read


def value_of(text: str, name: str) -> str:
    """Of a form's input."""
    found = re.search(rf'<input[^>]*name="{name}"[^>]*value="([^"]*)"', text)
    assert found is not None, name
    return html.unescape(found[1])


async def add_changes(desk: Desk, contact_id: str, count: int) -> None:
    async with desk.database.tenant(desk.tenant.tenant_id) as scope:
        await scope.execute(
            """
            INSERT INTO change (tenant_id, contact_id, account_id, field, old, new, cause, at)
            SELECT :tenant_id, CAST(:contact_id AS bigint), 'a1', CASE WHEN n % 2 = 0 THEN 'name' ELSE 'email' END, 'before ' || n,
                'after ' || n, CASE WHEN n % 3 = 0 THEN 'same-email' ELSE 'account-changed' END, CAST(:now AS timestamptz)
            FROM generate_series(1, :count) AS n
            """,
            contact_id=int(contact_id),
            count=count,
            now=NOW,
        )


async def test_synced_contact_shows_what_is_read_only_and_why(acme: Desk) -> None:
    """S8, S9."""
    made = await acme.make_contact(email="ada@example.com")
    await acme.link(made["id"], "a1")
    await acme.link(made["id"], "a2", kind="customer", active=False)
    await acme.turn(on=True)
    text = await fragment(acme, "GET", f"contacts/{made['id']}")
    assert "follow the Jira account of <bdi>Ada in Jira</bdi>" in text
    assert "The contact cannot be deleted while it is synced with Jira" in text
    assert 'name="name"' not in text
    assert text.count("readonly") == 3
    assert "hx-delete" not in text
    assert "disabled" not in text
    assert "Linked by email" in text
    assert "21 November 2026" in text
    body = {"version": "1", "name": "Eve"}
    refused = await acme.call("PATCH", f"/api/fragments/contacts/{made['id']}", form=body)
    assert refused.json()["code"] == "read-only-attribute"
    kept = await acme.call("PATCH", f"/api/fragments/contacts/{made['id']}", form={"version": "1", "phone": "1"})
    assert 'value="1"' in read(kept)


async def test_overtaken_form_keeps_what_was_typed_and_shows_the_difference(acme: Desk) -> None:
    company, other = await acme.make_company(name="First"), await acme.make_company(name="Second")
    made = await acme.make_contact(
        name="Ada", phone="1", jobTitle="Analyst", attributes={"team": "A", "room": "1", "old": "x"}
    )
    path = f"contacts/{made['id']}"
    seen = value_of(await fragment(acme, "GET", path), "seen")
    theirs = {"version": 1, "phone": "2", "jobTitle": "Countess", "company": {"id": company["id"]}}
    theirs |= {"attributes": {"team": "B", "room": "2", "new": "y"}}
    assert (await acme.call("PATCH", f"/api/contacts/{made['id']}", json=theirs)).status_code == 200
    mine = {
        "version": "1",
        "seen": seen,
        "name": "Ada L",
        "email": "",
        "phone": "3",
        "jobTitle": "Analyst",
        "company": other["id"],
        "has-attributes": "true",
        "attribute-name": ["team", "room", "old"],
        "attribute-value": ["C", "1", "x"],
    }
    answer = await acme.call("PATCH", f"/api/fragments/{path}", form=mine)
    text = read(answer)
    assert "hx-trigger" not in answer.headers
    assert "Somebody else saved a change while you were typing" in text
    assert (value_of(text, "name"), value_of(text, "phone"), value_of(text, "jobTitle")) == ("Ada L", "3", "Countess")
    assert f'<option value="{other["id"]}" selected>Second</option>' in text
    shown = re.findall(r'<p class="overtaken">(.*?)</p>', text, re.DOTALL)
    assert [re.sub(r"<[^>]+>", "", each).split(": ")[-1].strip() for each in shown] == ["2", "First", "B"]
    pairs = re.findall(
        r'name="attribute-name" type="text" value="(\w*)".*?name="attribute-value" type="text" value="(\w*)"',
        text,
        re.DOTALL,
    )
    assert dict(pairs[:-1]) == {"team": "C", "room": "2", "new": "y"}
    assert (await acme.get(f"/api/contacts/{made['id']}"))["phone"] == "2"
    again = mine | {"version": value_of(text, "version"), "seen": value_of(text, "seen")}
    saved = await acme.call("PATCH", f"/api/fragments/{path}", form=again)
    assert json.loads(saved.headers["hx-trigger"]) == {"crm:notice": "Contact saved"}


async def test_overtaken_form_of_no_page_of_ours_still_keeps_what_was_typed(acme: Desk) -> None:
    made = await acme.make_contact(name="Ada", phone="1")
    await acme.call("PATCH", f"/api/contacts/{made['id']}", json={"version": 1, "phone": "2"})
    for seen in ("", "nonsense", "[1, 2]", '{"a": 1}', "[" * 9999):
        form = {"version": "1", "seen": seen, "name": "Eve"}
        text = await fragment(acme, "PATCH", f"contacts/{made['id']}", form=form)
        assert value_of(text, "name") == "Eve"


async def test_contact_synced_while_somebody_typed_shows_what_they_typed(acme: Desk) -> None:
    made = await acme.make_contact(name="Ada", email="ada@example.com")
    path = f"contacts/{made['id']}"
    seen = value_of(await fragment(acme, "GET", path), "seen")
    await acme.link(made["id"], "a1")
    await acme.turn(on=True)
    await acme.call("PATCH", f"/api/contacts/{made['id']}", json={"version": 1, "phone": "2"})
    form = {"version": "1", "seen": seen, "name": "Ada L", "email": "ada@example.com", "phone": ""}
    text = await fragment(acme, "PATCH", path, form=form)
    assert 'You typed: <strong dir="auto">Ada L</strong>' in text
    assert text.count("You typed") == 1
    assert (value_of(text, "phone"), 'name="name"' in text) == ("2", False)


async def test_overtaken_company_form_keeps_what_was_typed(acme: Desk) -> None:
    made = await acme.make_company(name="Acme", domains=["acme.com"])
    path = f"companies/{made['id']}"
    seen = value_of(await fragment(acme, "GET", path), "seen")
    await acme.call(
        "PATCH", f"/api/companies/{made['id']}", json={"version": 1, "name": "Acme Inc", "domains": ["a.org"]}
    )
    form = {"version": "1", "seen": seen, "name": "Acme", "domains": "acme.com\r\nacme.net"}
    text = await fragment(acme, "PATCH", path, form=form)
    assert value_of(text, "name") == "Acme Inc"
    assert ">acme.com\nacme.net</textarea>" in text
    assert '<strong dir="auto">a.org</strong>' in text


async def test_history_is_filtered_and_paged(acme: Desk, globex: Desk) -> None:
    made = await acme.make_contact()
    path = f"contacts/{made['id']}"
    assert "The sync has not changed this contact" in await fragment(acme, "GET", path)
    await add_changes(acme, made["id"], 50)
    text = await fragment(acme, "GET", path)
    assert (text.count("after "), "after 50" in text, "after 31" in text) == (20, True, True)
    more = html.unescape(text.split(f'hx-get="api/fragments/{path}/changes?')[1].split('"')[0])
    rest = read(await acme.call("GET", f"/api/fragments/{path}/changes?{more}"))
    assert (rest.count("after "), "after 30" in rest, "<table" in rest) == (20, True, False)
    some = await fragment(acme, "GET", f"{path}/changes", params={"field": "name", "cause": "same-email"})
    assert set(re.findall(r"after (\d+)", some)) == {"6", "12", "18", "24", "30", "36", "42", "48"}
    none = await fragment(acme, "GET", f"{path}/changes", params={"field": "contact"})
    assert "Nothing of the kind has happened" in none
    refused = await acme.call("GET", f"/api/fragments/{path}/changes", params={"field": "phone", "cause": "x"})
    assert [each["field"] for each in refused.json()["errors"]] == ["field", "cause"]
    assert (await globex.call("GET", f"/api/fragments/{path}/changes")).status_code == 404


async def test_company_form_creates_edits_and_deletes(acme: Desk, globex: Desk) -> None:
    assert "New company" in await fragment(acme, "GET", "companies/new")
    form = {"name": "Acme", "domains": "acme.com, acme.org\nacme.net"}
    assert "acme.com\nacme.net\nacme.org</textarea>" in await fragment(acme, "POST", "companies", form=form)
    (company,) = (await acme.get("/api/companies"))["values"]
    path = f"companies/{company['id']}"
    assert (await globex.call("GET", f"/api/fragments/{path}")).status_code == 404
    assert "acme.net" in await fragment(acme, "GET", path)
    text = await fragment(acme, "PATCH", path, form={"version": "1", "name": "New", "domains": ""})
    assert value_of(text, "name") == "New"
    assert "No companies yet" in await fragment(acme, "DELETE", path)
    assert "No companies yet" in await fragment(acme, "GET", "companies")


async def test_company_shows_its_contacts_and_says_what_deleting_does(acme: Desk) -> None:
    company = await acme.make_company()
    path = f"companies/{company['id']}"
    assert "It has no contacts" in await fragment(acme, "GET", path)
    made = [await acme.make_contact(name=f"P{number:02}", company={"id": company["id"]}) for number in range(12)]
    await acme.make_contact(name="Elsewhere")
    text = await fragment(acme, "GET", path)
    assert "Its 12 contacts stay, without a company" in text
    assert re.findall(r">(P\d\d|Elsewhere)<", text) == [f"P{number:02}" for number in range(10)]
    assert f"api/fragments/contacts?companyId={company['id']}" in text
    assert "Show all 12 contacts" in text
    await fragment(acme, "DELETE", path)
    assert (await acme.get(f"/api/contacts/{made[0]['id']}"))["company"] is None


async def test_merging_is_offered_to_administrators_for_hidden_emails_alone(acme: Desk, people: People) -> None:
    hidden, shown = await acme.make_contact(name="Hidden"), await acme.make_contact(name="Ada", email="ada@example.com")
    await acme.link(hidden["id"], "a1")
    await acme.link(shown["id"], "a2")
    path = f"contacts/{hidden['id']}"
    assert "merge-query" not in await fragment(acme, "GET", path)
    await acme.turn(on=True)
    assert "merge-query" in await fragment(acme, "GET", path)
    assert "merge-query" not in await fragment(acme, "GET", f"contacts/{shown['id']}")
    found = await fragment(acme, "GET", f"{path}/merge", params={"merge-query": "ada"})
    assert f'"intoContactId": "{shown["id"]}"' in html.unescape(found)
    assert "No contact fits" in await fragment(acme, "GET", f"{path}/merge", params={"merge-query": "zzz"})
    people.admins.clear()
    assert (await acme.call("GET", f"/api/fragments/{path}/merge")).status_code == 403
    people.admins.add((acme.tenant.tenant_id, ADMIN))
    text = await fragment(acme, "POST", f"{path}/merge", form={"intoContactId": shown["id"]})
    assert 'value="ada@example.com"' in text
    assert (await acme.call("GET", f"/api/contacts/{hidden['id']}")).status_code == 404
