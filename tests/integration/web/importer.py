"""A person who imports a file: brings it, says what it means, and lets the job work."""

from collections.abc import Sequence
from typing import Any

from addon import app
from addon.importing import Importing
from addon.queue.worker import Again
from addon.sync.work import Work
from tests.integration.web.desk import Desk

PATH = "/api/import/contacts"


async def bring(desk: Desk, raw: bytes | str, *, name: str = "people.csv", **fields: str) -> dict[str, Any]:
    content = raw.encode() if isinstance(raw, str) else raw
    answer = await desk.call("POST", PATH, file=(name, content), form=fields or None)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def work(desk: Desk, *, turns: int | None = None) -> None:
    """Do what the queue would have a worker do for the open imports, at most so many turns."""
    importing = Importing(database=desk.database, enqueue=app.enqueue, clock=desk.clock)
    tenant_id = desk.tenant.tenant_id
    async with desk.database.tenant(tenant_id) as scope:
        rows = await scope.fetch_all("SELECT turn FROM import_job WHERE tenant_id = :tenant_id")
    for row in rows:
        done = 0
        again: Again | None = Again()
        while again is not None and done != turns:
            again = await importing.carry_on(Work(kind="import", tenant_id=tenant_id, number=row["turn"]))
            done += 1


async def check(desk: Desk, made: dict[str, Any], **meaning: Any) -> dict[str, Any]:
    answer = await desk.call("PUT", f"{PATH}/{made['id']}", json=meaning)
    assert answer.status_code == 202, answer.text
    await work(desk)
    checked: dict[str, Any] = await desk.get(f"{PATH}/{made['id']}")
    return checked


async def write(desk: Desk, made: dict[str, Any]) -> dict[str, Any]:
    answer = await desk.call("POST", f"{PATH}/{made['id']}/start")
    assert answer.status_code == 202, answer.text
    await work(desk)
    written: dict[str, Any] = await desk.get(f"{PATH}/{made['id']}")
    return written


async def run(desk: Desk, raw: bytes | str, **meaning: Any) -> dict[str, Any]:
    """All of it, for a file that passes its check."""
    checked = await check(desk, await bring(desk, raw), **meaning)
    assert checked["state"] == "ready", await problems(desk, checked)
    return await write(desk, checked)


async def problems(desk: Desk, made: dict[str, Any]) -> list[tuple[int, str, str]]:
    found: list[tuple[int, str, str]] = []
    page: dict[str, Any] = {"next": ""}
    while page["next"] is not None:
        page = await desk.get(f"{PATH}/{made['id']}/problems", cursor=page["next"])
        found += [(each["row"], each["field"], each["problem"]) for each in page["values"]]
    return found


async def contacts(desk: Desk) -> Sequence[dict[str, Any]]:
    page = await desk.get("/api/contacts", limit=200)
    assert page["next"] is None
    values: list[dict[str, Any]] = page["values"]
    return values
