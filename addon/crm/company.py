"""What is a company, and which host names may stand for it in email addresses?

Pure rules (product.md C1). No SQL and no HTTP; which contact belongs to which company is decided elsewhere.
"""

import unicodedata
from dataclasses import dataclass
from typing import NewType

import idna

CompanyId = NewType("CompanyId", int)

MAX_DOMAINS = 100
MAX_DOMAIN_LENGTH = 253  # RFC 1035, 2.3.4, in the written form without the root's dot


class DomainNameError(ValueError):
    """The text is no host name that an email address could end in; the message says why, for the person who typed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyRef:
    """Which company a contact belongs to, as other records show it."""

    company_id: CompanyId
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A company as the CRM knows it. `domains`: normalised and sorted; `contacts`: how many belong to it."""

    company_id: CompanyId
    name: str
    domains: tuple[str, ...]
    organization_id: str | None
    contacts: int
    version: int


def company_key(name: str) -> str:
    """What two spellings of one company's name have in common: spaces and case aside, nothing else."""
    folded = unicodedata.normalize("NFC", " ".join(name.split())).casefold()
    return unicodedata.normalize("NFC", folded)


def written_domain(domain: str) -> str:
    """A stored domain as people write it, in the letters that its A-labels stand for; for pages."""
    try:
        written = idna.decode(domain)
        return written if normalize_domain(written) == domain else domain
    except (idna.IDNAError, DomainNameError):
        return domain


def normalize_domain(typed: str) -> str:
    """The host name in the one form that we store and compare: lower-case IDNA A-labels, no leading `@`, no last dot.

    Raises DomainNameError.
    """
    bare = typed.strip().removeprefix("@")
    if len(bare.removesuffix(".")) > MAX_DOMAIN_LENGTH:
        raise DomainNameError(f"is longer than {MAX_DOMAIN_LENGTH} characters")
    try:
        # UTS 46 folds case and full-width forms; STD 3 refuses underscores, spaces and other non-host characters.
        written = idna.encode(bare, uts46=True, std3_rules=True).decode("ascii").lower()
    except idna.IDNAError as exc:
        raise DomainNameError("is not a domain name") from exc
    # Only here: several characters may be written for the root's dot.
    host = written.removesuffix(".")
    *parents, top = host.split(".")
    if not parents or top.isdigit():
        raise DomainNameError("is not a full domain name, such as example.com")
    return host
