"""C4, C5: an issue says its reporter's company from its creation on, whatever changes, and one's trouble is nobody else's."""

from datetime import timedelta

import pytest

from addon.crm.company import CompanyId
from addon.crm.contact import MAX_TEXT_LENGTH
from addon.queue.worker import Again
from addon.storage import company_merging
from addon.sync.work import Work
from sandbox.faults import Interruption, Limit, WebhookFaults
from sandbox.person import AccountType, Person
from tests.support import labels
from tests.support.world import Tenant, World


@pytest.fixture
async def acme(world: World) -> Tenant:
    return await world.add_site(9001, people=8, seed=1)


@pytest.fixture
async def globex(world: World) -> Tenant:
    return await world.add_site(9002, people=8, seed=2)


@pytest.fixture
async def ann(acme: Tenant, globex: Tenant) -> Person:
    return await labels.a_reporter(acme, globex)


async def company_of(tenant: Tenant, account_id: str) -> str:
    company_id: str = (await tenant.contact_of(account_id))["company"]["id"]
    return company_id


async def test_new_issue_says_the_company_of_its_reporter(acme: Tenant, globex: Tenant, ann: Person) -> None:
    calls = len(acme.world.jira.calls)
    issue, other = acme.site.create_issue(ann.account_id), globex.site.create_issue(ann.account_id)
    await labels.hear_all(acme.world)
    assert labels.value_of(acme, issue) == {"id": await company_of(acme, ann.account_id), "name": "Acme"}
    assert labels.value_of(globex, other) is None, "the other site has its own contacts and companies"
    assert labels.writes(acme.world, since=calls) == [("PUT", "issue/{id}/properties/{key}")]


async def test_nothing_is_written_twice_and_our_own_events_tell_us_nothing(acme: Tenant, ann: Person) -> None:
    issue = acme.site.create_issue(ann.account_id)
    await labels.hear_all(acme.world)
    calls = len(acme.world.jira.calls)
    acme.site.edit_issue(issue.key, summary="Still the same reporter")
    await labels.hear_all(acme.world)
    await labels.tend(acme.world)
    assert labels.writes(acme.world, since=calls) == []


async def test_event_with_our_trace_is_answered_and_forgotten(acme: Tenant, ann: Person) -> None:
    body = {
        "webhookEvent": "jira:issue_updated",
        "issue": {
            "id": "77",
            "fields": {"reporter": {"accountId": ann.account_id}, "updated": "2026-11-22T10:00:00.000+0000"},
        },
    }
    known = "SELECT count(*) FROM issue_company WHERE tenant_id = :tenant_id AND issue_id = 77"
    for trace, found in (("crm-contact-sync", 0), ("somebody-else", 1)):
        answer = await acme.hear("/webhooks/issue", body, headers={"X-Atlassian-Webhook-Trace": trace})
        assert answer.status_code == 204
        async with acme.world.database.tenant(acme.tenant_id) as scope:
            assert await scope.fetch_val(known) == found


async def test_changed_reporter_changes_the_company(acme: Tenant, ann: Person) -> None:
    ben = acme.a_customer("Ben", "ben@example.org")
    issue = acme.site.create_issue(ann.account_id)
    await labels.hear_all(acme.world)
    assert labels.name_on(acme, issue) == "Acme"
    acme.site.change_reporter(issue.key, ben.account_id)
    await labels.hear_all(acme.world)
    assert labels.name_on(acme, issue) is None, "Ben has no company"
    await labels.set_company(acme, ben.account_id, await labels.a_company(acme, "Ben & Sons"))
    await labels.tend(acme.world)
    assert labels.name_on(acme, issue) == "Ben & Sons"
    acme.site.change_reporter(issue.key, None)
    await labels.hear_all(acme.world)
    assert labels.name_on(acme, issue) is None


async def test_events_out_of_order_end_with_the_newest(acme: Tenant, ann: Person) -> None:
    ben = acme.a_customer("Ben", "ben@example.org")
    acme.site.faults.webhooks = WebhookFaults(lost=1)
    issue = acme.site.create_issue(ann.account_id)
    await acme.world.cloud.deliver()
    events = []
    for reporter, minute in ((ann, 1), (ben, 2), (ann, 3)):
        fields = {"reporter": {"accountId": reporter.account_id}, "updated": f"2099-01-01T10:0{minute}:00.000+0000"}
        events.append({"webhookEvent": "jira:issue_updated", "issue": {"id": issue.issue_id, "fields": fields}})
    for event in (events[0], events[2], events[1]):
        assert (await acme.hear("/webhooks/issue", event)).status_code == 204
    await acme.world.work()
    assert labels.name_on(acme, issue) == "Acme"


