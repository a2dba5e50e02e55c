"""Which client talks to a tenant's Jira? Made afresh from the registry, so that a new secret counts at once."""

from collections.abc import Callable
from datetime import datetime

import databases
import httpx
from aiolimiter import AsyncLimiter

from addon.jira import errors
from addon.jira.auth import ConnectAuth
from addon.jira.client import JiraClient
from addon.jira.directory import ConnectDirectory
from lifecycle import store
from lifecycle.tenant import TenantId
from lifecycle.vault import Vault

CUSTOMER_CALLS_PER_SECOND = 5
# Atlassian, "Rate limiting", burst limits: GET /servicedeskapi/servicedesk/{id}/customer.


class Sites:
    """Clients for the sites of all tenants. `http` is shared; it must not follow redirects."""

    def __init__(
        self,
        *,
        database: databases.Database,
        vault: Vault,
        http: httpx.AsyncClient,
        addon_key: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._vault = vault
        self._http = http
        self._addon_key = addon_key
        self._clock = clock
        self._customer_limits: dict[TenantId, AsyncLimiter] = {}

    async def client(self, tenant_id: TenantId) -> JiraClient:
        """A client that signs with the tenant's present secret. Raises Unauthorized where the app is not installed."""
        async with self._database.connection() as connection:
            record = await store.find(connection, tenant_id)
        if record is None or not record.tenant.state.may_call:
            raise errors.Unauthorized("the app is not active on this site")
        auth = ConnectAuth(
            addon_key=self._addon_key,
            client_key=record.tenant.client_key,
            secret=self._vault.open(record.sealed_secret, tenant_id=tenant_id),
            base_url=record.tenant.base_url,
            clock=self._clock,
        )
        return JiraClient(http=self._http, base_url=record.tenant.base_url, auth=auth)

    async def directory(self, tenant_id: TenantId) -> ConnectDirectory:
        """The people of a site. Raises as `client` does."""
        limit = self._customer_limits.setdefault(tenant_id, AsyncLimiter(CUSTOMER_CALLS_PER_SECOND, 1))
        return ConnectDirectory(await self.client(tenant_id), limit)
