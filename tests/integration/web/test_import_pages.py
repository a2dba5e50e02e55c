"""The import as parts of a page: each of its states has a look, and what is wrong is beside its row."""

import html
import re

from tests.integration.web import importer
from tests.integration.web.desk import MEMBER, Desk, People
from tests.integration.web.html import fragment, read


async def upload(desk: Desk, raw: str) -> str:
    return read(await desk.call("POST", "/api/fragments/import", file=("<people>.csv", raw.encode())))


def import_path(text: str) -> str:
    found = re.search(r"api/fragments/(import/\d+)", text)
    assert found is not None
    return found[1]


async def test_import_leads_from_the_file_to_the_contacts(acme: Desk, globex: Desk) -> None:
    assert 'type="file"' in await fragment(acme, "GET", "import")
    text = await upload(acme, "name;email;Team\nAda;ada@example.com;Engines\n")
    assert "What do the columns mean?" in text
    assert "&lt;people&gt;.csv" in text
    assert '<option value="attributes.Team">' in text
    path = import_path(text)
    assert "What do the columns mean?" in await fragment(acme, "GET", "import")
    other = await fragment(acme, "GET", f"{path}/mapping", params={"encoding": "utf-8", "delimiter": ","})
    assert "name;email;Team" in other
    form = {"target": ["name", "email", "attributes.Team"], "existing": "update", "encoding": "utf-8", "delimiter": ";"}
    assert "Checking the file" in await fragment(acme, "PUT", path, form=form)
    assert 'hx-trigger="every 1s"' in await fragment(acme, "GET", path)
    await importer.work(acme)
    text = await fragment(acme, "GET", path)
    assert "The file passed its check" in text
    assert "Import one contact" in text
    assert "hx-trigger" not in text
    assert "Writing the contacts" in await fragment(acme, "POST", f"{path}/start")
    await importer.work(acme)
    assert "The contacts are imported" in await fragment(acme, "GET", path)
    text = await fragment(acme, "GET", "import")
    assert "The contacts are imported" in text
    assert 'type="file"' in text
    [made] = await importer.contacts(acme)
    assert (made["name"], made["attributes"]) == ("Ada", {"Team": "Engines"})
    assert (await globex.call("GET", f"/api/fragments/{path}")).status_code == 404
    assert 'type="file"' in await fragment(globex, "GET", "import")


async def test_every_problem_is_shown_with_its_row_and_column(acme: Desk) -> None:
    path = import_path(await upload(acme, "Who,E-Mail\n" + "A,nobody\n" * 60))
    await fragment(acme, "PUT", path, form={"target": ["name", "email"], "existing": "skip"})
    await importer.work(acme)
    text = await fragment(acme, "GET", path)
    assert "60 problems were found. Nothing was written" in text
    assert text.count("must be an email address") == 50
    assert '<td dir="auto">E-Mail</td>' in text
    more = html.unescape(text.split(f'hx-get="api/fragments/{path}/problems?')[1].split('"')[0])
    assert read(await acme.call("GET", f"/api/fragments/{path}/problems?{more}")).count("must be an email") == 10
    assert "What do the columns mean?" in await fragment(acme, "GET", f"{path}/mapping")
    assert "Contacts" in await fragment(acme, "DELETE", path)
    assert 'type="file"' in await fragment(acme, "GET", "import")


async def test_meaning_that_cannot_be_is_refused_and_nothing_changes(acme: Desk) -> None:
    path = import_path(await upload(acme, "a,b\n1,2\n"))
    refused = await acme.call("PUT", f"/api/fragments/{path}", form={"target": ["phone", ""], "existing": "update"})
    assert [each["field"] for each in refused.json()["errors"]] == ["targets"]
    refused = await acme.call("GET", f"/api/fragments/{path}/mapping", params={"encoding": "x", "delimiter": "y"})
    assert [each["field"] for each in refused.json()["errors"]] == ["encoding", "delimiter"]


async def test_file_that_is_no_sheet_is_refused_beside_its_field(acme: Desk) -> None:
    answer = await acme.call("POST", "/api/fragments/import", file=("a.xlsx", b"PK\x03\x04\0\0"))
    assert [each["field"] for each in answer.json()["errors"]] == ["file"]


async def test_import_is_for_those_who_may_see_contacts(acme: Desk, people: People) -> None:
    member = acme.as_person(MEMBER)
    for path in ("/api/fragments/import", "/api/import/contacts"):
        assert (await member.call("POST", path, file=("a.csv", b"name\n"))).status_code == 403
    people.admins.add((acme.tenant.tenant_id, MEMBER))
    assert (await member.call("POST", "/api/import/contacts", file=("a.csv", b"name\n"))).status_code == 201


async def test_only_the_upload_takes_a_large_body(acme: Desk) -> None:
    large = b"name\n" + b"x\n" * 750_000
    assert (await acme.call("POST", "/api/import/contacts", file=("a.csv", large))).status_code == 201
    for path in ("/api/contacts", "/api/companies"):
        answer = await acme.call("POST", path, content=large, headers={"Content-Type": "application/json"})
        assert answer.status_code == 413
