from collections.abc import AsyncIterator

import httpx
import pytest

from addon.storage.database import Database
from addon.web.deps import WebDeps
from tests.integration.web import desk
from tests.integration.web.desk import ADMIN, BASE_URL, Clock, Desk, People, Tracker


@pytest.fixture
def people() -> People:
    return People()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tracker() -> Tracker:
    return Tracker()


@pytest.fixture
def deps(database: Database, people: People, clock: Clock, tracker: Tracker) -> WebDeps:
    return desk.build_deps(database, people, clock, tracker)


@pytest.fixture
async def http(deps: WebDeps) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(desk.build_app(deps))
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        yield client


@pytest.fixture
async def acme(database: Database, people: People, clock: Clock, http: httpx.AsyncClient) -> Desk:
    """An administrator of the site acme."""
    return await _admin("acme", database, people, clock, http)


@pytest.fixture
async def globex(database: Database, people: People, clock: Clock, http: httpx.AsyncClient) -> Desk:
    """An administrator of another site."""
    return await _admin("globex", database, people, clock, http)


async def _admin(host: str, database: Database, people: People, clock: Clock, http: httpx.AsyncClient) -> Desk:
    tenant, secret = await desk.install(database, host)
    people.admins.add((tenant.tenant_id, ADMIN))
    return Desk(tenant=tenant, secret=secret, account_id=ADMIN, http=http, clock=clock, database=database)
