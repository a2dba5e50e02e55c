"""A file is imported by the workers, whatever becomes of them; what belongs to Jira and to other tenants stays as it is."""

import asyncio
from typing import Any

import httpx
import pytest

from addon import app
from addon.importing import MAX_OUR_FAILURES, Importing
from addon.storage import imports
from addon.sync.work import Work
from sandbox import frame
from tests.support import firms
from tests.support.world import ADDON_KEY, ADDON_URL, Tenant

PATH = "/api/import/contacts"
ROWS = 3_000
DELAYS_S = (0.02, 0.05, 0.08, 0.13, 0.21)


async def bring(tenant: Tenant, sheet: str) -> dict[str, Any]:
    token = frame.sign_session_token(
        tenant.site.installations[ADDON_KEY], account_id=tenant.site.admin.account_id, now=tenant.world.clock()
    )
    answer: httpx.Response = await tenant.world.addon.post(
        f"{ADDON_URL}{PATH}", files={"file": ("a.csv", sheet.encode())}, headers={"Authorization": f"JWT {token}"}
    )
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def begin(tenant: Tenant, sheet: str) -> str:
    """A file whose check has begun; its path."""
    path = f"{PATH}/{(await bring(tenant, sheet))['id']}"
    answer = await tenant.call("PUT", path, body={})
    assert (answer.status_code, answer.json()["state"]) == (202, "checking"), answer.text
    return path


async def start(tenant: Tenant, path: str) -> None:
    answer = await tenant.call("POST", f"{path}/start")
    assert (answer.status_code, answer.json()["state"]) == (202, "writing"), answer.text


async def turn_of(tenant: Tenant) -> Work:
    async with tenant.world.database.tenant(tenant.tenant_id) as scope:
        turn = await scope.fetch_val("SELECT max(turn) FROM import_job WHERE tenant_id = :tenant_id")
    return Work(kind="import", tenant_id=tenant.tenant_id, number=turn)


async def test_workers_check_and_write_beside_a_run(acme: Tenant, globex: Tenant) -> None:
    ann = acme.a_user("Ann Example", "ann@example.com")
    await globex.turn_on()
    elsewhere = await globex.contacts()
    await acme.turn_on()
    synced = len(await acme.contacts())
    path = await begin(acme, "name,email,phone\nEve,ANN@example.com,42\nNew,new@example.com,\n")
    await acme.world.work()
    assert (await acme.get(path))["state"] == "ready"
    assert len(await acme.contacts()) == synced
    await start(acme, path)
    await acme.world.work()
    done = await acme.get(path)
    assert (done["state"], done["created"], done["updated"]) == ("done", 1, 1)
    found = await acme.contact_of(ann.account_id)
    assert (found["name"], found["email"], found["phone"]) == ("Ann Example", "ann@example.com", "42")
    # A person who was imported is met by the sync like one who was typed (S4).
    new = acme.a_user("New In Jira", "NEW@example.com")
    await acme.run()
    assert (await acme.contact_of(new.account_id))["origin"] == "import"
    assert len(await acme.contacts()) == synced + 1
    assert await globex.contacts() == elsewhere


async def test_company_that_a_file_names_is_a_person_s_word_and_the_rules_find_the_others(acme: Tenant) -> None:
    await firms.a_company(acme, "Firm", "firm.example")
    firms.a_member(acme, "Ruled", "ruled@firm.example")
    firms.a_member(acme, "Named", "named@firm.example")
    await acme.turn_on()
    sheet = """name,email,company
Ruled,ruled@firm.example,Firm
Named,named@firm.example,Other
Typed,typed@firm.example,Other
New,new@firm.example,
"""
    path = await begin(acme, sheet)
    await acme.world.work()
    await start(acme, path)
    await acme.world.work()
    found = await firms.decided(acme)
    assert found["Ruled"] == found["New"] == ("Firm", "domain")
    assert found["Named"] == found["Typed"] == ("Other", "person")


def an_importing(tenant: Tenant) -> Importing:
    return Importing(database=tenant.world.database, enqueue=app.enqueue, clock=tenant.world.clock)


async def test_worker_that_dies_again_and_again_writes_every_row_once(acme: Tenant) -> None:
    sheet = "name,email,company\n" + "".join(f"P{n},p{n}@example.com,Firm {n % 9}\n" for n in range(ROWS))
    path = await begin(acme, sheet)
    importing = an_importing(acme)
    for phase in ("checking", "writing"):
        if phase == "writing":
            await acme.world.work()
            await start(acme, path)
        for delay_s in DELAYS_S:
            # The connection is lost in the middle of what it does, like that of a process that is killed.
            working = asyncio.create_task(importing.carry_on(await turn_of(acme)))
            await asyncio.wait({working}, timeout=delay_s)
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
    await acme.world.work()
    done = await acme.get(path)
    assert (done["state"], done["created"], done["toCreate"], done["newCompanies"]) == ("done", ROWS, ROWS, 9)
    async with acme.world.database.tenant(acme.tenant_id) as scope:
        counts = await scope.fetch_one(
            """
            SELECT count(*) AS rows, count(DISTINCT email_key) AS emails, count(DISTINCT company_id) AS companies,
                (SELECT count(*) FROM company WHERE tenant_id = :tenant_id) AS all_companies
            FROM contact WHERE tenant_id = :tenant_id AND origin = 'import'
            """
        )
    assert counts is not None
    assert tuple(counts.values()) == (ROWS, ROWS, 9, 9)


async def test_lost_job_is_made_again_and_a_day_later_all_is_erased(acme: Tenant, globex: Tenant) -> None:
    path = await begin(acme, "name\nA\n")
    await bring(globex, "name\nB\n")
    async with acme.world.database.transaction() as connection:
        await connection.execute("DELETE FROM pgqueuer")
    await acme.world.parts.schedules().tend()
    await acme.world.work()
    assert (await acme.get(path))["state"] == "ready"
    acme.world.clock.advance(imports.KEPT)
    assert (await acme.call("GET", path)).status_code == 404
    await acme.world.parts.schedules().tend()
    for tenant in (acme, globex):
        async with tenant.world.database.tenant(tenant.tenant_id) as scope:
            for table in ("import_job", "import_piece", "import_row", "import_problem"):
                sql = f"SELECT count(*) FROM {table} WHERE tenant_id = :tenant_id"
                assert await scope.fetch_val(sql) == 0, table


async def test_job_that_fails_for_good_ends_the_import(acme: Tenant) -> None:
    path = await begin(acme, "name\nA\n")
    async with acme.world.database.tenant(acme.tenant_id) as scope:
        # What no code of ours writes.
        await scope.execute("UPDATE import_job SET delimiter = 'none' WHERE tenant_id = :tenant_id")
    importing, work = an_importing(acme), await turn_of(acme)
    for _ in range(MAX_OUR_FAILURES + 1):
        with pytest.raises(TypeError):
            await importing.carry_on(work)
    assert await importing.carry_on(work) is None
    failed = await acme.get(path)
    assert failed["state"] == "failed"
    assert "The app failed at this file" in failed["error"]
