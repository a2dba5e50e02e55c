"""The switch, the runs and their changes over the JSON API."""

import csv
import io

from tests.integration.web.desk import NOW, Desk


async def test_sync_is_off_by_default(acme: Desk) -> None:
    """S1."""
    status = await acme.get("/api/sync")
    assert status == {
        "enabled": False,
        "filters": {},
        "includeInactive": False,
        "state": "off",
        "run": None,
        "lastRun": None,
        "attention": 0,
        "counts": {"contacts": 0, "linked": 0},
        "crmGroups": [],
    }


async def test_turning_on_starts_a_run_of_this_site_alone(acme: Desk, globex: Desk) -> None:
    """S2, S3."""
    status = await acme.turn(on=True)
    assert (status["enabled"], status["state"], status["run"]["trigger"]) == (True, "running", "turned-on")
    assert (await globex.get("/api/sync"))["enabled"] is False
    run_id = status["run"]["id"]
    assert await acme.get(f"/api/sync/runs/{run_id}") == status["run"]
    assert (await globex.call("GET", f"/api/sync/runs/{run_id}")).status_code == 404
    assert (await globex.call("GET", f"/api/sync/runs/{run_id}/changes")).status_code == 404


async def test_run_now_joins_the_run_that_is_going(acme: Desk) -> None:
    status = await acme.turn(on=True)
    answer = await acme.call("POST", "/api/sync/runs")
    assert answer.json()["id"] == status["run"]["id"]
    assert answer.headers["location"] == f"/api/sync/runs/{status['run']['id']}"


async def test_run_now_while_off_is_invalid(acme: Desk) -> None:
    assert (await acme.call("POST", "/api/sync/runs")).status_code == 422


async def test_put_changes_what_is_named_and_nothing_else(acme: Desk) -> None:
    answer = await acme.call("PUT", "/api/sync", json={"includeInactive": True, "filters": {}})
    assert (answer.json()["includeInactive"], answer.json()["enabled"]) == (True, False)
    assert (await acme.turn(on=True))["includeInactive"] is True


async def test_put_with_faults_names_all_and_changes_nothing(acme: Desk) -> None:
    body = {"enabled": "yes", "includeInactive": 1, "filters": ["user"], "colour": "red"}
    answer = await acme.call("PUT", "/api/sync", json=body)
    assert answer.status_code == 422
    assert {problem["field"] for problem in answer.json()["errors"]} == {*body}
    assert (await acme.get("/api/sync"))["enabled"] is False


async def test_runs_are_listed_newest_first_in_pages(acme: Desk, globex: Desk) -> None:
    for _ in range(3):
        await acme.turn(on=True)
        await acme.turn(on=False)
    await globex.turn(on=True)
    first = await acme.get("/api/sync/runs", limit=2)
    rest = await acme.get("/api/sync/runs", limit=2, cursor=first["next"])
    ids = [int(run["id"]) for run in first["values"] + rest["values"]]
    assert ids == sorted(ids, reverse=True)
    assert (len(ids), rest["next"]) == (3, None)
    assert {run["state"] for run in first["values"]} == {"cancelled"}


async def changed_run(desk: Desk, *, changes: int) -> str:
    run_id = str((await desk.turn(on=True))["run"]["id"])
    contact = await desk.make_contact(name="Ada, Countess")
    async with desk.database.tenant(desk.tenant.tenant_id) as scope:
        await scope.execute(
            """
            INSERT INTO change (tenant_id, run_id, contact_id, account_id, field, old, new, cause, at)
            SELECT :tenant_id, CAST(:run_id AS bigint), CAST(:contact_id AS bigint), 'a:1', 'name',
                   CASE WHEN n > 1 THEN 'v' || n - 1 END, CASE WHEN n = 1 THEN '=HYPERLINK("x")' ELSE 'v' || n END,
                   'account-changed', :now
            FROM generate_series(1, CAST(:changes AS integer)) AS n
            """,
            run_id=int(run_id),
            contact_id=int(contact["id"]),
            changes=changes,
            now=NOW,
        )
    return run_id


async def test_changes_of_a_run_are_listed_in_order(acme: Desk, globex: Desk) -> None:
    run_id = await changed_run(acme, changes=5)
    await changed_run(globex, changes=1)
    first = await acme.get(f"/api/sync/runs/{run_id}/changes", limit=3)
    rest = await acme.get(f"/api/sync/runs/{run_id}/changes", limit=3, cursor=first["next"])
    assert [change["new"] for change in first["values"]] == ['=HYPERLINK("x")', "v2", "v3"]
    assert [change["new"] for change in rest["values"]] == ["v4", "v5"]
    assert {change["runId"] for change in first["values"]} == {run_id}


async def test_changes_as_csv_are_complete_and_run_no_formula(acme: Desk) -> None:
    run_id = await changed_run(acme, changes=450)
    answer = await acme.call("GET", f"/api/sync/runs/{run_id}/changes", headers={"Accept": "text/csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["vary"] == "Accept"
    assert answer.text.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == 450
    assert rows[0]["new"] == '\'=HYPERLINK("x")'
    assert (rows[0]["old"], rows[0]["contactName"], rows[1]["old"]) == ("", "Ada, Countess", "v1")


async def test_preview_and_attention_are_empty_at_first(acme: Desk) -> None:
    assert (await acme.get("/api/sync/preview"))["state"] == "none"
    assert (await acme.get("/api/attention"))["values"] == []
