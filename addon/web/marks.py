"""Who goes on with what a person's change has marked? The jobs that find contacts' companies and write those of issues.

The database makes the marks itself; here their jobs are called, in the transaction of the change.
"""

from typing import get_args

from addon.storage import duties
from addon.storage.database import TenantScope
from addon.storage.duties import Duty
from addon.web.auth import Visit

DUTIES: tuple[Duty, ...] = get_args(Duty)


async def follow(visit: Visit, scope: TenantScope) -> None:
    """At the end of every change of contacts, companies or links. Cheap where nothing is marked."""
    for duty in DUTIES:
        await duties.call(scope, duty, enqueue=visit.deps.enqueue)
