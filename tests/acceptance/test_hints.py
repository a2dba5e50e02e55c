"""S7, S10, S13, S14 and S16 by hints: what Jira's events and an opened list bring, in whatever order, without a scan."""

import json
from datetime import timedelta
from typing import Any

import pytest

from addon.jira import retry
from addon.queue.worker import Again
from addon.sync.work import Work
from sandbox.events import FailedWebhook
from sandbox.faults import Interruption, WebhookFaults
from tests.support.world import Tenant


@pytest.fixture
async def ann(acme: Tenant, globex: Tenant) -> str:
    """Ann's account on the first site, synced; the other site is synced, too."""
    person = acme.a_user("Ann Example", "ann@example.com")
    await acme.turn_on()
    await globex.turn_on()
    return person.account_id


def a_user_event(account_id: str, event: str = "user_updated", **more: Any) -> dict[str, Any]:
    return {"timestamp": 1, "webhookEvent": event, "user": {"accountId": account_id, **more}}


def an_issue_event(reporter: str, event: str = "jira:issue_created", **more: Any) -> dict[str, Any]:
    issue = {"id": "10001", "key": "ACME-1", "fields": {"reporter": {"accountId": reporter}}}
    return {"timestamp": 1, "webhookEvent": event, "issue": issue, **more}


async def hear(tenant: Tenant, body: dict[str, Any], *, delivery_id: str | None = None) -> None:
    path = "/webhooks/issue" if "issue" in body else "/webhooks/user"
    answer = await tenant.hear(path, body, delivery_id=delivery_id)
    assert answer.status_code == 204, answer.text
    assert answer.content == b""


async def deliveries(tenant: Tenant) -> list[tuple[str, str, bool]]:
    async with tenant.world.database.tenant(tenant.tenant_id) as scope:
        rows = await scope.fetch_all(
            "SELECT event, account_id, done_at FROM webhook_delivery WHERE tenant_id = :tenant_id"
            " ORDER BY received_at, account_id"
        )
    return [(row["event"], row["account_id"], row["done_at"] is not None) for row in rows]


async def people(tenant: Tenant) -> list[tuple[str, str | None, str | None]]:
    return [
        (c["name"], c["email"], c["syncedJiraUser"] and c["syncedJiraUser"]["accountId"])
        for c in await tenant.contacts()
    ]


@pytest.mark.usefixtures("ann")
async def test_new_user_is_a_contact_without_a_scan(acme: Tenant, globex: Tenant) -> None:
    before, others = await people(acme), await people(globex)
    runs = await acme.get("/api/sync/runs")
    newcomer = acme.a_user("Newcomer", "new@example.com")
    await hear(acme, a_user_event(newcomer.account_id, "user_created", displayName="Old hearsay"))
    await acme.world.work()
    contact = await acme.contact_of(newcomer.account_id)
    assert (contact["name"], contact["email"]) == ("Newcomer", "new@example.com")
    assert len(await people(acme)) == len(before) + 1
    assert [c["runId"] for c in await acme.changes_of(contact["id"])] == [None]
    assert await acme.get("/api/sync/runs") == runs
    assert await people(globex) == others
    assert await deliveries(globex) == []


async def test_change_is_followed_whatever_the_event_says(acme: Tenant, ann: str) -> None:
    contact = await acme.contact_of(ann)
    acme.site.change_person(ann, display_name="Ann Married", email="ann.married@example.com")
    await hear(acme, a_user_event(ann, displayName="Ann in between", emailAddress="other@example.com"))
    await acme.world.work()
    after = await acme.contact_of(ann)
    assert (after["id"], after["name"], after["email"]) == (contact["id"], "Ann Married", "ann.married@example.com")


@pytest.mark.usefixtures("what_is_left")
async def test_deleted_user_unlinks_and_the_contact_stays(acme: Tenant, globex: Tenant, ann: str) -> None:
    contact, others = await acme.contact_of(ann), await people(globex)
    acme.site.delete_person(ann)
    await hear(acme, {"webhookEvent": "user_deleted", "user": {"accoundId": ann}})
    await acme.world.work()
    after = await acme.get(f"/api/contacts/{contact['id']}")
    assert (after["name"], after["syncedJiraUser"], after["deletable"]) == ("Ann Example", None, True)
    newest = (await acme.changes_of(contact["id"]))[0]
    assert (newest["field"], newest["old"], newest["cause"]) == ("syncedJiraUser", ann, "account-deleted")
    assert await people(globex) == others


