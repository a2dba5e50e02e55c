"""C5: what Jira passes over without a word is not believed to be written; refusals and limits cost little and end."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from addon.issues.facts import IssueFacts
from addon.issues.label import PROPERTY_KEY
from addon.storage import issue_company, issue_marks
from addon.sync.work import Work
from lifecycle.tenant import AccountId
from sandbox import tracker
from sandbox.faults import Interruption, Limit, WebhookFaults
from sandbox.issues import Issue
from sandbox.person import Person
from tests.support import kills, labels
from tests.support.world import ADDON_URL, Tenant, World

CHECK = "/rest/api/3/permissions/check"


@pytest.fixture
async def acme(world: World) -> Tenant:
    return await world.add_site(9001, people=8, seed=1)


@pytest.fixture
async def ann(acme: Tenant, world: World) -> Person:
    """Ann of Acme, a customer of two synced sites; on the other one she has an issue that says its own Acme."""
    person = acme.a_customer("Ann Example", "ann@example.com")
    globex = await world.add_site(9002, people=8, seed=2)
    globex.site.add_person(person, desk_ids=[next(iter(globex.site.desks))])
    for tenant in (acme, globex):
        await tenant.turn_on()
        await labels.set_company(tenant, person.account_id, await labels.a_company(tenant, "Acme"))
    other = globex.site.create_issue(person.account_id)
    await labels.hear_all(world)
    assert labels.name_on(globex, other) == "Acme"
    return person


@pytest.fixture
async def ben(acme: Tenant) -> Person:
    """Ben of Ben Inc., who comes after Ann: for her the sync was turned on."""
    person = acme.a_customer("Ben", "ben@example.org")
    await acme.run()
    await labels.set_company(acme, person.account_id, await labels.a_company(acme, "Ben Inc."))
    return person


def projects(tenant: Tenant) -> tuple[str, str, str]:
    """Two desks, and the key of the second one's project."""
    [desk, closed, *_] = tenant.site.desks.values()
    return desk.desk_id, closed.desk_id, closed.project_key


async def an_issue(tenant: Tenant, person: Person, project: str) -> Issue:
    issue = tenant.site.create_issue(person.account_id, project=project)
    await labels.hear_all(tenant.world)
    return issue


async def settle(tenant: Tenant) -> None:
    for _ in range(3):
        tenant.world.clock.advance(timedelta(minutes=1))
        await labels.tend(tenant.world)


async def rename(tenant: Tenant, person: Person, name: str) -> None:
    await labels.change_company(tenant, (await tenant.contact_of(person.account_id))["company"]["id"], name=name)


async def install_again(tenant: Tenant, _: Person) -> None:
    await tenant.world.cloud.install(tenant.site, f"{ADDON_URL}/atlassian-connect.json")


async def give_and_take(tenant: Tenant, person: Person) -> None:
    await labels.set_company(tenant, person.account_id, await labels.a_company(tenant, "Another"))
    await settle(tenant)
    await labels.set_company(tenant, person.account_id, None)


@pytest.mark.parametrize("mend", [install_again, give_and_take])
async def test_clear_for_many_is_not_believed_of_a_locked_project(
    acme: Tenant, ann: Person, mend: Callable[[Tenant, Person], Awaitable[None]]
) -> None:
    desk, closed, key = projects(acme)
    issues = [await an_issue(acme, ann, project) for project in (desk, desk, closed)]
    acme.site.locked_projects.add(key)
    await labels.set_company(acme, ann.account_id, None)
    await settle(acme)
    assert labels.names_on(acme, issues) == [None, None, "Acme"]
    status = await labels.status(acme)
    assert (status.refused, status.due) == (1, 0)
    acme.site.locked_projects.clear()
    await mend(acme, ann)
    await settle(acme)
    assert labels.names_on(acme, issues) == [None] * 3
    assert (await labels.status(acme)).refused == 0


