"""The processes of a demo: where they are, whether they all live, and how they end, whatever happens.

What is played with them is told in `sandbox.demo` and `sandbox.pictures`.
"""

import asyncio
import collections.abc
import contextlib
import dataclasses
import fcntl
import os
import pathlib
import shutil
import signal
import socket
from typing import Never

import httpx
import typer
from rich.console import Console

PATIENCE_S = 180.0
"""For a slow machine: a process that ends instead of answering is noticed at once."""
POLL_S = 0.25
SETTLE_S = 2.0
"""What fails because a process has ended may fail before that is known."""
STOP_S = 20.0
"""A worker that is told to stop gives what it is at 7 s."""
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

console = Console()


class DemoFailedError(Exception):
    """The demo did not come to its end; the text says where it stopped."""


class DemoStoppedError(Exception):
    """A signal stopped the demo before its end."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__(f"stopped by {number.name}")
        self.number = number


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where everything is: addresses, and the folder of this demo's data and logs."""

    site: str
    addon: str
    data_dir: pathlib.Path
    points_per_hour: int = 1_000_000_000  # a site on this machine has no quota

    def environment(self) -> dict[str, str]:
        """What the add-on's processes get: settings of an earlier shell must not leak into the demo."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CRM_SYNC_")}
        return {
            **inherited,
            "CRM_SYNC_BASE_URL": self.addon,
            "CRM_SYNC_PORT": str(httpx.URL(self.addon).port),
            "CRM_SYNC_DATA_DIR": str(self.data_dir),
            "CRM_SYNC_TENANT_HOSTS": "localhost",
            "CRM_SYNC_API_POINTS_PER_HOUR": str(self.points_per_hour),
            "CRM_SYNC_INSTALL_KEYS_URL": f"{self.site}/install-keys",
            "CRM_SYNC_HOST_SCRIPT_URL": f"{self.site}/atlassian-connect/all.js",
        }


class Troupe:
    """The processes on a stage. Each is to live until `end`."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._running: dict[str, asyncio.subprocess.Process] = {}

    async def start(self, name: str, *command: str) -> None:
        """Its output goes to a file of its own."""
        with self._log(name).open("wb") as output:
            # In a session of its own: Ctrl-C is for the demo alone, which ends its processes in good order.
            self._running[name] = await asyncio.create_subprocess_exec(
                *command, env=self.stage.environment(), stdout=output, stderr=output, start_new_session=True
            )

    async def watch(self) -> Never:
        """Raises DemoFailedError once one of them has ended."""
        while True:
            for name, running in self._running.items():
                if running.returncode is not None:
                    raise DemoFailedError(f"{name} ended with {running.returncode}; see {self._log(name)}")
            await asyncio.sleep(POLL_S)

    async def end(self) -> None:
        """All of them, and what they leave behind."""
        for running in self._running.values():
            with contextlib.suppress(ProcessLookupError):
                running.terminate()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                for running in self._running.values():
                    await running.wait()
        for running in self._running.values():
            # The whole group: one that fell while it set PostgreSQL up leaves that at work.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
            await running.wait()
        await self._end_postgresql()

    async def _end_postgresql(self) -> None:
        """The last who uses it stops it, unless that one was killed."""
        noted = self.stage.data_dir / "postgresql" / "postmaster.pid"
        with contextlib.suppress(FileNotFoundError, ValueError, ProcessLookupError, TimeoutError):
            os.kill(int(noted.read_text(encoding="utf-8").partition("\n")[0]), signal.SIGINT)
            async with asyncio.timeout(STOP_S):
                while True:
                    if not noted.exists():
                        return
                    await asyncio.sleep(POLL_S)

    def _log(self, name: str) -> pathlib.Path:
        return self.stage.data_dir / f"{name}.log"


Act = collections.abc.Callable[[Troupe], collections.abc.Coroutine[object, None, None]]


def perform(data_dir: pathlib.Path, build: collections.abc.Callable[[pathlib.Path], Stage], act: Act) -> None:
    """Carry `act` out on the stage that `build` makes of an empty folder; no process outlives it.

    Raises typer.Exit once the reason is said: 1 for a failure, 128 + n for the signal n.
    """
    try:
        with claim(data_dir) as folder:
            asyncio.run(_direct(Troupe(build(folder)), act))
    except DemoFailedError as exc:
        console.print(str(exc), style="red", highlight=False, markup=False, soft_wrap=True)
        raise typer.Exit(1) from exc
    except DemoStoppedError as exc:
        console.print("Stopped before its end.")
        raise typer.Exit(128 + exc.number) from exc


@contextlib.contextmanager
def claim(data_dir: pathlib.Path) -> collections.abc.Iterator[pathlib.Path]:
    """The folder, emptied, and nobody else's for as long as the block. Raises DemoFailedError."""
    folder = data_dir.resolve()
    with contextlib.ExitStack() as stack:
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            lock = stack.enter_context(folder.with_name(f"{folder.name}.lock").open("wb"))
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # A site lives in memory and is new each time, so contacts of an earlier demo would be strangers to it.
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        except BlockingIOError as exc:
            raise DemoFailedError(f"another demo runs with its data in {folder}: end that one first") from exc
        except OSError as exc:
            raise DemoFailedError(f"{folder} cannot be made anew: {exc}") from exc
        yield folder


async def wait_for(client: httpx.AsyncClient, url: str, stage: Stage) -> None:
    """Until it answers. Raises DemoFailedError."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get(url)).is_success:
                        return
                await asyncio.sleep(POLL_S)
    raise DemoFailedError(f"{url} did not answer within {PATIENCE_S:.0f} s; see the logs in {stage.data_dir}")


def free_port(wanted: int) -> int:
    """The port that people know, unless somebody has it."""
    for port in (wanted, 0):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)) as listener:
            return int(listener.getsockname()[1])
    raise DemoFailedError("no port is free")


async def _direct(troupe: Troupe, act: Act) -> None:
    """Until the act or one of the processes ends, or a signal comes: only the act is broken off by one, not its tidying up."""
    acting = asyncio.create_task(act(troupe))
    watching = asyncio.create_task(troupe.watch())
    stopped: list[signal.Signals] = []

    def stop(number: signal.Signals) -> None:
        stopped.append(number)
        acting.cancel()

    for number in STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop, number)
    try:
        await asyncio.wait({acting, watching}, return_when=asyncio.FIRST_COMPLETED)
        if acting.done() and not acting.cancelled() and acting.exception() is not None:
            await asyncio.wait({watching}, timeout=SETTLE_S)
        if watching.done():
            watching.result()
        await acting
    except asyncio.CancelledError:
        if stopped:
            raise DemoStoppedError(stopped[0]) from None
        raise
    except httpx.HTTPError as exc:
        reason, _, _ = str(exc).partition("\n")
        raise DemoFailedError(f"{type(exc).__name__}: {reason}; see the logs in {troupe.stage.data_dir}") from exc
    finally:
        acting.cancel()
        watching.cancel()
        await asyncio.gather(acting, watching, return_exceptions=True)
        await troupe.end()
