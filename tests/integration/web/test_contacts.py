"""Contacts over the JSON API, for two sites at once."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from addon.crm import contact
from tests.integration.web.desk import NOW, Clock, Desk


async def names(desk: Desk, **params: Any) -> list[str]:
    """Every name of a list, through all its pages."""
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await desk.get("/api/contacts", **params, cursor=cursor)
        found += [one["name"] for one in page["values"]]
        cursor = page["next"]
    return found


async def test_create_keeps_every_attribute(acme: Desk, globex: Desk) -> None:
    company = await acme.make_company()
    made = await acme.make_contact(
        email=" Ada@Example.com ",
        phone="+44 1",
        jobTitle="Analyst",
        attributes={"team": "Engines"},
        company={"id": company["id"], "name": "whatever"},
    )
    assert made["email"] == "Ada@Example.com"
    assert made["attributes"] == {"team": "Engines"}
    assert made["company"] == {"id": company["id"], "name": "Acme"}
    assert (made["origin"], made["version"], made["readOnly"], made["deletable"]) == ("manual", 1, [], True)
    assert await acme.get(f"/api/contacts/{made['id']}") == made
    assert (await globex.get("/api/contacts"))["values"] == []


async def test_create_names_the_address_of_the_contact(acme: Desk) -> None:
    answer = await acme.call("POST", "/api/contacts", json={"name": "Ada"})
    assert answer.headers["location"] == f"/api/contacts/{answer.json()['id']}"


async def test_create_with_many_faults_names_all_at_once(acme: Desk) -> None:
    body = {
        "name": " ",
        "email": "nobody",
        "phone": 5,
        "jobTitle": "x" * 256,
        "attributes": {"a": 1, " ": "b"},
        "company": {"id": "999"},
        "admin": True,
    }
    answer = await acme.call("POST", "/api/contacts", json=body)
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid"
    fields = {problem["field"] for problem in answer.json()["errors"]}
    assert fields == {"name", "email", "phone", "jobTitle", "attributes.a", "attributes", "company", "admin"}
    assert await names(acme) == []


@pytest.mark.parametrize(
    "body",
    [
        rb'{"name": "Ada\u0000"}',
        rb'{"name": "Ada\ud800"}',
        rb'{"name": "Ada", "email": "a\u0000@example.com"}',
        rb'{"name": "Ada", "attributes": {"\ud800": "x"}}',
        rb'{"name": "Ada", "attributes": {"x": "\u0000"}}',
        rb'{"name": "Ada", "\udfff\u0000": "x"}',
        rb'{"name": "Ada", "company": {"id": "\u0663"}}',
        rb'{"name": "Ada", "company": {"id": "99999999999999999999"}}',
    ],
)
async def test_create_with_what_no_database_takes_is_invalid(acme: Desk, body: bytes) -> None:
    answer = await acme.call("POST", "/api/contacts", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    "name", ["Zoë 👩‍💻", "محمد", "\ufdfa" * 255, "\U0001d56c\U0001d589\U0001d586", "'; DROP TABLE contact; --", "%_\\"]
)
async def test_create_with_any_printable_name_keeps_it(acme: Desk, name: str) -> None:
    made = await acme.make_contact(name=name)
    assert made["name"] == name
    assert await names(acme, query=name) == [name]


async def test_list_of_equal_names_pages_through_every_contact_once(acme: Desk, globex: Desk) -> None:
    async with acme.database.tenant(acme.tenant.tenant_id) as scope:
        await scope.execute(
            """
            INSERT INTO contact (tenant_id, name, name_key, origin, created_at, updated_at)
            SELECT :tenant_id, 'Name ' || n % 3, 'name ' || n % 3, 'sync', CAST(:now AS timestamptz), :now
            FROM generate_series(1, 230) AS n
            """,
            now=NOW,
        )
    await globex.make_contact(name="Name 1")
    for sort, limit in (("name", 50), ("-name", 7), ("updatedAt", 200), ("-updatedAt", 50)):
        ids: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            page = await acme.get("/api/contacts", sort=sort, limit=limit, cursor=cursor)
            assert len(page["values"]) <= limit
            ids += [one["id"] for one in page["values"]]
            cursor = page["next"]
        assert len(ids) == len(set(ids)) == 230
    by_name = await names(acme)
    assert by_name == sorted(by_name)
    assert await names(acme, sort="-name") == by_name[::-1]


@pytest.mark.parametrize("name", ["\x01\t\x1f", "\U0001f469" * 255, "\ufdfa" * 255, "\u0301"])
async def test_list_pages_through_any_name_that_jira_may_send(acme: Desk, name: str) -> None:
    async with acme.database.tenant(acme.tenant.tenant_id) as scope:
        for _ in range(3):
            await scope.execute(
                """
                INSERT INTO contact (tenant_id, name, name_key, origin, created_at, updated_at)
                VALUES (:tenant_id, :name, :name_key, 'sync', :now, :now)
                """,
                name=name,
                name_key=contact.name_key(name),
                now=NOW,
            )
    assert await names(acme, limit=1) == [name] * 3


async def test_list_sorts_names_without_case_and_accents(acme: Desk) -> None:
    for name in ("Zoe", "émile", "Eva", "anna"):
        await acme.make_contact(name=name)
    assert await names(acme) == ["anna", "émile", "Eva", "Zoe"]


async def test_list_by_change_shows_the_newest_edit_first(acme: Desk, clock: Clock) -> None:
    first = await acme.make_contact(name="First")
    clock.now += timedelta(minutes=1)
    await acme.make_contact(name="Second")
    assert await names(acme, sort="-updatedAt") == ["Second", "First"]
    clock.now += timedelta(minutes=1)
    await acme.call("PATCH", f"/api/contacts/{first['id']}", json={"version": 1, "phone": "1"})
    assert await names(acme, sort="-updatedAt") == ["First", "Second"]
    assert await names(acme, sort="updatedAt", limit=1) == ["Second", "First"]


async def test_search_finds_parts_of_name_and_email(acme: Desk) -> None:
    await acme.make_contact(name="Grace Hopper", email="grace@navy.example")
    await acme.make_contact(name="Ada", email="100%_sure@math.example")
    assert await names(acme, query="HOPP") == ["Grace Hopper"]
    assert await names(acme, query="NAVY.ex") == ["Grace Hopper"]
    assert await names(acme, query="0%_s") == ["Ada"]
    assert await names(acme, query="%") == ["Ada"]
    assert await names(acme, query="nobody") == []


async def test_list_by_company_and_link_shows_only_those(acme: Desk) -> None:
    company = await acme.make_company()
    linked = await acme.make_contact(name="Linked", company={"id": company["id"]})
    await acme.make_contact(name="Free")
    await acme.link(linked["id"], "a1")
    assert await names(acme, companyId=company["id"]) == ["Linked"]
    assert await names(acme, linked="true") == []
    await acme.turn(on=True)
    assert await names(acme, linked="true") == ["Linked"]
    assert await names(acme, linked="false") == ["Free"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        ("limit", "201"),
        ("limit", "many"),
        ("limit", "-1"),
        ("limit", "\uff19"),
        ("sort", "email"),
        ("linked", "maybe"),
        ("companyId", "x"),
        ("cursor", "nonsense"),
        ("cursor", "é"),
        ("cursor", "WzFd"),
        ("cursor", "bnVsbA"),
        ("cursor", "WyJuYW1lIiwiYSIsLTFd"),  # ["name","a",-1]
        ("cursor", "WyJuYW1lIiwiXHVkODAwIiwxXQ"),  # ["name","\\ud800",1]
        ("cursor", "WyJuYW1lIiwiXHUwMDAwIiwxXQ"),  # ["name","\\u0000",1]
        ("query", "\0"),
        ("query", "x" * 256),
    ],
)
async def test_list_with_bad_parameter_names_it(acme: Desk, name: str, value: str) -> None:
    answer = await acme.call("GET", "/api/contacts", params={name: value})
    assert answer.status_code == 422
    assert [problem["field"] for problem in answer.json()["errors"]] == [name]


async def test_cursor_of_another_order_is_refused(acme: Desk) -> None:
    for name in ("A", "B"):
        await acme.make_contact(name=name)
    cursor = (await acme.get("/api/contacts", limit=1))["next"]
    answer = await acme.call("GET", "/api/contacts", params={"cursor": cursor, "sort": "-name"})
    assert answer.status_code == 422


async def test_edit_changes_what_is_named_and_nothing_else(acme: Desk, clock: Clock) -> None:
    made = await acme.make_contact(email="ada@example.com", phone="1")
    clock.now += timedelta(minutes=1)
    answer = await acme.call("PATCH", f"/api/contacts/{made['id']}", json={"version": 1, "phone": None, "name": "Ada"})
    edited = answer.json()
    assert (edited["name"], edited["email"], edited["phone"], edited["version"]) == ("Ada", "ada@example.com", None, 2)
    assert edited["createdAt"] == made["createdAt"]
    assert edited["updatedAt"] > made["updatedAt"]


async def test_edit_with_an_old_version_is_stale(acme: Desk) -> None:
    made = await acme.make_contact()
    path = f"/api/contacts/{made['id']}"
    assert (await acme.call("PATCH", path, json={"version": 1, "phone": "1"})).status_code == 200
    answer = await acme.call("PATCH", path, json={"version": 1, "phone": "2"})
    assert (answer.status_code, answer.json()["code"]) == (409, "stale-version")
    assert (await acme.get(path))["phone"] == "1"


async def test_concurrent_edits_of_one_version_let_one_through(acme: Desk) -> None:
    made = await acme.make_contact()
    path = f"/api/contacts/{made['id']}"
    answers = await asyncio.gather(*(acme.call("PATCH", path, json={"version": 1, "phone": str(n)}) for n in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]


@pytest.mark.parametrize("version", [None, "1", True, 1.0])
async def test_edit_without_a_version_is_invalid(acme: Desk, version: object) -> None:
    made = await acme.make_contact()
    answer = await acme.call("PATCH", f"/api/contacts/{made['id']}", json={"version": version, "phone": "1"})
    assert answer.status_code == 422
    assert [problem["field"] for problem in answer.json()["errors"]] == ["version"]


async def test_regular_contact_refuses_a_synced_jira_user_by_hand(acme: Desk) -> None:
    made = await acme.make_contact()
    body = {"version": 1, "syncedJiraUser": {"accountId": "a1"}}
    answer = await acme.call("PATCH", f"/api/contacts/{made['id']}", json=body)
    assert answer.status_code == 422


async def test_another_site_never_meets_a_contact(acme: Desk, globex: Desk) -> None:
    made = await acme.make_contact()
    company = await acme.make_company()
    path = f"/api/contacts/{made['id']}"
    for method, body in (("GET", None), ("PATCH", {"version": 1, "name": "x"}), ("DELETE", None)):
        answer = await globex.call(method, path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert (await globex.call("GET", f"{path}/changes")).status_code == 404
    answer = await globex.call("POST", "/api/contacts", json={"name": "x", "company": {"id": company["id"]}})
    assert answer.status_code == 422
    assert await acme.get(path) == made


@pytest.mark.parametrize("contact_id", ["0", "x", "-1", "1.0", "99999999999999999999", "%00", "\u0663", "1%20"])
async def test_what_is_no_id_is_not_found(acme: Desk, contact_id: str) -> None:
    assert (await acme.call("GET", f"/api/contacts/{contact_id}")).status_code == 404


async def test_history_shows_the_newest_change_first(acme: Desk, globex: Desk) -> None:
    made = await acme.make_contact()
    async with acme.database.tenant(acme.tenant.tenant_id) as scope:
        await scope.execute(
            """
            INSERT INTO change (tenant_id, contact_id, field, old, new, cause, at)
            SELECT :tenant_id, CAST(:contact_id AS bigint), 'name', 'v' || n, 'v' || n + 1, 'account-changed', :now
            FROM generate_series(1, 5) AS n
            """,
            contact_id=int(made["id"]),
            now=NOW,
        )
    path = f"/api/contacts/{made['id']}/changes"
    first = await acme.get(path, limit=3)
    assert [change["new"] for change in first["values"]] == ["v6", "v5", "v4"]
    rest = await acme.get(path, limit=3, cursor=first["next"])
    assert [change["new"] for change in rest["values"]] == ["v3", "v2"]
    assert rest["next"] is None
    assert rest["values"][0]["contactName"] == "Ada Lovelace"
    assert (await globex.call("GET", path)).status_code == 404
