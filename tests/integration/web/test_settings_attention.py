"""What waits for a decision, as the settings page shows it and takes the answer."""

import json

from tests.integration.web.desk import NOW, Desk
from tests.integration.web.html import fragment, read
from tests.integration.web.test_settings_page import add_run, execute

EVIL = '<img src=x onerror="alert(1)">'


async def hold(desk: Desk, name: str, email: str = "ann@example.com") -> None:
    """An account that two contacts compete for."""
    await execute(
        desk,
        """
        INSERT INTO account (tenant_id, account_id, kind, active, display_name, email, email_key, email_state, checked_at,
            held) VALUES (:tenant_id, :name, 'user', true, :name, :email, :email, 'visible', :now, true)
        """,
        name=name,
        email=email,
        now=NOW,
    )
    await execute(
        desk,
        """
        INSERT INTO attention (tenant_id, kind, account_id, since) VALUES (:tenant_id, 'ambiguous-email', :name, :now)
        """,
        name=name,
        now=NOW,
    )


async def test_attention_shows_enough_to_choose_by_and_takes_the_choice(acme: Desk, globex: Desk) -> None:
    await acme.turn(on=True)
    await globex.turn(on=True)
    company = await acme.make_company(name="Acme & Söhne")
    for name in ("Ann One", EVIL):
        await acme.make_contact(
            name=name, email="ann@example.com", phone="+49 30 1", jobTitle="Head", company={"id": company["id"]}
        )
    await hold(acme, "Ann of Jira")
    text = await fragment(acme, "GET", "sync/attention")
    for wanted in ("Ann of Jira", "Ann One", "Acme &amp; Söhne", "+49 30 1", "Head", "2 contacts have the email"):
        assert wanted in text
    assert EVIL not in text
    assert "Nothing waits for a decision" in await fragment(globex, "GET", "sync/attention")
    (item,) = (await acme.get("/api/attention"))["values"]
    path = f"sync/attention/{item['id']}"
    assert (await globex.call("POST", f"/api/fragments/{path}", form={"action": "create"})).status_code == 404
    chosen = item["candidates"][0]["id"]
    done = await acme.call("POST", f"/api/fragments/{path}", form={"action": "link", "contactId": chosen})
    assert json.loads(done.headers["hx-trigger"]) == {"crm:notice": "Linked"}
    assert "Nothing waits for a decision" in read(done)
    assert (await acme.get(f"/api/contacts/{chosen}"))["syncedJiraUser"]["accountId"] == "Ann of Jira"
    again = await acme.call("POST", f"/api/fragments/{path}", form={"action": "dismiss"})
    assert again.status_code == 404


async def test_attention_goes_on_in_pages(acme: Desk) -> None:
    await acme.turn(on=True)
    for name in ("Ann One", "Ann Two"):
        await acme.make_contact(name=name, email="ann@example.com")
    for number in range(12):
        await hold(acme, f"Ann {number}")
    text = await fragment(acme, "GET", "sync/attention")
    assert text.count('class="attention"') == 10
    more = text.split('hx-get="api/fragments/sync/attention?')[1].split('"')[0]
    assert read(await acme.call("GET", f"/api/fragments/sync/attention?{more}")).count('class="attention"') == 2


async def test_people_that_seem_gone_are_named_and_counted(acme: Desk) -> None:
    await acme.turn(on=True)
    contact = await acme.make_contact(name="Ada")
    for number in range(12):
        await acme.link(contact["id"], f"a:{number:02}", display_name=f"Person {number}")
    async with acme.database.tenant(acme.tenant.tenant_id) as scope:
        run_id = await add_run(scope)
        await scope.execute(
            """
            INSERT INTO attention (tenant_id, kind, account_id, run_id, since)
            VALUES (:tenant_id, 'mass-unlink', '', :run_id, :now)
            """,
            run_id=run_id,
            now=NOW,
        )
    text = await fragment(acme, "GET", "sync/attention")
    assert "12 synced people seem to be gone" in text
    assert "Person 9" in text
    assert "Person 10" not in text
    assert "…" in text
    assert 'data-confirm-action="Unlink them"' in text
