"""Is this deployment in order, and how is its database brought to a new version? What `check` and `migrate` do."""

import asyncio
import socket
from collections.abc import Sequence

import structlog
from starlette.routing import Route

from addon import app, descriptor, errors, settings
from addon.settings import Settings
from addon.storage import schema
from addon.web import routes as web
from lifecycle import store
from lifecycle.tenant import LIVE, TenantId

log = structlog.get_logger()


async def migrate(config: Settings) -> str:
    """Bring the database to the newest schema and seal secrets with the newest key; the revision that it is at then.

    Raises ConfigurationError where secrets of live sites do not open, once all others are sealed.
    """
    url = await app.database_url(config)
    with app.usable_database():
        await app.upgrade(url)
    async with app.assemble(config) as parts, parts.database.transaction() as connection:
        resealing = await store.reseal_secrets(connection, parts.vault)
    unreadable = list[TenantId]()
    for tenant in resealing.unreadable:
        if tenant.state in LIVE:
            unreadable.append(tenant.tenant_id)
        else:
            log.warning("secret-not-resealed", tenant_id=str(tenant.tenant_id))
    if unreadable:
        raise errors.ConfigurationError([f"{_do_not_open(unreadable)}: {', '.join(map(str, unreadable))}"])
    return schema.newest_revision()


async def check(config: Settings) -> list[str]:
    """Everything that is wrong with the installation, the database, the stored secrets and the descriptor.

    The form of the settings is checked when they are read.
    """
    problems = await unfit(config)
    try:
        async with app.assemble(config) as parts:
            paths = {route.path for route in parts.web_app().routes if isinstance(route, Route)}
            with app.usable_database():
                async with parts.database.transaction() as connection:
                    unreadable = await store.list_unreadable(connection, parts.vault)
    except errors.ConfigurationError as exc:
        return [*problems, *exc.problems]
    if unreadable:
        problems.append(_do_not_open(unreadable))
    described = descriptor.load(config.base_url, config.addon_key)
    unanswered = descriptor.unanswered(described, paths)
    return [*problems, *(f"the descriptor names {url}, which nothing answers" for url in unanswered)]


async def unfit(config: Settings) -> list[str]:
    """Why the web app cannot be served from here."""
    problems = []
    if not web.HTMX.is_file():
        remedy = "run `npm ci` in a checkout and install from there with `pip install --editable`"
        problems.append(f"htmx is missing, without which no form works: {web.HTMX} is not there; {remedy}")
    try:
        await asyncio.get_running_loop().getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM)
    except OSError as exc:
        problems.append(f"{settings.PREFIX}HOST: {config.host} cannot be resolved: {exc.strerror}")
    return problems


def _do_not_open(unreadable: Sequence[TenantId]) -> str:
    return f"{settings.PREFIX}SECRET_KEYS: the secrets of {len(unreadable)} sites do not open"
