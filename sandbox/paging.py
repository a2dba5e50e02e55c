"""How does Jira cut a list into pages? The platform's page beans, which refuse, and JSM's pages, which cap silently.

It cuts; it knows nothing of what it cuts.
"""

import collections.abc
import dataclasses
import urllib.parse
from typing import Any, TypeVar

from sandbox import call, disorder, errors

JSM_DEFAULT_LIMIT = 50
Item = TypeVar("Item")
Predicate = collections.abc.Callable[[Item], bool]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    start: int
    size: int


def read_window(made: call.Call, *, cap: int, default: int | None = None) -> Window:
    """`startAt` and `maxResults`. Raises BadRequest for a page larger than `cap`.

    Jira clamps some of these silently; a client that relies on it is wrong as soon as the cap moves.
    """
    start = made.parameters.get("startAt") or 0
    given = made.parameters.get("maxResults")
    size = default if given is None else given
    if start < 0:
        raise errors.BadRequest("startAt must not be negative.", reason="page")
    if size is None or not 0 < size <= cap:
        raise errors.BadRequest(f"maxResults must be between 1 and {cap}.", reason="page-size")
    return Window(start=start, size=min(size, made.site.faults.page_size or size))


def cut(
    items: collections.abc.Sequence[Item], window: Window, *, keep: Predicate[Item], filter_late: bool
) -> tuple[list[Item], int]:
    """One page and the total. Filtering late, the page may be short, or empty, though more pages follow."""
    if filter_late:
        return [item for item in items[window.start : window.start + window.size] if keep(item)], len(items)
    kept = [item for item in items if keep(item)]
    return kept[window.start : window.start + window.size], len(kept)


def build_bean(made: call.Call, window: Window, values: list[Any], total: int) -> dict[str, Any]:
    """The platform's page bean; its end is where the list ends, not where a page is short."""
    end = window.start + window.size
    bean = {
        "self": _link(made, startAt=window.start, maxResults=window.size),
        "maxResults": window.size,
        "startAt": window.start,
        "total": total,
        "isLast": end >= total,
        "values": values,
    }
    return bean if end >= total else {**bean, "nextPage": _link(made, startAt=end, maxResults=window.size)}


def build_jsm_page(
    made: call.Call,
    items: collections.abc.Sequence[Item],
    *,
    cap: int,
    show: collections.abc.Callable[[Item], Any],
) -> dict[str, Any]:
    """A JSM page. More than `cap` is not refused: the page is smaller than asked, says so, and is not the last."""
    start = made.parameters.get("start") or 0
    limit = made.parameters.get("limit")
    limit = JSM_DEFAULT_LIMIT if limit is None else limit
    if start < 0 or limit < 1:
        raise errors.BadRequest("start must not be negative and limit must be positive.", reason="page")
    end = start + min(limit, cap, made.site.faults.page_size or cap)
    values = [show(item) for item in disorder.mix(made.site, items[start:end])]
    links = {
        "self": _link(made, start=start, limit=limit),
        "base": made.site.base_url,
        "context": "",
    }
    if end < len(items):
        links["next"] = _link(made, start=end, limit=limit)
    if start > 0:
        links["prev"] = _link(made, start=max(0, start - limit), limit=limit)
    return {
        "size": len(values),
        "start": start,
        "limit": limit,
        "isLastPage": end >= len(items),
        "_links": links,
        "values": values,
    }


def _link(made: call.Call, **window: int) -> str:
    """The same call with another window."""
    kept = [pair for pair in urllib.parse.parse_qsl(made.query) if pair[0] not in window]
    return f"{made.site.base_url}{made.path}?{urllib.parse.urlencode([*kept, *window.items()])}"
