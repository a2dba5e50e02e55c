"""What goes wrong on a site at the moment? Knobs for tests and demos; the handlers ask, this module only remembers.

A new fault is a new field here, read at the one place where it shows.
"""

import dataclasses
import enum


class EmailApi(enum.StrEnum):
    """Jira's three answers to an app that asks for email addresses: they come, 400, 503."""

    APPROVED = "approved"
    NOT_APPROVED = "not-approved"
    DISABLED = "disabled"


@dataclasses.dataclass(slots=True, kw_only=True)
class Interruption:
    """An answer that replaces the real one for paths that start with `path_prefix`, `times` times (None: for ever).

    Without a `body` the status comes with Jira's own error shape; with one, the body is sent as HTML.
    """

    path_prefix: str
    status: int = 503
    times: int | None = 1
    body: str | None = None
    retry_after_s: int | None = None


@dataclasses.dataclass(slots=True, kw_only=True)
class Faults:
    """The site's present behaviour; a fresh one is a healthy site with Jira's everyday quirks."""

    fallback_users: bool = False
    """User records are unavailable: the id is right, everything else is a fallback value."""
    corrupt_users: bool = False
    """User records are corrupt: even the id is the literal `unknown`."""
    no_browse_permission: bool = False
    """The app's user lacks *Browse users and groups*: people lists are empty instead of refused."""
    email_api: EmailApi = EmailApi.APPROVED
    short_pages: bool = True
    """Platform lists filter after cutting the page, so a short page need not be the last."""
    interruptions: list[Interruption] = dataclasses.field(default_factory=list)

    def interrupt(self, path: str) -> Interruption | None:
        """The interruption that hits this call, used up by one if it is counted."""
        for interruption in self.interruptions:
            if path.startswith(interruption.path_prefix) and interruption.times != 0:
                if interruption.times is not None:
                    interruption.times -= 1
                return interruption
        return None
