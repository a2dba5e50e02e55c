"""How long may it take to stop? What is allowed for each part must fit into what is promised for the whole."""

from datetime import timedelta

from addon.queue import worker
from addon.storage import database

PROMISED = timedelta(seconds=10)
ENDING = timedelta(seconds=2)  # from the last job's end to the end of its connections; see `worker.PATIENCE`


def test_worker_that_is_told_to_stop_may_take_ten_seconds_at_most() -> None:
    assert worker.PATIENCE + ENDING + timedelta(seconds=database.CLOSING_S) <= PROMISED
