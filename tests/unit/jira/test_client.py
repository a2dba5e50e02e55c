from datetime import timedelta

import httpx
import pytest
from pydantic import TypeAdapter

from addon import app
from addon.jira import answers, budget, client, errors
from tests.unit.jira.site import Jira

PATH = "/rest/api/3/mypermissions"
PERSON = "Ana Ruiz"

GROUPS = answers.GROUPS


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (301, errors.Rejected),
        (302, errors.Rejected),
        (400, errors.Rejected),
        (401, errors.Unauthorized),
        (403, errors.Forbidden),
        (404, errors.Rejected),
        (408, errors.Troubled),
        (409, errors.Troubled),
        (410, errors.Rejected),
        (412, errors.Rejected),
        (429, errors.Throttled),
        (500, errors.Troubled),
        (502, errors.Troubled),
        (503, errors.Troubled),
        (504, errors.Troubled),
    ],
)
async def test_status_becomes_an_error_that_names_the_operation_alone(
    status: int, error: type[errors.JiraError]
) -> None:
    jira = Jira({PATH: httpx.Response(status, json={"errorMessages": [f"{PERSON} may not"]})})
    with pytest.raises(error) as raised:
        await jira.client().get(PATH, answers.PERMISSIONS, {"accountId": "ana"}, price=budget.FLAT)
    assert type(raised.value) is error
    assert str(raised.value) == f"GET {PATH}: {status}"


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, html=f"<html><body>Log in, {PERSON}</body></html>"),
        httpx.Response(200, text=""),
        httpx.Response(204),
        httpx.Response(200, text='{"permissions": {"USER_PICKER": '),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"errorMessages": [PERSON]}),
        httpx.Response(200, json={"permissions": {PERSON: {"havePermission": "perhaps"}}}),
        httpx.Response(200, content=b"\xff\xfe\x00"),
    ],
)
async def test_answer_that_breaks_the_document_is_corrupt_and_not_repeated(answer: httpx.Response) -> None:
    jira = Jira({PATH: answer})
    with pytest.raises(errors.Corrupt) as raised:
        await jira.client().get(PATH, answers.PERMISSIONS, {}, price=budget.FLAT)
    assert PERSON not in repr(raised.value)
    assert raised.value.__suppress_context__  # a traceback would show the answer as well


async def test_answer_that_cannot_be_unpacked_is_corrupt() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"no gzip"))

    with pytest.raises(errors.Corrupt):
        await Jira({PATH: answer}).client().get(PATH, answers.PERMISSIONS, {}, price=budget.FLAT)


@pytest.mark.parametrize(
    "failure", [httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("garbage")]
)
async def test_no_answer_is_unreachable(failure: httpx.TransportError) -> None:
    with pytest.raises(errors.Unreachable, match=f"^GET {PATH}: {type(failure).__name__}$"):
        await Jira({PATH: failure}).client().get(PATH, answers.PERMISSIONS, {}, price=budget.FLAT)


@pytest.mark.parametrize("people", [{"values": [{"accountId": 7}]}, {"values": [{"displayName": ["Ana"]}]}])
async def test_record_of_the_wrong_type_makes_the_whole_page_corrupt(people: dict[str, object]) -> None:
    page = {"startAt": 0, "maxResults": 50, "total": 1, "isLast": True} | people
    with pytest.raises(errors.Corrupt):
        await Jira({PATH: page}).client().get(PATH, answers.USERS, {}, price=budget.FLAT)


@pytest.mark.parametrize(
    "bean",
    [
        {"startAt": -1, "maxResults": 50, "total": 1, "isLast": True},
        {"startAt": 0, "maxResults": 0, "total": 1, "isLast": False},
        {"startAt": 0, "maxResults": 50, "total": 1},
    ],
)
async def test_page_that_could_be_read_for_ever_is_corrupt(bean: dict[str, object]) -> None:
    with pytest.raises(errors.Corrupt):
        await Jira({PATH: {"values": []} | bean}).client().get(PATH, GROUPS, {}, price=budget.FLAT)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0),
        ("0", 0),
        ("17", 17),
        ("3600", 3600),
        ("86400", 3600),
        ("9" * 5000, 3600),
        ("-5", 0),
        ("1.5", 0),
        ("Sun, 22 Nov 2026 09:00:00 GMT", 0),
    ],
)
async def test_retry_after_is_read_in_seconds(header: str | None, seconds: int) -> None:
    headers = {} if header is None else {"Retry-After": header}
    with pytest.raises(errors.Throttled) as raised:
        await (
            Jira({PATH: httpx.Response(429, headers=headers)})
            .client()
            .get(PATH, answers.PERMISSIONS, {}, price=budget.FLAT)
        )
    assert raised.value.retry_after == timedelta(seconds=seconds)


async def test_post_sends_json_and_get_sends_no_body() -> None:
    jira = Jira({PATH: {"globalPermissions": ["ADMINISTER"]}})
    site = jira.client()
    grants = await site.post(PATH, answers.GRANTS, {"accountId": "ana"}, price=budget.FLAT)
    await site.get(PATH, answers.GRANTS, {"accountId": ["a:1", "b"], "includeInactiveUsers": True}, price=budget.FLAT)
    assert grants.global_permissions == ["ADMINISTER"]
    post, get = jira.requests
    assert post.content == b'{"accountId":"ana"}'
    assert get.content == b""
    assert str(get.url.query, "ascii") == "accountId=a%3A1&accountId=b&includeInactiveUsers=true"


async def test_unread_fields_are_no_reason_to_stop() -> None:
    user = {"accountId": "ana", "active": "true", "displayName": "Ana", "guest": {"new": "field"}}
    found = await Jira({PATH: user}).client().get(PATH, TypeAdapter(answers.User), {}, price=budget.FLAT)
    assert (found.account_id, found.active, found.email) == ("ana", True, None)


def test_limits_are_shorter_than_a_workers_patience() -> None:
    assert client.TIMEOUT.connect == 5
    assert client.TIMEOUT.read == 30


async def test_cookie_of_one_site_is_sent_to_none() -> None:
    sent: list[str | None] = []

    def jira(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers.get("cookie"))
        return httpx.Response(200, headers={"set-cookie": "token=acme; Domain=.atlassian.net; Path=/"})

    async with app.http_client(httpx.MockTransport(jira)) as client_of_all:
        for site in ("acme", "globex", "acme"):
            await client_of_all.get(f"https://{site}.atlassian.net/")
    assert sent == [None, None, None]
