"""However an act and its processes end, the reason is said in a line and no process is left."""

import asyncio
import contextlib
import os
from pathlib import Path

import httpx
import pytest
import typer

from sandbox import troupe

FOR_EVER = ("sleep", "600")
AT_ONCE = ("sh", "-c", "exit 3")


def build(folder: Path) -> troupe.Stage:
    return troupe.Stage(site="http://localhost:9000", addon="http://localhost:8080", data_dir=folder)


def perform(folder: Path, act: troupe.Act) -> int:
    """The exit status."""
    try:
        troupe.perform(folder, build, act)
    except typer.Exit as left:
        return left.exit_code
    return 0


def test_process_that_ends_breaks_off_an_act_that_waits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def act(playing: troupe.Troupe) -> None:
        await playing.start("site", *FOR_EVER)
        await playing.start("worker", *AT_ONCE)
        await asyncio.Event().wait()

    assert perform(tmp_path / "demo", act) == 1
    assert capsys.readouterr().out == f"worker ended with 3; see {tmp_path}/demo/worker.log\n"


def test_call_that_breaks_off_is_told_by_the_process_that_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def act(playing: troupe.Troupe) -> None:
        await playing.start("serve", *AT_ONCE)
        raise httpx.ReadError("")

    assert perform(tmp_path / "demo", act) == 1
    assert capsys.readouterr().out == f"serve ended with 3; see {tmp_path}/demo/serve.log\n"


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (httpx.ReadTimeout("too slow"), "ReadTimeout: too slow; see the logs in {folder}\n"),
        (troupe.DemoFailedError("the run ended as failed: [401]"), "the run ended as failed: [401]\n"),
    ],
)
def test_failed_act_is_told_and_its_processes_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], reason: Exception, said: str
) -> None:
    folder = tmp_path / "demo"

    async def act(playing: troupe.Troupe) -> None:
        await playing.start("serve", "sh", "-c", "echo $$; exec sleep 600")
        async with asyncio.timeout(60):
            while True:
                with contextlib.suppress(ValueError):
                    pids.append(int((folder / "serve.log").read_text("ascii")))
                    raise reason
                await asyncio.sleep(0.01)

    pids: list[int] = []
    assert perform(folder, act) == 1
    assert capsys.readouterr().out == said.format(folder=folder)
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def test_folder_is_emptied_first(tmp_path: Path) -> None:
    async def act(_: troupe.Troupe) -> None:
        seen.extend((tmp_path / "demo").iterdir())

    seen: list[Path] = []
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "secret.key").touch()
    assert (perform(tmp_path / "demo", act), seen) == (0, [])


def test_folder_that_cannot_be_made_is_said_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def act(_: troupe.Troupe) -> None:
        raise AssertionError("there is no stage")

    (tmp_path / "file").touch()
    assert perform(tmp_path / "file" / "demo", act) == 1
    assert capsys.readouterr().out.startswith(f"{tmp_path}/file/demo cannot be made anew: ")
