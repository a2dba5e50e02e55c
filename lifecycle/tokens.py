"""Does this token say the truth, and how do we make one of our own?

Pure: `now` (aware UTC) and keys are passed in. The algorithm is pinned by the function that is called, never read from
the token. Does not know tenants: whose key must fit is the caller's question. PyJWT checks the signature alone; every
claim is checked here, where it can be read.

Claims: `exp`, `iat`, `nbf` are checked for every token; `iss`, `aud`, `qsh` are handed out for the caller to compare;
`sub` is trusted once the signature is; everything else, `context` included, is never read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.types import Options

from lifecycle import errors
from lifecycle.tenant import AccountId, ClientKey
from lifecycle.vault import Secret

CLOCK_LEEWAY = timedelta(seconds=30)
"""How far Atlassian's clock and ours may differ; the one value for every token."""

APP_TOKEN_LIFETIME = timedelta(seconds=180)
"""Source: Atlassian, "Understanding JWT for Connect apps": keep it to a few minutes."""

MAX_TOKEN_CHARS = 8192
MAX_TEXT_CHARS = 255
MAX_TIMESTAMP = 2**40  # seconds; the year 36812

Algorithm = Literal["HS256", "RS256"]

SIGNATURE_ONLY: Options = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}
"""PyJWT reads the system's clock for its own checks of claims; ours take `now`, in `_verify`."""

CONTEXT_QSH = "context-qsh"
"""What Atlassian's bridge puts in place of a hash: proves the person and the tenant, and no particular request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedClaims:
    """What a token says of itself: enough to find the key that must have signed it, and good for nothing else."""

    issuer: str
    key_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedClaims:
    """What a signed token of the present time says."""

    issuer: str
    audience: Sequence[str]
    subject: AccountId | None
    qsh: str | None


def read_unverified(raw_token: str, *, algorithm: Algorithm) -> UnverifiedClaims:
    """Read who the token says it is from, before any key is known. Raises MalformedToken, WrongAlgorithm."""
    if len(raw_token) > MAX_TOKEN_CHARS or not raw_token.isascii():
        raise errors.MalformedToken("too long, or not ASCII")
    try:
        token = jwt.decode_complete(raw_token, options={"verify_signature": False})
    except jwt.PyJWTError as exc:
        raise errors.MalformedToken("not a JWT") from exc
    if token["header"].get("alg") != algorithm:
        raise errors.WrongAlgorithm(f"not {algorithm}")
    return UnverifiedClaims(issuer=_issuer(token["payload"]), key_id=token["header"].get("kid"))


def verify_shared(raw_token: str, *, secret: Secret, now: datetime) -> VerifiedClaims:
    """Accept a token that the holder of a tenant's shared secret made (HS256).

    There is no audience to check: Atlassian sets none, and a shared secret belongs to one tenant and one app.
    Raises MalformedToken, WrongAlgorithm, BadSignature, Expired, NotYetValid.
    """
    return _verify(raw_token, key=secret.reveal(), algorithm="HS256", now=now)


def verify_signed(raw_token: str, *, key: RSAPublicKey, now: datetime) -> VerifiedClaims:
    """Accept a token that Atlassian itself signed (RS256). Raises as `verify_shared` does."""
    return _verify(raw_token, key=key, algorithm="RS256", now=now)


def issue_app_token(*, secret: Secret, addon_key: str, client_key: ClientKey, qsh: str, now: datetime) -> str:
    """A token for one request of ours to the tenant's site."""
    claims = {
        "iss": addon_key,
        "iat": int(now.timestamp()),
        "exp": int((now + APP_TOKEN_LIFETIME).timestamp()),
        "qsh": qsh,
        "aud": [client_key],
    }
    return jwt.encode(claims, secret.reveal(), algorithm="HS256")


def _verify(raw_token: str, *, key: str | RSAPublicKey, algorithm: Algorithm, now: datetime) -> VerifiedClaims:
    read_unverified(raw_token, algorithm=algorithm)
    try:
        claims = jwt.decode(raw_token, key, algorithms=[algorithm], options=SIGNATURE_ONLY)
    except jwt.PyJWTError as exc:
        raise errors.BadSignature("not made with this key") from exc
    if (expires_at := _timestamp(claims, "exp")) is None:
        raise errors.MalformedToken("exp is missing")
    if expires_at <= (now - CLOCK_LEEWAY).timestamp():
        raise errors.Expired("exp has passed")
    for name in ("iat", "nbf"):
        starts_at = _timestamp(claims, name)
        if starts_at is not None and starts_at > (now + CLOCK_LEEWAY).timestamp():
            raise errors.NotYetValid(f"{name} is in the future")
    subject = _text(claims, "sub")
    return VerifiedClaims(
        issuer=_issuer(claims),
        audience=_audience(claims),
        subject=AccountId(subject) if subject else None,
        qsh=_text(claims, "qsh"),
    )


def _issuer(claims: Mapping[str, Any]) -> str:
    issuer = _text(claims, "iss")
    if not issuer:
        raise errors.MalformedToken("iss is missing")
    return issuer


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    """A claim that we look up or store: printable, because PostgreSQL takes neither NUL nor lone surrogates."""
    value = claims.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > MAX_TEXT_CHARS or not value.isprintable():
        raise errors.MalformedToken(f"{name} is not a short text")
    return value


def _timestamp(claims: Mapping[str, Any], name: str) -> float | None:
    """Seconds since 1970. Python reads NaN, Infinity and true as JSON numbers; none of them is a time."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not -MAX_TIMESTAMP < value < MAX_TIMESTAMP:
        raise errors.MalformedToken(f"{name} is not a time")
    return value


def _audience(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """RFC 7519 allows one text or a list of them."""
    value = claims.get("aud", [])
    audience = [value] if isinstance(value, str) else value
    if not isinstance(audience, list) or not all(isinstance(item, str) for item in audience):
        raise errors.MalformedToken("aud is neither a text nor a list of texts")
    return tuple(audience)
