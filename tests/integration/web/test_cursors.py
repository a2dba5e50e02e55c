"""Cursors that their list has not written: refused, whatever is in them, and never a failure of ours."""

import base64
import itertools
import json

import pytest

from tests.integration.web import importer
from tests.integration.web.desk import NOW, Desk

EMPTY = (
    "/api/attention",
    "/api/sync/preview/link",
    "/api/company-rules/preview/changes",
)  # lists of which nothing is written


def write(*parts: object) -> str:
    """As our lists write theirs."""
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


async def assert_refused(site: Desk, path: str, cursor: str, **params: str) -> None:
    answer = await site.call("GET", path, params={"cursor": cursor, **params})
    assert answer.status_code == 422, (path, cursor, answer.text)
    assert [each["field"] for each in answer.json()["errors"]] == ["cursor"]


@pytest.mark.parametrize("path", ["contacts", "companies"])
@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-11-22T09:00:00"])
async def test_cursor_with_a_time_that_is_none_is_refused(acme: Desk, globex: Desk, path: str, moment: str) -> None:
    """The first two are outside the years that can be counted, once they are in UTC; the third names no zone."""
    await acme.make_contact()
    await acme.make_company()
    for site in (acme, globex):
        await assert_refused(site, f"/api/{path}", write(path, "updatedAt", moment, 1), sort="updatedAt")


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59-00:00"])
async def test_cursor_at_the_end_of_time_is_read(acme: Desk, moment: str) -> None:
    made = await acme.make_contact()
    page = await acme.get("/api/contacts", sort="updatedAt", cursor=write("contacts", "updatedAt", moment, 1))
    assert [each["id"] for each in page["values"]] == ([made["id"]] if moment < "2026" else [])


async def test_cursor_of_another_list_is_refused(acme: Desk, globex: Desk) -> None:
    lists = await all_lists(acme)
    cursors = {path: (await acme.get(path, limit="1"))["next"] for path in lists}
    assert all(cursors.values()), cursors
    for path, cursor in cursors.items():
        assert len((await acme.get(path, cursor=cursor))["values"]) == 1, path
    for path, cursor in itertools.product((*lists, *EMPTY), cursors.values()):
        if cursor != cursors.get(path):
            await assert_refused(acme, path, cursor)
    await assert_refused(globex, "/api/companies", cursors["/api/contacts"])


@pytest.mark.parametrize("row_id", [True, 1.0, -1, 2**63, "1", None])
async def test_cursor_without_an_id_is_refused(acme: Desk, row_id: object) -> None:
    await assert_refused(acme, "/api/contacts", write("contacts", "name", "a", row_id))
    await assert_refused(acme, "/api/sync/runs", write("runs", row_id))


async def test_cursor_that_was_tampered_with_is_refused(acme: Desk) -> None:
    for _ in range(2):
        await acme.make_contact()
    cursor = (await acme.get("/api/contacts", limit=1))["next"]
    for tampered in (
        f"{cursor}!!",
        f"!{cursor}",
        f"{cursor}=",
        cursor[:-1],
        f"{cursor[:4]} {cursor[4:]}",
        f"{cursor}\u00e9",
    ):
        await assert_refused(acme, "/api/contacts", tampered)


async def all_lists(site: Desk) -> list[str]:
    """The address of every list, which has two entries."""
    contact_ids = [(await site.make_contact())["id"] for _ in range(2)]
    for _ in range(2):
        await site.make_company()
    brought = await importer.check(site, await importer.bring(site, "name,email\nA,a\nB,b\n"))
    async with site.database.tenant(site.tenant.tenant_id) as scope:
        run_ids = [
            await scope.fetch_val(
                """
                INSERT INTO sync_run (tenant_id, trigger, state, phase, cursor, started_at, finished_at)
                VALUES (:tenant_id, 'schedule', 'done', 'done', 'null', :now, :now) RETURNING run_id
                """,
                now=NOW,
            )
            for _ in range(2)
        ]
        for run_id, contact_id in itertools.product(run_ids, contact_ids):
            await scope.execute(
                """
                INSERT INTO change (tenant_id, run_id, contact_id, field, cause, at)
                VALUES (:tenant_id, :run_id, CAST(:contact_id AS bigint), 'name', 'chosen', :now)
                """,
                run_id=run_id,
                contact_id=int(contact_id),
                now=NOW,
            )
    return [
        "/api/contacts",
        "/api/companies",
        "/api/sync/runs",
        *(f"/api/sync/runs/{run_id}/changes" for run_id in run_ids),
        *(f"/api/contacts/{contact_id}/changes" for contact_id in contact_ids),
        f"/api/import/contacts/{brought['id']}/problems",
    ]
