"""The command as an operator runs it: real processes, their exit statuses and what they print."""

import asyncio
import base64
import os
import re
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import packages_distributions as brought
from pathlib import Path

import asyncpg
import httpx
import pytest

from addon.storage import schema
from tests.conftest import Server
from tests.support.patience import PATIENCE_S
from tests.support.sockets import a_free_port

CRM_SYNC = Path(sys.executable).with_name("crm-sync")
ROOT = Path(__file__).parents[2]
KEY = base64.b64encode(bytes(range(32))).decode()


def environment(**settings: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CRM_SYNC_")}
    return inherited | {f"CRM_SYNC_{name}": value for name, value in settings.items()}


@asynccontextmanager
async def started(*arguments: str, **settings: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A running command; killed if the block leaves it running."""
    process = await asyncio.create_subprocess_exec(
        str(CRM_SYNC),
        *arguments,
        env=environment(**settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def finished(*arguments: str, **settings: str) -> tuple[int | None, str, str]:
    """Exit status, standard output and standard error."""
    async with started(*arguments, **settings) as process:
        output, problems = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    return process.returncode, output.decode(), problems.decode()


async def said(process: asyncio.subprocess.Process, event: str) -> None:
    """Wait until the process logs `event`."""
    assert process.stderr is not None
    lines: list[bytes] = []
    async with asyncio.timeout(PATIENCE_S):
        while line := await process.stderr.readline():
            lines.append(line)
            if f'"{event}"'.encode() in line:
                return
    raise AssertionError(b"".join(lines).decode())


async def stopped(process: asyncio.subprocess.Process, number: signal.Signals) -> tuple[int | None, str]:
    process.send_signal(number)
    _, problems = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    return process.returncode, problems.decode()


async def ready(client: httpx.AsyncClient) -> None:
    """Wait until the web app is."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if (await client.get("/readyz")).status_code == 200:
                return
            await asyncio.sleep(0.1)


@pytest.fixture
async def empty_url(server: Server) -> AsyncIterator[str]:
    """The address of a database without any table."""
    name = f"crm_empty_{os.getpid()}"
    await server.execute(f'CREATE DATABASE "{name}"')
    yield server.url_of(name)
    await server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.mark.parametrize("command", ["serve", "worker", "migrate", "check"])
async def test_wrong_settings_are_all_named_and_nothing_starts(command: str) -> None:
    status, output, problems = await finished(
        command, BASE_URL="http://crm.example", PORT="0", DATABASE_URL="postgres//pass@word", LOG_FORMAT="xml"
    )
    assert (status, output) == (1, "")
    named = [line.partition(":")[0] for line in problems.splitlines()]
    assert {"CRM_SYNC_BASE_URL", "CRM_SYNC_PORT", "CRM_SYNC_DATABASE_URL", "CRM_SYNC_LOG_FORMAT"} <= set(named)
    assert "pass@word" not in problems


async def test_empty_database_is_refused_until_it_is_migrated(empty_url: str) -> None:
    settings = {"DATABASE_URL": empty_url, "SECRET_KEYS": KEY}
    for command in ("check", "serve", "worker"):
        status, _, problems = await finished(command, **settings)
        assert (status, problems) == (
            1,
            f"the database is at schema none, this version needs {schema.newest_revision()}: run `crm-sync migrate`\n",
        )
    for _ in range(2):  # again, which changes nothing
        status, output, problems = await finished("migrate", **settings)
        assert (status, problems) == (0, "")
        assert schema.newest_revision() in output
    assert await finished("check", **settings) == (0, "settings, database and descriptor are in order\n", "")


@pytest.mark.parametrize("command", ["check", "serve", "worker", "migrate"])
async def test_database_that_does_not_answer_is_said_in_a_line(command: str) -> None:
    status, output, problems = await finished(
        command, DATABASE_URL=f"postgresql://crm:passwort@127.0.0.1:{a_free_port()}/crm", SECRET_KEYS=KEY
    )
    assert (status, output) == (1, "")
    (problem,) = problems.splitlines()
    assert problem.startswith("the database cannot be used")
    assert "passwort" not in problem


async def test_database_that_does_not_exist_is_said_in_a_line(server: Server) -> None:
    status, _, problems = await finished("check", DATABASE_URL=server.url_of("nowhere"), SECRET_KEYS=KEY)
    assert (status, problems) == (1, "the database cannot be used: InvalidCatalogNameError\n")


def missing_in_production() -> list[str]:
    """The modules that only the development packages bring."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    ours = {*re.findall(r"^([\w.-]+)==", lock, re.MULTILINE), "crm-contact-sync"}
    named = {module: {re.sub(r"[-_.]+", "-", name).lower() for name in names} for module, names in brought().items()}
    return [module for module, names in named.items() if names.isdisjoint(ours)]


async def test_locked_packages_are_all_that_production_needs(database_url: str) -> None:
    """None in `sys.modules`: Python takes it for a package that is not there."""
    program = "import sys; sys.modules.update(dict.fromkeys(sys.argv[2:])); from addon import cli; cli.commands(sys.argv[1:2])"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", program, "check", *missing_in_production()),
        env=environment(DATABASE_URL=database_url, SECRET_KEYS=KEY),
        stderr=asyncio.subprocess.PIPE,
    )
    _, problems = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert (process.returncode, problems.decode()) == (0, "")


@pytest.fixture
def without_htmx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The packages as `pip install .` lays them down: without what npm brought to the checkout."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    for package in ("addon", "descriptor", "lifecycle"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


async def test_missing_htmx_is_named_and_the_web_app_does_not_start(database_url: str, without_htmx: Path) -> None:
    settings = {"DATABASE_URL": database_url, "SECRET_KEYS": KEY, "PORT": str(a_free_port())}
    for command in ("check", "serve"):
        status, output, problems = await finished(command, **settings)
        assert (status, output) == (1, "")
        (problem,) = problems.splitlines()
        assert problem.startswith("htmx is missing, without which no form works: ")
        assert str(without_htmx) in problem
        assert "npm ci" in problem


@pytest.mark.usefixtures("without_htmx")
async def test_missing_htmx_is_named_beside_what_else_is_wrong(empty_url: str) -> None:
    status, _, problems = await finished("check", DATABASE_URL=empty_url, SECRET_KEYS=KEY)
    assert status == 1
    assert [line.partition(" is ")[0] for line in problems.splitlines()] == ["htmx", "the database"]


async def counted(address: str) -> str:
    transport = httpx.AsyncHTTPTransport(retries=8)
    async with httpx.AsyncClient(transport=transport, timeout=PATIENCE_S) as client:
        answer = await client.get(f"http://{address}/metrics")
    assert answer.status_code == 200
    return answer.text


@pytest.mark.parametrize(
    ("command", "event"), [(("worker",), "working"), (("serve",), "serving"), (("serve", "--worker"), "serving")]
)
async def test_metrics_are_served_where_the_setting_says(
    database_url: str, command: tuple[str, ...], event: str
) -> None:
    address = f"127.0.0.1:{a_free_port()}"
    settings = {"DATABASE_URL": database_url, "SECRET_KEYS": KEY, "PORT": str(a_free_port())}
    async with started(*command, METRICS_ADDRESS=address, **settings) as process:
        await said(process, event)
        assert "# TYPE crm_sync_jira_calls_total counter" in await counted(address)
        status, problems = await stopped(process, signal.SIGTERM)
    assert status == 0, problems


@pytest.mark.parametrize("command", ["worker", "serve"])
async def test_metrics_address_that_is_taken_is_said_in_a_line(database_url: str, command: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        settings = {"DATABASE_URL": database_url, "SECRET_KEYS": KEY, "PORT": str(a_free_port())}
        status, _, problems = await finished(command, METRICS_ADDRESS=address, **settings)
    assert (status, problems) == (
        1,
        f"CRM_SYNC_METRICS_ADDRESS: cannot listen at {address}: Address already in use\n",
    )


@pytest.mark.parametrize("options", [(), ("--worker",)], ids=["alone", "with a worker"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_web_app_answers_and_stops_when_told(
    database_url: str, options: tuple[str, ...], number: signal.Signals
) -> None:
    port = a_free_port()
    async with started("serve", *options, DATABASE_URL=database_url, SECRET_KEYS=KEY, PORT=str(port)) as process:
        await said(process, "serving")
        transport = httpx.AsyncHTTPTransport(retries=8)  # it says so just before it listens
        async with httpx.AsyncClient(
            transport=transport, base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S
        ) as client:
            assert (await client.get("/healthz")).status_code == 200
            await ready(client)
            descriptor = (await client.get("/atlassian-connect.json")).json()
            assert descriptor["baseUrl"] == "http://localhost:8080"
        status, problems = await stopped(process, number)
    assert status == 0, problems


async def test_web_app_is_alive_but_not_ready_when_the_queue_is_gone(database_url: str) -> None:
    port = a_free_port()
    async with started("serve", DATABASE_URL=database_url, SECRET_KEYS=KEY, PORT=str(port)) as process:
        await said(process, "serving")
        owner = await asyncpg.connect(database_url)
        await owner.execute("ALTER TABLE pgqueuer RENAME TO elsewhere")
        await owner.close()
        transport = httpx.AsyncHTTPTransport(retries=8)
        async with httpx.AsyncClient(
            transport=transport, base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S
        ) as client:
            assert (await client.get("/healthz")).status_code == 200
            assert (await client.get("/readyz")).status_code == 503
        assert (await stopped(process, signal.SIGTERM))[0] == 0


async def test_port_that_is_taken_ends_the_web_app(database_url: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, _, problems = await finished(
            "serve", DATABASE_URL=database_url, SECRET_KEYS=KEY, PORT=str(port), LOG_FORMAT="json"
        )
    assert status not in {0, None}
    assert "address already in use" in problems


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_worker_stops_when_told(database_url: str, number: signal.Signals) -> None:
    async with started("worker", DATABASE_URL=database_url, SECRET_KEYS=KEY) as process:
        await said(process, "working")
        status, problems = await stopped(process, number)
    assert status == 0, problems


async def test_command_without_a_word_says_what_it_can_do() -> None:
    status, output, problems = await finished()
    assert status != 0
    for command in ("serve", "worker", "migrate", "check"):
        assert command in output + problems
