"""What Jira is told when it delivers an event, and what of it is kept."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import asyncpg
import httpx
import pytest

from addon.web import webhooks
from lifecycle import qsh
from lifecycle.tenant import State
from tests.integration.web.desk import Desk

USER, ISSUE = "/webhooks/user", "/webhooks/issue"
ANN = "712020:ann"
EVENT = {
    "timestamp": 1606480436302,
    "webhookEvent": "user_updated",
    "user": {"accountId": ANN, "displayName": "Ann A."},
}


async def hear(
    desk: Desk,
    path: str = USER,
    *,
    body: object = EVENT,
    content: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
    token = desk.token(query_hash=qsh.hash_request("POST", path, ""))
    sent = {"Authorization": f"JWT {token}", "Content-Type": "application/json", **(headers or {})}
    return await desk.http.post(path, content=json.dumps(body).encode() if content is None else content, headers=sent)


async def stored(desk: Desk) -> Sequence[Mapping[str, Any]]:
    async with desk.database.tenant(desk.tenant.tenant_id) as scope:
        return await scope.fetch_all("SELECT * FROM webhook_delivery WHERE tenant_id = :tenant_id")


async def jobs(database_url: str) -> list[dict[str, Any]]:
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch("SELECT payload FROM pgqueuer WHERE entrypoint = 'refresh'")
    finally:
        await connection.close()
    return [json.loads(row["payload"]) for row in rows]


@pytest.fixture
async def _synced(acme: Desk, globex: Desk) -> None:
    await acme.turn(on=True)
    await globex.turn(on=True)


@pytest.mark.usefixtures("_synced")
async def test_event_is_stored_with_its_job_and_nothing_personal(acme: Desk, globex: Desk, database_url: str) -> None:
    answer = await hear(acme, headers={webhooks.IDENTIFIER: "d-1"})
    assert (answer.status_code, answer.content) == (204, b"")
    (row,) = await stored(acme)
    assert (row["delivery_id"], row["event"], row["account_id"]) == ("d-1", "user_updated", ANN)
    assert (row["received_at"], row["done_at"]) == (acme.clock(), None)
    assert "Ann A." not in str(dict(row))
    assert await jobs(database_url) == [{"tenant_id": str(acme.tenant.tenant_id), "number": 0}]
    assert await stored(globex) == []


@pytest.mark.usefixtures("_synced")
@pytest.mark.parametrize("identifier", ["", "x" * 1000, "contact-list"])
async def test_identifier_that_cannot_be_kept_is_replaced_by_a_digest(acme: Desk, identifier: str) -> None:
    headers = {webhooks.IDENTIFIER: identifier} if identifier else {}
    for _ in range(2):
        assert (await hear(acme, headers=headers)).status_code == 204
    assert [len(row["delivery_id"]) for row in await stored(acme)] == [64]


async def test_while_off_the_answer_is_the_same(acme: Desk, globex: Desk, database_url: str) -> None:
    await globex.turn(on=True)
    assert (await hear(acme)).status_code == 204
    assert (list(await stored(acme)), await jobs(database_url)) == ([], [])


@pytest.mark.usefixtures("_synced")
async def test_token_of_another_site_or_another_address_is_refused(acme: Desk, globex: Desk) -> None:
    stolen = acme.token(query_hash=qsh.hash_request("POST", USER, ""), secret=globex.secret)
    elsewhere = acme.token(query_hash=qsh.hash_request("POST", ISSUE, ""))
    for token in (stolen, elsewhere, acme.token()):
        answer = await hear(acme, headers={"Authorization": f"JWT {token}"})
        assert (answer.status_code, answer.json()["code"]) == (401, "not-authenticated")
    assert await stored(acme) == []


@pytest.mark.usefixtures("_synced")
@pytest.mark.parametrize("state", [State.DISABLED, State.UNINSTALLED, State.SUPERSEDED])
async def test_site_without_the_app_is_not_listened_to(acme: Desk, globex: Desk, state: State) -> None:
    async with acme.database.transaction() as connection:
        await connection.execute(
            "UPDATE tenant SET state = :state WHERE tenant_id = :tenant_id",
            {"state": state.value, "tenant_id": acme.tenant.tenant_id},
        )
    assert (await hear(acme)).status_code == 401
    assert (await hear(globex)).status_code == 204


@pytest.mark.usefixtures("_synced")
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"user": NaN}'])
async def test_body_that_is_no_json_object_is_400(acme: Desk, content: bytes) -> None:
    assert (await hear(acme, content=content)).status_code == 400


@pytest.mark.usefixtures("_synced")
async def test_other_bodies_are_refused_as_everywhere(acme: Desk) -> None:
    assert (await hear(acme, headers={"Content-Type": "text/plain"})).status_code == 415
    assert (await hear(acme, content=b'{"a": "' + b"x" * 1024 * 1024 + b'"}')).status_code == 413


@pytest.mark.usefixtures("_synced")
async def test_issue_with_a_long_text_is_taken(acme: Desk, globex: Desk) -> None:
    """Jira does not send again what is refused."""
    fields = {"reporter": {"accountId": ANN}, "description": "x" * 2 * 1024 * 1024}
    answer = await hear(acme, ISSUE, body={"webhookEvent": "jira:issue_created", "issue": {"fields": fields}})
    assert answer.status_code == 204
    assert [row["account_id"] for row in await stored(acme)] == [ANN]
    assert await stored(globex) == []
    too_long = str(webhooks.MAX_ISSUE_BYTES + 1)
    assert (await hear(acme, ISSUE, headers={"Content-Length": too_long})).status_code == 413


async def test_body_of_an_unknown_caller_is_not_read(acme: Desk) -> None:
    is_read = False

    async def body() -> AsyncIterator[bytes]:
        nonlocal is_read
        is_read = True
        yield b"{}"

    for token in ({}, {"Authorization": f"JWT {acme.token(secret='x' * 64)}"}):
        answer = await acme.http.post(ISSUE, content=body(), headers={"Content-Type": "application/json", **token})
        assert answer.status_code == 401
    assert not is_read


@pytest.mark.usefixtures("_synced")
@pytest.mark.parametrize("body", [{}, {"user": None}, {"issue": {"fields": {"reporter": None}}}, {"user": "\x00"}])
async def test_body_that_names_nobody_is_taken_and_not_kept(acme: Desk, body: object, database_url: str) -> None:
    assert (await hear(acme, body=body)).status_code == 204
    assert (list(await stored(acme)), await jobs(database_url)) == ([], [])


@pytest.mark.usefixtures("_synced")
async def test_issue_hints_at_a_reporter_whom_we_do_not_know(acme: Desk) -> None:
    made = await acme.make_contact()
    await acme.link(made["id"], ANN)
    for reporter in (ANN, "qm:new:1"):
        body = {"webhookEvent": "jira:issue_created", "issue": {"fields": {"reporter": {"accountId": reporter}}}}
        assert (await hear(acme, ISSUE, body=body)).status_code == 204
    assert [row["account_id"] for row in await stored(acme)] == ["qm:new:1"]


@pytest.mark.usefixtures("_synced")
async def test_next_issue_of_somebody_just_read_is_no_hint(acme: Desk) -> None:
    for key in ("ACME-1", "ACME-2"):
        body = {"webhookEvent": "jira:issue_created", "issue": {"key": key, "fields": {"reporter": {"accountId": ANN}}}}
        assert (await hear(acme, ISSUE, body=body)).status_code == 204
    assert len(await stored(acme)) == 1


@pytest.mark.usefixtures("_synced")
async def test_our_own_trouble_is_503_so_that_jira_sends_it_again(acme: Desk, database_url: str) -> None:
    owner = await asyncpg.connect(database_url)
    try:
        await owner.execute("ALTER TABLE webhook_delivery RENAME TO elsewhere")
        answer = await hear(acme)
        assert (answer.status_code, answer.json()["code"]) == (503, "busy")
        assert int(answer.headers["retry-after"]) > 0
        await owner.execute("ALTER TABLE elsewhere RENAME TO webhook_delivery")
    finally:
        await owner.close()
    assert (await hear(acme)).status_code == 204
