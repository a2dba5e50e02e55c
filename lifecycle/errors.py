"""Why is a caller turned away, and how much of that may they know?

LifecycleError                    status, code and title may be shown; reason is for our log alone
├── Refused                       401; somebody who is not proven to be a tenant of ours
│   ├── NoToken                   no-token
│   ├── MalformedToken            malformed-token
│   ├── WrongAlgorithm            wrong-algorithm
│   ├── BadSignature              bad-signature
│   ├── Expired                   expired
│   ├── NotYetValid               not-yet-valid
│   ├── WrongIssuer               wrong-issuer
│   ├── WrongAudience             wrong-audience
│   ├── WrongQsh                  wrong-qsh
│   ├── WrongBinding              wrong-binding
│   ├── UnknownKey                unknown-key
│   ├── UnknownTenant             unknown-tenant
│   ├── TenantNotActive           tenant-not-active
│   ├── ForeignHost               foreign-host
│   └── IllegalMove               illegal-move
├── BadBody                       the caller's doing, whoever they are
│   ├── MalformedBody             400 malformed-body
│   ├── BodyTooLarge              413 body-too-large
│   └── InvalidFields             422 invalid-fields, with the fields
└── Unavailable                   503; our failure, the same request may succeed later
    ├── KeysUnreachable           keys-unreachable
    └── SecretUnreadable          secret-unreadable

Nothing is rendered here: the app turns `status`, `code` and `title` into an answer. The message of an exception may
hold details and never leaves the process.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

import structlog


class LifecycleError(Exception):
    """Everything that this package raises on purpose."""

    status: ClassVar[int]
    code: ClassVar[str]
    title: ClassVar[str]
    reason: ClassVar[str]


class Refused(LifecycleError):
    """The caller is not proven to be who they say. The answer is the same for every cause."""

    status = 401
    code = "not-authenticated"
    title = "Not authenticated"


class NoToken(Refused):
    """There is no token where one is accepted, or there are several that differ."""

    reason = "no-token"


class MalformedToken(Refused):
    """The token cannot be read, is too long, or lacks a claim that we rely on."""

    reason = "malformed-token"


class WrongAlgorithm(Refused):
    """The token names another algorithm than the one that this use is pinned to."""

    reason = "wrong-algorithm"


class BadSignature(Refused):
    """The signature does not belong to the key that must have made it."""

    reason = "bad-signature"


class Expired(Refused):
    """`exp` has passed."""

    reason = "expired"


class NotYetValid(Refused):
    """`iat` or `nbf` lies in the future."""

    reason = "not-yet-valid"


class WrongIssuer(Refused):
    """The token speaks for another tenant than the body does."""

    reason = "wrong-issuer"


class WrongAudience(Refused):
    """The token was made for another app."""

    reason = "wrong-audience"


class WrongQsh(Refused):
    """The token was made for another request."""

    reason = "wrong-qsh"


class WrongBinding(Refused):
    """A context token where a request token is due, or the reverse."""

    reason = "wrong-binding"


class UnknownKey(Refused):
    """Atlassian publishes no key of this id."""

    reason = "unknown-key"


class UnknownTenant(Refused):
    """No tenant has this client key."""

    reason = "unknown-tenant"


class TenantNotActive(Refused):
    """The tenant is known and may not call in its present state."""

    reason = "tenant-not-active"


class ForeignHost(Refused):
    """The site that wants to be a tenant is not on a host that we serve."""

    reason = "foreign-host"


class IllegalMove(Refused):
    """The tenant's state does not allow this event."""

    reason = "illegal-move"


class BadBody(LifecycleError):
    """The body cannot be taken as it is."""

    code = "invalid"


class MalformedBody(BadBody):
    """The body is not a JSON object."""

    status = 400
    title = "The body is not a JSON object"
    reason = "malformed-body"


class BodyTooLarge(BadBody):
    """The body is longer than we read."""

    status = 413
    title = "The body is too large"
    reason = "body-too-large"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldProblem:
    """One field of a body and what is wrong with it; never its value."""

    field: str
    problem: str


class InvalidFields(BadBody):
    """Fields are missing or mistyped; `problems` names every one of them."""

    status = 422
    title = "Some fields are missing or have the wrong type"
    reason = "invalid-fields"

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        super().__init__("; ".join(f"{item.field}: {item.problem}" for item in problems))
        self.problems = tuple(problems)


class Unavailable(LifecycleError):
    """We cannot decide now. Fails closed: nobody is let in."""

    status = 503
    code = "busy"
    title = "Not available at the moment"


class KeysUnreachable(Unavailable):
    """Atlassian's key server does not answer, or not with a key."""

    reason = "keys-unreachable"


class SecretUnreadable(Unavailable):
    """A stored secret does not open with any key of the ring: a key is missing, or the row was tampered with."""

    reason = "secret-unreadable"


@contextmanager
def logged(path: str) -> Iterator[None]:
    """Leave exactly one line in the log for an error of this tree, with its reason code and without personal data.

    `path` is the URL's path alone: a query can hold a token.
    """
    try:
        yield
    except LifecycleError as error:
        level = structlog.get_logger().error if isinstance(error, Unavailable) else structlog.get_logger().warning
        level("request refused", reason=error.reason, status=error.status, path=path)
        raise
