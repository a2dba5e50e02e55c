"""Contacts that are synced with Jira, over the JSON API: what may still be done with them."""

import asyncio
from datetime import timedelta

import pytest

from addon.storage import sync_state
from addon.web.deps import WebDeps
from tests.integration.web.desk import NOW, Desk
from tests.support.patience import PATIENCE_S

IS_SOMEBODY_WAITING = """
    SELECT EXISTS (
        SELECT 1 FROM pg_locks waiting JOIN pg_locks held ON held.pid = waiting.pid AND held.granted
        WHERE NOT waiting.granted
          AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND CAST(:tenant_id AS text) IS NOT NULL
    )
"""


async def test_synced_contact_refuses_edits_of_what_jira_is_the_source_of(acme: Desk) -> None:
    """S8."""
    made = await acme.make_contact(email="ada@example.com")
    await acme.link(made["id"], "a1")
    await acme.turn(on=True)
    path = f"/api/contacts/{made['id']}"
    synced = await acme.get(path)
    assert synced["syncedJiraUser"]["accountId"] == "a1"
    assert synced["readOnly"] == ["name", "email", "syncedJiraUser"]
    body = {"version": 1, "name": "Eve", "email": "eve@example.com", "syncedJiraUser": None, "phone": "1"}
    answer = await acme.call("PATCH", path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "read-only-attribute")
    assert answer.json()["attributes"] == ["name", "email", "syncedJiraUser"]
    assert await acme.get(path) == synced


async def test_synced_contact_takes_every_other_edit(acme: Desk) -> None:
    """S8; what is written back unchanged is no edit."""
    made = await acme.make_contact(email="ada@example.com")
    await acme.link(made["id"], "a1")
    await acme.turn(on=True)
    synced = await acme.get(f"/api/contacts/{made['id']}")
    same = {name: synced[name] for name in ("name", "email", "syncedJiraUser", "version")}
    answer = await acme.call("PATCH", f"/api/contacts/{made['id']}", json={**same, "jobTitle": "Countess"})
    assert answer.status_code == 200
    assert answer.json()["jobTitle"] == "Countess"


@pytest.mark.parametrize(
    ("name", "email"),
    [("Ann\x7fExample", "no address"), (" Ann ", " ann@example.com "), ("\u200b", "ann@@example.com")],
)
async def test_what_jira_says_can_be_written_back_whatever_it_is(
    acme: Desk, globex: Desk, name: str, email: str
) -> None:
    """Nobody could type it, but writing back what was read is no change."""
    for site in (acme, globex):
        made = await site.make_contact()
        await site.link(made["id"], "a1")
        path = f"/api/contacts/{made['id']}"
        async with site.database.tenant(site.tenant.tenant_id) as scope:
            await scope.execute(
                "UPDATE contact SET name = :name, email = :email WHERE tenant_id = :tenant_id", name=name, email=email
            )
        body = {"name": name, "email": email, "version": 1, "phone": "1"}
        await site.turn(on=True)
        assert (await site.call("PATCH", path, json={**body, "name": name.strip() + "!"})).status_code in {409, 422}
        edited = (await site.call("PATCH", path, json=body)).json()
        assert (edited["name"], edited["email"], edited["phone"]) == (name, email, "1")


async def test_synced_contact_cannot_be_deleted_until_sync_is_off(acme: Desk) -> None:
    """S9, S12."""
    made = await acme.make_contact()
    await acme.link(made["id"], "a1")
    await acme.turn(on=True)
    path = f"/api/contacts/{made['id']}"
    answer = await acme.call("DELETE", path)
    assert (answer.status_code, answer.json()["code"]) == (409, "contact-synced")
    await acme.turn(on=False)
    regular = await acme.get(path)
    assert (regular["syncedJiraUser"], regular["linkedAccounts"], regular["readOnly"]) == (None, [], [])
    renamed = await acme.call("PATCH", path, json={"version": regular["version"], "name": "Eve"})
    assert renamed.status_code == 200
    assert (await acme.call("DELETE", path)).status_code == 204
    assert (await acme.call("GET", path)).status_code == 404


async def test_edit_waits_for_the_switch_and_then_meets_a_synced_contact(acme: Desk, deps: WebDeps) -> None:
    """S8: no edit slips in between the sync's look at a contact and its link."""
    made = await acme.make_contact()
    path = f"/api/contacts/{made['id']}"
    async with acme.database.tenant(acme.tenant.tenant_id) as scope:
        await sync_state.switch(scope, enabled=True, include_inactive=None, enqueue=deps.enqueue, now=NOW)
        editing = asyncio.create_task(acme.call("PATCH", path, json={"version": 1, "name": "Eve"}))
        async with asyncio.timeout(PATIENCE_S):
            is_waiting = False
            while not is_waiting:
                is_waiting = await scope.fetch_val(IS_SOMEBODY_WAITING)
        assert not editing.done()
        await acme.link(made["id"], "a1")
    answer = await editing
    assert (answer.status_code, answer.json()["code"]) == (409, "read-only-attribute")


async def test_primary_account_is_active_then_user_then_oldest(acme: Desk) -> None:
    """D3."""
    made = await acme.make_contact()
    for account_id, columns in (
        ("inactive", {"active": False, "linked_at": NOW - timedelta(days=9)}),
        ("customer", {"kind": "customer", "linked_at": NOW - timedelta(days=8)}),
        ("younger", {"linked_at": NOW - timedelta(days=2)}),
        ("older", {"linked_at": NOW - timedelta(days=3)}),
    ):
        await acme.link(made["id"], account_id, **columns)
    await acme.turn(on=True)
    found = await acme.get(f"/api/contacts/{made['id']}")
    assert [account["accountId"] for account in found["linkedAccounts"]] == ["older", "younger", "customer", "inactive"]
    assert found["syncedJiraUser"] == found["linkedAccounts"][0]
