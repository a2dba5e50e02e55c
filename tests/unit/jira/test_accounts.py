from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from addon.jira import errors
from addon.jira.accounts import Described, JiraAccounts
from addon.jira.client import JiraClient
from lifecycle.tenant import AccountId, TenantId
from tests.unit.jira.site import NOW, TENANT, Jira, a_user

USER = "/rest/api/3/user"
ANA = AccountId("557058:ana")


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def accounts(jira: Jira, clock: Clock | None = None) -> JiraAccounts:
    async def client_of(_: TenantId) -> JiraClient:
        return jira.client()

    return JiraAccounts(client_of, clock or Clock())


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        (
            a_user("ana", accountType="atlassian", displayName="Ana"),
            Described(display_name="Ana", kind="user", active=True),
        ),
        (
            a_user("ana", accountType="customer", displayName=" A\0na "),
            Described(display_name="Ana", kind="customer", active=True),
        ),
        (
            a_user("ana", accountType="app", displayName="Bot", active=False),
            Described(display_name="Bot", kind="app", active=False),
        ),
    ],
)
async def test_account_is_described_by_jiras_word(shown: dict[str, Any], told: Described) -> None:
    jira = Jira({USER: shown})
    assert await accounts(jira).describe(TENANT, ANA) == told
    assert [dict(query) for query in jira.asked(USER)] == [{"accountId": ANA}]


async def test_account_that_is_gone_is_nobody() -> None:
    assert await accounts(Jira({USER: 404})).describe(TENANT, ANA) is None


async def test_answer_is_remembered_for_ten_minutes_and_for_its_tenant() -> None:
    jira, clock = Jira({USER: a_user("ana")}), Clock()
    asked = accounts(jira, clock)
    await asked.describe(TENANT, ANA)
    clock.now += timedelta(minutes=9)
    await asked.describe(TENANT, ANA)
    assert len(jira.requests) == 1
    await asked.describe(TenantId(UUID(int=2)), ANA)
    clock.now += timedelta(minutes=1)
    await asked.describe(TENANT, ANA)
    assert len(jira.requests) == 3


async def test_error_reaches_the_caller_and_is_not_remembered() -> None:
    asked = accounts(Jira({USER: [httpx.Response(500), a_user("ana")]}))
    with pytest.raises(errors.JiraError):
        await asked.describe(TENANT, ANA)
    assert await asked.describe(TENANT, ANA) is not None
