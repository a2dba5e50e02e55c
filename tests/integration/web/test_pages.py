"""The pages at first paint, and the parts of them that htmx asks for."""

import json
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from tests.integration.web.desk import NOW, Desk

EVIL = '<script>alert("x")</script>'
VOID = {"meta", "base", "link", "input", "br"}


class Html(HTMLParser):
    """Reads HTML strictly enough to say whether it is well formed, and collects ids, labels and inline code."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.labelled: set[str] = set()
        self.fields: set[str] = set()
        self.inline: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []
        assert len(self.ids) == len(set(self.ids))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if values.get("id"):
            self.ids.append(str(values["id"]))
        if tag == "label" and values.get("for"):
            self.labelled.add(str(values["for"]))
        is_shown = values.get("type") != "hidden" and "aria-label" not in values
        if tag in ("input", "select", "textarea") and is_shown:
            self.fields.add(str(values.get("id")))
        self.inline += [name for name in values if name.startswith("on") or name == "style"]
        if tag == "script" and "src" not in values:
            self.inline.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read(answer: httpx.Response) -> str:
    """The text of a good answer, which is well formed, has a label for every field, and no inline code."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    html = Html(answer.text)
    assert html.inline == []
    assert html.fields <= html.labelled
    return answer.text


async def fragment(desk: Desk, method: str, path: str, **arguments: Any) -> str:
    return read(await desk.call(method, f"/api/fragments/{path}", **arguments))


async def test_settings_page_offers_to_turn_the_sync_on(acme: Desk) -> None:
    text = read(await acme.page("/pages/settings"))
    assert "Jira User Syncing" in text
    assert 'aria-checked="false"' in text
    assert 'hx-trigger="every 1s"' not in text
    assert '<base href="../">' in text
    assert "https://connect-cdn.atl-paas.net/all.js" in text


async def test_switch_turns_on_shows_progress_and_turns_off(acme: Desk, globex: Desk) -> None:
    text = await fragment(acme, "PUT", "sync", form={"enabled": "true"})
    assert 'aria-checked="true"' in text
    assert 'hx-trigger="every 1s"' in text
    assert 'aria-checked="false"' in read(await globex.page("/pages/settings"))
    assert 'hx-trigger="every 1s"' in await fragment(acme, "GET", "sync/status")
    assert "<progress" in await fragment(acme, "POST", "sync/runs", form={})
    text = await fragment(acme, "PUT", "sync", form={"enabled": "false"})
    assert "Syncing is turned off." in text
    assert "Cancelled" in text


async def test_inactive_accounts_can_be_included(acme: Desk) -> None:
    assert "checked" in await fragment(acme, "PUT", "sync", form={"includeInactive": "true"})
    assert (await acme.get("/api/sync"))["includeInactive"] is True


async def test_settings_page_shows_what_a_run_did(acme: Desk) -> None:
    async with acme.database.tenant(acme.tenant.tenant_id) as scope:
        await scope.execute(
            """
            INSERT INTO sync_run (tenant_id, trigger, state, phase, cursor, seen, created, started_at, finished_at,
                                  error)
            VALUES (:tenant_id, 'schedule', 'failed', 'reading', 'null', 12345, 678, :now, :now, 'Jira is <away>')
            """,
            now=NOW,
        )
    text = read(await acme.page("/pages/settings"))
    assert "12,345" in text
    assert "678" in text
    assert "Jira is &lt;away&gt;" in text


async def test_contacts_page_is_empty_at_first_and_says_what_to_do(acme: Desk) -> None:
    text = read(await acme.page("/pages/contacts"))
    assert "No contacts yet" in text
    assert "New contact" in text


async def test_contacts_page_escapes_what_people_typed(acme: Desk, globex: Desk) -> None:
    company = await acme.make_company(name=EVIL)
    made = await acme.make_contact(
        name=EVIL, phone=EVIL, jobTitle=EVIL, attributes={EVIL: EVIL}, company={"id": company["id"]}
    )
    for text in (
        read(await acme.page("/pages/contacts")),
        read(await acme.page(f"/pages/contacts/{made['id']}")),
        read(await acme.page("/pages/companies")),
        await fragment(acme, "GET", f"companies/{company['id']}"),
    ):
        assert EVIL not in text
        assert "&lt;script&gt;" in text
    assert "&lt;script&gt;" not in read(await globex.page("/pages/contacts"))


async def test_contact_list_loads_more_until_the_end(acme: Desk) -> None:
    async with acme.database.tenant(acme.tenant.tenant_id) as scope:
        await scope.execute(
            """
            INSERT INTO contact (tenant_id, name, name_key, origin, created_at, updated_at)
            SELECT :tenant_id, 'Same', 'same', 'sync', CAST(:now AS timestamptz), :now FROM generate_series(1, 60)
            """,
            now=NOW,
        )
    text = await fragment(acme, "GET", "contacts/rows", params={"query": "same", "linked": ""})
    assert text.count("<tr>") == 51
    more = text.split('hx-get="api/fragments/contacts/rows?')[1].split('"')[0].replace("&amp;", "&")
    rest = read(await acme.call("GET", f"/api/fragments/contacts/rows?{more}"))
    assert rest.count("<tr>") == 10
    assert "Load more" not in rest
    assert rest.count("data-focus") == 1


async def test_search_without_a_hit_says_so(acme: Desk) -> None:
    await acme.make_contact()
    assert "No contact fits" in await fragment(acme, "GET", "contacts/rows", params={"query": "zzz"})
    await acme.make_company()
    assert "No company fits" in await fragment(acme, "GET", "companies/rows", params={"query": "zzz"})


