"""Is this person a Jira administrator, and in which groups are they? Asked on the server, remembered for a minute (D13).

Implements `addon.web.deps.Permissions`.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Generic, TypeVar

from addon.jira import answers, budget, errors
from addon.jira.client import JiraClient
from lifecycle.tenant import AccountId, Tenant, TenantId

ADMINISTER = "ADMINISTER"
MAX_AGE = timedelta(seconds=60)
MAX_REMEMBERED = 10_000

ATLASSIAN = "atlassian"
# The account type of people; apps and portal customers may do nothing, whatever group somebody put them into.

Value = TypeVar("Value")
NO_GROUPS: frozenset[str] = frozenset()


class JiraPermissions:
    """Asks the tenant's Jira. A "no" is remembered as long as a "yes"; an error is not, and reaches the caller."""

    def __init__(self, client_of: Callable[[TenantId], Awaitable[JiraClient]], clock: Callable[[], datetime]) -> None:
        self._client_of = client_of
        self._admins: _Memory[bool] = _Memory(clock)
        self._groups: _Memory[frozenset[str]] = _Memory(clock)

    async def is_admin(self, tenant: Tenant, account_id: AccountId) -> bool:
        """Raises JiraError."""
        return await self._admins.get(tenant, account_id, self._ask_admin)

    async def groups_of(self, tenant: Tenant, account_id: AccountId) -> frozenset[str]:
        """The ids of the groups of an active Atlassian account; nobody else has any here. Raises JiraError."""
        return await self._groups.get(tenant, account_id, self._ask_groups)

    async def _ask_admin(self, tenant: Tenant, account_id: AccountId) -> bool:
        client = await self._client_of(tenant.tenant_id)
        grants = await client.post(
            "/rest/api/3/permissions/check",
            answers.GRANTS,
            {"accountId": account_id, "globalPermissions": [ADMINISTER], "projectPermissions": []},
            price=budget.FLAT,
        )
        return ADMINISTER in grants.global_permissions

    async def _ask_groups(self, tenant: Tenant, account_id: AccountId) -> frozenset[str]:
        client = await self._client_of(tenant.tenant_id)
        try:
            found = await client.get(
                "/rest/api/3/user",
                answers.MEMBER,
                {"accountId": account_id, "expand": "groups"},
                price=budget.fixed(budget.REQUEST + budget.IDENTITY),
            )
        except errors.Rejected as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return NO_GROUPS
            raise
        if not found.active or found.account_type != ATLASSIAN:
            return NO_GROUPS
        listed = found.groups.items
        if len(listed) < found.groups.size:
            # Jira does not promise that the expansion holds all of them; this list does.
            price = budget.bare_identities(found.groups.size)
            listed = await client.get(
                "/rest/api/3/user/groups", answers.GROUPS_OF_USER, {"accountId": account_id}, price=price
            )
        return frozenset(group.group_id for group in listed if group.group_id)


class _Memory(Generic[Value]):
    """What was asked about a person of a tenant, for MAX_AGE."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._remembered: dict[tuple[TenantId, AccountId], tuple[Value, datetime]] = {}

    async def get(
        self, tenant: Tenant, account_id: AccountId, ask: Callable[[Tenant, AccountId], Awaitable[Value]]
    ) -> Value:
        key = tenant.tenant_id, account_id
        found = self._remembered.get(key)
        now = self._clock()
        if found is not None and now - found[1] < MAX_AGE:
            return found[0]
        answer = await ask(tenant, account_id)
        self._keep(key, answer, now)
        return answer

    def _keep(self, key: tuple[TenantId, AccountId], answer: Value, now: datetime) -> None:
        if len(self._remembered) >= MAX_REMEMBERED:
            self._remembered = {k: v for k, v in self._remembered.items() if now - v[1] < MAX_AGE}
        if len(self._remembered) < MAX_REMEMBERED:
            self._remembered[key] = answer, now