async def test_order_and_repetition_of_events_do_not_matter(acme: Tenant, ann: str) -> None:
    newcomer = acme.a_user("Newcomer", "new@example.com")
    acme.site.delete_person(ann)
    for event, account_id in [("user_deleted", newcomer.account_id), ("user_created", ann), ("user_updated", ann)]:
        await hear(acme, a_user_event(account_id, event), delivery_id=f"{event}-1")
        await hear(acme, a_user_event(account_id, event), delivery_id=f"{event}-1")
    assert len(await deliveries(acme)) == 3
    await acme.world.work()
    assert (await acme.contact_of(newcomer.account_id))["name"] == "Newcomer"
    assert ann not in [account_id for _, _, account_id in await people(acme)]
    calls = len(acme.world.jira.calls)
    await hear(acme, a_user_event(ann), delivery_id="user_updated-1")
    await acme.world.work()
    assert len(acme.world.jira.calls) == calls


async def test_delivery_without_an_identifier_is_known_by_its_body(acme: Tenant, ann: str) -> None:
    for event in ("user_updated", "user_updated", "user_created"):
        await hear(acme, a_user_event(ann, event))
    assert [event for event, _, _ in await deliveries(acme)] == ["user_updated", "user_created"]


async def test_same_identifier_on_two_sites_is_two_deliveries(acme: Tenant, globex: Tenant, ann: str) -> None:
    other = globex.a_user("Other", "other@example.com")
    await hear(acme, a_user_event(ann), delivery_id="1")
    await hear(globex, a_user_event(other.account_id), delivery_id="1")
    assert [account_id for _, account_id, _ in await deliveries(acme)] == [ann]
    assert [account_id for _, account_id, _ in await deliveries(globex)] == [other.account_id]


@pytest.mark.usefixtures("ann")
async def test_reporter_whom_no_list_showed_becomes_a_contact(acme: Tenant) -> None:
    customer = acme.site.add_person(acme.a_customer("Stray", "stray@example.com"), desk_ids=[])
    await hear(acme, an_issue_event(customer.account_id))
    await acme.world.work()
    contact = await acme.contact_of(customer.account_id)
    assert (contact["name"], contact["syncedJiraUser"]["kind"]) == ("Stray", "customer")


async def test_issue_says_nothing_new_of_a_reporter_whom_we_know(acme: Tenant, ann: str) -> None:
    newcomer = acme.a_user("Newcomer", "new@example.com")
    items = [{"field": "reporter", "from": ann, "to": newcomer.account_id}, {"field": "summary", "to": "x"}]
    await hear(acme, an_issue_event(ann, "jira:issue_updated", changelog={"items": items}))
    assert [account_id for _, account_id, _ in await deliveries(acme)] == [newcomer.account_id]
    await acme.world.work()
    assert (await acme.contact_of(newcomer.account_id))["name"] == "Newcomer"


@pytest.mark.usefixtures("ann")
async def test_while_off_events_are_answered_and_nothing_is_stored(acme: Tenant, globex: Tenant) -> None:
    await acme.turn_off()
    before = await people(acme)
    await hear(acme, a_user_event(acme.a_user("Newcomer", "new@example.com").account_id, "user_created"))
    await hear(globex, a_user_event(globex.a_user("Welcome", "welcome@example.com").account_id, "user_created"))
    await acme.world.work()
    assert (await people(acme), await deliveries(acme)) == (before, [])
    assert "Welcome" in [name for name, _, _ in await people(globex)]


async def test_hint_that_waits_when_the_sync_goes_off_is_dropped(acme: Tenant, ann: str) -> None:
    acme.site.change_person(ann, display_name="Changed")
    await hear(acme, a_user_event(ann))
    await acme.switch(enabled=False)
    await acme.world.work()
    assert "Changed" not in [name for name, _, _ in await people(acme)]
    assert all(is_done for _, _, is_done in await deliveries(acme))


async def test_hint_of_a_site_that_removed_the_app_is_dropped(acme: Tenant, globex: Tenant, ann: str) -> None:
    acme.site.change_person(ann, display_name="Changed")
    other = globex.a_user("Other", "other@example.com")
    await hear(acme, a_user_event(ann))
    await hear(globex, a_user_event(other.account_id))
    await acme.world.cloud.uninstall(acme.site, "crm-contact-sync")
    calls = len(acme.world.jira.calls)
    await acme.world.work()
    assert all(is_done for _, _, is_done in await deliveries(acme))
    assert [path for _, path, _ in acme.world.jira.calls[calls:]] == ["/rest/api/3/user/bulk"]  # the other site's
    assert (await globex.contact_of(other.account_id))["name"] == "Other"


