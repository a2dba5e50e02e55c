"""Which long operations did apps ask this site for, and how far are they? Work that waits, and is done when its time has come.

Nothing runs by itself: whoever looks at the site settles first what is due.
"""

import collections.abc
import dataclasses
import datetime as dt
import enum

FIRST_ID = 10_000
KEPT = dt.timedelta(days=14)
WHOLE = 100


class State(enum.StrEnum):
    """Jira's words; this site cancels nothing by itself."""

    RUNNING = "RUNNING"
    COMPLETE = "COMPLETE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    DEAD = "DEAD"


class TaskFailedError(Exception):
    """The work cannot be done, and nothing of it was done; the message is the task's."""


@dataclasses.dataclass(slots=True, kw_only=True)
class Task:
    """`outcome` is how it ends whatever the work is: COMPLETE does the work, RUNNING never ends, the others do nothing."""

    task_id: str
    description: str
    account_id: str
    work: collections.abc.Callable[[], None]
    outcome: State
    submitted: dt.datetime
    due_at: dt.datetime
    state: State = State.RUNNING
    message: str = ""

    def progress(self, now: dt.datetime) -> int:
        """Percent."""
        if self.state is State.COMPLETE:
            return WHOLE
        takes = (self.due_at - self.submitted).total_seconds()
        return min(WHOLE - 1, int(WHOLE * (now - self.submitted).total_seconds() / takes)) if takes else 0

    def finish(self) -> None:
        self.state = self.outcome
        if self.outcome is State.RUNNING:
            return
        if self.outcome is not State.COMPLETE:
            self.message = "The task was stopped." if self.outcome is State.CANCELLED else "The task failed."
            return
        try:
            self.work()
        except TaskFailedError as exc:
            self.state, self.message = State.FAILED, str(exc)


class Tasks:
    """All tasks of one site."""

    def __init__(self) -> None:
        self._tasks: dict[str, Task] = {}
        self._waiting: list[Task] = []

    def submit(
        self,
        description: str,
        work: collections.abc.Callable[[], None],
        *,
        account_id: str,
        now: dt.datetime,
        takes: dt.timedelta,
        outcome: State,
    ) -> Task:
        """`work` raises TaskFailedError before it does anything, or does all of it."""
        submitted = Task(
            task_id=str(FIRST_ID + len(self._tasks)),
            description=description,
            account_id=account_id,
            work=work,
            outcome=outcome,
            submitted=now,
            due_at=now + takes,
        )
        self._tasks[submitted.task_id] = submitted
        self._waiting.append(submitted)
        return submitted

    def settle(self, now: dt.datetime) -> None:
        """Do what is due, in the order in which it became due."""
        due = sorted((each for each in self._waiting if each.due_at <= now), key=lambda each: each.due_at)
        self._waiting = [each for each in self._waiting if each.due_at > now]
        for each in due:
            each.finish()

    def find(self, task_id: str, now: dt.datetime) -> Task | None:
        """Jira forgets a task after KEPT."""
        found = self._tasks.get(task_id)
        return None if found is None or found.submitted <= now - KEPT else found
