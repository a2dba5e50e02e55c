"""Whom is the sync about (D11)? What an administrator chose, what it means for an account, and its JSON form.

Pure. Which lists are read follows from it too: see `containers`. What becomes of an account is `addon.sync.plan`'s affair.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from addon.crm import company
from addon.crm.contact import EmailKey
from addon.errors import FieldProblem
from addon.sync.people import Kind

USERS = "users"
CUSTOMERS = "customers"
ORGANIZATIONS = "organizations"
# The phases of a scan, by the names that the directories give them.

MAX_ENTRIES = 100  # of one list
MAX_ID_LENGTH = 255
IS_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
# What Jira Service Management gives as ids. They become parts of paths, so nothing else may get through.

KINDS: tuple[Kind, ...] = get_args(Kind)

LISTS = {"groups": "groups", "projects": "projects", "organizations": "organizations", "emailDomains": "email_domains"}
FIELDS = ("kinds", "activeOnly", *LISTS)

ListKind = Literal["projects", "organizations"]
"""The lists of Jira Service Management that a filter may name."""

PlaceKind = Literal["groups", "projects", "organizations"]
PHASES: Mapping[PlaceKind, str] = {"groups": USERS, "projects": CUSTOMERS, "organizations": ORGANIZATIONS}
"""In which phase of a scan the people of such a list are read."""

Membership = Literal["inside", "outside", "unknown"]
"""Where an account was met: in a list that the filters admit, by id after a scan of all these lists, or merely by id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A group, service project or organization as people know it."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """An empty tuple restricts nothing. `projects` are ids of service desks, `email_domains` are in their normal form.

    `groups` says which users, `projects` and `organizations` which customers: those of any that is named.
    """

    kinds: tuple[Kind, ...] = ()
    groups: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    organizations: tuple[str, ...] = ()
    email_domains: tuple[str, ...] = ()

    def admits_kind(self, kind: Kind) -> bool:
        return not self.kinds or kind in self.kinds

    def admits_email(self, email_key: EmailKey | None) -> bool:
        """Without an email that we see, nothing says that the account belongs to one of the domains."""
        if not self.email_domains:
            return True
        return email_key is not None and domain_of(email_key) in self.email_domains

    def is_by_list(self, kind: Kind) -> bool:
        """Whether only the lists that an account of this kind stands in tell if it is meant."""
        return bool(self.groups) if kind == "user" else bool(self.projects or self.organizations)

    def containers(self, phase: str) -> Sequence[str] | None:
        """The only containers of a phase to be read; None where all are. Users are read even if only customers are
        meant: a desk's list does not say who is a user.
        """
        if phase == USERS:
            return self.groups or None
        if phase not in {CUSTOMERS, ORGANIZATIONS}:
            return None
        if not self.admits_kind("customer"):
            return ()
        if not self.is_by_list("customer"):
            return None
        return self.projects if phase == CUSTOMERS else self.organizations

    def to_json(self) -> dict[str, Any]:
        """What is restricted, in the words of the API; `activeOnly` is a setting of its own and not part of it."""
        written = {"kinds": self.kinds, **{field: getattr(self, name) for field, name in LISTS.items()}}
        return {field: list(values) for field, values in written.items() if values}


NO_FILTERS = Filters()


def domain_of(email_key: EmailKey) -> str:
    """The domain of an address in the form that domains are stored in; what is none belongs to no domain."""
    try:
        return company.normalize_domain(email_key.rpartition("@")[2])
    except company.DomainNameError:
        return ""


def spellings(domain: str) -> Sequence[str]:
    """How an email key may write a domain of the normal form: also with the letters that its A-labels stand for."""
    return list(dict.fromkeys([domain, company.written_domain(domain)]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a body says. `filters` and `active_only` may be used only when `problems` is empty."""

    filters: Filters
    active_only: bool | None
    problems: Sequence[FieldProblem]


def read(sent: object) -> Reading:
    """The filters that somebody sent: they replace the present ones as a whole. Every problem is named at once."""
    if not isinstance(sent, Mapping):
        problem = FieldProblem(field="filters", problem="must be an object")
        return Reading(filters=NO_FILTERS, active_only=None, problems=[problem])
    problems = [
        FieldProblem(field=f"filters.{field}", problem="is not a filter") for field in sent if field not in FIELDS
    ]
    active_only = sent.get("activeOnly")
    if active_only is not None and not isinstance(active_only, bool):
        problems.append(FieldProblem(field="filters.activeOnly", problem="must be true or false"))
        active_only = None
    filters = Filters(
        kinds=_read_kinds(sent.get("kinds"), problems),
        groups=_read_list(sent, "groups", _is_text, problems),
        projects=_read_list(sent, "projects", _is_number, problems),
        organizations=_read_list(sent, "organizations", _is_number, problems),
        email_domains=_read_domains(sent, problems),
    )
    return Reading(filters=filters, active_only=active_only, problems=problems)


def from_json(stored: Mapping[str, Any]) -> Filters:
    """The filters that `to_json` wrote."""
    named = {name: tuple(stored.get(field, ())) for field, name in LISTS.items()}
    return Filters(kinds=tuple(stored.get("kinds", ())), **named)


def _read_kinds(sent: object, problems: list[FieldProblem]) -> tuple[Kind, ...]:
    if sent is None:
        return ()
    if not isinstance(sent, list) or not sent or not all(kind in KINDS for kind in sent):
        problems.append(FieldProblem(field="filters.kinds", problem=f"must be a list of {' and '.join(KINDS)}"))
        return ()
    # Both kinds are no restriction.
    return () if set(sent) == set(KINDS) else tuple(kind for kind in KINDS if kind in sent)


def _read_list(
    sent: Mapping[str, object], field: str, is_entry: Callable[[str], bool], problems: list[FieldProblem]
) -> tuple[str, ...]:
    value = sent.get(field)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) and is_entry(item.strip()) for item in value):
        problems.append(FieldProblem(field=f"filters.{field}", problem="must be a list of ids, each a text"))
        return ()
    if len(value) > MAX_ENTRIES:
        problems.append(
            FieldProblem(field=f"filters.{field}", problem=f"must not have more than {MAX_ENTRIES} entries")
        )
        return ()
    return tuple(sorted({item.strip() for item in value}))


def _is_text(item: str) -> bool:
    return 0 < len(item) <= MAX_ID_LENGTH and item.isprintable()


def _is_number(item: str) -> bool:
    return IS_NUMBER.fullmatch(item) is not None


def _read_domains(sent: Mapping[str, object], problems: list[FieldProblem]) -> tuple[str, ...]:
    domains: set[str] = set()
    for typed in _read_list(sent, "emailDomains", _is_text, problems):
        try:
            domains.add(company.normalize_domain(typed))
        except company.DomainNameError as exc:
            problems.append(FieldProblem(field="filters.emailDomains", problem=f'"{typed}" {exc}'))
    return tuple(sorted(domains))
