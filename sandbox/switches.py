"""How are a site's faults written in JSON? Reading a change and showing what is set; no HTTP, and nothing is switched here."""

import collections.abc
import dataclasses
import datetime as dt
import types
from typing import Any

from sandbox import errors, faults, tasks

Known = collections.abc.Mapping[str, tuple[str, type | types.UnionType]]

SWITCHES: Known = {
    "fallbackUsers": ("fallback_users", bool),
    "corruptUsers": ("corrupt_users", bool),
    "tombstones": ("tombstones", bool),
    "noBrowsePermission": ("no_browse_permission", bool),
    "shortPages": ("short_pages", bool),
    "emptyLists": ("empty_lists", bool),
    "shuffledPages": ("shuffled_pages", bool),
    "enforceBursts": ("enforce_bursts", bool),
    "movingPeople": ("moving_people", int),
    "pageSize": ("page_size", int | None),
    "pageTokensExpire": ("page_tokens_expire", bool),
    "taskSeconds": ("task_seconds", int | float),
    "searchLagSeconds": ("search_lag_s", int | float),
    "quotaPerHour": ("quota_per_hour", int | None),
    "fallbackShare": ("fallback_share", int | float),
    "errorShare": ("error_share", int | float),
    "cutShare": ("cut_share", int | float),
    "delaySeconds": ("delay_s", int | float),
    "sessionSeconds": ("session_s", int | float | None),
}
SHARES = frozenset({"fallbackShare", "errorShare", "cutShare", "lost", "doubled"})
"""Here True is all of them."""
MAX_NUMBER = 10**9
"""For whatever is counted and for seconds, far beyond any use and still a time that a clock can add."""
RANGES: collections.abc.Mapping[str, tuple[int, int]] = {
    **dict.fromkeys(SHARES, (0, 1)),
    **dict.fromkeys(("movingPeople", "quotaPerHour", "times", "retryAfterSeconds"), (0, MAX_NUMBER)),
    **dict.fromkeys(("taskSeconds", "delaySeconds", "delayedSeconds"), (0, MAX_NUMBER)),
    "pageSize": (1, MAX_NUMBER),
    "searchLagSeconds": (0, 3600),
    "sessionSeconds": (-MAX_NUMBER, MAX_NUMBER),
    # Below it are answers that only announce another one.
    "status": (200, 599),
}
INTERRUPTION: Known = {
    "pathPrefix": ("path_prefix", str),
    "status": ("status", int),
    "times": ("times", int | None),
    "body": ("body", str | None),
    "retryAfterSeconds": ("retry_after_s", int | None),
    "limit": ("limit", str | None),
}
WEBHOOKS: Known = {
    "lost": ("lost", int | float),
    "doubled": ("doubled", int | float),
    "reordered": ("reordered", bool),
    "delayedSeconds": ("delayed_s", int | float),
}


def change(present: faults.Faults, body: dict[str, Any]) -> faults.Faults:
    """What is given replaces what was; `{"healthy": true}` first ends every fault. Raises BadRequest, TypeError, ValueError."""
    given = dict(body)
    changed = faults.Faults() if given.pop("healthy", False) else dataclasses.replace(present)
    for name, value in given.items():
        if name in SWITCHES:
            setattr(changed, SWITCHES[name][0], _check(name, value, SWITCHES[name][1]))
        elif name == "emailApi":
            changed.email_api = faults.EmailApi(value)
        elif name == "taskOutcome":
            changed.task_outcome = tasks.State(value)
        elif name == "webhooks":
            changed.webhooks = _read_webhooks(value)
        elif name == "interruptions":
            changed.interruptions = [_read_interruption(each) for each in value]
        else:
            raise errors.BadRequest(f"Unknown fault: {name}")
    return changed


def show(present: faults.Faults) -> dict[str, Any]:
    """Everything, also what is healthy."""
    return {
        **{name: getattr(present, field) for name, (field, _) in SWITCHES.items()},
        "emailApi": str(present.email_api),
        "taskOutcome": str(present.task_outcome),
        "webhooks": {
            "lost": present.webhooks.lost,
            "doubled": present.webhooks.doubled,
            "reordered": present.webhooks.reordered,
            "delayedSeconds": present.webhooks.delayed.total_seconds(),
        },
        "interruptions": [
            {name: getattr(each, field) for name, (field, _) in INTERRUPTION.items()} for each in present.interruptions
        ],
    }


def read_fields(body: collections.abc.Mapping[str, Any], known: Known) -> dict[str, Any]:
    """The known fields among those of the body, under the names that the record has for them. Raises BadRequest."""
    return {field: _check(name, body[name], wanted) for name, (field, wanted) in known.items() if name in body}


def _read_interruption(body: collections.abc.Mapping[str, Any]) -> faults.Interruption:
    fields = read_fields(body, INTERRUPTION)
    if fields.get("limit") is not None:
        fields["limit"] = faults.Limit(fields["limit"])
    return faults.Interruption(**fields)


def _read_webhooks(body: collections.abc.Mapping[str, Any]) -> faults.WebhookFaults:
    unknown = body.keys() - WEBHOOKS.keys()
    if unknown:
        raise errors.BadRequest(f"Unknown webhook faults: {', '.join(sorted(unknown))}")
    fields = read_fields(body, WEBHOOKS)
    delayed = dt.timedelta(seconds=fields.pop("delayed_s", 0))
    return faults.WebhookFaults(**fields, delayed=delayed)


def _check(name: str, value: Any, wanted: type | types.UnionType) -> Any:
    if name in SHARES and isinstance(value, bool):
        value = float(value)
    # Python counts True and False among the numbers; JSON does not.
    if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
        raise errors.BadRequest(f"{name} must not be {value!r}.")
    return _check_range(name, value)


def _check_range(name: str, value: Any) -> Any:
    # No range is for null, nor for an issue's status, which is a text.
    if name in RANGES and isinstance(value, int | float):
        least, most = RANGES[name]
        if not least <= value <= most:
            raise errors.BadRequest(f"{name} must be between {least} and {most}.")
    return float(value) if name in SHARES else value
