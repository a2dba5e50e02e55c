"""C5: issues that were there already are written in few calls, within their share, from wherever the work was broken off."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from addon.issues import walk
from addon.storage import issue_state
from addon.storage.database import Database
from addon.sync import quota, slots
from addon.sync.work import Work
from sandbox import tasks
from sandbox.faults import Interruption, WebhookFaults
from tests.support import kills, labels
from tests.support import world as worlds
from tests.support.kills import When
from tests.support.world import ADDON_URL, Tenant, World

BULK, TASK = ("POST", "issue/properties"), ("GET", "task/{id}")


POINTS_PER_HOUR = 20_000


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with worlds.build(database, points_per_hour=POINTS_PER_HOUR) as built:
        built.clock.now = hour_after(built)
        yield built


@pytest.fixture
async def acme(world: World) -> Tenant:
    """A site with 250 open and 150 done issues of three customers, each of another company; nothing of it is read yet."""
    tenant = await world.add_site(9001, people=8, seed=1)
    turn = slots.latest(tenant.tenant_id, walk.CATCH_UP, world.clock() + walk.CATCH_UP)
    if turn - world.clock() < walk.CATCH_UP / 2:
        # Tests count calls: for half an hour nothing is asked for besides.
        world.clock.now = turn
    for issue in list(tenant.site.issues):
        tenant.site.delete_issue(issue.key)
    for name in ("Ann", "Ben", "Cora"):
        person = tenant.a_customer(name, f"{name.lower()}@{name.lower()}.example")
        for number in range(100):
            tenant.site.create_issue(
                person.account_id,
                status="new" if number % 2 else "done",
                at=world.clock() - timedelta(days=1 + number),
            )
    await world.cloud.deliver()  # while the sync is off nothing of it stays
    globex = await world.add_site(9002, people=8, seed=2)
    await globex.turn_on()
    await tenant.turn_on()
    for person in tenant.site.people.values():
        if person.display_name in {"Ann", "Ben", "Cora"}:
            company_id = await labels.a_company(tenant, f"{person.display_name} Inc.")
            await labels.set_company(tenant, person.account_id, company_id)
    await tenant.world.work()
    return tenant


def by_name(tenant: Tenant) -> Counter[str | None]:
    return Counter(labels.name_on(tenant, issue) for issue in tenant.site.issues)


ALL_WRITTEN = Counter({"Ann Inc.": 100, "Ben Inc.": 100, "Cora Inc.": 100})


async def finish(tenant: Tenant, *, hours: int = 0) -> None:
    """The clock goes on until nothing is left to do, or for so many hours."""
    for _ in range(max(hours, 1)):
        for _ in range(4):
            await labels.tend(tenant.world)
            tenant.world.clock.advance(timedelta(minutes=1))
        if hours:
            tenant.world.clock.advance(timedelta(hours=1))


async def test_backlog_is_written_open_first_for_the_fewest_points(acme: Tenant) -> None:
    before = await labels.status(acme)
    assert (before.state, before.read, before.written) == ("reading-open", 0, 0)
    calls = len(acme.world.jira.calls)
    await finish(acme)
    assert by_name(acme) == ALL_WRITTEN
    made = labels.writes(acme.world, since=calls)
    # 150 open and 150 done issues of three companies, 50 each: two mixed calls for each part are the cheapest.
    assert Counter(made) == Counter({("POST", "issue/properties/multi"): 2, ("POST", "issue/properties"): 2, TASK: 4})
    after = await labels.status(acme)
    assert (after.state, after.read, after.total, after.written, after.due) == ("idle", 300, 300, 300, 0)
    pages, counts, checks = 4, 2, 2
    assert after.points == 300 + pages + counts + checks + len(made)
    await finish(acme)
    assert Counter(labels.writes(acme.world, since=calls)) == Counter(made)


@pytest.mark.parametrize(
    ("method", "prefix", "when"),
    [
        ("POST", "/rest/api/3/issue/properties", "before-sending"),
        ("POST", "/rest/api/3/issue/properties", "after-answering"),
        ("GET", "/rest/api/3/task/", "before-sending"),
        ("GET", "/rest/api/3/task/", "after-answering"),
        ("GET", "/rest/api/3/search/jql", "before-sending"),
        ("GET", "/rest/api/3/search/jql", "after-answering"),
    ],
)
async def test_worker_killed_anywhere_repeats_no_call_that_succeeded(
    acme: Tenant, method: str, prefix: str, when: When
) -> None:
    calls = len(acme.world.jira.calls)
    await kills.die(acme, "issue-scan", method=method, prefix=prefix, when=when)
    await finish(acme)
    assert by_name(acme) == ALL_WRITTEN
    made = Counter(labels.writes(acme.world, since=calls))
    assert (made[BULK], made["POST", "issue/properties/multi"]) == (2, 2)
    assert (await labels.status(acme)).due == 0


async def test_worker_killed_at_a_single_write_does_not_repeat_it(acme: Tenant) -> None:
    await finish(acme)
    issue = next(iter(acme.site.issues))
    moments: tuple[tuple[When, int], ...] = (("before-sending", 1), ("after-answering", 0))
    for when, expected in moments:
        for reporter in acme.site.people.values():
            if reporter.display_name in {"Ann", "Ben"} and reporter.account_id != issue.reporter_id:
                issue = acme.site.change_reporter(issue.key, reporter.account_id)
                break
        await acme.world.cloud.deliver()
        path = f"/rest/api/3/issue/{issue.issue_id}/properties/"
        await kills.die(acme, "issues", method="PUT", prefix=path, when=when)
        calls = len(acme.world.jira.calls)
        acme.world.clock.advance(timedelta(minutes=1))
        await acme.world.work()
        assert labels.name_on(acme, issue) == f"{reporter.display_name} Inc."
        made = labels.writes(acme.world, since=calls)
        assert made.count(("PUT", "issue/{id}/properties/{key}")) == expected


async def test_share_of_the_hour_is_never_passed_and_the_next_hour_goes_on(acme: Tenant) -> None:
    await labels.set_share(acme, 1)
    share = quota.background(POINTS_PER_HOUR) // 100
    hours = 0
    while by_name(acme) != ALL_WRITTEN:
        before = (await labels.status(acme)).points
        await finish(acme)
        status = await labels.status(acme)
        assert 0 < status.points - before <= share
        hours += 1
        if status.written < 300:
            assert (status.state, status.waiting_until) == ("waiting", hour_after(acme.world))
            new = acme.site.create_issue(next(iter(acme.site.issues)).reporter_id)
            await labels.hear_all(acme.world)
            assert labels.name_on(acme, new) is not None, "new issues do not wait"
            acme.site.delete_issue(new.key)
            await labels.hear_all(acme.world)
            acme.world.clock.now = hour_after(acme.world)
    assert hours > 1


async def test_wait_for_the_share_outlasts_work_that_needs_none(acme: Tenant) -> None:
    await labels.set_share(acme, 1)
    await finish(acme)
    before = await labels.status(acme)
    assert (before.state, before.waiting_until) == ("waiting", hour_after(acme.world))
    new = acme.site.create_issue(next(iter(acme.site.issues)).reporter_id)
    await labels.hear_all(acme.world)
    assert labels.name_on(acme, new) is not None
    assert (await labels.status(acme)).waiting_until == before.waiting_until
    forgotten = "UPDATE issue_state SET caught_up_to = :at WHERE tenant_id = :tenant_id"
    async with acme.world.database.tenant(acme.tenant_id) as scope:
        await scope.execute(forgotten, at=acme.world.clock() - 2 * walk.CATCH_UP)
    await labels.tend(acme.world)
    after = await labels.status(acme)
    assert (after.state, after.waiting_until) == ("waiting", before.waiting_until)
    async with acme.world.database.tenant(acme.tenant_id) as scope:
        caught_up_to = (await issue_state.read(scope)).caught_up_to
    assert caught_up_to is not None
    assert caught_up_to > acme.world.clock() - walk.CATCH_UP


async def test_what_no_event_told_is_asked_for_once_by_a_worker_whose_clock_is_behind(acme: Tenant) -> None:
    await finish(acme)
    await acme.turn_off()
    await acme.turn_on()
    acme.world.clock.now -= timedelta(seconds=30)
    calls = len(acme.world.jira.calls)
    scan = Work(kind="issue-scan", tenant_id=acme.tenant_id, number=0)
    assert await acme.world.jobs().handlers()["issue-scan"](scan) is None
    assert [path for _, path, _ in acme.world.jira.calls[calls:]] == ["/rest/api/3/search/jql"]


def hour_after(world: World) -> datetime:
    return quota.hour_of(world.clock()) + quota.HOUR


async def test_share_of_nothing_leaves_what_is_there_until_somebody_gives_one(acme: Tenant) -> None:
    await labels.set_share(acme, 0)
    await finish(acme)
    status = await labels.status(acme)
    assert (status.state, status.points, status.waiting_until) == ("waiting", 0, None)
    assert status.waiting_for is not None
    acme.site.faults.webhooks = WebhookFaults(lost=1)
    new = acme.site.create_issue(next(iter(acme.site.issues)).reporter_id)
    acme.world.clock.advance(timedelta(hours=1))
    await labels.hear_all(acme.world)
    await finish(acme)
    assert labels.name_on(acme, new) is not None, "what is new is made up for all the same"
    acme.site.delete_issue(new.key)
    await labels.set_share(acme, 25)
    await finish(acme)
    assert by_name(acme) == ALL_WRITTEN


async def test_refused_token_of_the_scan_costs_a_page_and_no_issue(acme: Tenant) -> None:
    acme.site.faults.page_tokens_expire = True
    await finish(acme)
    assert by_name(acme) == ALL_WRITTEN
    assert (await labels.status(acme)).state == "idle"


async def test_task_that_never_ends_is_given_up_and_its_issues_are_written(acme: Tenant) -> None:
    acme.site.faults.task_outcome = tasks.State.RUNNING
    await finish(acme)
    assert by_name(acme) == Counter({None: 300})
    assert (await labels.status(acme)).state == "writing"
    acme.site.faults.task_outcome = tasks.State.COMPLETE
    await finish(acme, hours=8)
    assert by_name(acme) == ALL_WRITTEN


async def test_task_that_fails_is_tried_in_halves_down_to_single_issues(acme: Tenant) -> None:
    acme.site.faults.task_outcome = tasks.State.FAILED
    await finish(acme)
    await finish(acme)
    assert by_name(acme) == ALL_WRITTEN, "a single issue needs no task"


async def test_outage_is_waited_for(acme: Tenant) -> None:
    acme.site.faults.interruptions.append(Interruption(path_prefix="/rest/api/3/issue/properties", status=503, times=3))
    acme.site.faults.interruptions.append(Interruption(path_prefix="/rest/api/3/search/jql", status=503, times=4))
    await finish(acme)
    await finish(acme)
    assert by_name(acme) == ALL_WRITTEN
    assert (await labels.status(acme)).state == "idle"


async def test_refused_issues_do_not_use_up_the_hour(acme: Tenant) -> None:
    projects = {issue.project_key for issue in acme.site.issues}
    acme.site.locked_projects |= projects
    spent = acme.site.points_spent
    await finish(acme)
    share = quota.background(POINTS_PER_HOUR) // 4
    assert acme.site.points_spent - spent <= share
    status = await labels.status(acme)
    assert (status.refused, status.written) == (300, 0)
    acme.site.locked_projects.clear()
    calls = len(acme.world.jira.calls)
    await finish(acme)
    assert labels.writes(acme.world, since=calls) == [], "nobody has said that it may be written now"
    await acme.world.cloud.install(acme.site, f"{ADDON_URL}/atlassian-connect.json")
    await finish(acme)
    assert by_name(acme) == ALL_WRITTEN
    assert (await labels.status(acme)).refused == 0
