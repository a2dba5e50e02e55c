"""What does the job of an import do? Some parts of its check or its writing, then it gives others their turn."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

import structlog

from addon.queue.worker import Again
from addon.storage import duties, import_check, import_write, imports
from addon.storage.database import Database, TenantScope
from addon.storage.import_record import Import
from addon.storage.sync_state import Enqueue
from addon.sync.work import Work

PARTS_AT_ONCE = 10
# A second or two: other tenants' jobs come in between.

MAX_OUR_FAILURES = 5
# In a row: what fails that often is no accident.

OUR_FAULT = "The app failed at this file; its operators can see why. What was written before stays."

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Importing:
    """The handler, and what it needs."""

    database: Database
    enqueue: Enqueue
    clock: Callable[[], datetime]

    async def carry_on(self, work: Work) -> Again | None:
        """Go on where the last part ended; a job whose import has moved on without it does nothing."""
        try:
            for _ in range(PARTS_AT_ONCE):
                async with self.database.tenant(work.tenant_id) as scope:
                    held = await imports.hold(scope, work.number)
                    if held is None:
                        return None
                    await self._do_part(scope, held)
        except Exception:
            await self._note_failure(work)
            raise
        return Again()

    async def _do_part(self, scope: TenantScope, held: Import) -> None:
        match held.state:
            case "reading":
                await import_check.read_part(scope, held)
            case "matching":
                await import_check.match_part(scope, held)
            case "writing":
                await import_write.write_part(scope, held, now=self.clock())
                await duties.call(scope, "companies", enqueue=self.enqueue)
                await duties.call(scope, "issues", enqueue=self.enqueue)
            case "mapping" | "refused" | "ready" | "done" | "failed" | "cancelled":
                raise LookupError("an import that waits for nobody's work was held")
            case _:
                assert_never(held.state)

    async def _note_failure(self, work: Work) -> None:
        async with self.database.tenant(work.tenant_id) as scope:
            held = await imports.hold(scope, work.number)
            if held is None:
                return
            if held.failures < MAX_OUR_FAILURES:
                await imports.note_failure(scope, held.import_id)
                return
            log.error("import-failed", reason="our-fault")
            await imports.close(scope, held, "failed", now=self.clock(), error=OUR_FAULT)