async def test_who_is_no_customer_with_a_company_leaves_nothing(acme: Tenant, ann: Person) -> None:
    bot = acme.site.add_person(
        Person(account_id="557058:bot", account_type=AccountType.APP, display_name="Bot", email=None)
    )
    stranger = acme.site.add_person(acme.a_customer("Late", "late@example.net"), desk_ids=[])
    issues = [acme.site.create_issue(reporter) for reporter in (bot.account_id, None, stranger.account_id)]
    served = acme.site.create_issue(ann.account_id)
    await labels.hear_all(acme.world)
    assert labels.names_on(acme, [*issues, served]) == [None, None, None, "Acme"]
    # Contact linked later: the customer was read because of the issue, and a person gives the contact a company.
    await labels.set_company(acme, stranger.account_id, await labels.a_company(acme, "Late Ltd."))
    await labels.tend(acme.world)
    assert labels.names_on(acme, issues) == [None, None, "Late Ltd."]


async def test_company_renamed_cleared_and_gone_shows_on_issues(acme: Tenant, ann: Person) -> None:
    issues = [acme.site.create_issue(ann.account_id) for _ in range(3)]
    await labels.hear_all(acme.world)
    company_id = await company_of(acme, ann.account_id)
    await labels.change_company(acme, company_id, name="Acme Renamed")
    calls = len(acme.world.jira.calls)
    await labels.tend(acme.world)
    assert labels.names_on(acme, issues) == ["Acme Renamed"] * 3
    assert labels.writes(acme.world, since=calls) == [("POST", "issue/properties"), ("GET", "task/{id}")]
    await labels.set_company(acme, ann.account_id, None)
    await labels.tend(acme.world)
    assert labels.names_on(acme, issues) == [None] * 3
    await labels.set_company(acme, ann.account_id, company_id)
    await labels.tend(acme.world)
    assert labels.names_on(acme, issues) == ["Acme Renamed"] * 3
    assert (await acme.call("DELETE", f"/api/companies/{company_id}")).status_code == 204
    await labels.tend(acme.world)
    assert labels.names_on(acme, issues) == [None] * 3


async def test_merged_companies_show_on_issues(acme: Tenant, ann: Person) -> None:
    issues = [acme.site.create_issue(ann.account_id) for _ in range(2)]
    await labels.hear_all(acme.world)
    gone = await company_of(acme, ann.account_id)
    kept = await labels.a_company(acme, "Acme International")
    async with acme.world.database.tenant(acme.tenant_id) as scope:
        await company_merging.merge(scope, CompanyId(int(gone)), CompanyId(int(kept)), now=acme.world.clock())
    await labels.tend(acme.world)
    assert labels.names_on(acme, issues) == ["Acme International"] * 2
    assert {labels.value_of(acme, issue)["id"] for issue in issues} == {kept}


@pytest.mark.parametrize("name", ["A" * MAX_TEXT_LENGTH, '<b onmouseover="x">Böse & Söhne</b> “\u2028”'])
async def test_name_of_any_length_and_markup_is_written_as_it_is(acme: Tenant, ann: Person, name: str) -> None:
    await labels.change_company(acme, await company_of(acme, ann.account_id), name=name)
    issue = acme.site.create_issue(ann.account_id)
    await labels.hear_all(acme.world)
    await labels.tend(acme.world)
    kept = (await acme.contact_of(ann.account_id))["company"]["name"]
    assert labels.name_on(acme, issue) == kept


async def test_issue_of_a_locked_project_stops_no_other(acme: Tenant, ann: Person) -> None:
    [desk, closed, *_] = acme.site.desks.values()
    issues = [acme.site.create_issue(ann.account_id, project=desk.desk_id) for _ in range(7)]
    locked = acme.site.create_issue(ann.account_id, project=closed.desk_id)
    gone = acme.site.create_issue(ann.account_id)
    acme.site.locked_projects.add(closed.project_key)
    await labels.hear_all(acme.world)
    assert labels.names_on(acme, [*issues, locked, gone]) == [*["Acme"] * 7, None, "Acme"]
    acme.site.faults.webhooks = WebhookFaults(lost=1)
    acme.site.delete_issue(gone.key)
    await acme.world.cloud.deliver()
    await labels.change_company(acme, await company_of(acme, ann.account_id), name="Acme Renamed")
    await labels.tend(acme.world)
    assert labels.names_on(acme, [*issues, locked]) == [*["Acme Renamed"] * 7, None]
    assert (await labels.status(acme)).refused == 1
    acme.site.locked_projects.clear()
    await labels.change_company(acme, await company_of(acme, ann.account_id), name="Acme Again")
    calls = len(acme.world.jira.calls)
    await labels.tend(acme.world)
    assert labels.names_on(acme, [*issues, locked]) == ["Acme Again"] * 8
    assert labels.writes(acme.world, since=calls).count(("POST", "issue/properties")) == 1
    status = await labels.status(acme)
    assert (status.refused, status.due, status.state) == (0, 0, "idle")


