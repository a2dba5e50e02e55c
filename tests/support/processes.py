"""Real worker processes that are there within milliseconds, for tests that kill, stop and replace them.

Each is forked from a server that has imported the add-on already, and does what `crm-sync worker` does; besides, it notes
when it begins and ends a job in a file that outlives it.
"""

import asyncio
import dataclasses
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path

from addon import app, log, settings
from addon.jobs import Jobs
from addon.queue.worker import Again, Handler, Worker
from addon.storage.database import SESSION_SETTINGS
from addon.sync.work import Work
from tests.support.patience import PATIENCE_S

LOOK_EACH_S = 0.05

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["addon.cli", __name__])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn of a job: `ended` is None for one that was broken off; `cut`: when its worker fell. `is_done`: the job is not wanted again.

    Moments are nanoseconds of the machine's own clock, which all processes share.
    """

    pid: int
    job: str
    began: int
    ended: int | None
    is_done: bool
    cut: int | None = None

    def cut_at(self, moment: int) -> "Turn":
        """The same turn, known to have ended with its worker at the latest."""
        return dataclasses.replace(self, cut=moment)

    @property
    def over(self) -> int:
        """When it was certainly over."""
        moment = self.cut if self.ended is None else self.ended
        assert moment is not None, f"{self} goes on"
        return moment


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class WorkerProcess:
    """A running worker, and its journal."""

    process: BaseProcess
    journal: Path

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    async def end(self, number: signal.Signals, *, patience_s: float = PATIENCE_S) -> int:
        """Send a signal that ends it; its exit code."""
        self.send(number)
        await asyncio.to_thread(self.process.join, patience_s)
        assert self.process.exitcode is not None, f"the worker goes on after {number.name}"
        return self.process.exitcode


async def until(condition: Callable[[], bool]) -> None:
    """Look again and again until it is so."""
    while True:
        if condition():
            return
        await asyncio.sleep(LOOK_EACH_S)


async def start(folder: Path, environment: Mapping[str, str]) -> WorkerProcess:
    """`environment`: the settings, by their names in the environment."""
    journal = folder / f"journal-{time.monotonic_ns()}"
    log_file = folder / "workers.log"
    process = FORKS.Process(target=_work, args=(dict(environment), str(journal), str(log_file)), daemon=True)
    # The first one starts the server, which takes a second.
    await asyncio.to_thread(process.start)
    return WorkerProcess(process=process, journal=journal)


def read_turns(worker: WorkerProcess) -> list[Turn]:
    """What a worker has done so far."""
    open_turns: dict[str, tuple[str, int]] = {}
    turns: list[Turn] = []
    lines = worker.journal.read_text("ascii").splitlines() if worker.journal.exists() else []
    for line in lines:
        event, number, job, moment = line.split()
        if event == "began":
            open_turns[number] = job, int(moment)
        else:
            _, began = open_turns.pop(number)
            turns.append(Turn(pid=worker.pid, job=job, began=began, ended=int(moment), is_done=event == "done"))
    left = [Turn(pid=worker.pid, job=job, began=began, ended=None, is_done=False) for job, began in open_turns.values()]
    return turns + left


def _work(environment: dict[str, str], journal: str, log_file: str) -> None:
    os.environ.update(environment)
    with Path(log_file).open("ab", buffering=0) as errors:
        os.dup2(errors.fileno(), 2)
        log.configure("json")
        asyncio.run(_serve(journal))


async def _serve(journal: str) -> None:
    async with app.assemble(settings.load()) as parts:
        jobs = Jobs(
            database=parts.database,
            sites=parts.sites,
            enqueue=app.enqueue,
            clock=app.now,
            points_per_hour=parts.config.api_points_per_hour,
        )
        notes = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        handlers = {kind: _noted(handler, notes) for kind, handler in jobs.handlers().items()}
        worker = Worker(parts.database.url, handlers, SESSION_SETTINGS, parts.schedules().table())
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.stop)
        await worker.run()


def _noted(handler: Handler, notes: int) -> Handler:
    async def carry_out(work: Work) -> Again | None:
        number = time.monotonic_ns()

        def note(event: str) -> None:
            # One write: whole, or not there at all, whenever the process is killed.
            line = f"{event} {number} {work.kind}:{work.tenant_id}:{work.number} {time.monotonic_ns()}\n"
            os.write(notes, line.encode("ascii"))

        note("began")
        outcome: Again | None = Again()
        try:
            outcome = await handler(work)
        finally:
            note("done" if outcome is None else "again")
        return outcome

    return carry_out
