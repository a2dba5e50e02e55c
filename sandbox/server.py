"""Serves a cloud on real sockets, one port for each site, until it is told to stop.

The composition of the sandbox when it runs alone; in tests, `sandbox.app` is enough.
"""

import asyncio
import collections.abc
import contextlib
import dataclasses
import signal
import socket

import httpx
import uvicorn

from sandbox import app, cloud, descriptors, installation, severing, site

HOST = "127.0.0.1"
INSTALL_PATIENCE_S = 60.0
INSTALL_PAUSE_S = 0.5
DELIVERY_PAUSE_S = 0.1
WEBHOOKS_AT_ONCE = 20
"""Jira's own limit for one app on one site."""
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to serve: `sites` sites on consecutive ports from `port` on (0: any free ones), with `people` people each.

    Each site has a seed of its own, counted up from `seed`. `descriptor_url` is installed on every site.
    """

    port: int = 9000
    sites: int = 1
    people: int = 300
    seed: int = 1
    descriptor_url: str | None = None


class InstallFailedError(Exception):
    """The app did not come up, or Jira would not take it, in the time it was given."""


class _Server(uvicorn.Server):
    """uvicorn that says when it is ready and ends quietly when it is told to stop."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> collections.abc.Generator[None, None, None]:
        # uvicorn's own raises the signal once more after the shutdown, which would make every stop look like a crash.
        loop = asyncio.get_running_loop()
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in STOP_SIGNALS:
                loop.remove_signal_handler(number)


async def serve(plan: Plan, *, say: collections.abc.Callable[[str], None]) -> None:
    """Returns after SIGINT or SIGTERM. Raises InstallFailedError, and OSError for a port that is taken."""
    with contextlib.ExitStack() as stack:
        listeners = [
            stack.enter_context(_listen(plan.port + number if plan.port else 0)) for number in range(plan.sites)
        ]
        async with httpx.AsyncClient() as client:
            of_cloud = cloud.Cloud(client=client)
            for number, listener in enumerate(listeners):
                of_cloud.create_site(
                    base_url=f"http://localhost:{listener.getsockname()[1]}",
                    people=plan.people,
                    seed=plan.seed + number,
                )
            served = severing.end_quietly(app.create(of_cloud))
            config = uvicorn.Config(served, log_config=None, access_log=False, lifespan="off")
            server = _Server(config)
            tasks = [
                asyncio.create_task(_greet(server, of_cloud, plan, say)),
                asyncio.create_task(_deliver_forever(of_cloud)),
            ]
            for task in tasks:
                task.add_done_callback(lambda done: _stop_if_failed(server, done))
            await server.serve(sockets=listeners)
            for task in tasks:
                if task.done():
                    task.result()
                else:
                    task.cancel()


async def install_when_up(
    of_cloud: cloud.Cloud,
    here: site.Site,
    descriptor_url: str,
    *,
    patience_s: float = INSTALL_PATIENCE_S,
    pause_s: float = INSTALL_PAUSE_S,
) -> installation.Installation:
    """Install an app that may still be starting; tries again every `pause_s`. Raises InstallFailedError."""
    problem = "no answer"
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(patience_s):
            while True:
                try:
                    installed = await of_cloud.install(here, descriptor_url)
                except httpx.HTTPError as exc:
                    problem = f"{type(exc).__name__} {exc}".strip()
                except descriptors.DescriptorError as exc:
                    raise InstallFailedError(f"{descriptor_url}: {exc}") from exc
                else:
                    if installed.state is installation.State.ENABLED:
                        return installed
                    problem = f"the app answered {of_cloud.deliveries[-1].status} to installed"
                await asyncio.sleep(pause_s)
    raise InstallFailedError(f"{descriptor_url} on {here.base_url}: {problem}")


def _listen(port: int) -> socket.socket:
    listener = socket.create_server((HOST, port))
    # asyncio (3.11) does this for sockets of its own only; without it every answer waits 40 ms for a delayed ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


async def _greet(
    server: _Server, of_cloud: cloud.Cloud, plan: Plan, say: collections.abc.Callable[[str], None]
) -> None:
    await server.ready.wait()
    for here in of_cloud.sites.values():
        say(f"{here.base_url} ready: {len(here.people)} people, {len(here.desks)} service desks")
    if plan.descriptor_url is not None:
        for here in of_cloud.sites.values():
            installed = await install_when_up(of_cloud, here, plan.descriptor_url)
            say(f"{here.base_url} {installed.addon_key} installed")


async def _deliver_forever(of_cloud: cloud.Cloud) -> None:
    while True:
        await of_cloud.deliver(at_once=WEBHOOKS_AT_ONCE)
        await asyncio.sleep(DELIVERY_PAUSE_S)


def _stop_if_failed(server: _Server, done: asyncio.Task[None]) -> None:
    if not done.cancelled() and done.exception() is not None:
        server.should_exit = True
