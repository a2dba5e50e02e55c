"""Each kind of call as Jira's documents describe it, and what its answers mean."""

import json

import httpx
import pytest

from addon.crm.company import CompanyId, CompanyRef
from addon.issues.calls import Call, Pending
from addon.jira import errors, properties
from tests.unit.jira.site import BASE_URL, Jira

ACME = CompanyRef(company_id=CompanyId(12), name="Acme")
OTHER = CompanyRef(company_id=CompanyId(13), name="Other")
VALUE = {"id": "12", "name": "Acme"}
KEY = "crm-contact-sync-company"
BULK = "/rest/api/3/issue/properties"
ONE = f"/rest/api/3/issue/7/properties/{KEY}"


def pending(company: CompanyRef | None, *issue_ids: int) -> tuple[Pending, ...]:
    return tuple(Pending(issue_id=issue_id, company=company) for issue_id in issue_ids)


def accepted(location: str = f"{BASE_URL}/rest/api/3/task/10641") -> httpx.Response:
    return httpx.Response(303, headers={"Location": location})


@pytest.mark.parametrize(
    ("call", "method", "path", "body"),
    [
        (Call(kind="single", items=pending(ACME, 7)), "PUT", ONE, VALUE),
        (Call(kind="single", items=pending(None, 7)), "DELETE", ONE, None),
        (
            Call(kind="bulk", items=pending(ACME, 7, 8)),
            "POST",
            BULK,
            {"entitiesIds": [7, 8], "properties": {KEY: VALUE}},
        ),
        (
            Call(kind="mixed", items=(*pending(ACME, 7), *pending(OTHER, 8))),
            "POST",
            f"{BULK}/multi",
            {
                "issues": [
                    {"issueID": 7, "properties": {KEY: VALUE}},
                    {"issueID": 8, "properties": {KEY: {"id": "13", "name": "Other"}}},
                ]
            },
        ),
        (Call(kind="clear", items=pending(None, 7, 8)), "DELETE", f"{BULK}/{KEY}", {"entityIds": [7, 8]}),
    ],
)
async def test_call_of_each_kind(call: Call, method: str, path: str, body: object) -> None:
    jira = Jira({path: httpx.Response(204) if call.kind == "single" else accepted()})
    client = jira.client()
    assert await properties.send(client, call) == (None if call.kind == "single" else "10641")
    [request] = jira.requests
    assert (request.method, request.url.path) == (method, path)
    assert (json.loads(request.content) if request.content else None) == body
    assert request.headers["X-Atlassian-Webhook-Trace"] == "crm-contact-sync"
    assert client.points == 1


@pytest.mark.parametrize(
    "location",
    [
        "",
        "/",
        "https://evil.example/rest/api/3/task/10641",
        "http://acme.atlassian.net/rest/api/3/task/10641",
        "https://acme.atlassian.net:8443/rest/api/3/task/10641",
        "/rest/api/3/task/10641/cancel",
        "/rest/api/3/task/../user",
        "/rest/api/3/task/",
        "/rest/api/3/user?accountId=10641",
        "https://[",
    ],
)
async def test_task_is_one_of_the_site_and_is_never_followed(location: str) -> None:
    jira = Jira({BULK: accepted(location)})
    with pytest.raises(errors.Corrupt):
        await properties.send(jira.client(), Call(kind="bulk", items=pending(ACME, 7, 8)))
    assert len(jira.requests) == 1


async def test_task_may_be_named_without_the_site() -> None:
    jira = Jira({BULK: accepted("/rest/api/2/task/10641")})
    assert await properties.send(jira.client(), Call(kind="bulk", items=pending(ACME, 7, 8))) == "10641"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (200, errors.Corrupt),
        (302, errors.Rejected),
        (400, errors.Rejected),
        (401, errors.Unauthorized),
        (403, errors.Forbidden),
        (409, errors.Troubled),
        (429, errors.Throttled),
        (503, errors.Troubled),
    ],
)
async def test_call_that_names_no_task_has_failed(status: int, error: type[errors.JiraError]) -> None:
    jira = Jira({BULK: httpx.Response(status)})
    with pytest.raises(error):
        await properties.send(jira.client(), Call(kind="bulk", items=pending(ACME, 7, 8)))


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("ENQUEUED", "going"),
        ("RUNNING", "going"),
        ("CANCEL_REQUESTED", "going"),
        ("COMPLETE", "done"),
        ("FAILED", "failed"),
        ("CANCELLED", "failed"),
        ("DEAD", "failed"),
    ],
)
async def test_task_says_what_became_of_it(status: str, outcome: str) -> None:
    jira = Jira({"/rest/api/3/task/1": {"status": status}})
    assert await properties.outcome(jira.client(), "1") == outcome


async def test_task_that_jira_has_forgotten_is_none() -> None:
    assert await properties.outcome(Jira({"/rest/api/3/task/1": 404}).client(), "1") is None
    with pytest.raises(errors.Forbidden):
        await properties.outcome(Jira({"/rest/api/3/task/1": 403}).client(), "1")


@pytest.mark.parametrize(
    ("answer", "company", "is_so"),
    [
        ({"key": KEY, "value": VALUE}, ACME, True),
        ({"key": KEY, "value": VALUE}, OTHER, False),
        ({"key": KEY, "value": {**VALUE, "email": "a@example.com"}}, ACME, False),
        ({"key": KEY, "value": "Acme"}, ACME, False),
        (404, ACME, False),
    ],
)
async def test_issue_tells_whether_it_is_so(answer: object, company: CompanyRef, *, is_so: bool) -> None:
    assert await properties.is_so(Jira({ONE: answer}).client(), 7, company) is is_so


@pytest.mark.parametrize(
    ("answer", "shown", "left", "points"),
    [
        ({"key": KEY, "value": VALUE}, [], "value", 2),
        (404, [{"id": "7", "fields": {}}], "nothing", 3),
        (404, [], "unseen", 2),
    ],
)
async def test_property_that_is_not_there_is_cleared_only_on_an_issue_that_is(
    answer: object, shown: list[object], left: str, points: int
) -> None:
    client = Jira({ONE: answer, "/rest/api/3/issue/bulkfetch": {"issues": shown}}).client()
    assert await properties.left(client, 7) == left
    assert client.points == points <= properties.LEFT_POINTS
