"""What is a tenant, which states can it be in, and which event leads from one to another?

Pure: no clock, no I/O. Holds no secret; those stay sealed beside the tenant in `store`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from lifecycle import errors

TenantId = NewType("TenantId", UUID)
"""Ours, made at the first installation and never changed; the key of everything that belongs to a tenant."""

ClientKey = NewType("ClientKey", str)
"""Atlassian's name of an installation: stable over re-installs, replaced when a site is imported from a backup."""

CloudId = NewType("CloudId", str)
"""Atlassian's name of a site."""

AccountId = NewType("AccountId", str)
"""Atlassian's name of a person or app. Opaque; may hold colons."""


class State(StrEnum):
    INSTALLED = "installed"
    ENABLED = "enabled"
    DISABLED = "disabled"
    UNINSTALLED = "uninstalled"
    SUPERSEDED = "superseded"
    """The same site was installed under a new client key; Atlassian sends no `uninstalled` for the old one (AC-1528)."""

    @property
    def is_live(self) -> bool:
        """Whether the site has the app, switched on or off."""
        return self in LIVE

    @property
    def may_call(self) -> bool:
        """Whether pages, webhooks and the API answer. `installed` counts: `enabled` follows it by seconds."""
        return self in (State.INSTALLED, State.ENABLED)


LIVE = frozenset({State.INSTALLED, State.ENABLED, State.DISABLED})


class Event(StrEnum):
    INSTALLED = "installed"
    ENABLED = "enabled"
    DISABLED = "disabled"
    UNINSTALLED = "uninstalled"
    SUPERSEDED = "superseded"


MOVES: dict[Event, dict[State, State]] = {
    Event.INSTALLED: dict.fromkeys(State, State.INSTALLED),
    Event.ENABLED: dict.fromkeys(LIVE, State.ENABLED),
    Event.DISABLED: dict.fromkeys(LIVE, State.DISABLED),
    # Repeated or late: what has stopped stays as it is, and that is a success.
    Event.UNINSTALLED: dict.fromkeys(LIVE, State.UNINSTALLED)
    | {State.UNINSTALLED: State.UNINSTALLED, State.SUPERSEDED: State.SUPERSEDED},
    Event.SUPERSEDED: dict.fromkeys(LIVE, State.SUPERSEDED),
}


def move(state: State, event: Event) -> State:
    """The state after `event`. Raises IllegalMove where MOVES has no entry."""
    try:
        return MOVES[event][state]
    except KeyError as exc:
        raise errors.IllegalMove(f"{event} while {state}") from exc


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """One installed site.

    base_url: origin for API calls and for trust, without a trailing slash.
    display_url: the customer's own domain; for links that people see, never for calls or secrets.
    uninstalled_at: when it stopped being live, by `uninstalled` or by being superseded; None while it is live.
    """

    tenant_id: TenantId
    client_key: ClientKey
    cloud_id: CloudId | None
    base_url: str
    display_url: str
    oauth_client_id: str | None
    state: State
    installed_at: datetime
    uninstalled_at: datetime | None
