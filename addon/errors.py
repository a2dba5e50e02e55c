"""What can go wrong in the add-on, and what each caller may be told about it.

AddonError
├── ConfigurationError      the process must not start; every problem named at once
├── RequestError            the caller's doing; nothing was changed
│   ├── NotAllowed          403 not-allowed
│   ├── NotFound            404 not-found
│   ├── ReadOnlyAttribute   409 read-only-attribute (S8)
│   ├── ContactSynced       409 contact-synced (S9)
│   ├── StaleVersion        409 stale-version
│   └── Invalid             422 invalid, with the fields
└── Busy                    503 busy: our own trouble; the caller may try again

Errors of the border to Jira live in `addon.jira.errors`; refused tokens in `lifecycle.errors`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NewType

Remark = NewType("Remark", str)
"""A text for the site's people that is no error. It is translated where it is shown."""


class AddonError(Exception):
    """Everything that this package raises on purpose."""


class ConfigurationError(AddonError):
    """The settings, database or descriptor are unusable; `problems` lists all that was found."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class ApiError(AddonError):
    """An answer of interface.md's error table: `status`, `code` and a text that is safe to show."""

    status: ClassVar[int]
    code: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class RequestError(ApiError):
    """The request cannot be carried out as sent; nothing was changed."""


class NotAllowed(RequestError):
    """The caller is known but may not do this (D13)."""

    status = 403
    code = "not-allowed"
    title = "You are not allowed to do this"


class NotFound(RequestError):
    """There is no such thing for this tenant."""

    status = 404
    code = "not-found"
    title = "Not found"


class ReadOnlyAttribute(RequestError):
    """The contact is synced, so Jira is the source of these attributes (S8)."""

    status = 409
    code = "read-only-attribute"
    title = "Jira is the source of this attribute"

    def __init__(self, attributes: Sequence[str]) -> None:
        super().__init__(f"Read-only while the contact is synced with Jira: {', '.join(attributes)}.")
        self.attributes = tuple(attributes)


class ContactSynced(RequestError):
    """A synced contact cannot be deleted (S9)."""

    status = 409
    code = "contact-synced"
    title = "The contact is synced with Jira"


class StaleVersion(RequestError):
    """Somebody else changed the record since the caller read it."""

    status = 409
    code = "stale-version"
    title = "The record was changed in the meantime"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldProblem:
    """One field of a request and what is wrong with it, in words for the person who typed it."""

    field: str
    problem: str


class Invalid(RequestError):
    """Some fields of the request cannot be taken; `problems` names every one."""

    status = 422
    code = "invalid"
    title = "Some fields are invalid"

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        super().__init__("; ".join(f"{p.field}: {p.problem}" for p in problems))
        self.problems = tuple(problems)


class Busy(ApiError):
    """We cannot answer now (Jira or the database does not); the same request may work later."""

    status = 503
    code = "busy"
    title = "The service is busy"
