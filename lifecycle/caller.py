"""Who is calling?

One question, asked once per request and answered with a `Caller` or a refusal. Every route declares its `Binding`; it
is never guessed from a path or from the token. What the caller may do is not decided here.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum
from typing import assert_never
from urllib.parse import quote

import databases
import structlog
from starlette.requests import Request

from lifecycle import errors, qsh, store, tokens
from lifecycle.tenant import AccountId, ClientKey, State, Tenant
from lifecycle.vault import Vault

SCHEME = "jwt"


class Binding(Enum):
    """What a token must be bound to on a route."""

    REQUEST = "request"
    """This very request, by its qsh: pages, webhooks, lifecycle. The token may come in the query."""
    CONTEXT = "context"
    """The person and tenant only (`context-qsh`): calls of our own pages to our own API. Header only."""


class Via(StrEnum):
    """The door that the tenant came through."""

    CONNECT = "connect"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Proven. `account_id` is None when the product itself calls, or somebody who is not logged in."""

    tenant: Tenant
    account_id: AccountId | None
    via: Via


class Callers:
    """Identifies callers by a tenant's shared secret. `base_url` is our own.

    Reads the tenant afresh for each request: a re-install or uninstall in another process counts from its commit on.
    """

    def __init__(
        self, *, database: databases.Database, vault: Vault, base_url: str, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._vault = vault
        self._base_url = base_url
        self._clock = clock

    async def identify(self, request: Request, binding: Binding, *, may_be_disabled: bool = False) -> Caller:
        """Checks, in this order: one token, HS256 named, tenant known, signature, `exp` and `iat`, binding, qsh,
        tenant's state. `may_be_disabled` is for the hooks that switch a tenant on and off.

        Raises Refused (401) or SecretUnreadable (503), and leaves a line with the reason in the log. It names the tenant
        where that is proven, or where the key that would prove it is missing.
        """
        with ExitStack() as naming, errors.logged(request.url.path):
            raw_token = read_token(request, header_only=binding is Binding.CONTEXT)
            unverified = tokens.read_unverified(raw_token, algorithm="HS256")
            async with self._database.connection() as connection:
                record = await store.find_by_client_key(connection, ClientKey(unverified.issuer))
            if record is None:
                raise errors.UnknownTenant("no tenant has this client key")
            named = structlog.contextvars.bound_contextvars(tenant_id=str(record.tenant.tenant_id))
            try:
                claims = self._verify(raw_token, record)
            except (errors.SecretUnreadable, errors.Expired, errors.NotYetValid):
                naming.enter_context(named)
                raise
            naming.enter_context(named)
            self._check_binding(request, binding, claims)
            state = record.tenant.state
            if not state.may_call and not (may_be_disabled and state is State.DISABLED):
                raise errors.TenantNotActive(state)
            return Caller(tenant=record.tenant, account_id=claims.subject, via=Via.CONNECT)

    def _verify(self, raw_token: str, record: store.Record) -> tokens.VerifiedClaims:
        tenant_id, now = record.tenant.tenant_id, self._clock()
        try:
            return tokens.verify_shared(
                raw_token, secret=self._vault.open(record.sealed_secret, tenant_id=tenant_id), now=now
            )
        except errors.BadSignature:
            if record.previous_sealed_secret is None or record.previous_secret_until is None:
                raise
            if record.previous_secret_until <= now:
                raise
        previous = self._vault.open(record.previous_sealed_secret, tenant_id=tenant_id)
        return tokens.verify_shared(raw_token, secret=previous, now=now)

    def _check_binding(self, request: Request, binding: Binding, claims: tokens.VerifiedClaims) -> None:
        is_context = claims.qsh == tokens.CONTEXT_QSH
        match binding:
            case Binding.CONTEXT:
                if not is_context:
                    raise errors.WrongBinding("bound to a request")
            case Binding.REQUEST:
                if is_context:
                    raise errors.WrongBinding("bound to no request")
                if claims.qsh != hash_request(request, base_url=self._base_url):
                    raise errors.WrongQsh("made for another request")
            case _:
                assert_never(binding)


def read_token(request: Request, *, header_only: bool) -> str:
    """The one token of a request. Raises NoToken where there is none, or where two differ."""
    found = set() if header_only else set(request.query_params.getlist(qsh.TOKEN_PARAMETER))
    for header in request.headers.getlist("authorization"):
        scheme, _, credentials = header.partition(" ")
        if scheme.lower() == SCHEME:
            found.add(credentials.strip())
    found.discard("")
    if len(found) != 1:
        raise errors.NoToken("several that differ" if found else "none")
    return found.pop()


def hash_request(request: Request, *, base_url: str) -> str:
    """The qsh that a token for this request must carry."""
    # The path as sent: decoding it and encoding it again would lose the difference between %2F and a slash.
    raw_path: bytes = request.scope.get("raw_path") or quote(request.scope["path"]).encode()
    path = qsh.strip_base_path(raw_path.decode(errors="replace"), base_url)
    return qsh.hash_request(request.method, path, request.scope["query_string"].decode(errors="replace"))
