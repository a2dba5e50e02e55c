"""What does an installation's fate mean for the sync? Runs inside the lifecycle hook's own transaction.

Implements `lifecycle.install.Listener`. Uninstalling stops everything at once and keeps the data (D15); what comes back
goes on where its switch stands.
"""

from collections.abc import Callable
from datetime import datetime

from databases.core import Connection

from addon.storage import database, issue_marks, sync_state
from addon.storage.sync_state import Enqueue
from lifecycle.tenant import Tenant


class SyncListener:
    """Ends the open run of a tenant that goes, and starts one for a tenant that is back with its sync on."""

    def __init__(self, *, enqueue: Enqueue, clock: Callable[[], datetime]) -> None:
        self._enqueue = enqueue
        self._clock = clock

    async def on_installed(self, connection: Connection, tenant: Tenant) -> None:
        """A new tenant's sync is off (S1), and `enabled` follows for one that is back: nothing to do yet."""

    async def on_enabled(self, connection: Connection, tenant: Tenant) -> None:
        scope = await database.enter(connection, tenant.tenant_id)
        if (await sync_state.lock_switch(scope)).enabled:
            await sync_state.start_run(scope, trigger="schedule", enqueue=self._enqueue, now=self._clock())
        # The app may have been given scopes that it lacked.
        await issue_marks.retry_refused(scope)

    async def on_disabled(self, connection: Connection, tenant: Tenant) -> None:
        await self._stop(connection, tenant)

    async def on_uninstalled(self, connection: Connection, tenant: Tenant) -> None:
        await self._stop(connection, tenant)

    async def _stop(self, connection: Connection, tenant: Tenant) -> None:
        scope = await database.enter(connection, tenant.tenant_id)
        await sync_state.lock_switch(scope)
        await sync_state.cancel_run(scope, now=self._clock())
