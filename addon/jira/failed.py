"""Which webhooks could Jira not deliver to us? It keeps them for 72 hours, the oldest first.

Source: Atlassian, "Get failed webhooks". Reads only; what the bodies mean is decided in `addon.sync.hints`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from addon.jira import answers, budget
from addon.jira.client import JiraClient, Params

PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A delivery that failed for good. `body` is empty where Jira did not keep it, or it is not JSON."""

    delivery_id: str
    body: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """`after`: from where the next page, or a later reading, goes on; None where nothing failed."""

    deliveries: Sequence[Failed]
    after: datetime | None
    has_more: bool


async def read(client: JiraClient, after: datetime | None) -> Page:
    """The deliveries that failed after `after`. Raises JiraError."""
    params: Params = {"maxResults": PAGE}
    if after is not None:
        params = {**params, "after": _milliseconds(after)}
    found = await client.get("/rest/api/3/webhook/failed", answers.FAILED_WEBHOOKS, params, price=budget.FLAT)
    return Page(
        deliveries=[Failed(delivery_id=item.id, body=_object(item.body)) for item in found.values],
        after=_following(found, after),
        has_more=bool(found.values) and found.next is not None,
    )


def _following(found: answers.FailedWebhooks, after: datetime | None) -> datetime | None:
    """One millisecond before the last failure, since a page may end between two of the same one; never back."""
    if not found.values:
        return after
    last = _moment(max(item.failure_time for item in found.values))
    step = timedelta(milliseconds=1)
    return last - step if after is None else max(last - step, after + step)


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _object(body: str | None) -> Mapping[str, object]:
    try:
        value = json.loads(body or "")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
