"""The settings page at first paint, and the parts of it that htmx asks for."""

import json
from datetime import timedelta
from typing import Any

import pytest

from addon.storage.database import TenantScope
from addon.sync.filters import Named
from tests.integration.web.desk import MEMBER, NOW, Desk, People
from tests.integration.web.html import fragment, read

EVIL = '<img src=x onerror="alert(1)">'
SETTINGS = "/pages/settings"
GOING = 'hx-trigger="every 1s'

FORGET_COUNT = "DELETE FROM contact_count WHERE tenant_id = :tenant_id"
# Where counting took long, the page shows what was counted before.


async def execute(desk: Desk, sql: str, **values: Any) -> None:
    async with desk.database.tenant(desk.tenant.tenant_id) as scope:
        await scope.execute(sql, **values)


async def add_run(scope: TenantScope, state: str = "done", **columns: Any) -> int:
    values = {"trigger": "schedule", "phase": "done", "seen": 1234, "total": None, "error": None, **columns}
    run_id: int = await scope.fetch_val(
        """
        INSERT INTO sync_run (tenant_id, trigger, state, phase, cursor, seen, total, created, held, started_at,
            finished_at, error)
        VALUES (:tenant_id, :trigger, :state, :phase, 'null', :seen, :total, 5678, 12, CAST(:now AS timestamptz),
            CASE WHEN CAST(:state AS text) <> 'running' THEN CAST(:now AS timestamptz) END, :error) RETURNING run_id
        """,
        state=state,
        now=NOW - timedelta(minutes=1),
        **values,
    )
    return run_id


async def add_change(scope: TenantScope, run_id: int, field: str, cause: str, new: str | None) -> None:
    await scope.execute(
        """
        INSERT INTO change (tenant_id, run_id, contact_id, account_id, field, old, new, cause, at)
        VALUES (:tenant_id, :run_id, 1, 'a:1', :field, 'before', :new, :cause, :now)
        """,
        run_id=run_id,
        field=field,
        cause=cause,
        new=new,
        now=NOW,
    )


async def test_page_offers_a_preview_before_it_is_turned_on(acme: Desk) -> None:
    text = read(await acme.page(SETTINGS))
    assert "Jira User Syncing" in text
    assert 'aria-checked="false"' in text
    assert 'id="preview-begin"' in text
    assert GOING not in text
    assert '<base href="../">' in text


async def test_switch_turns_on_shows_progress_and_turns_off(acme: Desk, globex: Desk) -> None:
    text = await fragment(acme, "PUT", "sync", form={"enabled": "true"})
    assert 'aria-checked="true"' in text
    assert GOING in text
    assert "No contact is deleted" in text, "turning off says what it does before it does it"
    assert 'aria-checked="false"' in read(await globex.page(SETTINGS))
    assert GOING in await fragment(acme, "GET", "sync/status")
    assert "<progress" in await fragment(acme, "POST", "sync/runs", form={})
    text = await fragment(acme, "PUT", "sync", form={"enabled": "false"})
    assert "Syncing is turned off." in text
    assert "Cancelled" in text


async def test_question_before_turning_off_says_how_many_links_go(acme: Desk) -> None:
    await acme.turn(on=True)
    contacts = [await acme.make_contact(name=name) for name in ("Ada", "Bob")]
    await acme.link(contacts[0]["id"], "a:1")
    await execute(acme, FORGET_COUNT)
    assert "1 contact loses its Synced Jira User" in read(await acme.page(SETTINGS))
    await acme.link(contacts[1]["id"], "a:2")
    await execute(acme, FORGET_COUNT)
    assert "2 contacts lose their Synced Jira User" in read(await acme.page(SETTINGS))


async def test_progress_of_a_run_survives_a_reload_and_a_second_look(acme: Desk) -> None:
    await execute(acme, "INSERT INTO sync_setting (tenant_id, enabled) VALUES (:tenant_id, true)")
    async with acme.database.tenant(acme.tenant.tenant_id) as scope:
        await add_run(scope, "running", phase="customers", total=6170)
    for text in (read(await acme.page(SETTINGS)), await fragment(acme, "GET", "sync/status")):
        assert 'max="6170" value="1234"' in text
        assert "1,234 of about 6,170 people" in text
        assert "Reading customers" in text
        assert "<dd>5,678</dd>" in text
        assert "<dd>1,234</dd>" in text, "people a minute"
        assert "about 4 minutes" in text


async def test_status_that_did_not_change_is_not_sent_again(acme: Desk) -> None:
    path = "/api/fragments/sync/status"
    view = json.loads((await fragment(acme, "GET", "sync/status")).split("hx-vals='")[1].split("'")[0])
    assert (await acme.call("GET", path, params=view)).status_code == 204
    await acme.turn(on=True)
    running = await acme.call("GET", path, params=view)
    assert running.headers["hx-trigger"] == "crm:switched", "by somebody else"
    assert 'aria-checked="true"' in await fragment(acme, "GET", "sync")
    view = json.loads(running.text.split("hx-vals='")[1].split("'")[0])
    await execute(acme, "UPDATE sync_run SET state = 'done', finished_at = :now WHERE tenant_id = :tenant_id", now=NOW)
    ended = await acme.call("GET", path, params=view)
    assert ended.headers["hx-trigger"] == "crm:run-ended", "so that the other parts of the page are read again"