@pytest.mark.parametrize(
    ("fault", "refused"),
    [
        (Interruption(path_prefix=CHECK, status=503), 1),
        (Interruption(path_prefix=CHECK, status=429, limit=Limit.BURST), 1),
        (Interruption(path_prefix=CHECK, status=403, times=None), 0),
    ],
)
async def test_question_that_fails_is_asked_again_and_one_that_is_refused_holds_up_nothing(
    acme: Tenant, ann: Person, fault: Interruption, refused: int
) -> None:
    desk, closed, key = projects(acme)
    issues = [await an_issue(acme, ann, project) for project in (desk, desk, closed)]
    acme.site.locked_projects.add(key)
    acme.site.faults.interruptions.append(replace(fault))
    await labels.set_company(acme, ann.account_id, None)
    calls = len(acme.world.jira.calls)
    await settle(acme)
    assert labels.names_on(acme, issues) == [None, None, "Acme"]
    status = await labels.status(acme)
    assert (status.refused, status.due) == (refused, 0)
    assert [method for method, _ in labels.writes(acme.world, since=calls)].count("DELETE") == 1


@pytest.mark.usefixtures("ann")
async def test_count_that_was_not_made_costs_nothing(acme: Tenant) -> None:
    before = (await labels.status(acme)).points
    path = "/rest/api/3/search/approximate-count"
    acme.site.faults.interruptions.append(Interruption(path_prefix=path, status=503))
    handler = acme.world.jobs().handlers()["issue-scan"]
    assert await handler(Work(kind="issue-scan", tenant_id=acme.tenant_id, number=0)) is not None
    assert (path, 503) in [(called, status) for _, called, status in acme.world.jira.calls]
    assert (await labels.status(acme)).points - before == 1, "the first of two; the second was not made"


async def test_mixed_call_is_not_believed_of_a_hidden_project(acme: Tenant, ann: Person, ben: Person) -> None:
    desk, closed, key = projects(acme)
    issues = [await an_issue(acme, ann, closed), await an_issue(acme, ben, desk)]
    acme.site.hidden_projects.add(key)
    await rename(acme, ann, "Acme 2")
    await rename(acme, ben, "Ben 2")
    calls = len(acme.world.jira.calls)
    await settle(acme)
    assert ("POST", "issue/properties/multi") in labels.writes(acme.world, since=calls)
    assert labels.names_on(acme, issues) == ["Acme", "Ben 2"]
    assert (await labels.status(acme)).refused == 1
    acme.site.hidden_projects.clear()
    await install_again(acme, ann)
    await settle(acme)
    assert labels.names_on(acme, issues) == ["Acme 2", "Ben 2"]
    assert (await labels.status(acme)).refused == 0


@pytest.mark.parametrize("barred", ["locked_projects", "hidden_projects"])
async def test_single_clear_is_not_believed_where_the_app_has_no_access(acme: Tenant, ann: Person, barred: str) -> None:
    _, closed, key = projects(acme)
    issue = await an_issue(acme, ann, closed)
    getattr(acme.site, barred).add(key)
    await labels.set_company(acme, ann.account_id, None)
    await settle(acme)
    assert (labels.name_on(acme, issue), (await labels.status(acme)).refused) == ("Acme", 1)
    getattr(acme.site, barred).clear()
    await install_again(acme, ann)
    await settle(acme)
    assert (labels.name_on(acme, issue), (await labels.status(acme)).refused) == (None, 0)


async def test_clear_of_a_deleted_issue_ends(acme: Tenant, ann: Person) -> None:
    desk, _, _ = projects(acme)
    issue = await an_issue(acme, ann, desk)
    acme.site.faults.webhooks = WebhookFaults(lost=1)
    acme.site.delete_issue(issue.key)
    await acme.world.cloud.deliver()
    await labels.set_company(acme, ann.account_id, None)
    await settle(acme)
    assert (await labels.status(acme)).refused == 1, "it may be hidden as well"
    await install_again(acme, ann)
    await settle(acme)
    assert (await labels.status(acme)).refused == 0
    async with acme.world.database.tenant(acme.tenant_id) as scope:
        assert await issue_company.find(scope, issue.number) is None


