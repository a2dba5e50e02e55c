"""Is a failed piece of work tried again, and when? Pure decisions.

The waiting times follow Atlassian, "Rate limiting", recommended reaction: 2 s, doubled each time, at most 30 s, spread by
a factor of 0.7 to 1.3; `Retry-After` is the least. A failing site is tried for about an hour before its run is given up,
since a run that stands still costs nothing and can go on from where it stands.
"""

from dataclasses import dataclass
from datetime import timedelta

from addon.jira import errors

FIRST_DELAY = timedelta(seconds=2)
LONGEST_DELAY = timedelta(seconds=30)
WAITING_SPREAD = 0.1
MAX_WAITING_SPREAD = timedelta(minutes=1)
# Who waits for the same moment comes back spread over a tenth of the waiting time, and over a minute at most.

MAX_FAILURES = 120
# In a row, without a page written in between: about an hour at LONGEST_DELAY.

MAX_REFUSED = 4
# About half a minute. A site that installs the app anew refuses what was signed with the secret before; each try signs with
# the present one. No more than the failures that `errands` and `hints` own up to, or their work would never end.

MAX_CORRUPT = 5
# A body that stays corrupt is not an outage, and no waiting mends it.


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Try again after `delay`."""

    delay: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Dead:
    """Give up; `reason` is shown to the site's administrators."""

    reason: str


def decide(error: errors.JiraError, *, failures: int, spread: float) -> Again | Dead:  # noqa: PLR0911 - a table of cases
    """What to do after `error`, the `failures`-th in a row counting from 0. `spread` is random, from 0 to 1."""
    match error:
        case errors.Waiting():
            return Again(delay=waiting_delay(error, spread=spread))
        case errors.Unauthorized() if failures >= MAX_REFUSED:
            return Dead(reason="Jira refuses the app's token. Was the app removed or installed anew?")
        case errors.Forbidden():
            return Dead(reason="Jira refuses access to people. Check the app's permissions.")
        case errors.Rejected():
            return Dead(reason="Jira rejected a request of the app.")
        case errors.Corrupt() if failures >= MAX_CORRUPT:
            return Dead(reason="Jira's answers were unreadable. Nothing was changed.")
        case _ if failures >= MAX_FAILURES:
            return Dead(reason="Jira could not be reached for an hour.")
        case errors.Throttled():
            return Again(delay=max(error.retry_after, _delay(failures, spread)))
        case _:
            return Again(delay=_delay(failures, spread))


def waiting_delay(error: errors.Waiting, *, spread: float) -> timedelta:
    """Until the moment waited for, and up to a tenth longer, so that not all come back at once."""
    return error.retry_after + min(error.retry_after * WAITING_SPREAD, MAX_WAITING_SPREAD) * spread


def _delay(failures: int, spread: float) -> timedelta:
    """2, 4, 8, 16, 30, 30 … seconds, each times 0.7 to 1.3."""
    doublings = min(failures, 10)  # enough to reach LONGEST_DELAY, and no more: timedelta has an end
    return min(FIRST_DELAY * (1 << doublings), LONGEST_DELAY) * (0.7 + 0.6 * spread)
