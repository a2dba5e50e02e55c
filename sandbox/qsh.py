"""Query string hash: what Jira computes over a request to see whether a token was made for it.

Pure. Source: Atlassian, "Understanding JWT for Connect apps", section "Creating a query hash".
"""

import collections.abc
import hashlib
import urllib.parse

CONTEXT_QSH = "context-qsh"
"""The fixed value in tokens that stand for a page's context instead of one request."""


def canonical_request(method: str, path: str, query: str) -> str:
    """`path` is the raw request path without the context path, `query` the raw query string without `?`."""
    return "&".join((method.upper(), _canonical_path(path), _canonical_query(query)))


def compute(method: str, path: str, query: str) -> str:
    return hashlib.sha256(canonical_request(method, path, query).encode()).hexdigest()


def _canonical_path(path: str) -> str:
    escaped = "/" + path.replace("&", "%26").lstrip("/")
    return escaped.removesuffix("/") or "/"


def _canonical_query(query: str) -> str:
    values: dict[str, list[str]] = {}
    for name, value in urllib.parse.parse_qsl(query, keep_blank_values=True):
        if name != "jwt":
            values.setdefault(name, []).append(value)
    # Names are sorted as they are written, values of one name as they were meant, before they are encoded:
    # two of Atlassian's own vectors ("Multi-value II") tell the difference.
    return "&".join(f"{name}={_join(values[raw])}" for name, raw in sorted((_encode(raw), raw) for raw in values))


def _join(values: collections.abc.Iterable[str]) -> str:
    return ",".join(_encode(value) for value in sorted(values))


def _encode(text: str) -> str:
    return urllib.parse.quote(text, safe="-._~")
