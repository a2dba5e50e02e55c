"""The import of contacts over the JSON API: what is checked, what is written, and what is left alone."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.integration.web import importer
from tests.integration.web.desk import MEMBER, Clock, Desk, People
from tests.integration.web.importer import PATH

SHEET = (
    "Name;E-Mail;Phone;Job title;Company;Team\r\n"
    'Ada Lovelace;Ada@Example.com;+44 1;Analyst;Engines Ltd;"Diff; Engine"\r\n'
    "\r\n"
    'Grace\r\n;grace@navy.example;;;"engines  LTD";\r\n'.replace("Grace\r\n;", '"Grace\r\nHopper";')
)


async def by_name(desk: Desk) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in await importer.contacts(desk)}


async def test_file_is_read_meant_checked_and_written(acme: Desk, globex: Desk) -> None:
    made = await importer.bring(acme, SHEET)
    assert (made["state"], made["encoding"], made["delimiter"]) == ("mapping", "utf-8", ";")
    assert [column["target"] for column in made["columns"]] == ["name", "email", "phone", "jobTitle", "company", None]
    assert made["columns"][0]["samples"] == ["Ada Lovelace", "", "Grace\r\nHopper"]
    targets = [column["target"] for column in made["columns"][:-1]] + ["attributes.Team"]
    checked = await importer.check(acme, made, targets=targets)
    assert (checked["state"], checked["rows"], checked["problems"]) == ("ready", 2, 0)
    assert (checked["toCreate"], checked["toUpdate"], checked["newCompanies"]) == (2, 0, 1)
    assert await importer.contacts(acme) == []
    written = await importer.write(acme, made)
    assert (written["state"], written["created"], written["leftOut"]) == ("done", 2, 0)
    people = await by_name(acme)
    ada = people["Ada Lovelace"]
    assert (ada["email"], ada["phone"], ada["jobTitle"]) == ("Ada@Example.com", "+44 1", "Analyst")
    assert (ada["attributes"], ada["origin"], ada["version"]) == ({"Team": "Diff; Engine"}, "import", 1)
    assert ada["company"] == people["Grace Hopper"]["company"]
    assert [each["name"] for each in (await acme.get("/api/companies"))["values"]] == ["Engines Ltd"]
    assert await importer.contacts(globex) == []


async def test_every_problem_is_listed_by_row_and_nothing_is_written(acme: Desk) -> None:
    for number in range(2):
        await acme.make_contact(name=f"Twin {number}", email="twin@example.com")
        await acme.make_company(name="Twin Ltd")
    sheet = (
        "name,email,company,phone\n"
        "Ok,ok@example.com,,\n"
        ",nobody,,\n"
        "Again,OK@example.com ,,\n"
        "Long,,," + "1" * 256 + "\n"
        "Twin,twin@example.com,,\n"
        ",new@example.com,,\n"
        "Firm,firm@example.com,TWIN ltd,\n"
        "More,more@example.com,,,,x\n"
    )
    before = await importer.contacts(acme)
    checked = await importer.check(acme, await importer.bring(acme, sheet))
    assert (checked["state"], checked["problems"], checked["rows"]) == ("refused", 8 - 1, 8)
    assert await importer.problems(acme, checked) == [
        (3, "email", "must be an email address, such as name@example.com"),
        (4, "email", "is the same as in row 2"),
        (5, "phone", "must not be longer than 255 characters"),
        (6, "email", "belongs to several contacts, of which the row may mean any"),
        (7, "name", "is required for a new contact"),
        (8, "company", "is the name of several companies, of which the row may mean any"),
        (9, "", "has more cells than the header has columns"),
    ]
    refused = await acme.call("POST", f"{PATH}/{checked['id']}/start")
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid")
    assert await importer.contacts(acme) == before


async def test_attribute_whose_name_cannot_be_kept_refuses_its_row_alone(acme: Desk, globex: Desk) -> None:
    problem = "the name of an attribute must not contain control characters or broken Unicode"
    for site in (acme, globex):
        for name in (r"\u0000", r"a\ud800"):
            sheet = f'name;attributes\nGood;\nBad;"{{""{name}"": ""x""}}"\n'
            checked = await importer.check(site, await importer.bring(site, sheet), targets=["name", "attributes"])
            assert (checked["state"], checked["problems"]) == ("refused", 1)
            assert await importer.problems(site, checked) == [(3, "attributes", problem)]


async def test_problems_are_a_sheet_too(acme: Desk) -> None:
    checked = await importer.check(acme, await importer.bring(acme, "=Mail,Name\n-x,A\n"), targets=["email", "name"])
    answer = await acme.call("GET", f"{PATH}/{checked['id']}/problems", headers={"Accept": "text/csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.text == (
        '\ufeffrow,field,problem\r\n2,\'=Mail,"must be an email address, such as name@example.com"\r\n'
    )


async def test_refused_file_may_be_meant_otherwise(acme: Desk) -> None:
    made = await importer.bring(acme, "email,name\nAda,ada@example.com\n")
    assert (await importer.check(acme, made))["state"] == "refused"
    checked = await importer.check(acme, made, targets=["name", "email"])
    assert (checked["state"], checked["problems"], await importer.problems(acme, made)) == ("ready", 0, [])
    assert (await importer.write(acme, made))["created"] == 1


async def test_existing_contact_is_updated_and_empty_cells_erase_nothing(acme: Desk) -> None:
    company = await acme.make_company(name="Old Ltd")
    made = await acme.make_contact(
        name="Ada", email="ADA@example.com", phone="1", attributes={"a": "1"}, company={"id": company["id"]}
    )
    sheet = "name,email,phone,job title,company,attributes.b\nAda L,ada@example.com,,Analyst,,2\n"
    written = await importer.run(acme, sheet)
    assert (written["created"], written["updated"]) == (0, 1)
    edited = await acme.get(f"/api/contacts/{made['id']}")
    assert (edited["name"], edited["phone"], edited["jobTitle"], edited["version"]) == ("Ada L", "1", "Analyst", 2)
    assert (edited["attributes"], edited["company"]["name"]) == ({"a": "1", "b": "2"}, "Old Ltd")
    assert (edited["origin"], edited["createdAt"]) == ("manual", made["createdAt"])
    again = await importer.run(acme, sheet)
    assert (again["created"], again["updated"], again["skipped"]) == (0, 0, 1)


async def test_existing_contact_is_left_alone_if_so_wished(acme: Desk) -> None:
    made = await acme.make_contact(name="Ada", email="ada@example.com")
    sheet = "name,email\nEve,ada@example.com\nNew,new@example.com\n"
    written = await importer.run(acme, sheet, existing="skip")
    assert (written["created"], written["updated"], written["skipped"]) == (1, 0, 1)
    assert await acme.get(f"/api/contacts/{made['id']}") == made


async def test_what_jira_is_the_source_of_is_never_overwritten(acme: Desk) -> None:
    """S8."""
    made = await acme.make_contact(name="Ada", email="ada@example.com")
    await acme.link(made["id"], "a1")
    await acme.turn(on=True)
    sheet = "id,name,email,phone,origin,syncedJiraUser\n" + f"{made['id']},Eve,eve@example.com,1,,\n"
    written = await importer.run(acme, sheet)
    assert written["updated"] == 1
    edited = await acme.get(f"/api/contacts/{made['id']}")
    assert (edited["name"], edited["email"], edited["phone"]) == ("Ada", "ada@example.com", "1")
    assert edited["syncedJiraUser"]["accountId"] == "a1"


async def test_contact_synced_between_check_and_writing_keeps_its_name(acme: Desk) -> None:
    made = await acme.make_contact(name="Ada", email="ada@example.com")
    checked = await importer.check(acme, await importer.bring(acme, "name,email\nEve,ada@example.com\n"))
    assert checked["toUpdate"] == 1
    await acme.link(made["id"], "a1")
    await acme.turn(on=True)
    assert (await importer.write(acme, checked))["skipped"] == 1
    assert (await acme.get(f"/api/contacts/{made['id']}"))["name"] == "Ada"


async def test_row_that_cannot_be_taken_any_more_is_left_out_and_listed(acme: Desk) -> None:
    await acme.make_contact(name="Ada", email="ada@example.com")
    checked = await importer.check(acme, await importer.bring(acme, "name,email\nA,ada@example.com\nB,b@example.com\n"))
    await acme.make_contact(name="Ada again", email="ada@example.com")
    written = await importer.write(acme, checked)
    assert (written["state"], written["created"], written["leftOut"], written["problems"]) == ("done", 1, 1, 1)
    [(row, column, _)] = await importer.problems(acme, written)
    assert (row, column) == (2, "email")


async def test_contact_of_another_site_is_never_met(acme: Desk, globex: Desk) -> None:
    foreign = await globex.make_contact(name="Theirs", email="ada@example.com")
    await globex.make_company(name="Theirs Ltd")
    sheet = "id,name,email,company,origin,syncedJiraUser\n,Ada,ada@example.com,Theirs Ltd,,\n"
    made = await importer.bring(acme, sheet)
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/problems"), ("POST", "/start")):
        assert (await globex.call(method, f"{PATH}/{made['id']}{path}")).status_code == 404
    assert (await globex.call("PUT", f"{PATH}/{made['id']}", json={})).status_code == 404
    checked = await importer.check(acme, made)
    assert (checked["toCreate"], checked["newCompanies"]) == (1, 1)
    await importer.write(acme, checked)
    by_id = f"id,name,email,phone,origin,syncedJiraUser\n{foreign['id']},Mine,,1,,\n"
    refused = await importer.check(acme, await importer.bring(acme, by_id))
    assert await importer.problems(acme, refused) == [(2, "id", "is not the id of a contact here")]
    assert await importer.contacts(globex) == [foreign]


async def test_two_rows_cannot_mean_one_contact(acme: Desk) -> None:
    made = await acme.make_contact(name="Ada", email="ada@example.com")
    sheet = f"id,name,email,phone,origin,syncedJiraUser\n{made['id']},Ada,,1,,\n,Ada,ada@example.com,2,,\n"
    refused = await importer.check(acme, await importer.bring(acme, sheet))
    assert await importer.problems(acme, refused) == [(3, "email", "is that of the contact of row 2")]


async def test_many_rows_in_parts_are_each_written_once(acme: Desk) -> None:
    rows = 5_700
    sheet = "name,email,company\n" + "".join(f"P{n},p{n}@example.com,Firm {n % 7}\n" for n in range(rows))
    made = await importer.bring(acme, sheet)
    assert (await acme.call("PUT", f"{PATH}/{made['id']}", json={})).status_code == 202
    await importer.work(acme, turns=1)
    await importer.work(acme)
    checked = await acme.get(f"{PATH}/{made['id']}")
    assert (checked["toCreate"], checked["newCompanies"]) == (rows, 7)
    assert (await acme.call("POST", f"{PATH}/{made['id']}/start")).status_code == 202
    await importer.work(acme, turns=1)
    going = await acme.get(f"{PATH}/{made['id']}")
    assert going["state"] == "writing"
    assert 0 < going["created"] < rows
    assert 0 < going["progress"] < 1
    await asyncio.gather(importer.work(acme), importer.work(acme))
    done = await acme.get(f"{PATH}/{made['id']}")
    assert (done["state"], done["created"], done["progress"]) == ("done", rows, 1)
    async with acme.database.tenant(acme.tenant.tenant_id) as scope:
        sql = "SELECT count(*), count(DISTINCT email_key) AS emails FROM contact WHERE tenant_id = :tenant_id"
        counts = await scope.fetch_one(sql)
        pieces = await scope.fetch_val("SELECT count(*) FROM import_piece WHERE tenant_id = :tenant_id")
    assert counts is not None
    assert (tuple(counts.values()), pieces) == ((rows, rows), 0)


async def test_two_people_who_import_the_same_person_make_one_contact(acme: Desk, people: People) -> None:
    people.admins.add((acme.tenant.tenant_id, MEMBER))
    member = acme.as_person(MEMBER)
    sheet = "name,email,company\nAda,ada@example.com,Acme\n"
    first = await importer.check(acme, await importer.bring(acme, sheet))
    second = await importer.check(member, await importer.bring(member, sheet))
    assert (first["toCreate"], second["toCreate"], second["newCompanies"]) == (1, 1, 1)
    for made in (first, second):
        assert (await acme.call("POST", f"{PATH}/{made['id']}/start")).status_code == 202
    await asyncio.gather(importer.work(acme), importer.work(acme))
    done = [await acme.get(f"{PATH}/{made['id']}") for made in (first, second)]
    assert sorted((each["created"], each["skipped"]) for each in done) == [(0, 1), (1, 0)]
    assert len(await importer.contacts(acme)) == 1
    assert len((await acme.get("/api/companies"))["values"]) == 1


async def test_stopped_writing_keeps_what_is_written(acme: Desk) -> None:
    sheet = "name\n" + "".join(f"P{n}\n" for n in range(6_000))
    checked = await importer.check(acme, await importer.bring(acme, sheet))
    await acme.call("POST", f"{PATH}/{checked['id']}/start")
    await importer.work(acme, turns=1)
    assert (await acme.call("DELETE", f"{PATH}/{checked['id']}")).status_code == 204
    await importer.work(acme)
    stopped = await acme.get(f"{PATH}/{checked['id']}")
    assert (stopped["state"], stopped["created"]) == ("cancelled", 5_000)


async def test_import_is_forgotten_when_cancelled_replaced_or_old(acme: Desk, clock: Clock) -> None:
    first = await importer.bring(acme, "name\nA\n")
    assert (await acme.call("DELETE", f"{PATH}/{first['id']}")).status_code == 204
    second, third = await importer.bring(acme, "name\nA\n"), await importer.bring(acme, "name\nA\n")
    clock.now += timedelta(days=1)
    for made in (first, second, third):
        assert (await acme.call("GET", f"{PATH}/{made['id']}")).status_code == 404


async def test_file_that_is_being_checked_is_left_alone(acme: Desk) -> None:
    made = await importer.bring(acme, "name\nA\n")
    assert (await acme.call("PUT", f"{PATH}/{made['id']}", json={})).status_code == 202
    for method, path in (("PUT", ""), ("POST", "/start")):
        answer = await acme.call(method, f"{PATH}/{made['id']}{path}", json={})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "state")
        assert "is checking" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("meaning", "field"),
    [
        ({"targets": ["name"]}, "targets"),
        ({"targets": ["phone", None]}, "targets"),
        ({"targets": ["name", "name"]}, "targets[1]"),
        ({"targets": ["name", "salary"]}, "targets[1]"),
        ({"targets": ["name", "attributes. "]}, "targets[1]"),
        ({"targets": "name"}, "targets"),
        ({"existing": "erase"}, "existing"),
        ({"encoding": "ebcdic"}, "encoding"),
        ({"delimiter": "x"}, "delimiter"),
        ({"colour": "x"}, "colour"),
    ],
)
async def test_meaning_that_cannot_be_is_refused(acme: Desk, meaning: dict[str, Any], field: str) -> None:
    made = await importer.bring(acme, "name,phone\nA,1\n")
    answer = await acme.call("PUT", f"{PATH}/{made['id']}", json=meaning)
    assert answer.status_code == 422, answer.text
    assert [each["field"] for each in answer.json()["errors"]] == [field]
    assert (await acme.get(f"{PATH}/{made['id']}"))["state"] == "mapping"


async def test_character_set_may_be_said_otherwise(acme: Desk) -> None:
    made = await importer.bring(acme, "name,company\nЮлия,Завод\n".encode("windows-1251"))
    assert made["encoding"] == "windows-1252"
    checked = await importer.check(acme, made, encoding="windows-1251", delimiter=",")
    assert (checked["encoding"], checked["state"]) == ("windows-1251", "ready")
    await importer.write(acme, checked)
    assert list(await by_name(acme)) == ["Юлия"]
