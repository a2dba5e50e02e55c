"""The demo: a local Jira site, the add-on and its worker as processes of their own, one whole first run, and its proof.

It does what a site's admin would do, and nothing behind the add-on's back: install by the handshake, turn the sync on,
watch it, look at the contacts. What the summary compares with is what the site really holds.
"""

import asyncio
import collections.abc
import contextlib
import dataclasses
import os
import pathlib
import shutil
import signal
import socket
import sys
import time
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

ADDON_KEY = "crm-contact-sync"
PATIENCE_S = 60.0
POLL_S = 0.25
STOP_S = 10.0
REPORTERS = 50
"""People among whom an issue to show is looked for."""

console = Console()


class DemoFailedError(Exception):
    """The demo did not come to its end; the text says where it stopped."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where everything is: addresses, and the folder of this demo's data and logs."""

    site: str
    addon: str
    data_dir: pathlib.Path
    points_per_hour: int = 1_000_000_000  # a site on this machine has no quota

    def environment(self) -> dict[str, str]:
        """What the add-on's processes get: settings of an earlier shell must not leak into the demo."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CRM_SYNC_")}
        return {
            **inherited,
            "CRM_SYNC_BASE_URL": self.addon,
            "CRM_SYNC_PORT": str(httpx.URL(self.addon).port),
            "CRM_SYNC_DATA_DIR": str(self.data_dir),
            "CRM_SYNC_TENANT_HOSTS": "localhost",
            "CRM_SYNC_API_POINTS_PER_HOUR": str(self.points_per_hour),
            "CRM_SYNC_INSTALL_KEYS_URL": f"{self.site}/install-keys",
            "CRM_SYNC_HOST_SCRIPT_URL": f"{self.site}/atlassian-connect/all.js",
        }


@contextlib.asynccontextmanager
async def process(stage: Stage, name: str, *command: str) -> collections.abc.AsyncIterator[None]:
    """A process that runs as long as the block; its output goes to a file of its own."""
    log = stage.data_dir / f"{name}.log"
    with log.open("wb") as output:
        running = await asyncio.create_subprocess_exec(
            *command, env=stage.environment(), stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield
    finally:
        if running.returncode is None:
            running.terminate()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(running.wait(), STOP_S)
        if running.returncode is None:
            running.kill()
            await running.wait()


async def play(stage: Stage, *, people: int, once: bool) -> None:
    """The whole demo. Raises DemoFailedError."""
    tools = pathlib.Path(sys.executable).parent
    sandbox = [str(tools / "jira-sandbox"), "--port", str(httpx.URL(stage.site).port), "--people", str(people)]
    async with contextlib.AsyncExitStack() as stack:
        client = await stack.enter_async_context(httpx.AsyncClient(timeout=30))
        with console.status("Starting a Jira site with its people, PostgreSQL, the add-on and a worker …"):
            await stack.enter_async_context(process(stage, "jira-sandbox", *sandbox))
            await stack.enter_async_context(process(stage, "serve", str(tools / "crm-sync"), "serve"))
            await wait_for(client, f"{stage.site}/sandbox/state", stage)
            await wait_for(client, f"{stage.addon}/readyz", stage)
            await stack.enter_async_context(process(stage, "worker", str(tools / "crm-sync"), "worker"))
        installed = await client.post(
            f"{stage.site}/sandbox/install", json={"descriptorUrl": f"{stage.addon}/atlassian-connect.json"}
        )
        if installed.is_error or installed.json()["state"] != "enabled":
            raise DemoFailedError(f"the site could not install the add-on: {installed.text}")
        console.print(f"Installed on [bold]{stage.site}[/] by the signed handshake.")
        admin = Admin(client=client, stage=stage)
        started = time.monotonic()
        await admin.call("PUT", "/api/sync", {"enabled": True})
        run = await _watch(admin, await _count_reachable(client, stage))
        await _summarise(admin, client, run, time.monotonic() - started)
        if not once:
            console.print("Serving until Ctrl-C.")
            await _until_signal()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Admin:
    """The site's administrator at the add-on's page: each call carries a token that the site gave for it."""

    client: httpx.AsyncClient
    stage: Stage

    async def call(self, method: str, path: str, body: object = None) -> Any:
        given = await self.client.get(f"{self.stage.site}/bridge/token", params={"addon": ADDON_KEY})
        given.raise_for_status()
        response = await self.client.request(
            method,
            f"{self.stage.addon}{path}",
            json=body,
            headers={"Authorization": f"JWT {given.json()['token']}"},
        )
        if response.is_error:
            raise DemoFailedError(f"{method} {path}: {response.status_code} {response.text}")
        return response.json()


async def wait_for(client: httpx.AsyncClient, url: str, stage: Stage) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get(url)).is_success:
                        return
                await asyncio.sleep(POLL_S)
    raise DemoFailedError(f"{url} did not answer within {PATIENCE_S:.0f} s; see the logs in {stage.data_dir}")


async def _count_reachable(client: httpx.AsyncClient, stage: Stage) -> dict[str, int]:
    """The accounts that a complete sync must know, by kind; the inactive and apps are left out by rule."""
    state = (await client.get(f"{stage.site}/sandbox/state")).json()
    return {kind: state["people"]["byKind"][kind]["reachableActive"] for kind in ("user", "customer")}


async def _watch(admin: Admin, expected: dict[str, int]) -> dict[str, Any]:
    """Show the run until it ends. Jira does not say how many customers there are, so the site's own count is the end."""
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description:<14}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("people"),
        TextColumn("{task.fields[rate]:>6.0f}/s"),
        TimeElapsedColumn(),
        console=console,
    )
    started = time.monotonic()
    with bar:
        task = bar.add_task("starting", total=sum(expected.values()), rate=0.0)
        while True:
            sync = await admin.call("GET", "/api/sync")
            run: dict[str, Any] = sync["run"] or sync["lastRun"]
            rate = run["seen"] / max(time.monotonic() - started, POLL_S)
            bar.update(task, completed=run["seen"], description=run["phase"], rate=rate)
            if run["state"] != "running":
                break
            await asyncio.sleep(POLL_S)
    if run["state"] != "done":
        raise DemoFailedError(f"the run ended as {run['state']}: {run['error']}")
    return run


