"""D12: what turning the sync on would do, before it does anything."""

from datetime import timedelta
from typing import Any

import pytest

from sandbox.faults import Interruption
from tests.support.world import Tenant

OUTCOMES = ("link", "create", "held", "noEmail", "excluded")


async def preview(tenant: Tenant) -> dict[str, Any]:
    """Made from beginning to end."""
    answer = await tenant.call("POST", "/api/sync/preview")
    assert (answer.status_code, answer.json()["state"]) == (202, "running"), answer.text
    await tenant.world.work()
    made: dict[str, Any] = await tenant.get("/api/sync/preview")
    return made


async def names(tenant: Tenant, outcome: str) -> set[str]:
    page = await tenant.get(f"/api/sync/preview/{outcome}?limit=200")
    return {line["displayName"] for line in page["values"]}


@pytest.fixture
async def prepared(acme: Tenant) -> Tenant:
    """A site off which something of every outcome is to be said."""
    await acme.type_contact(name="Ann Typed", email="ann@example.com")
    for name in ("Bob One", "Bob Two"):
        await acme.type_contact(name=name, email="bob@example.com")
    acme.a_user("Ann Example", "ANN@example.com")
    acme.a_user("Bob Example", "bob@example.com")
    acme.a_user("New Example", "new@example.com")
    acme.a_user("Hidden Example", None)
    acme.a_user("Gone Example", "gone@example.com", active=False)
    return acme


async def test_preview_says_what_turning_on_does(prepared: Tenant, globex: Tenant) -> None:
    assert await prepared.get("/api/sync/preview") == {"state": "none", **dict.fromkeys(OUTCOMES, 0)}
    before = await prepared.contacts()
    made = await preview(prepared)
    assert made["state"] == "done"
    found = {outcome: await names(prepared, outcome) for outcome in OUTCOMES}
    assert found["link"] == {"Ann Example"}
    assert found["held"] == {"Bob Example"}
    assert "New Example" in found["create"]
    assert "Hidden Example" in found["noEmail"]
    assert "Gone Example" in found["excluded"]
    assert {outcome: made[outcome] for outcome in ("link", "held")} == {"link": 1, "held": 1}
    assert await prepared.contacts() == before
    assert (await prepared.status()).state == "off"
    assert (await globex.get("/api/sync/preview"))["state"] == "none"
    assert (await globex.get("/api/sync/preview/create"))["values"] == []

    run = await prepared.turn_on()
    assert (run.linked, run.created, run.held) == (made["link"], made["create"] + made["noEmail"], made["held"])
    assert (await prepared.get("/api/sync/preview"))["state"] == "none"


async def test_preview_counts_one_contact_for_two_accounts_of_a_person(acme: Tenant) -> None:
    acme.a_user("Zoe User", "zoe@example.com")
    acme.a_customer("Zoe Customer", "zoe@example.com")
    made = await preview(acme)
    run = await acme.turn_on()
    assert (run.created, run.linked) == (made["create"] + made["noEmail"], made["link"])


async def test_preview_obeys_the_filters(acme: Tenant) -> None:
    acme.a_user("Una User", "una@example.com")
    acme.a_customer("Carl Customer", "carl@example.com")
    sent = {"filters": {"kinds": ["user"]}, "includeInactive": True}
    assert (await acme.call("PUT", "/api/sync", body=sent)).status_code == 200
    await preview(acme)
    assert "Una User" in await names(acme, "create")
    assert "Carl Customer" in await names(acme, "excluded")


async def test_list_of_a_preview_is_paged_and_a_sheet(prepared: Tenant) -> None:
    made = await preview(prepared)
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await prepared.get(f"/api/sync/preview/create?limit=7&cursor={cursor}")
        found += [line["accountId"] for line in page["values"]]
        cursor = page["next"]
    assert len(found) == len(set(found)) == made["create"]
    sheet = await prepared.call("GET", "/api/sync/preview/link", accept="text/csv")
    assert sheet.headers["content-type"].startswith("text/csv")
    head, line = sheet.text.splitlines()
    assert head == "\ufeffaccountId,displayName,kind,active,email,emailState,contactId,contactName"
    assert line.split(",")[1:6] == ["Ann Example", "user", "true", "ANN@example.com", "visible"]
    assert line.endswith(",Ann Typed")
    assert (await prepared.call("GET", "/api/sync/preview/others")).status_code == 404
    assert (await prepared.call("GET", "/api/sync/preview/link?cursor=x")).status_code == 422


async def test_preview_is_erased_after_a_day(acme: Tenant) -> None:
    await preview(acme)
    acme.world.clock.advance(timedelta(days=1, seconds=1))
    assert (await acme.get("/api/sync/preview"))["state"] == "none"
    assert (await acme.get("/api/sync/preview/create"))["values"] == []
    await acme.world.parts.schedules().tend()
    async with acme.world.database.tenant(acme.tenant_id) as scope:
        assert await scope.fetch_val("SELECT count(*) FROM preview_account WHERE tenant_id = :tenant_id") == 0


async def test_preview_waits_for_an_outage_and_fails_without_permission(acme: Tenant) -> None:
    acme.site.faults.interruptions.append(Interruption(path_prefix="/rest/api/3/group/member", status=503, times=1))
    assert (await preview(acme))["state"] == "done"
    acme.site.faults.no_browse_permission = True
    assert (await preview(acme))["state"] == "failed"
    assert (await acme.get("/api/sync/preview/create"))["values"] == []


async def test_turning_on_ends_a_preview_that_is_being_made(acme: Tenant) -> None:
    assert (await acme.call("POST", "/api/sync/preview")).status_code == 202
    run = await acme.turn_on()
    assert (run.state, (await acme.get("/api/sync/preview"))["state"]) == ("done", "none")


async def test_only_an_administrator_previews(acme: Tenant) -> None:
    for method, path in (("POST", ""), ("GET", ""), ("GET", "/create")):
        refused = await acme.call(method, f"/api/sync/preview{path}", account_id=acme.site.member_id)
        assert (refused.status_code, refused.json()["code"]) == (403, "not-allowed")
