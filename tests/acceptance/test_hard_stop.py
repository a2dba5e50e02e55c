"""Whatever is stopped, the rest goes on: PostgreSQL hard, a worker politely, a worker that only stands still for a while."""

import asyncio
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from addon.storage import sync_state
from addon.storage.database import Database
from addon.storage.sync_state import Run
from tests.acceptance.test_killed_worker import contacts_of, turn_rules_off
from tests.support import cluster as clusters
from tests.support import fleet as fleets
from tests.support import processes
from tests.support.fleet import Fleet, Resident
from tests.support.processes import Turn, WorkerProcess
from tests.support.world import ADDON_URL

PATIENCE_S = 90
LOOK_EACH_S = 0.05
STOPPED_WITHIN_S = 10
TAKEN_OVER_WITHIN_S = 30


@pytest.fixture
def cluster_folder() -> Iterator[Path]:
    """Not below pytest's own folder, which other users may not enter: as root, PostgreSQL runs as another user."""
    with tempfile.TemporaryDirectory(prefix="crm-pg-") as folder:
        (Path(folder) / "data").mkdir()
        yield Path(folder) / "data"


async def newest_run(fleet: Fleet, resident: Resident) -> Run | None:
    async with fleet.database.tenant(resident.tenant_id) as scope:
        return next(iter(await sync_state.runs(scope, before=None, limit=1)), None)


