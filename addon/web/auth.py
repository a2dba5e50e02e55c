"""Who may call a route, declared beside its path: how the token must be bound, and which right the person needs (D13).

A `Door` is a route with that declaration. It lets nobody through who is not identified and allowed; what happens behind
it is the endpoint's business. The permission is asked for before any transaction begins.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import assert_never

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from addon.errors import NotAllowed
from addon.storage import access as crm_access
from addon.storage import reporters
from addon.storage.database import TenantScope
from addon.web import texts
from addon.web.deps import WebDeps
from lifecycle.caller import Binding, Caller
from lifecycle.tenant import AccountId


class Right(Enum):
    """What a person must be allowed to do to pass."""

    ADMIN = "settings and needs attention"
    CRM = "contacts and companies"
    SITE = "what Jira shows everybody who sees the issue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The declaration of a route. `right` is None where no person calls, but the site itself."""

    binding: Binding
    right: Right | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A request of somebody who was identified and may make it."""

    request: Request
    caller: Caller
    deps: WebDeps

    def tenant(self) -> AbstractAsyncContextManager[TenantScope]:
        """One transaction of the caller's tenant."""
        return self.deps.database.tenant(self.caller.tenant.tenant_id)

    def now(self) -> datetime:
        return self.deps.clock()


Endpoint = Callable[[Visit], Awaitable[Response]]


class Door(Route):
    """A route that opens by its declaration alone. `access` is public, so that a test can walk all routes."""

    def __init__(self, path: str, endpoints: Mapping[str, Endpoint], *, access: Access, deps: WebDeps) -> None:
        self.access = access

        async def enter(request: Request) -> Response:
            # An error page loads the bridge, too: Jira takes a frame without it for one that does not respond.
            request.state.host_script_url = deps.host_script_url
            caller = await deps.callers.identify(request, access.binding)
            # An error page must know which site may show it in a frame.
            request.state.tenant = caller.tenant
            with structlog.contextvars.bound_contextvars(tenant_id=str(caller.tenant.tenant_id)):
                await _admit(request, caller, access=access, deps=deps)
                return await endpoints[request.method](Visit(request=request, caller=caller, deps=deps))

        super().__init__(path, enter, methods=list(endpoints))
        # Starlette adds HEAD to GET; no token of ours is ever made for it.
        self.methods = set(endpoints)


def page(path: str, endpoint: Endpoint, *, right: Right, deps: WebDeps) -> Door:
    """A page in a frame: its token is bound to this very request."""
    return Door(path, {"GET": endpoint}, access=Access(binding=Binding.REQUEST, right=right), deps=deps)


def webhook(path: str, endpoint: Endpoint, *, deps: WebDeps) -> Door:
    """A call of the site itself: its token is bound to this very request."""
    return Door(path, {"POST": endpoint}, access=Access(binding=Binding.REQUEST, right=None), deps=deps)


def api(path: str, endpoints: Mapping[str, Endpoint], *, right: Right, deps: WebDeps) -> Door:
    """A call of our own pages, or of a client that acts like one: its token is bound to the person and the tenant."""
    return Door(path, endpoints, access=Access(binding=Binding.CONTEXT, right=right), deps=deps)


async def may(caller: Caller, right: Right, *, deps: WebDeps) -> bool:
    """The one place that knows who may do what. Somebody without an account may do nothing.

    Raises JiraError (503) when the site does not say: nobody is let in on a guess.
    """
    if caller.account_id is None:
        return False
    if right is Right.SITE:
        return await _is_jira_user(caller, caller.account_id, deps)
    if await deps.permissions.is_admin(caller.tenant, caller.account_id):
        return True
    match right:
        case Right.ADMIN:
            return False
        case Right.CRM:
            return await _is_in_named_group(caller, caller.account_id, deps)
        case _:
            assert_never(right)


async def _is_jira_user(caller: Caller, account_id: AccountId, deps: WebDeps) -> bool:
    """A portal customer may do nothing. Whom the sync does not know as a user, Jira is asked about."""
    async with deps.database.tenant(caller.tenant.tenant_id) as scope:
        if await reporters.is_user(scope, account_id):
            return True
    return bool(await deps.permissions.groups_of(caller.tenant, account_id))


async def _is_in_named_group(caller: Caller, account_id: AccountId, deps: WebDeps) -> bool:
    async with deps.database.tenant(caller.tenant.tenant_id) as scope:
        named = await crm_access.groups(scope)
    if not named:
        return False
    return not (await deps.permissions.groups_of(caller.tenant, account_id)).isdisjoint(named)


async def _admit(request: Request, caller: Caller, *, access: Access, deps: WebDeps) -> None:
    if access.right is None or await may(caller, access.right, deps=deps):
        return
    structlog.get_logger().warning(
        "request refused", reason="not-allowed", right=access.right.name, path=request.url.path
    )
    raise NotAllowed(_advice(access.right))


def _advice(right: Right) -> str:
    """What somebody who is refused can do about it."""
    match right:
        case Right.ADMIN:
            return texts.gettext("Only Jira administrators can open this. Ask one of yours for access.")
        case Right.CRM:
            return texts.gettext(
                "Only Jira administrators can open this, and members of the groups that they name in CRM Settings. "
                "Ask one of them for access."
            )
        case Right.SITE:
            return texts.gettext("Only people who use Jira itself can open this.")
        case _:
            assert_never(right)
