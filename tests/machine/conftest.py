import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest
import structlog

from tests.machine.cluster import Cluster
from tests.machine.play import Play
from tests.machine.stage import Stage


@pytest.fixture(scope="session")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as running:
        yield running


@pytest.fixture(scope="session")
def stage(runner: asyncio.Runner) -> Iterator[Stage]:
    cluster = Cluster()
    runner.run(cluster.prepare())
    yield Stage(cluster)
    cluster.remove()


@pytest.fixture
def play(runner: asyncio.Runner, stage: Stage) -> Iterator[Play]:
    """Two sites whose sync is off; every sequence ends calm."""
    stack = AsyncExitStack()
    playing = Play(runner.run(stack.enter_async_context(stage.scene())))
    yield playing
    try:
        runner.run(playing.calm())
    finally:
        runner.run(stack.aclose())


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """What the add-on logs about all this trouble would bury what a failure says."""
    before = structlog.get_config()
    structlog.configure(processors=[], logger_factory=structlog.ReturnLoggerFactory(), cache_logger_on_first_use=False)
    yield
    structlog.configure(**before)
