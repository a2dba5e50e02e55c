"""Which sites may become tenants of this deployment?

Pure: nothing is resolved or fetched. The answer guards every later call to the site: a shared secret is only ever used
against an origin that passed here.
"""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from ipaddress import AddressValueError, IPv4Address

from lifecycle import errors

# An origin and nothing else: no credentials, path, query, escape, international or IPv6 spelling can hide in it.
ORIGIN = re.compile(r"(?P<scheme>https?)://(?P<host>[a-z0-9][a-z0-9.-]*)(?P<port>:[0-9]{1,5})?/?", re.ASCII)
MAX_CHARS = 255


def accept(base_url: str, patterns: Sequence[str]) -> str:
    """The origin of a tenant's `baseUrl`, without a trailing slash and in lower case.

    `patterns` are globs of host names. `http` is for loopback hosts alone, and only where a pattern names one: a
    pattern that begins with a wildcard never does. Raises ForeignHost.
    """
    parts = ORIGIN.fullmatch(base_url.lower())
    if parts is None or len(base_url) > MAX_CHARS:
        raise errors.ForeignHost("not an origin")
    host = parts["host"]
    matching = [pattern for pattern in patterns if fnmatchcase(host, pattern.lower())]
    if parts["scheme"] == "http":
        matching = [pattern for pattern in matching if _is_loopback(host) and not pattern.startswith(("*", "?", "["))]
    if not matching:
        raise errors.ForeignHost("no pattern allows this host")
    return base_url.lower().removesuffix("/")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return IPv4Address(host).is_loopback
    except AddressValueError:
        return False
