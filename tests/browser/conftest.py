"""What does a browser test need? A Jira site on real sockets, an app on another origin, and Chromium.

The host page's own tests put a stand-in for the app beside a sandbox of theirs; the add-on's tests share one deployment of
real processes and take a new site of it each. Browser and deployment live as long as the session, and so must its loop:
each module of browser tests says `loop_scope="session"`.
"""

import collections.abc
import contextlib
import socket
import uuid

import httpx
import playwright.async_api
import pytest
import pytest_asyncio
from starlette.types import ASGIApp

from sandbox import app, chromium, cloud
from tests.browser import deployment, stage, standin
from tests.conftest import Server
from tests.support import sockets

CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--disable-sync",
    "--disable-quic",
    # As Jira's users have it: what a frame of another site stores is refused.
    "--test-third-party-cookie-phaseout",
)
PEOPLE = 60

playwright.async_api.expect.set_options(timeout=stage.PATIENCE_MS)

fixture = pytest_asyncio.fixture(loop_scope="session")
session_fixture = pytest_asyncio.fixture(loop_scope="session", scope="session")


@fixture
async def serve() -> collections.abc.AsyncIterator[stage.Serve]:
    """Serve an ASGI app on listening sockets until the test ends."""
    async with contextlib.AsyncExitStack() as running:

        async def start(served: ASGIApp, listening: collections.abc.Sequence[socket.socket]) -> None:
            await running.enter_async_context(sockets.serving(served, listening))

        yield start


@fixture
async def sandbox_server(serve: stage.Serve) -> collections.abc.AsyncIterator[stage.SandboxServer]:
    async with httpx.AsyncClient(timeout=deployment.PATIENCE_S) as client:
        running = cloud.Cloud(client=client)
        listeners, sites = [], []
        for seed in (1, 2):
            listening, port = sockets.listen("localhost")
            listeners.append(listening)
            sites.append(running.create_site(base_url=f"http://localhost:{port}", people=PEOPLE, seed=seed))
        await serve(app.create(running), listeners)
        yield stage.SandboxServer(cloud=running, first=sites[0], second=sites[1])


@fixture
async def stand_in(sandbox_server: stage.SandboxServer, serve: stage.Serve) -> stage.StandInServer:
    """The stand-in app, installed on both sites. Another host than the sites', as in real life."""
    listening, port = sockets.listen("127.0.0.1")
    addon = standin.StandIn(base_url=f"http://127.0.0.1:{port}")
    await serve(addon.app, [listening])
    descriptor_url = f"{addon.base_url}/atlassian-connect.json"
    for here in (sandbox_server.first, sandbox_server.second):
        await sandbox_server.cloud.install(here, descriptor_url)
    return stage.StandInServer(addon=addon, descriptor_url=descriptor_url)


@session_fixture
async def browser() -> collections.abc.AsyncIterator[playwright.async_api.Browser]:
    executable = chromium.find()
    if executable is None:
        pytest.fail(f"The tests need a browser: {chromium.ADVICE}.")
    async with playwright.async_api.async_playwright() as started:
        launched = await started.chromium.launch(executable_path=executable, args=list(CHROMIUM_ARGUMENTS))
        yield launched
        await launched.close()


@fixture
async def browser_context(
    browser: playwright.async_api.Browser,
) -> collections.abc.AsyncIterator[playwright.async_api.BrowserContext]:
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(stage.PATIENCE_MS)
    yield context
    await context.close()


@fixture
async def page(
    browser_context: playwright.async_api.BrowserContext,
) -> collections.abc.AsyncIterator[playwright.async_api.Page]:
    """A tab. A script error, or something that a Content-Security-Policy kept out, fails the test at its end."""
    opened = await browser_context.new_page()
    problems: list[str] = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("console", lambda message: problems.append(message.text) if stage.CSP in message.text else None)
    yield opened
    assert problems == []


@pytest.fixture
def open_module(
    page: playwright.async_api.Page,
) -> stage.OpenModule:
    """Go to an app's page and wait until its frame and the site's bridge know each other."""

    async def open_page(
        here: stage.HasAddress, addon_key: str, module_key: str, query: str = ""
    ) -> playwright.async_api.Frame:
        await page.goto(f"{here.base_url}/plugins/servlet/ac/{addon_key}/{module_key}{query}")
        return await stage.established_frame(page, "#module")

    return open_page


@session_fixture
async def deployed(
    server: Server, template: str, tmp_path_factory: pytest.TempPathFactory
) -> collections.abc.AsyncIterator[deployment.Deployment]:
    """The sites, the add-on and its worker."""
    name = f"crm_browser_{uuid.uuid4().hex[:12]}"
    await server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    async with deployment.deploy(server.url_of(name), tmp_path_factory.mktemp("deployment")) as running:
        yield running
    await server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@fixture
async def here(deployed: deployment.Deployment) -> deployment.JiraSite:
    """A site of this test alone, with the add-on installed."""
    mine = deployed.next_site()
    await mine.install()
    return mine
