"""Which client talks to a tenant's Jira? Made afresh from the registry, so that a new secret counts at once."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

import databases
import httpx
from aiolimiter import AsyncLimiter

from addon.jira import errors, slots
from addon.jira.auth import ConnectAuth
from addon.jira.client import JiraClient
from addon.jira.directory import ConnectDirectory
from addon.jira.probes import ConnectProbes
from addon.jira.throttle import Gate, Throttle
from lifecycle import store
from lifecycle.tenant import TenantId
from lifecycle.vault import Vault

CUSTOMER_CALLS_PER_SECOND = 5
# Atlassian, "Rate limiting", burst limits: GET /servicedeskapi/servicedesk/{id}/customer.


class Sites:
    """Clients for the sites of all tenants. `http` is shared and must not follow redirects; so is `throttle`."""

    def __init__(
        self,
        *,
        database: databases.Database,
        vault: Vault,
        http: httpx.AsyncClient,
        addon_key: str,
        clock: Callable[[], datetime],
        throttle: Throttle,
    ) -> None:
        self._database = database
        self._vault = vault
        self._http = http
        self._addon_key = addon_key
        self._clock = clock
        self._throttle = throttle
        self._customer_limits: dict[TenantId, CustomerLimit] = {}

    async def client(self, tenant_id: TenantId, *, is_awaited: bool = True, piece: int = 0) -> JiraClient:
        """A client that signs with the tenant's present secret. `is_awaited`: a person waits for what it is asked.
        `piece`: as in Gate.

        Raises Unauthorized where the app is not installed.
        """
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
        gate = Gate(throttle=self._throttle, tenant_id=tenant_id, is_awaited=is_awaited, piece=piece)
        return JiraClient(http=self._http, base_url=record.tenant.base_url, auth=auth, gate=gate)

    async def settle(self, tenant_id: TenantId) -> None:
        """A piece of work for this tenant has ended: what it has not spent is there for others."""
        await self._throttle.settle(tenant_id)

    async def directory(self, tenant_id: TenantId, *, is_awaited: bool = False, piece: int = 0) -> ConnectDirectory:
        """The people of a site. Raises as `client` does."""
        client = await self.client(tenant_id, is_awaited=is_awaited, piece=piece)
        return ConnectDirectory(client, self._customer_limit(tenant_id).turn)

    async def probes(self, tenant_id: TenantId) -> ConnectProbes:
        """Single looks at a site, which nobody waits for. Raises as `client` does."""
        client, limit = await self.client(tenant_id, is_awaited=False), self._customer_limit(tenant_id).turn
        return ConnectProbes(client, ConnectDirectory(client, limit), limit)

    def _customer_limit(self, tenant_id: TenantId) -> "CustomerLimit":
        if tenant_id not in self._customer_limits:
            self._customer_limits[tenant_id] = CustomerLimit(throttle=self._throttle, tenant_id=tenant_id)
        return self._customer_limits[tenant_id]


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerLimit:
    """One call to the customer list of a site's desks: while this process alone makes such calls, and not too fast."""

    throttle: Throttle
    tenant_id: TenantId
    pace: AsyncLimiter = field(default_factory=lambda: AsyncLimiter(CUSTOMER_CALLS_PER_SECOND, 1))

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """The time of one call. Raises Waiting while another process makes them."""
        async with self.throttle.slot(self.tenant_id, slots.CUSTOMER_LIST):
            await self.pace.acquire()
            yield
