"""The contacts of a search as a sheet: what is in it, that no program runs it, and that an import reads it back."""

import csv
import io
import json
from typing import Any

import pytest

from tests.integration.web import importer
from tests.integration.web.desk import NOW, Desk

PATH = "/api/export/contacts.csv"


async def sheet(desk: Desk, **filters: Any) -> list[dict[str, str]]:
    answer = await desk.call("GET", PATH, params=filters)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="contacts.csv"'
    assert answer.text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(answer.text[1:], newline="")))


async def test_export_has_what_the_list_shows(acme: Desk, globex: Desk) -> None:
    company = await acme.make_company()
    made = await acme.make_contact(
        email="ada@example.com", jobTitle="Analyst", attributes={"team": "A"}, company={"id": company["id"]}
    )
    await acme.make_contact(name="Zoë", attributes={"room": "1"})
    await globex.make_contact(name="Theirs", attributes={"secret": "x"})
    await acme.link(made["id"], "a1")
    await acme.turn(on=True)
    ada, zoe = await sheet(acme)
    assert list(ada) == [
        *("id", "name", "email", "phone", "jobTitle", "company", "origin", "syncedJiraUser", "createdAt", "updatedAt"),
        *("attributes.room", "attributes.team", "attributes"),
    ]
    assert (ada["id"], ada["company"], ada["syncedJiraUser"], ada["attributes.team"]) == (made["id"], "Acme", "a1", "A")
    assert (zoe["name"], zoe["email"], zoe["attributes.room"], zoe["origin"]) == ("Zoë", "", "1", "manual")
    assert [row["name"] for row in await sheet(acme, linked="true")] == ["Ada Lovelace"]
    assert [row["name"] for row in await sheet(acme, query="zo")] == ["Zoë"]
    assert [row["name"] for row in await sheet(acme, sort="-name")] == ["Zoë", "Ada Lovelace"]
    assert [row["name"] for row in await sheet(acme, companyId=company["id"])] == ["Ada Lovelace"]


async def test_export_of_nothing_is_a_header(acme: Desk) -> None:
    assert await sheet(acme) == []


async def test_export_with_a_bad_filter_is_refused(acme: Desk) -> None:
    assert (await acme.call("GET", PATH, params={"sort": "salary"})).status_code == 422


async def test_export_goes_through_every_part(acme: Desk) -> None:
    async with acme.database.tenant(acme.tenant.tenant_id) as scope:
        await scope.execute(
            """
            INSERT INTO contact (tenant_id, name, name_key, attributes, origin, created_at, updated_at)
            SELECT :tenant_id, 'Same', 'same', jsonb_build_object('a' || n % 210, 'x'), 'sync', CAST(:now AS timestamptz), :now
            FROM generate_series(1, 2300) AS n
            """,
            now=NOW,
        )
    rows = await sheet(acme)
    assert len({row["id"] for row in rows}) == len(rows) == 2300
    columns = [column for column in rows[0] if column.startswith("attributes.")]
    assert len(columns) == 200
    in_columns = sum(bool(row[column]) for row in rows for column in columns)
    rest = [json.loads(row["attributes"]) for row in rows if row["attributes"]]
    assert in_columns + len(rest) == 2300
    assert [list(each.values()) for each in rest] == [["x"]] * len(rest)


@pytest.mark.parametrize(
    "text", ["=1+1", "+49 30", "-1", "@SUM(A1)", "'=1", "''+1", '"q",;', "' plain", "ünï ☃", "a;=1;'-2"]
)
async def test_export_is_no_formula_and_is_read_back_unchanged(acme: Desk, text: str) -> None:
    made = await acme.make_contact(name=text, phone=text, attributes={text: text, "b": text}, email="x@example.com")
    nameless = await acme.make_contact(name=text)
    answer = await acme.call("GET", PATH)
    for row in csv.reader(io.StringIO(answer.text[1:], newline="")):
        assert not any(part.startswith(("=", "+", "-", "@")) for cell in row for part in cell.split(";"))
    same = await importer.run(acme, answer.content)
    assert (same["created"], same["updated"], same["skipped"]) == (0, 0, 2)
    wiped = {"version": 1, "name": "-", "phone": None, "attributes": {}}
    assert (await acme.call("PATCH", f"/api/contacts/{made['id']}", json=wiped)).status_code == 200
    back = await importer.run(acme, answer.content)
    assert (back["created"], back["updated"], back["skipped"]) == (0, 1, 1)
    restored = await acme.get(f"/api/contacts/{made['id']}")
    assert {**restored, "version": 1, "updatedAt": made["updatedAt"]} == made
    assert await acme.get(f"/api/contacts/{nameless['id']}") == nameless


async def test_export_of_twins_is_read_back_unchanged(acme: Desk) -> None:
    """Contacts that share an email, and companies that share a name, are told apart by the ids."""
    firms = [await acme.make_company(name="Twin Ltd") for _ in range(2)]
    for firm in firms:
        await acme.make_contact(name="Twin", email="twin@example.com", company={"id": firm["id"]})
    before = await importer.contacts(acme)
    same = await importer.run(acme, (await acme.call("GET", PATH)).content)
    assert (same["created"], same["updated"], same["skipped"], same["newCompanies"]) == (0, 0, 2, 0)
    assert await importer.contacts(acme) == before
    assert len((await acme.get("/api/companies"))["values"]) == 2


async def test_export_read_by_another_site_makes_the_contacts_there(acme: Desk, globex: Desk) -> None:
    await acme.make_contact(name="Ada", email="ada@example.com")
    exported = (await acme.call("GET", PATH)).content
    made = await importer.bring(globex, exported)
    targets = [None if column["target"] == "id" else column["target"] for column in made["columns"]]
    assert (await importer.check(globex, made, targets=targets))["toCreate"] == 1