async def test_contact_form_creates_edits_and_deletes(acme: Desk) -> None:
    company = await acme.make_company()
    assert "New contact" in await fragment(acme, "GET", "contacts/new")
    form = {
        "name": "Ada",
        "email": "",
        "company": company["id"],
        "has-attributes": "true",
        "attribute-name": ["team", ""],
        "attribute-value": ["Engines", "dropped"],
    }
    created = await acme.call("POST", "/api/fragments/contacts", form=form)
    assert "Ada" in read(created)
    assert json.loads(created.headers["hx-trigger"]) == {"crm:notice": "Contact created"}
    (contact,) = (await acme.get("/api/contacts"))["values"]
    assert (contact["email"], contact["attributes"], contact["company"]["name"]) == (None, {"team": "Engines"}, "Acme")
    path = f"contacts/{contact['id']}"
    assert 'value="Engines"' in await fragment(acme, "GET", path)
    edit = {"version": "1", "name": "Eve", "company": "", "has-attributes": "true"}
    assert "Eve" in await fragment(acme, "PATCH", path, form=edit)
    edited = await acme.get(f"/api/contacts/{contact['id']}")
    assert (edited["name"], edited["attributes"], edited["company"], edited["version"]) == ("Eve", {}, None, 2)
    assert "No contacts yet" in await fragment(acme, "DELETE", path)


async def test_synced_contact_shows_what_is_read_only_and_why(acme: Desk) -> None:
    """S8, S9."""
    made = await acme.make_contact(email="ada@example.com")
    await acme.link(made["id"], "a1")
    await acme.link(made["id"], "a2", kind="customer", active=False)
    await acme.turn(on=True)
    text = await fragment(acme, "GET", f"contacts/{made['id']}")
    assert "Name and email follow the Jira account of Ada in Jira" in text
    assert 'name="name"' not in text
    assert "Linked by email" in text
    assert "21 November 2026" in text
    assert "disabled" in text
    body = {"version": "1", "name": "Eve"}
    refused = await acme.call("PATCH", f"/api/fragments/contacts/{made['id']}", form=body)
    assert refused.json()["code"] == "read-only-attribute"
    kept = await acme.call("PATCH", f"/api/fragments/contacts/{made['id']}", form={"version": "1", "phone": "1"})
    assert 'value="1"' in read(kept)


async def test_company_form_creates_edits_and_deletes(acme: Desk, globex: Desk) -> None:
    assert "New company" in await fragment(acme, "GET", "companies/new")
    form = {"name": "Acme", "domains": "acme.com, acme.org\nacme.net"}
    assert "acme.com, acme.net, acme.org" in await fragment(acme, "POST", "companies", form=form)
    (company,) = (await acme.get("/api/companies"))["values"]
    path = f"companies/{company['id']}"
    assert (await globex.call("GET", f"/api/fragments/{path}")).status_code == 404
    assert "acme.net" in await fragment(acme, "GET", path)
    text = await fragment(acme, "PATCH", path, form={"version": "1", "name": "New", "domains": ""})
    assert "New" in text
    assert "No companies yet" in await fragment(acme, "DELETE", path)
    assert "No companies yet" in await fragment(acme, "GET", "companies")


async def test_company_choices_are_searched_where_there_are_too_many(acme: Desk) -> None:
    async with acme.database.tenant(acme.tenant.tenant_id) as scope:
        await scope.execute(
            """
            INSERT INTO company (tenant_id, name, name_key, created_at, updated_at)
            SELECT :tenant_id, 'Firm ' || n, 'firm ' || n, CAST(:now AS timestamptz), :now
            FROM generate_series(100, 220) AS n
            """,
            now=NOW,
        )
    chosen = await acme.make_company(name="Zeta")
    made = await acme.make_contact(company={"id": chosen["id"]})
    text = await fragment(acme, "GET", f"contacts/{made['id']}")
    assert "Find a company" in text
    assert f'<option value="{chosen["id"]}" selected>Zeta</option>' in text
    options = await fragment(acme, "GET", "companies/choices", params={"company-query": "firm 219"})
    assert options.count("<option") == 2


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        ({"version": "1", "name": "", "email": "x"}, {"name", "email"}),
        ({"name": "Ada"}, {"version"}),
        ({"version": "one", "name": "Ada"}, {"version"}),
        ({"version": "1", "company": "x"}, {"company"}),
        (
            {"version": "1", "has-attributes": "1", "attribute-name": ["a", "a"], "attribute-value": ["1", "2"]},
            {"attributes"},
        ),
    ],
)
async def test_form_with_faults_is_refused_field_by_field(acme: Desk, form: dict[str, Any], fields: set[str]) -> None:
    made = await acme.make_contact()
    answer = await acme.call("PATCH", f"/api/fragments/contacts/{made['id']}", form=form)
    assert answer.status_code == 422
    assert {problem["field"] for problem in answer.json()["errors"]} == fields
    assert await acme.get(f"/api/contacts/{made['id']}") == made


@pytest.mark.parametrize("body", [b"name=%ff", b"name=\xc3\xa9", b"&".join(b"a=1" for _ in range(501))])
async def test_form_that_cannot_be_read_is_400(acme: Desk, body: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await acme.call("POST", "/api/fragments/contacts", content=body, headers=headers)
    assert answer.status_code == 400


async def test_page_of_another_sites_contact_is_not_found(acme: Desk, globex: Desk) -> None:
    made = await acme.make_contact()
    assert made["name"] in read(await acme.page(f"/pages/contacts/{made['id']}"))
    answer = await globex.page(f"/pages/contacts/{made['id']}")
    assert answer.status_code == 404
    assert 'href="../../static/app.css"' in answer.text
    assert made["name"] not in answer.text
