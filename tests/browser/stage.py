"""What stands on the stage of a browser test: running servers, and the frame of an app in a site's page."""

import collections.abc
import dataclasses
import socket
from typing import Protocol

import playwright.async_api
from starlette.types import ASGIApp

from sandbox import cloud, site
from tests.browser import standin

PATIENCE_MS = 60_000
# Of everything that is waited for: a worker's run, or a machine that is busy with other tests.

# Twice in a row, so that the page around the frame has shown it. By the clock: a frame that is not drawn at the moment, as
# browsers do with those out of sight, gets no animation frame to wait for.
GROWN = """
() => {
  const height = window.innerHeight;
  const isGrown = document.documentElement.scrollHeight <= height && window.heightSeen === height;
  window.heightSeen = height;
  return isGrown;
}
"""
POLL_MS = 50

CSP = "Content Security Policy"

Serve = collections.abc.Callable[[ASGIApp, collections.abc.Sequence[socket.socket]], collections.abc.Awaitable[None]]


class HasAddress(Protocol):
    """A site, in this process or another."""

    @property
    def base_url(self) -> str: ...


class OpenModule(Protocol):
    """Go to an app's page on a site and wait for its frame. `query` starts with its `?`."""

    async def __call__(
        self, here: HasAddress, addon_key: str, module_key: str, query: str = ""
    ) -> playwright.async_api.Frame: ...


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SandboxServer:
    """One cloud with two sites, both listening; as many people on each, drawn from another seed."""

    cloud: cloud.Cloud
    first: site.Site
    second: site.Site


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StandInServer:
    addon: standin.StandIn
    descriptor_url: str


async def established_frame(page: playwright.async_api.Page, within: str) -> playwright.async_api.Frame:
    """The app's frame below this selector, once it and the site's bridge know each other."""
    element = await page.wait_for_selector(f"{within} iframe[data-bridge=established]", timeout=PATIENCE_MS)
    assert element is not None
    frame = await element.content_frame()
    assert frame is not None
    return frame


async def grown(frame: playwright.async_api.Frame) -> None:
    """Once the frame is as tall as its content: until then what stands below moves, and a click on its old place is lost."""
    await frame.wait_for_function(GROWN, polling=POLL_MS)


async def press(frame: playwright.async_api.Frame, target: playwright.async_api.Locator) -> None:
    """Click on what came with, or stands below, something that made the page longer."""
    await target.wait_for()
    await grown(frame)
    await target.click()
