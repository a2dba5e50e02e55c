"""Who is calling the REST API, and may they call this operation? Apps come with a signed token, people with a cookie.

Pure but for the site it reads: the clock comes in as `now`.
"""

import collections.abc
import dataclasses
import datetime as dt
from typing import Any

import jwt

from sandbox import errors, installation, operations, person, qsh, site

SCHEME = "JWT "
ALGORITHM = "HS256"
UNAUTHENTICATED = "Client must be authenticated to access this resource."
REQUIRED_CLAIMS = ("iss", "iat", "exp", "qsh")
CLOCK_LEEWAY = dt.timedelta(seconds=30)
"""How far an app's clock may be ahead. Nothing is published; how long a token may live is not, either."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a token must have been made for. `path` and `query` are raw, as they came over the wire."""

    method: str
    path: str
    query: str
    authorization: str
    has_body: bool
    viewer_id: str
    """The person whom the site's own cookie names; empty for none."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """An app's user, or a person at the site's own pages (`app` is None)."""

    person: person.Person
    app: installation.Installation | None


def authenticate(request: Request, of_site: site.Site, now: dt.datetime) -> Caller:
    """Raises NotAuthenticated."""
    if not request.authorization and request.viewer_id:
        return _recognise_person(request, of_site)
    if not request.authorization.startswith(SCHEME):
        raise errors.NotAuthenticated(UNAUTHENTICATED, reason="no-token")
    token = request.authorization.removeprefix(SCHEME)
    try:
        unverified = jwt.decode(token, options={"verify_signature": False, "verify_exp": False, "verify_nbf": False})
    except jwt.InvalidTokenError as exc:
        raise errors.NotAuthenticated(UNAUTHENTICATED, reason="malformed") from exc
    app = of_site.installations.get(str(unverified.get("iss")))
    if app is None:
        raise errors.NotAuthenticated(UNAUTHENTICATED, reason="unknown-issuer")
    claims = _verify_signature(token, app.shared_secret)
    _verify_times(claims, now)
    if app.client_key not in _list_audience(claims, app):
        raise errors.NotAuthenticated(UNAUTHENTICATED, reason="audience")
    if claims["qsh"] != qsh.compute(request.method, request.path, request.query):
        raise errors.NotAuthenticated(UNAUTHENTICATED, reason="qsh")
    if app.state is not installation.State.ENABLED:
        raise errors.NotAuthenticated(UNAUTHENTICATED, reason="not-enabled")
    return Caller(person=of_site.people[app.account_id], app=app)


def authorize(caller: Caller, operation: operations.Operation, request: Request, of_site: site.Site) -> None:
    """Raises NotAllowed."""
    if request.method == "GET" and request.has_body:
        # Atlassian's CHANGE-2328.
        raise errors.NotAllowed("GET requests must not have a body.", reason="get-with-body")
    if caller.app is None:
        if operation.scope == "ACCESS_EMAIL_ADDRESSES":
            raise errors.NotAllowed("Only apps may use this resource.", reason="apps-only")
        if operation.scope == "ADMIN" and not of_site.is_admin(caller.person.account_id):
            raise errors.NotAllowed("You do not have permission to do this.", reason="permission")
        return
    if operation.scope == operations.INACCESSIBLE:
        raise errors.NotAllowed("This resource is not accessible to Connect apps.", reason="inaccessible")
    if operation.scope != "NONE" and operation.scope not in caller.app.scopes:
        raise errors.NotAllowed(
            f"The app's scopes do not allow this request; it needs {operation.scope}.", reason="scope"
        )


def _verify_signature(token: str, secret: str) -> collections.abc.Mapping[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            secret,
            algorithms=[ALGORITHM],
            # The clock is the cloud's, not PyJWT's; an audience is optional in tokens that apps send.
            options={
                "require": list(REQUIRED_CLAIMS),
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
                "verify_aud": False,
            },
        )
    except jwt.MissingRequiredClaimError as exc:
        raise errors.NotAuthenticated(UNAUTHENTICATED, reason=f"no-{exc.claim}") from exc
    except jwt.InvalidTokenError as exc:
        raise errors.NotAuthenticated(UNAUTHENTICATED, reason="signature") from exc
    return claims


def _verify_times(claims: collections.abc.Mapping[str, Any], now: dt.datetime) -> None:
    latest = (now + CLOCK_LEEWAY).timestamp()
    times = {name: claims[name] for name in ("iat", "exp", "nbf") if name in claims}
    # Written so that what is no number at all, and NaN, fails too.
    if not all(isinstance(moment, int | float) for moment in times.values()) or not times["exp"] > now.timestamp():
        raise errors.NotAuthenticated(UNAUTHENTICATED, reason="expired")
    if not (times["iat"] <= latest and times.get("nbf", latest) <= latest):
        raise errors.NotAuthenticated(UNAUTHENTICATED, reason="too-early")


def _list_audience(claims: collections.abc.Mapping[str, Any], app: installation.Installation) -> list[object]:
    """Whom the token is for; one that does not say is for the site that it came to."""
    given = claims.get("aud", app.client_key)
    return given if isinstance(given, list) else [given]


def _recognise_person(request: Request, of_site: site.Site) -> Caller:
    found = of_site.people.get(request.viewer_id)
    if found is None or not found.active:
        raise errors.NotAuthenticated(UNAUTHENTICATED, reason="unknown-person")
    return Caller(person=found, app=None)
