"""What can go wrong between us and a tenant's Jira, and what that means for a job.

JiraError
├── Unreachable      no answer: connection, TLS or time-out trouble
├── Troubled         5xx: Jira's own trouble
├── Throttled        429: not before `retry_after`
│   └── Waiting      a limit is known to hold until `until`: Jira's, or our own budget
├── Unauthorized     401: our token is refused; the app was removed, or its secret replaced
├── Forbidden        403: a missing scope or permission
├── Rejected         any other 4xx: the request is wrong
└── Corrupt          2xx, but not what Jira's documents promise (D8: changes nothing)
"""

from datetime import datetime, timedelta


class JiraError(Exception):
    """A call to Jira did not give what was asked for. The text names the operation and never holds personal data."""


class Unreachable(JiraError):
    """Jira did not answer."""


class Troubled(JiraError):
    """Jira answered that it cannot answer now."""


class Throttled(JiraError):
    """Jira wants fewer calls. `retry_after`: the least time to wait, as Jira says it; zero where it does not.

    `is_alone`: it is about the one issue that was to be written, and other calls need not wait.
    """

    def __init__(self, message: str, retry_after: timedelta, *, is_alone: bool = False) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.is_alone = is_alone


class Waiting(Throttled):
    """No call may be made before `until`; asking again is no failure. `what`, shown to people, follows "waiting for"."""

    def __init__(self, message: str, *, what: str, until: datetime, now: datetime) -> None:
        super().__init__(message, until - now)
        self.what = what
        self.until = until


class Unauthorized(JiraError):
    """Jira does not accept our token."""


class Forbidden(JiraError):
    """Jira knows us and refuses."""


class Rejected(JiraError):
    """Jira does not understand the request. `status` is the HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Corrupt(JiraError):
    """The answer breaks Jira's own API document."""
