"""A cloud of two sites with the stand-in app on both; every call is checked against Atlassian's documents."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx
import pytest

from sandbox import app
from sandbox.cloud import Cloud
from sandbox.keys import InstallKeys
from sandbox.site import Site
from tests.integration.sandbox.standin import BASE_URL, AppAuth, StandIn
from tests.support.openapi import CheckedTransport

PEOPLE = 400


@dataclass(kw_only=True)
class Clock:
    """The real time, and what a test adds to it."""

    ahead: timedelta = field(default_factory=timedelta)
    stopped_at: datetime | None = None

    def __call__(self) -> datetime:
        return (self.stopped_at or datetime.now(UTC)) + self.ahead

    def stop(self) -> None:
        """From now on only the test moves it."""
        self.stopped_at = datetime.now(UTC)

    def advance(self, by: timedelta) -> None:
        self.ahead += by


@dataclass(kw_only=True)
class World:
    cloud: Cloud
    clock: Clock
    app: StandIn
    stack: AsyncExitStack

    @property
    def sites(self) -> list[Site]:
        return list(self.cloud.sites.values())

    async def install(self, site: Site) -> None:
        await self.cloud.install(site, f"{BASE_URL}/descriptor.json")

    async def client(self, site: Site, *, checks_requests: bool = True, **spoiled: Any) -> httpx.AsyncClient:
        """The app's own client; `spoiled` makes its tokens wrong, and then what it sends is not checked."""
        installed = site.installations[self.app.descriptor["key"]]
        auth = AppAuth.of(installed, clock=lambda: self.clock().timestamp(), **spoiled)
        return await self.browser(site, auth=auth, checks_requests=checks_requests and not spoiled)

    async def browser(
        self, site: Site, *, auth: httpx.Auth | None = None, checks_requests: bool = True
    ) -> httpx.AsyncClient:
        """A client without a token."""
        inner = httpx.ASGITransport(app=app.create(self.cloud))
        transport = CheckedTransport(inner, checks_requests=checks_requests)
        # A person's cookies are kept, as a browser does; an app brings none.
        cookies = None if auth is None else CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
        client = httpx.AsyncClient(transport=transport, base_url=site.base_url, auth=auth, cookies=cookies)
        return await self.stack.enter_async_context(client)


@pytest.fixture(scope="session")
def install_keys() -> InstallKeys:
    """One pair for the whole run: making RSA keys is the slowest thing that a cloud does."""
    return InstallKeys("2026-11/4f2a.test")


@pytest.fixture
async def bare_world(install_keys: InstallKeys) -> AsyncIterator[World]:
    """Nothing is installed yet."""
    async with AsyncExitStack() as stack:
        stand_in = StandIn()
        to_app = await stack.enter_async_context(httpx.AsyncClient(transport=httpx.ASGITransport(app=stand_in.app())))
        clock = Clock()
        cloud = Cloud(client=to_app, now=clock, install_keys=install_keys)
        for number in (1, 2):
            cloud.create_site(base_url=f"http://localhost:{9000 + number}", people=PEOPLE, seed=number)
        yield World(cloud=cloud, clock=clock, app=stand_in, stack=stack)


@pytest.fixture
async def world(bare_world: World) -> World:
    for site in bare_world.sites:
        await bare_world.install(site)
    return bare_world
