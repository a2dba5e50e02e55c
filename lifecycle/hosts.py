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
LABEL = r"[a-z0-9-]{1,63}"
ORIGIN = re.compile(rf"(?P<scheme>https?)://(?P<host>(?!-){LABEL}(?:\.{LABEL})*)(?P<port>:[0-9]{{1,5}})?/?", re.ASCII)
MAX_CHARS = 255
MAX_PORT = 65_535
DEFAULT_PORTS = {"https": 443, "http": 80}


def accept(base_url: str, patterns: Sequence[str]) -> str:
    """The origin of a tenant's `baseUrl`: in lower case, without a trailing slash or the scheme's own port.

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
    return f"{parts['scheme']}://{host}{_port(parts)}"


def _port(parts: re.Match[str]) -> str:
    """As it stands in the origin: empty for the scheme's own, since one origin is one tenant."""
    if parts["port"] is None:
        return ""
    port = int(parts["port"].removeprefix(":"))
    if not 1 <= port <= MAX_PORT:
        raise errors.ForeignHost("no such port")
    return "" if port == DEFAULT_PORTS[parts["scheme"]] else f":{port}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return IPv4Address(host).is_loopback
    except AddressValueError:
        return False