async def test_deleted_issue_is_forgotten(acme: Tenant, ann: Person) -> None:
    issue = acme.site.create_issue(ann.account_id)
    acme.site.delete_issue(issue.key)
    await labels.hear_all(acme.world)
    async with acme.world.database.tenant(acme.tenant_id) as scope:
        for table in ("issue_company", "issue_due", "issue_call", "issue_call_item"):
            found = await scope.fetch_val(
                f"SELECT count(*) FROM {table} WHERE tenant_id = :tenant_id"
                + (" AND issue_id = :number" if table in {"issue_company", "issue_due"} else ""),
                **({"number": issue.number} if table in {"issue_company", "issue_due"} else {}),
            )
            assert found == 0, table


async def test_issue_written_too_often_waits_alone(acme: Tenant, ann: Person) -> None:
    first, second = (acme.site.create_issue(ann.account_id) for _ in range(2))
    ben = acme.a_customer("Ben", "ben@example.org")
    await labels.hear_all(acme.world)
    path = f"/rest/api/3/issue/{first.issue_id}/properties"
    fault = Interruption(path_prefix=path, status=429, limit=Limit.PER_ISSUE, retry_after_s=20, times=None)
    acme.site.faults.interruptions.append(fault)
    acme.site.change_reporter(first.key, ben.account_id)
    await acme.world.cloud.deliver()
    await carry_out_once(acme)
    acme.site.change_reporter(second.key, ben.account_id)
    await acme.world.cloud.deliver()
    await carry_out_once(acme)
    assert labels.names_on(acme, [first, second]) == ["Acme", None], "only the one waits"
    acme.site.faults.interruptions.remove(fault)
    before = acme.world.clock()
    await acme.world.work()
    assert labels.names_on(acme, [first, second]) == [None, None]
    assert acme.world.clock() - before >= timedelta(seconds=20), "as long as Jira asked for"


async def carry_out_once(tenant: Tenant) -> None:
    """The job's present turn, until it ends or has to wait for a moment."""
    async with tenant.world.database.tenant(tenant.tenant_id) as scope:
        turn = await scope.fetch_val("SELECT turn FROM duty WHERE tenant_id = :tenant_id AND kind = 'issues'")
    work = Work(kind="issues", tenant_id=tenant.tenant_id, number=turn)
    while await tenant.world.jobs().handlers()["issues"](work) == Again():
        continue


async def test_off_leaves_what_is_there_and_on_again_catches_up(acme: Tenant, globex: Tenant, ann: Person) -> None:
    old = acme.site.create_issue(ann.account_id)
    await labels.hear_all(acme.world)
    await acme.turn_off()
    assert (await labels.status(acme)).state == "off"
    calls = len(acme.world.jira.calls)
    acme.world.clock.advance(timedelta(minutes=30))
    new = acme.site.create_issue(ann.account_id)
    await labels.change_company(acme, (await company_ids(acme))["Acme"], name="Acme Renamed")
    await labels.hear_all(acme.world)
    await labels.tend(acme.world)
    assert labels.writes(acme.world, since=calls) == []
    assert labels.names_on(acme, [old, new]) == ["Acme", None]
    acme.world.clock.advance(timedelta(minutes=1))
    calls = len(acme.world.jira.calls)
    await acme.turn_on()
    for _ in range(2):
        await labels.tend(acme.world)
    assert labels.names_on(acme, [old, new]) == ["Acme Renamed"] * 2
    assert not any(method == "DELETE" for method, _ in labels.writes(acme.world, since=calls)), (
        "nothing was cleared meanwhile"
    )
    assert (await labels.status(globex)).state == "idle"


async def company_ids(tenant: Tenant) -> dict[str, str]:
    return {company["name"]: company["id"] for company in (await tenant.get("/api/companies?limit=200"))["values"]}


async def test_lost_events_are_made_up_for_within_the_hour(acme: Tenant, ann: Person) -> None:
    ben = acme.a_customer("Ben", "ben@example.org")
    old = acme.site.create_issue(ann.account_id)
    await labels.hear_all(acme.world)
    acme.site.faults.webhooks = WebhookFaults(lost=1)
    acme.world.clock.advance(timedelta(minutes=5))
    new = acme.site.create_issue(ann.account_id)
    acme.site.change_reporter(old.key, ben.account_id)
    await labels.hear_all(acme.world)
    assert labels.names_on(acme, [old, new]) == ["Acme", None]
    acme.world.clock.advance(timedelta(hours=1))
    await labels.tend(acme.world)
    assert labels.names_on(acme, [old, new]) == [None, "Acme"]