async def test_page_says_when_the_next_run_is_due(acme: Desk) -> None:
    await acme.turn(on=True)
    await execute(acme, "UPDATE sync_run SET state = 'done', finished_at = :now WHERE tenant_id = :tenant_id", now=NOW)
    text = read(await acme.page(SETTINGS))
    assert 'id="next-run"' in text
    assert "November 2026" in text.split('id="next-run"')[1].split("</dd>")[0]


async def test_run_that_failed_says_why(acme: Desk) -> None:
    async with acme.database.tenant(acme.tenant.tenant_id) as scope:
        await add_run(scope, "failed", error="Jira is <away>")
    text = read(await acme.page(SETTINGS))
    assert "1,234" in text
    assert "5,678" in text
    assert "Jira is &lt;away&gt;" in text


async def test_run_that_waits_says_for_what_and_until_when(acme: Desk) -> None:
    await acme.turn(on=True)
    await execute(
        acme,
        "UPDATE sync_run SET waiting_for = 'the hourly API budget', waiting_until = :until WHERE tenant_id = :tenant_id",
        until=NOW + timedelta(minutes=30),
    )
    text = read(await acme.page(SETTINGS))
    assert "Waiting for the hourly API budget; goes on <time" in text


async def test_history_of_a_run_is_narrowed_and_goes_on(acme: Desk, globex: Desk) -> None:
    async with acme.database.tenant(acme.tenant.tenant_id) as scope:
        run_id = await add_run(scope)
        for number in range(25):
            await add_change(scope, run_id, "name", "account-changed", f"{EVIL}{number}")
        await add_change(scope, run_id, "contact", "undo-left", "Edited")
    path = f"sync/history/{run_id}/changes"
    text = await fragment(acme, "GET", path, params={"opened": "true"})
    assert text.count("<td>Name</td>") == 20
    assert EVIL not in text
    assert "data-focus" in text
    more = text.split(f'hx-get="api/fragments/{path}?')[1].split('"')[0].replace("&amp;", "&")
    rest = read(await acme.call("GET", f"/api/fragments/{path}?{more}"))
    assert (rest.count("<td>Name</td>"), rest.count("Somebody edited the contact since")) == (5, 1)
    left = await fragment(acme, "GET", path, params={"cause": "undo-left"})
    assert "<td>Name</td>" not in left
    assert f'data-download="api/sync/runs/{run_id}/changes?cause=undo-left"' in left
    assert "No change fits" in await fragment(acme, "GET", path, params={"cause": "undone"})
    assert (await globex.call("GET", f"/api/fragments/{path}")).status_code == 404


async def test_runs_go_on_in_pages(acme: Desk) -> None:
    async with acme.database.tenant(acme.tenant.tenant_id) as scope:
        for _ in range(12):
            await add_run(scope)
    text = await fragment(acme, "GET", "sync/history")
    assert text.count('<tr id="run-') == 10
    assert text.count('id="undo-') == 1, "the latest alone can be undone"
    more = text.split('hx-get="api/fragments/sync/history?')[1].split('"')[0]
    assert read(await acme.call("GET", f"/api/fragments/sync/history?{more}")).count('<tr id="run-') == 2


async def test_undo_turns_off_and_says_what_became_of_it(acme: Desk) -> None:
    await acme.turn(on=True)
    async with acme.database.tenant(acme.tenant.tenant_id) as scope:
        await scope.execute("DELETE FROM sync_run WHERE tenant_id = :tenant_id")
        run_id = await add_run(scope)
    text = await fragment(acme, "POST", f"sync/history/{run_id}/undo", form={})
    assert 'aria-checked="false"' in text
    assert "Undoing the latest run" in text
    assert f'id="undo-{run_id}"' not in text
    async with acme.database.tenant(acme.tenant.tenant_id) as scope:
        await scope.execute("UPDATE undo SET state = 'done', undone = 1, left_alone = 1 WHERE tenant_id = :tenant_id")
    ended = await acme.call("GET", "/api/fragments/sync/history", params={"undoing": "true"})
    assert ended.headers["hx-trigger"] == "crm:undone"
    assert "1 change was taken back" in read(ended)
    assert "1 was left" in ended.text
    assert f"history/{run_id}/changes?cause=undo-left" in ended.text