async def test_issue_cleared_by_somebody_else_is_no_refusal(acme: Tenant, ann: Person) -> None:
    desk, _, _ = projects(acme)
    issue = await an_issue(acme, ann, desk)
    acme.site.tracker.delete_property(issue.issue_id, PROPERTY_KEY, tracker.Origin())
    await labels.set_company(acme, ann.account_id, None)
    await settle(acme)
    status = await labels.status(acme)
    assert (status.refused, status.due) == (0, 0)


@pytest.mark.parametrize("many", [1, 3])
@pytest.mark.parametrize(("when", "repeated"), [("before-sending", 1), ("after-answering", 0)])
async def test_worker_killed_at_a_clearing_repeats_none_that_succeeded(
    acme: Tenant, ann: Person, many: int, when: kills.When, repeated: int
) -> None:
    desk, _, _ = projects(acme)
    issues = [await an_issue(acme, ann, desk) for _ in range(many)]
    await labels.set_company(acme, ann.account_id, None)
    await kills.die(acme, "issues", method="DELETE", prefix="/rest/api/3/issue/", when=when)
    calls = len(acme.world.jira.calls)
    await settle(acme)
    assert labels.names_on(acme, issues) == [None] * many
    assert [method for method, _ in labels.writes(acme.world, since=calls)].count("DELETE") == repeated
    assert (await labels.status(acme)).due == 0


async def test_deleted_issue_does_not_tell_that_others_were_cleared(acme: Tenant, ann: Person) -> None:
    desk, _, _ = projects(acme)
    issues = [await an_issue(acme, ann, desk) for _ in range(3)]
    await labels.set_company(acme, ann.account_id, None)
    await kills.die(acme, "issues", method="DELETE", prefix="/rest/api/3/issue/properties", when="before-sending")
    acme.site.faults.webhooks = WebhookFaults(lost=1)
    acme.site.delete_issue(issues[-1].key)
    await acme.world.cloud.deliver()
    await settle(acme)
    assert labels.names_on(acme, issues[:-1]) == [None] * 2


async def test_new_reporter_does_not_wait_for_the_backlog(acme: Tenant, ann: Person, ben: Person) -> None:
    desk, _, _ = projects(acme)
    acme.site.faults.webhooks = WebhookFaults(lost=1)
    issue = await an_issue(acme, ann, desk)
    acme.site.faults.webhooks = WebhookFaults()
    before = acme.world.clock() - timedelta(hours=1)
    async with acme.world.database.tenant(acme.tenant_id) as scope:
        told = IssueFacts(issue_id=issue.number, reporter_id=AccountId(ann.account_id), updated_at=before)
        await issue_company.learn(scope, [told], is_backlog=True)
        assert await issue_marks.plan(scope, is_backlog=True, now=acme.world.clock())
    await labels.set_share(acme, 0)
    acme.site.change_reporter(issue.key, ben.account_id)
    await labels.hear_all(acme.world)
    await settle(acme)
    assert labels.name_on(acme, issue) == "Ben Inc."


async def test_limit_without_a_time_is_met_by_ever_longer_waits(acme: Tenant, ann: Person) -> None:
    desk, _, _ = projects(acme)
    for _ in range(5):
        acme.site.create_issue(ann.account_id, project=desk)
        await acme.world.cloud.deliver()
        async with acme.world.database.tenant(acme.tenant_id) as scope:
            await issue_marks.plan(scope, is_backlog=False, now=acme.world.clock())
            turn = await scope.fetch_val("SELECT turn FROM duty WHERE tenant_id = :tenant_id AND kind = 'issues'")
    acme.site.faults.interruptions.append(Interruption(path_prefix="/rest/api/3/issue", status=429, times=None))
    handler = acme.world.jobs().handlers()["issues"]
    calls, waits = len(acme.world.jira.calls), []
    for _ in range(4):
        again = await handler(Work(kind="issues", tenant_id=acme.tenant_id, number=turn))
        assert again is not None
        waits.append(again.delay.total_seconds())
        acme.world.clock.advance(again.delay)
    assert len(acme.world.jira.calls) - calls == 4
    assert waits == [2, 4, 8, 16]
