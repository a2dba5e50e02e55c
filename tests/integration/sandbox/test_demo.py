"""The demo as a stranger starts it: real processes on ports and in a folder of the test's own."""

import asyncio
import contextlib
import fcntl
import os
import re
import signal
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.patience import PATIENCE_S
from tests.support.sockets import a_free_port

LOOK_EACH_S = 0.02
IN_SCOPE, CONTACTS = 45, 45
"""Of the 50 people of the sandbox's first seed."""


def read_process(pid: int, file: str) -> bytes:
    """Nothing of one that is somebody else's, or gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/{file}").read_bytes()
    return b""


class Demo:
    """A running demo, and every process that came of it: each inherits a mark in its environment."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path, mark: str) -> None:
        self.process = process
        self.folder = folder
        self._mark = mark.encode("ascii")

    def pids(self) -> list[int]:
        numbers = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
        return [pid for pid in numbers if self._mark in read_process(pid, "environ")]

    async def pid_of(self, *arguments: str) -> int:
        """Wait until there is a process of the demo's whose command line ends so."""
        end = "\0".join((*arguments, "")).encode()
        while True:
            for pid in self.pids():
                if read_process(pid, "cmdline").endswith(end):
                    return pid
            assert self.process.returncode is None, "the demo has ended"
            await asyncio.sleep(LOOK_EACH_S)

    async def finish(self) -> tuple[int | None, str]:
        """Its exit status, and what it said. Nothing of it may be left."""
        output, _ = await self.process.communicate()
        assert self.pids() == []
        assert not (self.folder / "postgresql" / "postmaster.pid").exists()
        return self.process.returncode, output.decode()


@contextlib.asynccontextmanager
async def playing(folder: Path, *options: str) -> AsyncIterator[Demo]:
    mark = f"DEMO_MARK={uuid.uuid4()}"
    ports = ("--site-port", str(a_free_port()), "--addon-port", str(a_free_port()))
    name, _, value = mark.partition("=")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sandbox.demo", "--people", "50", "--data-dir", str(folder), *ports, *options),
        env=os.environ | {name: value},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    demo = Demo(process, folder, mark)
    try:
        async with asyncio.timeout(PATIENCE_S * 2):
            yield demo
    finally:
        for pid in demo.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await process.wait()


async def test_first_run_has_everybody_and_the_demo_ends_after_its_summary(tmp_path: Path) -> None:
    async with playing(tmp_path / "the demo's", "--once") as demo:
        status, said = await demo.finish()
    assert status == 0, said
    rows = re.findall(r"│ +([a-z].*?) +│ +([\d,]+) │ +([\d,]+) │", said)
    assert [(int(on_site), int(in_addon)) for _, on_site, in_addon in rows] == [
        (IN_SCOPE, IN_SCOPE),
        (0, 0),
        (CONTACTS, CONTACTS),
        (0, 0),
    ], said
    assert f"{IN_SCOPE}/{IN_SCOPE} people" in said


@pytest.mark.parametrize("name", ["serve", "worker"])
async def test_process_that_dies_ends_the_demo_and_is_named_with_its_log(tmp_path: Path, name: str) -> None:
    async with playing(tmp_path / "demo", "--once") as demo:
        os.kill(await demo.pid_of(name), signal.SIGKILL)
        status, said = await demo.finish()
    assert status == 1, said
    assert f"{name} ended with -9; see {demo.folder}/{name}.log" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("number", "moment"), [(signal.SIGHUP, "serve"), (signal.SIGTERM, "worker")], ids=["at the start", "in the run"]
)
async def test_signal_before_the_end_leaves_no_process_behind(
    tmp_path: Path, number: signal.Signals, moment: str
) -> None:
    async with playing(tmp_path / "demo") as demo:
        await demo.pid_of(moment)
        demo.process.send_signal(number)
        status, said = await demo.finish()
    assert status == 128 + number, said
    assert "Traceback" not in said


async def test_folder_of_a_running_demo_is_not_touched(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    (folder / "secret.key").touch()
    with folder.with_name("demo.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        async with playing(folder) as demo:
            status, said = await demo.finish()
    assert (status, said.strip()) == (1, f"another demo runs with its data in {folder}: end that one first")
    assert (folder / "secret.key").exists()
