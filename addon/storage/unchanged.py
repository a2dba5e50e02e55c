"""Whom does a page of sightings show just as they were? They need no plan, and most of a run are such.

Decides nothing that `addon.sync.plan` would decide otherwise: a test plans the same sightings and compares.
"""

from collections.abc import Sequence

from addon.storage.database import TenantScope
from addon.sync.people import Sighting
from addon.sync.scope import Scope
from lifecycle.tenant import AccountId


async def find(
    scope: TenantScope, sightings: Sequence[Sighting], people: Scope, *, run_id: int
) -> dict[AccountId, bool]:
    """The linked accounts that are as they were, and whose contacts agree with them; to whether the run meets them first.

    A contact of several accounts that agrees with this one may lack what another tells: that one is not unchanged then.
    """
    plain = _plain(sightings, people)
    # As in `plan_rows`, one look-up at a time, and by index.
    rows = await scope.raw.fetch(
        """
        SELECT a.account_id, a.seen_in_run IS DISTINCT FROM $2 AS is_first
        FROM unnest($3::text[], $4::text[], $5::boolean[], $6::text[], $7::text[])
                AS seen (account_id, kind, active, display_name, email),
            LATERAL (SELECT * FROM account WHERE tenant_id = $1 AND account_id = seen.account_id OFFSET 0) AS a,
            LATERAL (SELECT * FROM contact WHERE tenant_id = $1 AND contact_id = a.contact_id OFFSET 0) AS c
        WHERE a.kind = seen.kind AND a.active = seen.active AND a.display_name = seen.display_name
            AND (seen.email IS NULL OR (a.email_state = 'visible' AND a.email = seen.email))
            AND a.in_scope AND NOT a.held
            AND c.name = a.display_name AND (a.email_key IS NULL OR c.email_key = a.email_key)
        """,
        scope.tenant_id,
        run_id,
        [sighting.account_id for sighting in plain],
        [sighting.kind for sighting in plain],
        [sighting.active for sighting in plain],
        [sighting.display_name for sighting in plain],
        [sighting.email for sighting in plain],
    )
    return {row["account_id"]: row["is_first"] for row in rows}


def _plain(sightings: Sequence[Sighting], people: Scope) -> Sequence[Sighting]:
    """Those whose meaning depends on nothing but the rows. Not who is shown twice and differently; nor whose email was asked
    for by id, since when that was is noted.
    """
    shown: dict[AccountId, Sighting | None] = {}
    for sighting in sightings:
        is_plain = sighting.email_state is None and people.surely_includes(sighting)
        is_same = shown.setdefault(sighting.account_id, sighting) == sighting
        if not (is_plain and is_same):
            shown[sighting.account_id] = None
    return [sighting for sighting in shown.values() if sighting is not None]