async def test_hint_during_a_run_is_kept_by_the_run(acme: Tenant, ann: str) -> None:
    """The run takes nobody for gone whom a refresh met, and counts everybody once."""
    newcomer = acme.a_user("Newcomer", "new@example.com")
    before = (await acme.run()).seen
    late = acme.a_user("Latecomer", "late@example.com")
    await acme.call("POST", "/api/sync/runs")
    for account_id in (ann, newcomer.account_id, late.account_id):
        await hear(acme, a_user_event(account_id))
    await acme.world.work()
    run = (await acme.get("/api/sync"))["lastRun"]
    assert (run["state"], run["unlinked"], run["seen"]) == ("done", 0, before + 1)
    assert (await acme.contact_of(late.account_id))["name"] == "Latecomer"


async def test_outage_keeps_hints_until_it_is_over(acme: Tenant, ann: str) -> None:
    acme.site.change_person(ann, display_name="Ann Married")
    acme.site.faults.interruptions.append(Interruption(path_prefix="/rest/api/3/user/bulk", status=503, times=9))
    await hear(acme, a_user_event(ann))
    await acme.world.work()
    assert (await acme.contact_of(ann))["name"] == "Ann Married"


async def test_fallback_records_and_a_lost_permission_change_nothing(acme: Tenant, ann: str) -> None:
    before = await people(acme)
    for fault in ("fallback_users", "no_browse_permission"):
        setattr(acme.site.faults, fault, True)
        await hear(acme, a_user_event(ann), delivery_id=fault)
        await acme.world.work()
        setattr(acme.site.faults, fault, False)
        assert await people(acme) == before


async def test_fallback_records_are_asked_for_again(acme: Tenant, ann: str) -> None:
    acme.site.change_person(ann, display_name="Ann Married")
    acme.site.faults.fallback_users = True
    await hear(acme, a_user_event(ann))
    again = await acme.world.jobs().handlers()["refresh"](
        Work(kind="refresh", tenant_id=acme.tenant_id, number=await turn(acme))
    )
    assert again == Again(delay=retry.LONGEST_DELAY)
    acme.site.faults.fallback_users = False
    await acme.world.work()
    assert (await acme.contact_of(ann))["name"] == "Ann Married"


@pytest.mark.usefixtures("what_is_left")
async def test_contact_follows_the_account_that_is_left(acme: Tenant, globex: Tenant, ann: str) -> None:
    """D3, and S10 for one of two links."""
    customer = acme.a_customer("Ann the Customer", "ann@example.com")
    for tenant in (acme, globex):
        await hear(tenant, a_user_event(customer.account_id, "user_created"))
    await acme.world.work()
    contact = await acme.contact_of(ann)
    assert (contact["name"], len(contact["linkedAccounts"])) == ("Ann Example", 2)
    acme.site.delete_person(ann)
    await hear(acme, a_user_event(ann, "user_deleted"))
    await acme.world.work()
    after = await acme.contact_of(customer.account_id)
    assert (after["id"], after["name"], len(after["linkedAccounts"])) == (contact["id"], "Ann the Customer", 1)


async def turn(tenant: Tenant) -> int:
    async with tenant.world.database.tenant(tenant.tenant_id) as scope:
        number: int = await scope.fetch_val("SELECT turn FROM webhook_state WHERE tenant_id = :tenant_id")
        return number


@pytest.mark.usefixtures("ann", "what_is_left")
async def test_implausibly_many_deletions_wait_for_a_whole_scan(acme: Tenant) -> None:
    linked, before = (await acme.status()).linked, await people(acme)
    gone = [p.account_id for p in acme.site.people.values() if p.account_id != acme.site.admin_id and not p.deleted][
        :40
    ]
    for account_id in gone:
        acme.site.delete_person(account_id)
        await hear(acme, a_user_event(account_id, "user_deleted"))
    await acme.world.work()
    assert ((await acme.status()).linked, await people(acme)) == (linked, before)


async def test_opened_list_is_fresh_a_moment_later(acme: Tenant, globex: Tenant, ann: str) -> None:
    acme.site.change_person(ann, display_name="Ann Married")
    await acme.get("/api/contacts?query=ann")
    assert await deliveries(acme) == []  # checked less than a minute ago
    acme.world.clock.advance(timedelta(minutes=2))
    shown = await acme.get("/api/contacts?query=ann%20example")
    assert [contact["name"] for contact in shown["values"]] == ["Ann Example"]
    await acme.get("/api/contacts?limit=200")
    assert [account_id for _, account_id, _ in await deliveries(acme)] == [ann]  # one wish at a time
    await acme.world.work()
    contact = await acme.contact_of(ann)
    assert contact["name"] == "Ann Married"
    assert contact["syncedJiraUser"]["checkedAt"] > shown["values"][0]["syncedJiraUser"]["checkedAt"]
    assert await deliveries(globex) == []


