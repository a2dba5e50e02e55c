"""Three worker processes and a hundred tenants: no job is done twice at the same time, and none is forgotten, while workers
are killed at random for a minute.

What the workers note when they begin and end a job outlives them; what was ever queued is noted by the database itself.
"""

import asyncio
import collections
import itertools
import random
import signal
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from addon.storage.database import Database
from sandbox.person import AccountType, Person, PersonKind
from tests.support import fleet as fleets
from tests.support import processes
from tests.support.fleet import Fleet, Resident
from tests.support.processes import Turn

TENANTS = 100
WORKERS = 3
STORM_S = 60.0
KILL_EACH_S = (0.5, 3.0)
TAKEN_OVER_WITHIN = timedelta(seconds=30)
CALM_S = 120

AUDIT = """
    CREATE TABLE noted (event text NOT NULL, job text NOT NULL, at timestamptz NOT NULL);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public
        AS 'BEGIN INSERT INTO noted VALUES (TG_ARGV[0], NEW.dedupe_key, clock_timestamp()); RETURN NULL; END';
    CREATE TRIGGER wanted AFTER INSERT ON pgqueuer FOR EACH ROW EXECUTE FUNCTION note('wanted');
    CREATE TRIGGER claimed AFTER UPDATE ON pgqueuer FOR EACH ROW
        WHEN (NEW.queue_manager_id IS DISTINCT FROM OLD.queue_manager_id AND NEW.queue_manager_id IS NOT NULL)
        EXECUTE FUNCTION note('claimed');
"""


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    await connection.execute(AUDIT)
    yield connection
    await connection.close()


@pytest.mark.timeout(STORM_S * 6)
async def test_workers_killed_at_random_forget_nothing_and_do_nothing_twice_at_once(
    database: Database, owner: asyncpg.Connection, tmp_path: Path
) -> None:
    dice = random.Random(20261122)
    async with fleets.build(database, tmp_path, people=8, seeds=range(TENANTS)) as fleet:
        for _ in range(WORKERS):
            await fleet.start_worker()
        storm_ends = time.monotonic() + STORM_S
        async with asyncio.TaskGroup() as group:
            group.create_task(kill_at_random(fleet, dice, until=storm_ends))
            group.create_task(live_on(fleet, dice, until=storm_ends))
        for resident in fleet.residents:
            await fleet.switch(resident, enabled=True)
        await fleet.settle(patience_s=CALM_S)

        turns = read_turns(fleet)
        noted = await owner.fetch("SELECT event, job, at FROM noted ORDER BY at")
        wanted = collections.Counter(row["job"] for row in noted if row["event"] == "wanted")
        assert sum(turn.ended is None for turn in turns) > WORKERS, "too few were killed at work to prove anything"
        assert_never_two_at_once(turns)
        assert_taken_over(turns, [(row["job"], row["at"]) for row in noted if row["event"] == "claimed"])
        done = collections.Counter(turn.job for turn in turns if turn.is_done)
        assert {job: count for job, count in wanted.items() if done[job] < count} == {}
        for resident in fleet.residents:
            assert await fleet.linked(resident) == resident.truth()
            assert await open_work(fleet, resident) == (0, 0)


async def kill_at_random(fleet: Fleet, dice: random.Random, *, until: float) -> None:
    while time.monotonic() < until:
        await asyncio.sleep(dice.uniform(*KILL_EACH_S))
        await fleet.end_worker(dice.choice(fleet.workers), signal.SIGKILL)
        await fleet.start_worker()


async def live_on(fleet: Fleet, dice: random.Random, *, until: float) -> None:
    """What goes on at the sites meanwhile: people come, change and leave, administrators switch, look and run."""
    for number in itertools.count():
        if time.monotonic() > until:
            return
        # Everybody is turned on first.
        resident = fleet.residents[number] if number < TENANTS else dice.choice(fleet.residents)
        match dice.randrange(9) if number >= TENANTS else 0:
            case 0:
                await fleet.switch(resident, enabled=True)
            case 1:
                await fleet.switch(resident, enabled=False)
            case 2:
                await fleet.call(resident, "POST", "/api/sync/runs")  # 422 while it is off
            case 3:
                await fleet.call(resident, "POST", "/api/sync/preview")
            case _:
                change_site(resident, dice, number)
        await fleet.deliver()
        await asyncio.sleep(0.02)


def change_site(resident: Resident, dice: random.Random, number: int) -> None:
    """Something of which Jira tells."""
    site = resident.site
    others = [
        person
        for person in site.people.values()
        if person.kind is PersonKind.USER and not person.deleted and person.account_id != site.admin_id
    ]
    match dice.randrange(4):
        case 0:
            group = site.licence_group_id("jira-software")
            assert group is not None
            site.add_person(a_person(number, AccountType.ATLASSIAN), group_ids=[group])
        case 1:
            customer = site.add_person(a_person(number, AccountType.CUSTOMER), desk_ids=[next(iter(site.desks))])
            site.create_issue(customer.account_id)
        case 2 if len(others) > 3:
            site.delete_person(dice.choice(others).account_id)
        case _:
            site.change_person(dice.choice(others).account_id, display_name=f"Renamed {number}")


def a_person(number: int, account_type: AccountType) -> Person:
    return Person(
        account_id=f"712020:newcomer-{number}",
        account_type=account_type,
        display_name=f"Newcomer {number}",
        email=f"newcomer{number}@example.com",
    )


def read_turns(fleet: Fleet) -> list[Turn]:
    """All turns of all workers; those that were broken off ended with their worker."""
    turns = [turn for worker in fleet.workers for turn in processes.read_turns(worker)]
    for worker, fell_at in fleet.fallen:
        turns += [turn.cut_at(fell_at) for turn in processes.read_turns(worker)]
    return turns


def assert_never_two_at_once(turns: list[Turn]) -> None:
    for job, group in itertools.groupby(sorted(turns, key=lambda turn: (turn.job, turn.began)), lambda turn: turn.job):
        for turn, following in itertools.pairwise(group):
            assert following.began >= turn.over, f"{job}: {turn} and {following}"


def assert_taken_over(turns: list[Turn], claims: list[tuple[str, datetime]]) -> None:
    """The turns that were broken off. Who takes a job over may be killed before it begins, so that claims are what counts."""
    since_boot = datetime.now(UTC) - timedelta(microseconds=time.monotonic_ns() / 1000)
    for turn in turns:
        if turn.ended is None:
            fell_at = since_boot + timedelta(microseconds=turn.over / 1000)
            waited = min(at for job, at in claims if job == turn.job and at > fell_at) - fell_at
            assert waited < TAKEN_OVER_WITHIN, f"{turn} waited for {waited}"


async def open_work(fleet: Fleet, resident: Resident) -> tuple[int, int]:
    """Runs that go on, and hints that nobody followed."""
    async with fleet.database.tenant(resident.tenant_id) as scope:
        return (
            await scope.fetch_val(
                "SELECT count(*) FROM sync_run WHERE tenant_id = :tenant_id AND state NOT IN ('done', 'cancelled')"
            ),
            await scope.fetch_val(
                "SELECT count(*) FROM webhook_delivery WHERE tenant_id = :tenant_id AND done_at IS NULL"
            ),
        )
