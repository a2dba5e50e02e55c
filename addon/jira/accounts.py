"""Who is this account, by Jira's own word? For a reporter whom the sync does not keep: an app, or somebody not read yet.

Implements `addon.web.deps.Accounts`. Keeps nothing but what it was told in the last minutes.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Literal

from addon.jira import answers, budget, errors
from addon.jira.client import JiraClient
from addon.jira.directory import APP, NUL
from addon.jira.memory import Memory
from lifecycle.tenant import AccountId, TenantId

MAX_AGE = timedelta(minutes=10)
CUSTOMER = "customer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """An account as Jira shows it. `display_name` is empty where Jira shows none."""

    display_name: str
    kind: Literal["user", "customer", "app"]
    active: bool


class JiraAccounts:
    """Asks the site of a tenant, once in MAX_AGE about each account."""

    def __init__(self, client_of: Callable[[TenantId], Awaitable[JiraClient]], clock: Callable[[], datetime]) -> None:
        self._client_of = client_of
        self._told: Memory[Described | None] = Memory(clock, MAX_AGE)

    async def describe(self, tenant_id: TenantId, account_id: AccountId) -> Described | None:
        """None for an account that Jira does not know, or not any more. Raises JiraError."""
        return await self._told.get(tenant_id, account_id, self._ask)

    async def _ask(self, tenant_id: TenantId, account_id: AccountId) -> Described | None:
        client = await self._client_of(tenant_id)
        price = budget.fixed(budget.REQUEST + budget.IDENTITY)
        try:
            found = await client.get("/rest/api/3/user", answers.USER, {"accountId": account_id}, price=price)
        except errors.Rejected as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise
        if found.is_former:
            return None
        kind: Literal["user", "customer", "app"] = "user"
        if found.account_type in {APP, CUSTOMER}:
            kind = "app" if found.account_type == APP else "customer"
        return Described(display_name=found.display_name.replace(NUL, "").strip(), kind=kind, active=bool(found.active))
