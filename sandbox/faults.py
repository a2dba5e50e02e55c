"""What goes wrong on a site at the moment? Knobs for tests and demos; the handlers ask, this module only remembers.

A new fault is a new field here, read at the one place where it shows.
"""

import dataclasses
import datetime as dt
import enum

from sandbox import tasks

ERROR_STATUSES = (500, 502, 503, 504)


class EmailApi(enum.StrEnum):
    """Jira's three answers to an app that asks for email addresses: they come, 400, 503."""

    APPROVED = "approved"
    NOT_APPROVED = "not-approved"
    DISABLED = "disabled"


class Limit(enum.StrEnum):
    """Why a call is turned away with 429: Jira's values of the header RateLimit-Reason, and its gateway, which says none."""

    GLOBAL_QUOTA = "jira-quota-global-based"
    TENANT_QUOTA = "jira-quota-tenant-based"
    BURST = "jira-burst-based"
    PER_ISSUE = "jira-per-issue-on-write"
    GATEWAY = "gateway"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class WebhookFaults:
    """What goes wrong with webhooks on their way. `lost` and `doubled` are shares; what is lost is never told of again.

    `reordered`: those that are due together come in any order, and a delay is any part of `delayed` instead of all of it.
    """

    lost: float = 0.0
    doubled: float = 0.0
    reordered: bool = False
    delayed: dt.timedelta = dt.timedelta(0)


@dataclasses.dataclass(slots=True, kw_only=True)
class Interruption:
    """An answer that replaces the real one for paths that start with `path_prefix`, `times` times (None: for ever).

    It lets as many calls as `after` says pass first. Without a `body` the status comes with Jira's own error shape; with one, the body is sent as HTML. With a `limit` it is
    a 429 with the headers of that limit.
    """

    path_prefix: str
    status: int = 503
    times: int | None = 1
    after: int = 0
    body: str | None = None
    retry_after_s: int | None = None
    limit: Limit | None = None


@dataclasses.dataclass(slots=True, kw_only=True)
class Faults:
    """The site's present behaviour; a fresh one is a healthy site with Jira's everyday quirks."""

    fallback_users: bool = False
    """User records are unavailable: the id is right, everything else is a fallback value."""
    corrupt_users: bool = False
    """User records are corrupt: even the id is the literal `unknown`."""
    tombstones: bool = False
    """Whoever is deleted is still answered by id, as a former user, and keeps the places at desks and in organizations."""
    no_browse_permission: bool = False
    """The app's user lacks *Browse users and groups*: people lists are empty instead of refused."""
    email_api: EmailApi = EmailApi.APPROVED
    short_pages: bool = True
    """Platform lists filter after cutting the page, so a short page need not be the last."""
    empty_lists: bool = False
    """Lists of people are empty though the permission to see them is there."""
    shuffled_pages: bool = False
    """People come in any order within their page."""
    moving_people: int = 0
    """How many people stand elsewhere in a list each time that a page of it is read; a reader misses or repeats them."""
    page_size: int | None = None
    """How many a page of any list holds at most, however many are asked for; None is as Jira usually does."""
    fallback_share: float = 0.0
    """As `fallback_users`, for this share of the records and always for the same ones."""
    error_share: float = 0.0
    """How likely a call is answered by one of ERROR_STATUSES."""
    cut_share: float = 0.0
    """How likely the connection breaks in the middle of an answer; what the call did is done."""
    delay_s: float = 0.0
    """How long every answer takes, on top."""
    session_s: float | None = None
    """How long the bridge's tokens live, instead of Jira's 15 minutes; below 0: they have run out when they are given."""
    quota_per_hour: int | None = None
    """Points that each app may spend here in a UTC hour; None is no limit."""
    enforce_bursts: bool = False
    task_seconds: float = 0.0
    """How long a task takes; with 0 it is done when somebody looks at the site next."""
    task_outcome: tasks.State = tasks.State.COMPLETE
    """How the tasks end that are asked for now; one that stays RUNNING never ends, only COMPLETE does anything."""
    page_tokens_expire: bool = False
    """The search takes no page token back."""
    search_lag_s: float = 0.0
    """How old what the search knows of the issues is."""
    webhooks: WebhookFaults = dataclasses.field(default_factory=WebhookFaults)
    interruptions: list[Interruption] = dataclasses.field(default_factory=list)

    def interrupt(self, path: str) -> Interruption | None:
        """The interruption that hits this call, used up by one if it is counted."""
        for interruption in self.interruptions:
            if path.startswith(interruption.path_prefix) and interruption.times != 0:
                if interruption.after:
                    interruption.after -= 1
                    continue
                if interruption.times is not None:
                    interruption.times -= 1
                return interruption
        return None
