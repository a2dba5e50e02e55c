"""What do `installed`, `enabled`, `disabled` and `uninstalled` mean for a tenant?

The rules: who may say it, what it changes, and who else is told. Knows no HTTP: `hooks` brings bodies and tokens in.
Verifying may wait for Atlassian's key server and runs before the transaction; everything else runs inside the caller's
one, with the listeners, so that all of it happens or none.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from databases.core import Connection

from lifecycle import body, errors, hosts, store, tokens
from lifecycle import tenant as tenants
from lifecycle.keys import Keys
from lifecycle.tenant import ClientKey, Event, State, Tenant, TenantId
from lifecycle.vault import Vault

PREVIOUS_SECRET_FOR = timedelta(minutes=5)
# After a re-install, pages that are open still hold tokens of the old secret; they live for three minutes.


class Listener(Protocol):
    """Somebody else's rows that follow a tenant's state.

    Called inside the transaction of the event; an exception undoes all of it. Events repeat: an implementation must
    leave the same rows behind when called twice. Must not wait for the network.
    """

    async def on_installed(self, connection: Connection, tenant: Tenant) -> None: ...

    async def on_enabled(self, connection: Connection, tenant: Tenant) -> None: ...

    async def on_disabled(self, connection: Connection, tenant: Tenant) -> None: ...

    async def on_uninstalled(self, connection: Connection, tenant: Tenant) -> None:
        """The tenant stopped: it uninstalled us, or its site came back under another client key (`superseded`)."""


class Installer:
    """`base_url` is our own; `tenant_hosts` are globs of the hosts that a tenant may have."""

    def __init__(
        self,
        *,
        base_url: str,
        tenant_hosts: Sequence[str],
        keys: Keys,
        vault: Vault,
        listeners: Sequence[Listener],
        new_id: Callable[[], UUID],
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._tenant_hosts = tuple(tenant_hosts)
        self._keys = keys
        self._vault = vault
        self._listeners = tuple(listeners)
        self._new_id = new_id

    async def verify_install(self, raw_token: str, raw_body: bytes, *, qsh: str, now: datetime) -> body.InstallBody:
        """Accept an `installed` call only for a host that we serve, and only if Atlassian signed it for this tenant.

        `qsh` is the hash of the request that came. The body is not covered by the signature, which is Atlassian's
        design: TLS protects it. Raises BadBody, ForeignHost, and what `_verify` raises.
        """
        parsed = body.read_install(raw_body)
        accepted = replace(parsed, base_url=hosts.accept(parsed.base_url, self._tenant_hosts))
        await self._verify(raw_token, client_key=accepted.client_key, qsh=qsh, now=now)
        return accepted

    async def verify_uninstall(self, raw_token: str, raw_body: bytes, *, qsh: str, now: datetime) -> ClientKey:
        """Accept an `uninstalled` call only if Atlassian signed it for this tenant. Raises BadBody, as `_verify`."""
        client_key = body.read_client_key(raw_body)
        await self._verify(raw_token, client_key=client_key, qsh=qsh, now=now)
        return client_key

    async def _verify(self, raw_token: str, *, client_key: ClientKey, qsh: str, now: datetime) -> None:
        """Checks, in this order: RS256 named, key id known, signature, `exp` and `iat`, `aud` holds our base URL,
        `iss` equals the body's client key, qsh of this request.

        Raises MalformedToken, WrongAlgorithm, UnknownKey, BadSignature, Expired, NotYetValid, WrongAudience,
        WrongIssuer, WrongQsh (all Refused; 401) or KeysUnreachable (503).
        """
        key_id = tokens.read_unverified(raw_token, algorithm="RS256").key_id
        if key_id is None:
            raise errors.UnknownKey("the token names no key")
        claims = tokens.verify_signed(raw_token, key=await self._keys.find(key_id), now=now)
        if self._base_url not in [audience.rstrip("/") for audience in claims.audience]:
            raise errors.WrongAudience("made for another app")
        if claims.issuer != client_key:
            raise errors.WrongIssuer("iss is not the body's clientKey")
        if claims.qsh != qsh:
            raise errors.WrongQsh("made for another request")

    async def install(self, connection: Connection, verified: body.InstallBody, *, now: datetime) -> Tenant:
        """Make the tenant, or take up the one that has this client key: same id, same data, new secret.

        A secret that was in use is accepted for PREVIOUS_SECRET_FOR longer; one of a stopped tenant is not. Whoever
        else was live on the same site is superseded: kept apart, never merged.
        """
        await store.lock_installs(connection)
        known = await store.lock_by_client_key(connection, verified.client_key)
        for other in await store.list_live_at(connection, verified.base_url):
            if other.client_key != verified.client_key:
                await self._stop(connection, other, Event.SUPERSEDED, now=now)
        tenant_id = known.tenant.tenant_id if known else TenantId(self._new_id())
        keeps_previous = known is not None and known.tenant.state.is_live
        tenant = Tenant(
            tenant_id=tenant_id,
            client_key=verified.client_key,
            cloud_id=verified.cloud_id or (known.tenant.cloud_id if known else None),
            base_url=verified.base_url,
            display_url=verified.display_url or verified.base_url,
            oauth_client_id=verified.oauth_client_id,
            state=tenants.move(known.tenant.state, Event.INSTALLED) if known else State.INSTALLED,
            installed_at=now,
            uninstalled_at=None,
        )
        record = store.Record(
            tenant=tenant,
            sealed_secret=self._vault.seal(verified.shared_secret, tenant_id=tenant_id),
            previous_sealed_secret=known.sealed_secret if known and keeps_previous else None,
            previous_secret_until=now + PREVIOUS_SECRET_FOR if keeps_previous else None,
        )
        await store.save(connection, record, now=now)
        for listener in self._listeners:
            await listener.on_installed(connection, tenant)
        return tenant

    async def enable(self, connection: Connection, client_key: ClientKey, *, now: datetime) -> Tenant:
        """Raises IllegalMove when the tenant was uninstalled since the caller was identified."""
        tenant = await self._move(connection, client_key, Event.ENABLED, now=now)
        for listener in self._listeners:
            await listener.on_enabled(connection, tenant)
        return tenant

    async def disable(self, connection: Connection, client_key: ClientKey, *, now: datetime) -> Tenant:
        """Raises as `enable` does."""
        tenant = await self._move(connection, client_key, Event.DISABLED, now=now)
        for listener in self._listeners:
            await listener.on_disabled(connection, tenant)
        return tenant

    async def uninstall(self, connection: Connection, client_key: ClientKey, *, now: datetime) -> Tenant | None:
        """Stop the tenant. None when there was nothing to stop: unknown or stopped before. Both are a success."""
        known = await store.lock_by_client_key(connection, client_key)
        if known is None or not known.tenant.state.is_live:
            return None
        return await self._stop(connection, known.tenant, Event.UNINSTALLED, now=now)

    async def _move(self, connection: Connection, client_key: ClientKey, event: Event, *, now: datetime) -> Tenant:
        known = await store.lock_by_client_key(connection, client_key)
        if known is None:
            raise errors.UnknownTenant("gone since the caller was identified")
        tenant = replace(known.tenant, state=tenants.move(known.tenant.state, event))
        await store.change_state(connection, tenant, now=now)
        return tenant

    async def _stop(self, connection: Connection, tenant: Tenant, event: Event, *, now: datetime) -> Tenant:
        stopped = replace(tenant, state=tenants.move(tenant.state, event), uninstalled_at=now)
        await store.change_state(connection, stopped, now=now)
        for listener in self._listeners:
            await listener.on_uninstalled(connection, stopped)
        return stopped
