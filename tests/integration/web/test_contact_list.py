"""The list of contacts as a page: its filters, its count, the way back to it, and how what it shows is renewed."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest

from addon.crm import contact as crm
from tests.integration.web.desk import NOW, Clock, Desk
from tests.integration.web.html import fragment, read

ROW = re.compile(r'<tr id="(contact-\d+)">(.*?)</tr>', re.DOTALL)
CELL = re.compile(r'class="(name|email|company|jira|checked)">(.*?)</(?:bdi|td)>', re.DOTALL)
SWAP = re.compile(
    r'<span hx-swap-oob="innerHTML:#(contact-\d+) \.(\w+)">(.*?)</span>\s(?=<span hx-swap-oob|<span hidden|\s*$)',
    re.DOTALL,
)


async def make_many(desk: Desk, count: int, **columns: Any) -> None:
    async with desk.database.tenant(desk.tenant.tenant_id) as scope:
        await scope.execute(
            """
            INSERT INTO contact (tenant_id, name, name_key, origin, created_at, updated_at)
            SELECT :tenant_id, 'Person ' || n, 'person ' || n, 'manual', CAST(:now AS timestamptz), :now
            FROM generate_series(1000, 999 + CAST(:count AS bigint)) AS n
            """,
            now=NOW,
            count=count,
            **columns,
        )


def squeeze(text: str) -> str:
    return " ".join(text.split())


def cells(text: str) -> dict[tuple[str, str], str]:
    """What the rows show, by row and cell."""
    return {(row, cell): squeeze(shown) for row, written in ROW.findall(text) for cell, shown in CELL.findall(written)}


def swaps(text: str) -> dict[tuple[str, str], str]:
    """What is to come into cells."""
    return {(row, cell): squeeze(shown) for row, cell, shown in SWAP.findall(text)}


def names(text: str) -> list[str]:
    return [unescape(shown) for (_, cell), shown in cells(text).items() if cell == "name"]


def address(text: str, start: str) -> str:
    """Of the link or button whose address begins so."""
    found = re.search(rf'hx-get="({re.escape(start)}[^"]*)"', text)
    assert found, text
    return "/" + unescape(found[1])


async def test_filters_meet_in_the_page_and_in_the_api(acme: Desk, globex: Desk) -> None:
    firm = await acme.make_company(name="Ärger & Söhne")
    hers = await acme.make_contact(name="Ada", company={"id": firm["id"]})
    await acme.make_contact(name="Bo", company={"id": firm["id"]})
    await acme.make_contact(name="Arger")
    await acme.link(hers["id"], "a1")
    await acme.turn(on=True)
    await globex.make_company(name="Ärger & Söhne")
    await globex.make_contact(name="Arger of Globex")
    for params, expected in (
        ({"query": "arger"}, ["Ada", "Arger", "Bo"]),
        ({"query": "ärger &"}, ["Ada", "Bo"]),
        ({"query": "arger", "linked": "true"}, ["Ada"]),
        ({"query": "arger", "linked": "false", "sort": "-name"}, ["Bo", "Arger"]),
        ({"companyId": firm["id"]}, ["Ada", "Bo"]),
        ({"companyId": firm["id"], "linked": "false"}, ["Bo"]),
        ({"attention": "true"}, []),
    ):
        listed = await acme.get("/api/contacts", **params)
        assert [one["name"] for one in listed["values"]] == expected, params
        assert names(await fragment(acme, "GET", "contacts/rows", params=params)) == expected, params


async def test_contacts_that_wait_for_a_decision_are_listed(acme: Desk, globex: Desk) -> None:
    for desk in (acme, globex):
        await desk.turn(on=True)
        for name in ("Ada", "Ada too"):
            await desk.make_contact(name=name, email="ada@example.com")
        await desk.make_contact(name="Bo", email="bo@example.com")
    async with acme.database.tenant(acme.tenant.tenant_id) as scope:
        await scope.execute(
            """
            INSERT INTO account (tenant_id, account_id, kind, active, display_name, email_key, email_state, checked_at, held)
            VALUES (:tenant_id, 'a1', 'user', true, 'Ada', :email_key, 'visible', :now, true)
            """,
            email_key=crm.email_key("ada@example.com"),
            now=NOW,
        )
        await scope.execute(
            """
            INSERT INTO attention (tenant_id, kind, account_id, since)
            VALUES (:tenant_id, 'ambiguous-email', 'a1', :now)
            """,
            now=NOW,
        )
    listed = await acme.get("/api/contacts", attention="true")
    assert [one["name"] for one in listed["values"]] == ["Ada", "Ada too"]
    assert (await globex.get("/api/contacts", attention="true"))["values"] == []
    text = await fragment(globex, "GET", "contacts/rows", params={"attention": "true"})
    assert "None of these contacts needs attention." in text
    assert "Show all contacts" in text


@pytest.mark.parametrize(("count", "words"), [(1, "One contact"), (51, "51 contacts"), (1200, "1,000+ contacts")])
async def test_count_says_how_many_fit_as_far_as_is_known(acme: Desk, globex: Desk, count: int, words: str) -> None:
    await make_many(acme, count)
    await make_many(globex, 2)
    text = read(await acme.page("/pages/contacts"))
    assert words in " ".join(text.split())
    more = await fragment(acme, "GET", "contacts/rows", params={"query": "person 1000"})
    assert "One contact" in more


async def test_way_back_leads_to_the_row_that_was_opened(acme: Desk) -> None:
    await make_many(acme, 130)
    rows = await fragment(acme, "GET", "contacts/rows", params={"query": "person", "sort": "-name"})
    following = read(await acme.call("GET", address(rows, "api/fragments/contacts/rows?")))
    contact_id = re.findall(r'<tr id="contact-(\d+)"', following)[30]
    card = read(await acme.call("GET", address(following, f"api/fragments/contacts/{contact_id}?")))
    back = read(await acme.call("GET", address(card, "api/fragments/contacts?place=")))
    assert names(back)[:80] == [f"Person {1129 - n}" for n in range(80)]
    assert re.findall(r"contacts/(\d+)\?[^>]* data-focus", back) == [contact_id]
    assert back.count("data-focus") == 1
    assert 'value="person"' in back
    assert '<option value="-name" selected>' in back


async def test_way_back_survives_a_save_and_a_delete(acme: Desk) -> None:
    await make_many(acme, 3)
    (contact, *_) = (await acme.get("/api/contacts"))["values"]
    path = f"contacts/{contact['id']}"
    saved = await fragment(acme, "PATCH", f"{path}?sort=-name", form={"version": "1", "phone": "1"})
    assert "place=" in address(saved, "api/fragments/contacts?")
    assert address(saved, "api/fragments/contacts?").endswith("&sort=-name")
    left = await fragment(acme, "DELETE", f"{path}?sort=-name")
    assert names(left) == ["Person 1002", "Person 1001"]


async def test_way_back_to_what_is_gone_leads_to_the_top(acme: Desk) -> None:
    await make_many(acme, 60)
    text = await fragment(acme, "GET", "contacts", params={"place": "999999"})
    assert len(names(text)) == 50
    assert '<h1 tabindex="-1" data-focus>' in text


async def test_company_filter_keeps_what_was_chosen(acme: Desk, globex: Desk) -> None:
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
    await acme.make_contact(name="Ada", company={"id": chosen["id"]})
    text = await fragment(acme, "GET", "contacts", params={"companyId": chosen["id"]})
    assert names(text) == ["Ada"]
    assert f'<option value="{chosen["id"]}" selected>Zeta</option>' in text
    assert 'id="find-company"' in text
    options = await fragment(
        acme, "GET", "contacts/companies", params={"find-company": "firm 12", "companyId": chosen["id"]}
    )
    assert options.count("<option") == 12  # all, the chosen one, ten that were found
    assert f'<option value="{chosen["id"]}" selected>' in options
    assert "Zeta" not in await fragment(globex, "GET", "contacts", params={"companyId": chosen["id"]})


async def test_what_was_read_again_comes_into_its_cells_and_nothing_else(
    acme: Desk, globex: Desk, clock: Clock
) -> None:
    """S14."""
    for name in ("Ada", "Bo", "محمد"):
        made = await acme.make_contact(name=name, email=f"{name}@example.com")
        await acme.link(made["id"], f"account of {name}")
    await acme.turn(on=True)
    text = read(await acme.page("/pages/contacts"))
    renewing = address(text, "api/fragments/contacts/renewed?")
    waiting = read(await acme.call("GET", renewing))
    assert swaps(waiting) == {}
    assert address(waiting, "api/fragments/contacts/renewed?").endswith("turn=1")
    async with acme.database.tenant(acme.tenant.tenant_id) as scope:
        await scope.execute(
            "UPDATE account SET checked_at = :now WHERE tenant_id = :tenant_id AND account_id <> 'account of Bo'",
            now=clock.now,
        )
        await scope.execute(
            "UPDATE contact SET name = 'Zoe' WHERE tenant_id = :tenant_id AND name = 'Ada'",
        )
    renewed = read(await acme.call("GET", address(waiting, "api/fragments/contacts/renewed?")))
    assert sorted(shown for (_, cell), shown in swaps(renewed).items() if cell == "name") == ["Zoe", "محمد"]
    assert len(swaps(renewed)) == 10
    assert "<tr" not in renewed
    listed = cells(read(await acme.page("/pages/contacts")))
    assert {place: listed[place] for place in swaps(renewed)} == swaps(renewed)
    last = address(renewed, "api/fragments/contacts/renewed?")
    assert last.count(".") == 0  # one id is left
    # Another tenant's person learns nothing by these ids.
    assert swaps(read(await globex.call("GET", last))) == {}


async def test_renewal_is_not_waited_for_forever(acme: Desk) -> None:
    made = await acme.make_contact()
    await acme.link(made["id"], "a1")
    await acme.turn(on=True)
    at = f"/api/fragments/contacts/renewed?ids={made['id']}&turn=0"
    turns = 0
    while "hx-get" in (text := read(await acme.call("GET", at))):
        at, turns = address(text, "api/fragments/contacts/renewed?"), turns + 1
        assert turns < 20
    assert turns > 3


async def test_nothing_is_renewed_where_everything_is_fresh(acme: Desk, clock: Clock) -> None:
    made = await acme.make_contact()
    await acme.link(made["id"], "a1", linked_at=NOW - timedelta(seconds=5))
    await acme.turn(on=True)
    assert "renewed?" not in read(await acme.page("/pages/contacts"))
    clock.now += timedelta(minutes=2)
    assert "renewed?" in read(await acme.page("/pages/contacts"))


@pytest.mark.parametrize("ids", ["", "x", "1.x", ".".join(map(str, range(1, 202)))])
async def test_renewal_of_what_are_no_ids_is_refused(acme: Desk, ids: str) -> None:
    answer = await acme.call("GET", "/api/fragments/contacts/renewed", params={"ids": ids})
    assert answer.status_code == 422


async def test_names_may_run_from_right_to_left_and_be_long(acme: Desk) -> None:
    for name in ("محمد بن سلمان", "x" * 255):
        await acme.make_contact(name=name)
    text = read(await acme.page("/pages/contacts"))
    assert names(text) == ["x" * 255, "محمد بن سلمان"]
