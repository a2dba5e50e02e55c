"""The command `crm-sync`: serve, worker, migrate, check."""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import prometheus_client
import structlog
import typer
import uvicorn
import uvloop

from addon import app, deployment, errors, log, settings
from addon.queue.worker import Worker
from addon.settings import Settings

commands = typer.Typer(
    help="One CRM contact for every Jira user and customer. Settings are read from the environment (CRM_SYNC_…).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

GRACE = 5  # seconds that requests in flight get at shutdown; a worker's slice takes as long


@commands.command()
def serve(
    *, worker: Annotated[bool, typer.Option("--worker", help="Run a worker in the same process.")] = False
) -> None:
    """Serve the web app."""
    _run(lambda config: _serve(config, with_worker=worker))


@commands.command()
def worker() -> None:
    """Carry out jobs. Start as many as you like, on any machine."""
    _run(_work)


@commands.command()
def migrate() -> None:
    """Bring the database to the newest schema."""
    _run(_migrate)


@commands.command()
def check() -> None:
    """Say what is wrong with settings, installation, database and descriptor; exit status 1 if anything is."""
    _run(_check)


def main() -> None:
    commands()


def _run(command: Callable[[Settings], Coroutine[Any, Any, None]]) -> None:
    try:
        config = settings.load()
        log.configure(config.log_format)
        uvloop.run(command(config))
    except errors.ConfigurationError as exc:
        for problem in exc.problems:
            print(problem, file=sys.stderr)  # noqa: T201 - for the person at the terminal
        raise SystemExit(1) from None


async def _serve(config: Settings, *, with_worker: bool) -> None:
    if problems := await deployment.unfit(config):
        raise errors.ConfigurationError(problems)
    async with app.assemble(config) as parts:
        _show_metrics(config)
        server = uvicorn.Server(
            uvicorn.Config(
                parts.web_app(),
                host=config.host,
                port=config.port,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE,
            )
        )
        structlog.get_logger().info("serving", host=config.host, port=config.port, base_url=config.base_url)
        beside = parts.worker()
        # uvicorn takes the signals while it serves, and raises them again once it has stopped: without a handler of ours
        # they would then end the process before the database is left in good order.
        _stop_on_signals(beside.stop)
        if not with_worker:
            await server.serve()
            return
        async with asyncio.TaskGroup() as group:
            group.create_task(beside.run())
            await server.serve()
            beside.stop()


async def _work(config: Settings) -> None:
    async with app.assemble(config) as parts:
        alone: Worker = parts.worker()
        _stop_on_signals(alone.stop)
        _show_metrics(config)
        structlog.get_logger().info("working")
        await alone.run()


def _show_metrics(config: Settings) -> None:
    """Serve what this process counts, where the operator wants it, until the process ends: in a thread that ends with it.

    Raises ConfigurationError where nothing can listen there.
    """
    if config.metrics_address is None:
        return
    host, port = settings.split_address(config.metrics_address)
    try:
        prometheus_client.start_http_server(port, host)
    except OSError as exc:
        problem = f"cannot listen at {config.metrics_address}: {exc.strerror}"
        raise errors.ConfigurationError([f"{settings.PREFIX}METRICS_ADDRESS: {problem}"]) from exc


def _stop_on_signals(stop: Callable[[], None]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop)


async def _migrate(config: Settings) -> None:
    print(f"the database is at schema {await deployment.migrate(config)}")  # noqa: T201 - the command's answer


async def _check(config: Settings) -> None:
    problems = await deployment.check(config)
    if problems:
        raise errors.ConfigurationError(problems)
    print("settings, database and descriptor are in order")  # noqa: T201 - the command's answer


if __name__ == "__main__":
    main()
