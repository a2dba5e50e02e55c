"""Is this JSON that every part of a site can hold and give out again? Stricter than Python's own reader, as Jira's is."""

import json
from typing import Any

MAX_DEPTH = 500
"""Python's own stack ends near 1,000, and what was read is written again from deeper down."""


def read(text: bytes) -> Any:
    """Raises ValueError for what is no JSON, and for what could be read but never be sent: NaN, 1e400, half a surrogate
    pair, lists in lists in lists.
    """
    try:
        found = json.loads(text)
        _check_depth(found)
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError as exc:
        raise ValueError("too many lists in lists") from exc
    return found


def _check_depth(found: Any) -> None:
    level = [found]
    for _ in range(MAX_DEPTH):
        level = [child for each in level for child in _children(each)]
        if not level:
            return
    raise ValueError("too many lists in lists")


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