async def wait_for_people(fleet: Fleet, resident: Resident, *, seen: int) -> None:
    """Until the run that goes on has met so many."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            run = await newest_run(fleet, resident)
            if run is not None and run.seen >= seen:
                break
            await asyncio.sleep(LOOK_EACH_S)
    assert run.state == "running", "too quick to be disturbed"


async def preview_state(fleet: Fleet, resident: Resident) -> str:
    response = await fleet.call(resident, "GET", "/api/sync/preview")
    assert response.status_code == HTTPStatus.OK, response.text
    return str(response.json()["state"])


async def readiness(fleet: Fleet) -> int:
    return (await fleet.addon.get(f"{ADDON_URL}/readyz")).status_code


async def wait_until_ready(fleet: Fleet) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if await readiness(fleet) == HTTPStatus.OK:
                return
            await asyncio.sleep(LOOK_EACH_S)


async def jobs_at_work(database: Database) -> int:
    async with database.transaction() as connection:
        return int(await connection.fetch_val("SELECT count(*) FROM pgqueuer WHERE status = 'picked'"))


def turns_of_runs(worker: WorkerProcess) -> list[Turn]:
    return [turn for turn in processes.read_turns(worker) if turn.job.startswith("run:")]


@pytest.mark.timeout(PATIENCE_S * 3)
async def test_database_that_is_stopped_hard_and_comes_back_loses_nothing(cluster_folder: Path, tmp_path: Path) -> None:
    """A run, and a preview that nothing but its job would carry on; an outage of a moment, and one of seconds."""
    async with clusters.run(cluster_folder) as cluster:
        database = Database(cluster.url)
        await database.connect()
        async with fleets.build(database, tmp_path, people=300, seeds=[1, 2]) as fleet:
            acme, globex = fleet.residents
            for resident in fleet.residents:
                resident.site.faults.delay_s = 0.15
            await fleet.switch(acme, enabled=True)
            assert (await fleet.call(globex, "POST", "/api/sync/preview")).status_code == HTTPStatus.ACCEPTED
            worker = await fleet.start_worker()
            for number, outage_s in enumerate((0, 3), start=1):
                await wait_for_people(fleet, acme, seen=40 * number)
                assert await preview_state(fleet, globex) == "running"
                await cluster.stop_hard()
                assert await readiness(fleet) == HTTPStatus.SERVICE_UNAVAILABLE
                assert (await fleet.call(acme, "GET", "/api/sync")).status_code == HTTPStatus.SERVICE_UNAVAILABLE
                await asyncio.sleep(outage_s)
                await cluster.start()
                await wait_until_ready(fleet)
            for resident in fleet.residents:
                resident.site.faults.delay_s = 0
            await fleet.settle(patience_s=PATIENCE_S)
            assert await preview_state(fleet, globex) == "done"
            assert await fleet.linked(acme) == acme.truth()
            assert await fleet.linked(globex) == []
            assert await fleet.end_worker(worker, signal.SIGTERM) == 0
        await database.disconnect()


@pytest.mark.parametrize(("delay_s", "is_handed_back"), [(0.1, False), (20, True)])
async def test_worker_that_is_told_to_stop_leaves_no_job_behind(
    database: Database, tmp_path: Path, *, delay_s: float, is_handed_back: bool
) -> None:
    """Amid a slice, or in a call that would outlast its patience. The real command, as an operator starts it."""
    async with fleets.build(database, tmp_path, people=300, seeds=[1, 2]) as fleet:
        acme, globex = fleet.residents
        acme.site.faults.delay_s = 0.5
        await fleet.switch(acme, enabled=True)
        with (tmp_path / "command.log").open("wb") as log:
            command = await asyncio.create_subprocess_exec(
                Path(sys.executable).with_name("crm-sync"), "worker", env=fleet.environment, stderr=log
            )
        try:
            await wait_for_people(fleet, acme, seen=1)
            acme.site.faults.delay_s = delay_s
            asked = len(fleet.traffic.calls[acme.host])
            await processes.until(lambda: len(fleet.traffic.calls[acme.host]) > asked)
            command.terminate()
            told_at = time.monotonic()
            assert await asyncio.wait_for(command.wait(), PATIENCE_S) == 0
            assert time.monotonic() - told_at < STOPPED_WITHIN_S
        finally:
            if command.returncode is None:
                command.kill()
                await command.wait()
        assert await jobs_at_work(database) == 0, "somebody would have to find it dead"
        assert ("job-handed-back" in (tmp_path / "command.log").read_text()) is is_handed_back

        acme.site.faults.delay_s = 0
        await fleet.switch(globex, enabled=True)
        await fleet.start_worker()
        await fleet.settle(patience_s=PATIENCE_S)
        for resident in fleet.residents:
            assert await fleet.linked(resident) == resident.truth()


@pytest.mark.timeout(PATIENCE_S * 2)
async def test_worker_that_stood_still_does_its_late_work_for_nobody(database: Database, tmp_path: Path) -> None:
    """It wakes up in the middle of a step, while another one is at the same run; both sites have the same people."""
    async with fleets.build(database, tmp_path, people=600, seeds=[7, 7]) as fleet:
        disturbed, undisturbed = fleet.residents
        for resident in fleet.residents:
            await turn_rules_off(database, resident.tenant_id)
        disturbed.site.faults.delay_s = 0.3
        await fleet.switch(disturbed, enabled=True)
        slow = await fleet.start_worker()
        await wait_for_people(fleet, disturbed, seen=100)
        slow.send(signal.SIGSTOP)
        stood_still = time.monotonic()
        other = await fleet.start_worker()
        async with asyncio.timeout(TAKEN_OVER_WITHIN_S):
            await processes.until(lambda: bool(turns_of_runs(other)))
        took_s = time.monotonic() - stood_still
        slow.send(signal.SIGCONT)
        await fleet.switch(undisturbed, enabled=True)
        await fleet.settle(patience_s=PATIENCE_S)

        runs = [await newest_run(fleet, resident) for resident in fleet.residents]
        assert [run and (run.state, run.seen, run.created, run.linked, run.updated) for run in runs] == [
            runs[1] and ("done", runs[1].seen, runs[1].created, runs[1].linked, 0)
        ] * 2
        assert await contacts_of(database, disturbed.tenant_id) == await contacts_of(database, undisturbed.tenant_id)
        assert took_s > 10, "it was taken over before its time"
        late = turns_of_runs(slow)[-1]
        assert late.ended is not None
        assert late.ended > turns_of_runs(other)[0].began, "both had it at the same time, or nothing is proven"
        for worker in (slow, other):
            assert await fleet.end_worker(worker, signal.SIGTERM) == 0
