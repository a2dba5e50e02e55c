"""What does a browser test need? A Jira site on real sockets, an app on another origin, and Chromium.

`sandbox_server` and `page` know nothing of the app under test: `serve` puts any ASGI app on a port of its own, and
`install` takes it onto a site by the real handshake.
"""

import collections.abc
import contextlib
import shutil
import socket

import httpx
import playwright.async_api
import pytest
from starlette.types import ASGIApp

from sandbox import app, cloud, site
from tests.browser import stage, standin
from tests.support import sockets

CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--disable-sync",
    "--disable-quic",
)
PEOPLE = 60


@pytest.fixture
async def serve() -> collections.abc.AsyncIterator[stage.Serve]:
    """Serve an ASGI app on listening sockets until the test ends."""
    async with contextlib.AsyncExitStack() as running:

        async def start(served: ASGIApp, listening: collections.abc.Sequence[socket.socket]) -> None:
            await running.enter_async_context(sockets.serving(served, listening))

        yield start


@pytest.fixture
async def sandbox_server(serve: stage.Serve) -> collections.abc.AsyncIterator[stage.SandboxServer]:
    async with httpx.AsyncClient() as client:
        running = cloud.Cloud(client=client)
        listeners, sites = [], []
        for seed in (1, 2):
            listening, port = sockets.listen("localhost")
            listeners.append(listening)
            sites.append(running.create_site(base_url=f"http://localhost:{port}", people=PEOPLE, seed=seed))
        await serve(app.create(running), listeners)
        yield stage.SandboxServer(cloud=running, first=sites[0], second=sites[1])


@pytest.fixture
async def stand_in(sandbox_server: stage.SandboxServer, serve: stage.Serve) -> stage.StandInServer:
    """The stand-in app, installed on both sites. Another host than the sites', as in real life."""
    listening, port = sockets.listen("127.0.0.1")
    addon = standin.StandIn(base_url=f"http://127.0.0.1:{port}")
    await serve(addon.app, [listening])
    descriptor_url = f"{addon.base_url}/atlassian-connect.json"
    for here in (sandbox_server.first, sandbox_server.second):
        await sandbox_server.cloud.install(here, descriptor_url)
    return stage.StandInServer(addon=addon, descriptor_url=descriptor_url)


@pytest.fixture
async def browser() -> collections.abc.AsyncIterator[playwright.async_api.Browser]:
    executable = shutil.which("chromium")
    if executable is None:
        pytest.fail("The browser tests need `chromium` on the PATH (Debian: apt-get install chromium).")
    async with playwright.async_api.async_playwright() as started:
        launched = await started.chromium.launch(executable_path=executable, args=list(CHROMIUM_ARGUMENTS))
        yield launched
        await launched.close()


@pytest.fixture
async def browser_context(
    browser: playwright.async_api.Browser,
) -> collections.abc.AsyncIterator[playwright.async_api.BrowserContext]:
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    yield context
    await context.close()


@pytest.fixture
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
        here: site.Site, addon_key: str, module_key: str, query: str = ""
    ) -> playwright.async_api.Frame:
        await page.goto(f"{here.base_url}/plugins/servlet/ac/{addon_key}/{module_key}{query}")
        return await stage.established_frame(page, "#module")

    return open_page
