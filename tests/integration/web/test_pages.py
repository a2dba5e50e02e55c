"""The pages at first paint, and the parts of them that htmx asks for."""

import json
from typing import Any

import pytest

from tests.integration.web.desk import NOW, Desk
from tests.integration.web.html import fragment, read

EVIL = '<script>alert("x")</script>'


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
    assert text.count('<tr id="contact-') == 50
    more = text.split('hx-get="api/fragments/contacts/rows?')[1].split('"')[0].replace("&amp;", "&")
    rest = read(await acme.call("GET", f"/api/fragments/contacts/rows?{more}"))
    assert rest.count('<tr id="contact-') == 10
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
