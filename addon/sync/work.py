"""Which jobs does the sync leave to the workers? Values only; `addon.queue` stores them, `addon.jobs` carries them out."""

from dataclasses import dataclass
from typing import Literal

from lifecycle.tenant import TenantId

Kind = Literal[
    "run",
    "clear-links",
    "refresh",
    "failed-webhooks",
    "departures",
    "preview",
    "undo",
    "probe",
    "names",
    "import",
    "organizations",
    "companies",
    "rules",
    "issues",
    "issue-scan",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A job of one tenant. `number` is the run, or the turn of the switch, that it belongs to.

    There is at most one job for a kind, tenant and number; a new run or turn has a new number, so that a job which is
    just ending can never swallow the next one.
    """

    kind: Kind
    tenant_id: TenantId
    number: int
