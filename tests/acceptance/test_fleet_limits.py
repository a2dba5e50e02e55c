"""Atlassian's limits for one site hold for all worker processes together, while each of them works for that site."""

import asyncio
import signal
from http import HTTPStatus
from pathlib import Path

from addon.jira.slots import CALLS_AT_ONCE
from addon.storage.database import Database
from sandbox.person import PersonKind
from tests.support import fleet as fleets
from tests.support import processes
from tests.support.fleet import Fleet, Resident

WORKERS = 3
RENAMED = 40
PATIENCE_S = 90


def kinds_begun(fleet: Fleet) -> set[str]:
    """The kinds of jobs that the workers have begun."""
    turns = [turn for worker in fleet.workers for turn in processes.read_turns(worker)]
    return {turn.job.partition(":")[0] for turn in turns}


async def rename_users(fleet: Fleet, resident: Resident) -> None:
    users = [each for each in resident.site.people.values() if each.kind is PersonKind.USER and not each.deleted]
    for number, person in enumerate(users[:RENAMED]):
        resident.site.change_person(person.account_id, display_name=f"Renamed {number}")
        await fleet.deliver()


async def test_limits_of_a_site_hold_over_all_processes(database: Database, tmp_path: Path) -> None:
    """A run, a preview and refreshed accounts at the same time; the sites count requests per second."""
    async with fleets.build(database, tmp_path, people=200, seeds=[1, 2]) as fleet:
        for resident in fleet.residents:
            resident.site.faults.enforce_bursts = True
            resident.site.faults.delay_s = 0.2
        for _ in range(WORKERS):
            await fleet.start_worker()
        for resident in fleet.residents:
            await fleet.switch(resident, enabled=True)
            assert (await fleet.call(resident, "POST", "/api/sync/preview")).status_code == HTTPStatus.ACCEPTED
        async with asyncio.TaskGroup() as group:
            for resident in fleet.residents:
                group.create_task(rename_users(fleet, resident))
        await fleet.settle(patience_s=PATIENCE_S)

        assert kinds_begun(fleet) >= {"run", "preview", "refresh"}
        for resident in fleet.residents:
            assert 1 < fleet.traffic.most_at_once[resident.host] <= CALLS_AT_ONCE
            # Issues of before are written meanwhile, by tasks.
            assert set(fleet.traffic.statuses[resident.host]) - {HTTPStatus.SEE_OTHER} == {HTTPStatus.OK}
            assert any(path.endswith("/customer") for path in fleet.traffic.calls[resident.host])
            assert await fleet.linked(resident) == resident.truth()
        for worker in list(fleet.workers):
            assert await fleet.end_worker(worker, signal.SIGTERM) == 0