async def test_list_asks_again_after_its_last_wish_was_met(acme: Tenant, ann: str) -> None:
    for name in ("Ann Second", "Ann Third"):
        acme.world.clock.advance(timedelta(minutes=2))
        acme.site.change_person(ann, display_name=name)
        await acme.get("/api/contacts?query=ann")
        await acme.world.work()
        assert (await acme.contact_of(ann))["name"] == name
        await acme.world.work()  # to look all of them up was a wish, too


async def test_account_that_cannot_be_read_stops_nobody(acme: Tenant, globex: Tenant, ann: str) -> None:
    """A whole batch fails by the one record of it that Jira can't write down."""
    poison = acme.a_user("\ud800", "poison@example.com")
    acme.site.change_person(ann, display_name="Ann Married")
    for account_id in (poison.account_id, ann):
        await hear(acme, a_user_event(account_id))
    await acme.world.work()
    assert (await acme.contact_of(ann))["name"] == "Ann Married"
    assert all(is_done for _, _, is_done in await deliveries(acme))
    newcomer = globex.a_user("Newcomer", "new@example.com")
    await hear(globex, a_user_event(newcomer.account_id))
    await globex.world.work()
    assert (await globex.contact_of(newcomer.account_id))["name"] == "Newcomer"


async def test_events_of_the_site_itself_keep_contacts_up_to_date(acme: Tenant, globex: Tenant, ann: str) -> None:
    """Doubled and in any order, as the sandbox sends them."""
    acme.site.faults.webhooks = WebhookFaults(doubled=1.0, reordered=True)
    others = await people(globex)
    newcomer = acme.a_user("Newcomer", "new@example.com")
    acme.site.change_person(newcomer.account_id, display_name="Newcomer Renamed")
    acme.site.delete_person(ann)
    attempts = await acme.world.cloud.deliver()
    assert {attempt.status for attempt in attempts} == {204}
    await acme.world.work()
    assert (await acme.contact_of(newcomer.account_id))["name"] == "Newcomer Renamed"
    assert ann not in [account_id for _, _, account_id in await people(acme)]
    assert await people(globex) == others


def a_failure(tenant: Tenant, body: dict[str, Any] | str, *, number: int) -> FailedWebhook:
    return FailedWebhook(
        addon_key="crm-contact-sync",
        identifier=f"failed-{number}",
        body=body if isinstance(body, str) else json.dumps(body),
        url="http://localhost:8080/webhooks/user",
        failed_at=tenant.world.clock() + timedelta(milliseconds=number),
    )


async def test_failed_deliveries_are_fetched_each_hour_and_each_once(acme: Tenant, globex: Tenant, ann: str) -> None:
    """More than a page of them, and some that nobody can read."""
    others = await people(globex)
    newcomer = acme.a_user("Newcomer", "new@example.com")
    bodies: list[dict[str, Any] | str] = ["{", "[]", *[a_user_event(ann)] * 120]
    acme.site.failed_webhooks += [a_failure(acme, body, number=number) for number, body in enumerate(bodies)]
    acme.site.failed_webhooks.append(a_failure(acme, a_user_event(newcomer.account_id, "user_created"), number=500))
    schedules = acme.world.parts.schedules()
    await schedules.tend()
    await acme.world.work()
    assert (await acme.contact_of(newcomer.account_id))["name"] == "Newcomer"
    stored = await deliveries(acme)
    assert (len(stored), await people(globex)) == (121, others)

    for _ in range(2):
        await schedules.tend()
        await acme.world.work()
    calls = len(acme.world.jira.calls)
    await schedules.tend()
    await acme.world.work()
    assert len(acme.world.jira.calls) == calls  # the hour is not over
    late = acme.a_user("Latecomer", "late@example.com")
    acme.world.clock.advance(timedelta(hours=1))
    acme.site.failed_webhooks.append(a_failure(acme, a_user_event(late.account_id, "user_created"), number=501))
    await schedules.tend()
    await acme.world.work()
    assert (await acme.contact_of(late.account_id))["name"] == "Latecomer"
    assert len(await deliveries(acme)) >= len(stored) + 1


async def test_list_of_failed_deliveries_may_be_out_of_reach(acme: Tenant, ann: str) -> None:
    acme.site.faults.interruptions.append(Interruption(path_prefix="/rest/api/3/webhook/failed", status=403, times=1))
    acme.site.change_person(ann, display_name="Ann Married")
    acme.site.failed_webhooks.append(a_failure(acme, a_user_event(ann), number=1))
    schedules = acme.world.parts.schedules()
    for _ in range(2):
        await schedules.tend()
        await acme.world.work()
    assert (await acme.contact_of(ann))["name"] == "Ann Married"
