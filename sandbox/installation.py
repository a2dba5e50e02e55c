"""What does a site remember of an app that was installed on it? A record only; the handshake is `sandbox.handshake`."""

import collections.abc
import dataclasses
import enum
from typing import Any

# Each scope brings all lower ones along; ACCESS_EMAIL_ADDRESSES and ACT_AS_USER stand alone.
# Source: Atlassian, "Scopes for Connect apps".
LADDER = ("READ", "WRITE", "DELETE", "PROJECT_ADMIN", "ADMIN")


class State(enum.StrEnum):
    INCOMPLETE = "incomplete"
    """The app did not accept `installed`; it has a secret but no rights."""
    ENABLED = "enabled"
    DISABLED = "disabled"
    UNINSTALLED = "uninstalled"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """One app on one site. `base_url` is the app's own; `account_id` is the app's user on the site."""

    addon_key: str
    client_key: str
    shared_secret: str
    descriptor: collections.abc.Mapping[str, Any]
    descriptor_url: str
    state: State
    base_url: str
    account_id: str
    oauth_client_id: str

    @property
    def scopes(self) -> frozenset[str]:
        """Every scope that the descriptor asks for or implies, in Connect's upper-case spelling."""
        asked = {str(scope).upper() for scope in self.descriptor.get("scopes", ())}
        highest = max((LADDER.index(scope) for scope in asked if scope in LADDER), default=-1)
        return frozenset(asked | set(LADDER[: highest + 1]))

    def hears(self, event: str) -> bool:
        """Whether a webhook of this name is declared."""
        return any(declared["event"] == event for declared in self.descriptor.get("modules", {}).get("webhooks", []))
