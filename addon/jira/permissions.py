"""Is this person a Jira administrator? Asked on the server for every request, remembered for a minute (D13).

Implements `addon.web.auth.Permissions`.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from addon.jira import answers, budget
from addon.jira.client import JiraClient
from lifecycle.tenant import AccountId, Tenant, TenantId

ADMINISTER = "ADMINISTER"
MAX_AGE = timedelta(seconds=60)
MAX_REMEMBERED = 10_000


class JiraPermissions:
    """Asks the tenant's Jira. A "no" is remembered as long as a "yes"; an error is not, and reaches the caller."""

    def __init__(self, client_of: Callable[[TenantId], Awaitable[JiraClient]], clock: Callable[[], datetime]) -> None:
        self._client_of = client_of
        self._clock = clock
        self._remembered: dict[tuple[TenantId, AccountId], tuple[bool, datetime]] = {}

    async def is_admin(self, tenant: Tenant, account_id: AccountId) -> bool:
        """Raises JiraError."""
        key = tenant.tenant_id, account_id
        found = self._remembered.get(key)
        now = self._clock()
        if found is not None and now - found[1] < MAX_AGE:
            return found[0]
        client = await self._client_of(tenant.tenant_id)
        grants = await client.post(
            "/rest/api/3/permissions/check",
            answers.GRANTS,
            {"accountId": account_id, "globalPermissions": [ADMINISTER], "projectPermissions": []},
            price=budget.FLAT,
        )
        is_admin = ADMINISTER in grants.global_permissions
        self._remember(key, is_admin, now)
        return is_admin

    def _remember(self, key: tuple[TenantId, AccountId], is_admin: bool, now: datetime) -> None:  # noqa: FBT001 - a value
        if len(self._remembered) >= MAX_REMEMBERED:
            self._remembered = {k: v for k, v in self._remembered.items() if now - v[1] < MAX_AGE}
        if len(self._remembered) < MAX_REMEMBERED:
            self._remembered[key] = is_admin, now