async def test_counts_of_a_large_site_are_remembered_and_then_counted_again(acme: Desk, globex: Desk) -> None:
    await execute(
        acme,
        """
        INSERT INTO contact_count (tenant_id, contacts, linked, took_ms, counted_at)
        VALUES (:tenant_id, 1000000, 2, 800, now() - interval '1 minute')
        """,
    )
    text = read(await acme.page(SETTINGS))
    assert 'id="count-contacts">1,000,000<' in text
    assert 'hx-get="api/fragments/sync/status?counts=exact" hx-trigger="load"' in text
    assert 'id="count-contacts">0<' in await fragment(acme, "GET", "sync/status", params={"counts": "exact"})
    assert 'id="count-contacts">0<' in read(await acme.page(SETTINGS))
    assert 'id="count-contacts">0<' in read(await globex.page(SETTINGS))


async def test_preview_is_begun_listed_and_applied(acme: Desk, globex: Desk) -> None:
    text = await fragment(acme, "POST", "sync/preview", form={})
    assert "Reading this site" in text
    for number in range(22):
        await execute(
            acme,
            """
            INSERT INTO preview_account (tenant_id, account_id, kind, active, display_name, email_state, outcome)
            VALUES (:tenant_id, :account_id, 'customer', false, :name, 'hidden', 'noEmail')
            """,
            account_id=f"a:{number:02}",
            name=EVIL,
        )
    await execute(
        acme,
        """
        UPDATE preview SET state = 'done', finished_at = :now, counts = CAST(:counts AS jsonb)
        WHERE tenant_id = :tenant_id
        """,
        now=NOW,
        counts='{"noEmail": 1022}',
    )
    listed = await acme.get("/api/sync/preview/noEmail", limit=20)
    rest = await acme.get("/api/sync/preview/noEmail", cursor=listed["next"])
    assert [line["accountId"] for line in listed["values"] + rest["values"]] == [f"a:{n:02}" for n in range(22)]
    elsewhere = await acme.call("GET", "/api/sync/preview/link", params={"cursor": listed["next"]})
    assert elsewhere.status_code == 422
    text = await fragment(acme, "GET", "sync/preview")
    assert 'id="preview-noEmail">1,022</td>' in text
    assert 'data-download="api/sync/preview/noEmail"' in text
    lines = await fragment(acme, "GET", "sync/preview/noEmail")
    assert lines.count("<td>Customer") == 20
    assert EVIL not in lines
    more = lines.split('hx-get="api/fragments/sync/preview/')[1].split('"')[0]
    assert read(await acme.call("GET", f"/api/fragments/sync/preview/{more}")).count("<td>Customer") == 2
    assert (await acme.call("GET", "/api/fragments/sync/preview/others")).status_code == 404
    assert 'id="preview-begin"' in await fragment(globex, "GET", "sync/preview")
    await execute(acme, "UPDATE preview SET state = 'failed' WHERE tenant_id = :tenant_id")
    assert "Preview again" in await fragment(acme, "GET", "sync/preview")


async def test_groups_that_may_see_contacts_are_saved_by_name(acme: Desk, globex: Desk, people: People) -> None:
    people.named[acme.tenant.tenant_id] = [Named(id=f"g{n}", name=f"Group {n} {EVIL}") for n in range(1, 30)]
    text = await fragment(acme, "GET", "sync/choices/crmGroups", params={"search-crmGroups": "group"})
    assert text.count('type="checkbox"') == 20
    assert "9 more fit" in text
    assert EVIL not in text
    saved = await fragment(acme, "PUT", "sync/access", form={"crmGroups": ["g1", "g2"]})
    assert "Group 1 &lt;img" in saved
    member = acme.as_person(MEMBER)
    people.groups[acme.tenant.tenant_id, MEMBER] = frozenset({"g2", "g9"})
    people.groups[globex.tenant.tenant_id, MEMBER] = frozenset({"g2"})
    assert (await member.page("/pages/contacts")).status_code == 200
    assert (await member.page(SETTINGS)).status_code == 403
    assert (await globex.as_person(MEMBER).page("/pages/contacts")).status_code == 403
    headers = {"Content-Type": "application/x-www-form-urlencoded"}  # as a form without any checked box
    await fragment(acme, "PUT", "sync/access", content=b"", headers=headers)
    refused = await member.page("/pages/contacts")
    assert refused.status_code == 403
    assert "members of the groups that they name in CRM Settings" in refused.text


@pytest.mark.parametrize("path", ["sync/attention?cursor=x", "sync/preview/link?cursor=x", "sync/history?before=x"])
async def test_places_that_no_list_has_are_refused(acme: Desk, path: str) -> None:
    assert (await acme.call("GET", f"/api/fragments/{path}")).status_code == 422


@pytest.mark.parametrize("picked", [["\0"], ["g1", "a\nb"], ["x"] * 201])
async def test_picks_that_nobody_can_have_made_are_refused(acme: Desk, picked: list[str]) -> None:
    for field in ("groups", "projects", "organizations", "crmGroups"):
        answer = await acme.call("GET", f"/api/fragments/sync/choices/{field}", params={field: picked})
        assert answer.status_code == 422
        assert {each["field"] for each in answer.json()["errors"]} == {field}
