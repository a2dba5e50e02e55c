"""A worker process that takes a job, says so, and never ends it: it is there to be killed."""

import asyncio
import sys
from typing import get_args

from addon.queue.worker import Again, Worker
from addon.storage.database import SESSION_SETTINGS
from addon.sync.work import Kind, Work


async def take_and_hang(work: Work) -> Again | None:
    sys.stdout.write(f"taken {work.number}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()
    return None


if __name__ == "__main__":
    handlers = dict.fromkeys(get_args(Kind), take_and_hang)
    asyncio.run(Worker(sys.argv[1], handlers, SESSION_SETTINGS).run())
