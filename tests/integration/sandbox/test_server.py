"""The command on real sockets, as an operator starts and stops it."""

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import uvicorn

from sandbox import cloud, server
from tests.integration.sandbox.standin import BASE_URL, StandIn, a_descriptor
from tests.support.patience import PATIENCE_S

COMMAND = (sys.executable, "-c", "from sandbox import cli; cli.main()", "--port", "0", "--people", "20")


@contextlib.asynccontextmanager
async def running(*options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *COMMAND, *options, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def read_line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_sites_are_served_until_a_signal_and_end_cleanly(number: signal.Signals) -> None:
    async with running("--sites", "2") as process:
        addresses = [(await read_line(process)).partition(" ")[0] for _ in range(2)]
        assert len(set(addresses)) == 2
        async with httpx.AsyncClient(timeout=PATIENCE_S) as client:
            for address in addresses:
                state = (await client.get(f"{address}/sandbox/state")).json()
                assert state["site"]["baseUrl"] == address
                assert state["people"]["total"] == 20
        process.send_signal(number)
        assert await process.wait() == 0


@contextlib.asynccontextmanager
async def listening(stand_in: StandIn, **described: Any) -> AsyncIterator[str]:
    """The stand-in on a real socket; gives its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    base_url = f"http://localhost:{listener.getsockname()[1]}"
    stand_in.descriptor = a_descriptor(**{"baseUrl": base_url, **described})
    serving = uvicorn.Server(uvicorn.Config(stand_in.app(), log_config=None, lifespan="off"))
    task = asyncio.create_task(serving.serve(sockets=[listener]))
    try:
        yield base_url
    finally:
        serving.should_exit = True
        await task


async def test_app_is_installed_on_every_site_at_start() -> None:
    stand_in = StandIn()
    async with (
        listening(stand_in) as base_url,
        running("--sites", "2", "--install", f"{base_url}/descriptor.json") as process,
    ):
        lines = [await read_line(process) for _ in range(4)]
        assert [line.endswith("stand-in installed") for line in lines] == [False, False, True, True]
    assert stand_in.events == ["installed", "enabled"] * 2
    assert len({heard.body["baseUrl"] for heard in stand_in.heard}) == 2


async def test_bad_descriptor_ends_the_command_with_a_message() -> None:
    async with (
        listening(StandIn(), scopes=["NO_SUCH"]) as base_url,
        running("--install", f"{base_url}/descriptor.json") as process,
    ):
        _, complaint = await process.communicate()
        assert process.returncode == 1
        assert b"NO_SUCH" in complaint


async def test_server_delivers_webhooks_by_itself() -> None:
    stand_in = StandIn()
    async with (
        listening(stand_in) as base_url,
        running("--install", f"{base_url}/descriptor.json") as process,
        httpx.AsyncClient(timeout=PATIENCE_S) as client,
    ):
        address = (await read_line(process)).partition(" ")[0]
        await read_line(process)
        added = await client.post(f"{address}/sandbox/people", json={"displayName": "Nia New"})
        await stand_in.was_told.wait()
    [told] = stand_in.told
    assert told.body["user"]["accountId"] == added.json()["accountId"]


async def test_cut_connection_really_breaks() -> None:
    async with running() as process, httpx.AsyncClient(timeout=PATIENCE_S) as client:
        address = (await read_line(process)).partition(" ")[0]
        await client.patch(f"{address}/sandbox/faults", json={"cutShare": 1})
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(f"{address}/rest/api/3/myself")
        assert (await client.get(f"{address}/_edge/tenant_info")).status_code == 200


async def test_taken_port_ends_the_command_with_a_message() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        async with running("--port", str(taken.getsockname()[1])) as process:
            _, complaint = await process.communicate()
            assert process.returncode == 1
            assert complaint.startswith(b"Cannot listen")


async def test_install_waits_for_an_app_that_is_still_starting() -> None:
    stand_in, refusals = StandIn(), 2
    inner = httpx.ASGITransport(app=stand_in.app())

    class Starting(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal refusals
            if refusals:
                refusals -= 1
                raise httpx.ConnectError("refused", request=request)
            return await inner.handle_async_request(request)

    async with httpx.AsyncClient(transport=Starting()) as client:
        of_cloud = cloud.Cloud(client=client)
        here = of_cloud.create_site(base_url="http://localhost:9001", people=3)
        installed = await server.install_when_up(of_cloud, here, f"{BASE_URL}/descriptor.json", pause_s=0)
    assert installed.state == "enabled"


async def test_install_gives_up_with_the_last_problem() -> None:
    stand_in = StandIn(statuses={"installed": 401})
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=stand_in.app())) as client:
        of_cloud = cloud.Cloud(client=client)
        here = of_cloud.create_site(base_url="http://localhost:9001", people=3)
        with pytest.raises(server.InstallFailedError, match="401"):
            await server.install_when_up(of_cloud, here, f"{BASE_URL}/descriptor.json", patience_s=2)