async def _summarise(admin: Admin, client: httpx.AsyncClient, run: dict[str, Any], took_s: float) -> None:
    """Print what the add-on has beside what the site holds. Raises DemoFailedError where they differ."""
    people = (await client.get(f"{admin.stage.site}/sandbox/state", params={"people": "1"})).json()["list"]
    wanted = {
        person["accountId"]: person
        for person in people
        if person["reachable"] and person["active"] and person["kind"] != "app"
    }
    linked = await _linked_accounts(admin)
    contacts = (await admin.call("GET", "/api/sync"))["counts"]["contacts"]
    addresses = {(person["email"] or account_id).casefold() for account_id, person in wanted.items()}
    table = Table(title=f"First run: {took_s:.1f} s, {run['seen'] / took_s:.0f} people/s, {run['points']} API points")
    table.add_column("")
    table.add_column("the site", justify="right")
    table.add_column("the add-on", justify="right")
    rows = [
        ("people in scope", len(wanted), len(linked)),
        ("of them missing, or linked without being in scope", 0, len(set(linked) ^ set(wanted))),
        ("contacts (accounts of one address share one)", len(addresses), contacts),
    ]
    for name, on_site, in_addon in rows:
        table.add_row(name, f"{on_site:,}", f"{in_addon:,}")
    console.print(table)
    if any(on_site != in_addon for _, on_site, in_addon in rows):
        raise DemoFailedError("the add-on's numbers are not the site's")
    console.print(f"Contacts: [link]{admin.stage.site}/plugins/servlet/ac/{ADDON_KEY}/crm-contacts[/link]")
    members = [account_id for account_id, person in wanted.items() if person["organizations"]]
    console.print(f"An issue: [link]{admin.stage.site}{await _find_issue(admin, members)}[/link]")


async def _find_issue(admin: Admin, reporters: collections.abc.Sequence[str]) -> str:
    """The page of the newest issue that one of these people reported, or else the page of all issues."""
    named = ", ".join(f'"{account_id}"' for account_id in reporters[:REPORTERS])
    found = await admin.client.get(
        # As the viewer of the site's own pages, which is its administrator.
        f"{admin.stage.site}/bridge/request/{ADDON_KEY}/rest/api/3/search/jql",
        params={"jql": f"reporter IN ({named}) ORDER BY created DESC", "maxResults": 1, "fields": "summary"},
    )
    issues = found.json()["issues"] if found.is_success else []
    return f"/browse/{issues[0]['key']}" if issues else "/issues/"


async def _linked_accounts(admin: Admin) -> set[str]:
    found: set[str] = set()
    cursor = ""
    while True:
        page = await admin.call("GET", f"/api/contacts?limit=200{cursor}")
        found.update(account["accountId"] for contact in page["values"] for account in contact["linkedAccounts"])
        if page["next"] is None:
            return found
        cursor = f"&cursor={page['next']}"


async def _until_signal() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


def free_port(wanted: int) -> int:
    """The port that people know, unless somebody has it."""
    for port in (wanted, 0):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)) as listener:
            return int(listener.getsockname()[1])
    raise DemoFailedError("no port is free")


def main(
    people: Annotated[int, typer.Option(min=3)] = 300,
    data_dir: Annotated[pathlib.Path, typer.Option()] = pathlib.Path(".data/demo"),
    *,
    once: Annotated[bool, typer.Option("--once", help="Stop after the summary.")] = False,
) -> None:
    """Show the add-on at work on a site with PEOPLE accounts."""
    # The site lives in memory and is new each time, so contacts of an earlier demo would be strangers to it.
    shutil.rmtree(data_dir, ignore_errors=True)
    data_dir.mkdir(parents=True)
    try:
        stage = Stage(
            site=f"http://localhost:{free_port(9000)}",
            addon=f"http://localhost:{free_port(8080)}",
            data_dir=data_dir.resolve(),
        )
        asyncio.run(play(stage, people=people, once=once))
    except DemoFailedError as exc:
        console.print(f"[red]{exc}[/]", highlight=False)
        raise typer.Exit(1) from exc


if __name__ == "__main__":
    typer.run(main)
