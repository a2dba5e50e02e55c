"""Query string hash: was this token made for this very request?

Pure: no clock, no I/O. Sources: Atlassian, "Understanding JWT for Connect apps", section "Creating a query string
hash"; the vectors published with atlassian-jwt (tests/data/qsh-vectors.json).
"""

from collections import defaultdict
from hashlib import sha256
from urllib.parse import quote, unquote_plus, urlsplit

TOKEN_PARAMETER = "jwt"  # noqa: S105 - the name of a parameter, not a secret
# Carries the token itself, so it cannot be part of what the token proves.


def hash_request(method: str, path: str, query: str) -> str:
    """The `qsh` claim of a request, in hex.

    `path` is as it stands on the wire (still percent-encoded) and relative to the callee's base URL (see
    `strip_base_path`); `query` is the raw query without the question mark.
    """
    return sha256(canonical_request(method, path, query).encode()).hexdigest()


def canonical_request(method: str, path: str, query: str) -> str:
    """The text that is hashed: METHOD & path & query, each in its one canonical spelling."""
    return f"{method.upper()}&{_canonical_path(path)}&{_canonical_query(query)}"


def strip_base_path(path: str, base_url: str) -> str:
    """`path` without the path of `base_url` before it; unchanged where it does not start with whole segments of it."""
    prefix = urlsplit(base_url).path.rstrip("/")
    if path == prefix or path.startswith(f"{prefix}/"):
        return path[len(prefix) :]
    return path


def _canonical_path(path: str) -> str:
    path = "/" + path.replace("&", "%26").removeprefix("/")
    return path if path == "/" else path.removesuffix("/")


def _canonical_query(query: str) -> str:
    values_by_name: defaultdict[str, list[str]] = defaultdict(list)
    for pair in filter(None, query.split("&")):
        name, _, value = pair.partition("=")
        values_by_name[unquote_plus(name)].append(unquote_plus(value))
    values_by_name.pop(TOKEN_PARAMETER, None)
    # Names are ordered as encoded, repeated values as decoded: so does Atlassian's Java host, which makes and checks
    # these hashes. Ordering the encoded values puts %3A before a full stop, and the colon belongs after it.
    return "&".join(
        f"{name}={','.join(map(_encode, sorted(values, key=_java_order)))}"
        for name, values in sorted((_encode(name), values) for name, values in values_by_name.items())
    )


def _encode(text: str) -> str:
    return quote(text, safe="")


def _java_order(text: str) -> bytes:
    """Java compares UTF-16 code units, which differs from code points beyond U+FFFF."""
    return text.encode("utf-16-be")
