"""The demo: a local Jira site, the add-on and its worker as processes of their own, one whole first run, and its proof.

It does what a site's admin would do, and nothing behind the add-on's back: install by the handshake, turn the sync on,
watch it, look at the contacts. What the summary compares with is what the site really holds.
"""

import asyncio
import collections.abc
import contextlib
import dataclasses
import pathlib
import sys
import time
from typing import Annotated, Any

import httpx
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from sandbox import proof
from sandbox.troupe import POLL_S, DemoFailedError, Stage, Troupe, console, free_port, perform, wait_for

ADDON_KEY = "crm-contact-sync"
TOOLS = pathlib.Path(sys.executable).parent
REPORTERS = 50
"""People among whom an issue to show is looked for."""


async def play(troupe: Troupe, *, people: int, once: bool) -> None:
    """The whole demo, until it is cancelled if not `once`. Raises DemoFailedError, httpx.HTTPError."""
    stage = troupe.stage
    async with httpx.AsyncClient(timeout=30) as client:
        with console.status("Starting a Jira site with its people, PostgreSQL, the add-on and a worker …"):
            await raise_curtain(troupe, client, people=people)
        installed = await client.post(
            f"{stage.site}/sandbox/install", json={"descriptorUrl": f"{stage.addon}/atlassian-connect.json"}
        )
        if installed.is_error or installed.json()["state"] != "enabled":
            raise DemoFailedError(f"the site could not install the add-on: {installed.text}")
        console.print(f"Installed on [bold]{stage.site}[/] by the signed handshake.")
        admin = Admin(client=client, stage=stage)
        started = time.monotonic()
        await admin.call("PUT", "/api/sync", {"enabled": True})
        run = await _watch(admin, await _count_reachable(admin))
        await _summarise(admin, run, time.monotonic() - started)
        if not once:
            console.print("Serving until Ctrl-C.")
            # From here on, to be stopped is the proper end.
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()


async def raise_curtain(troupe: Troupe, client: httpx.AsyncClient, *, people: int) -> None:
    """Start everything, and wait until it answers. Raises DemoFailedError."""
    stage = troupe.stage
    port = str(httpx.URL(stage.site).port)
    await troupe.start("jira-sandbox", str(TOOLS / "jira-sandbox"), "--port", port, "--people", str(people))
    await troupe.start("serve", str(TOOLS / "crm-sync"), "serve")
    await wait_for(client, f"{stage.site}/sandbox/state", stage)
    await wait_for(client, f"{stage.addon}/readyz", stage)
    await troupe.start("worker", str(TOOLS / "crm-sync"), "worker")


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
            raise DemoFailedError(f"the add-on answered {response.status_code} to {method} {path}: {response.text}")
        return response.json()

    async def read_state(self, **parameters: str) -> dict[str, Any]:
        """What the site really holds, which no app is told."""
        answer = await self.client.get(f"{self.stage.site}/sandbox/state", params=parameters)
        answer.raise_for_status()
        state: dict[str, Any] = answer.json()
        return state


async def _count_reachable(admin: Admin) -> int:
    """How many accounts a complete sync must know; the inactive and apps are left out by rule."""
    kinds = (await admin.read_state())["people"]["byKind"]
    return sum(kinds[kind]["reachableActive"] for kind in ("user", "customer"))


async def _watch(admin: Admin, expected: int) -> dict[str, Any]:
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
        task = bar.add_task("starting", total=expected, rate=0.0)
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


async def _summarise(admin: Admin, run: dict[str, Any], took_s: float) -> None:
    """Print what the add-on has beside what the site holds. Raises DemoFailedError where they differ."""
    in_scope = proof.select_in_scope((await admin.read_state(people="1"))["list"])
    counted = (await admin.call("GET", "/api/sync"))["counts"]["contacts"]
    proven = proof.compare(in_scope, [contact async for contact in _list_contacts(admin)], counted)
    table = Table(title=f"First run: {took_s:.1f} s, {run['seen'] / took_s:.0f} people/s, {run['points']} API points")
    table.add_column("")
    table.add_column("the site", justify="right")
    table.add_column("the add-on", justify="right")
    for name, on_site, in_addon in proven.rows:
        table.add_row(name, f"{on_site:,}", f"{in_addon:,}")
    console.print(table)
    if proven.difference is not None:
        raise DemoFailedError(f"the add-on does not have what the site holds: {proven.difference}")
    console.print(f"Contacts: [link]{admin.stage.site}/plugins/servlet/ac/{ADDON_KEY}/crm-contacts[/link]")
    members = [account_id for account_id, person in in_scope.items() if person["organizations"]]
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


async def _list_contacts(admin: Admin) -> collections.abc.AsyncIterator[dict[str, Any]]:
    cursor: str | None = ""
    while cursor is not None:
        page = await admin.call("GET", f"/api/contacts?limit=200{cursor and f'&cursor={cursor}'}")
        for contact in page["values"]:
            yield contact
        cursor = page["next"]


def main(
    people: Annotated[int, typer.Option(min=3)] = 300,
    data_dir: Annotated[pathlib.Path, typer.Option(help="Data and logs. It is emptied first.")] = pathlib.Path(
        ".data/demo"
    ),
    site_port: Annotated[int, typer.Option(help="The site's port; another one if it is taken.")] = 9000,
    addon_port: Annotated[int, typer.Option(help="The add-on's.")] = 8080,
    *,
    once: Annotated[bool, typer.Option("--once", help="Stop after the summary.")] = False,
) -> None:
    """Show the add-on at work on a site with PEOPLE accounts."""

    def build(folder: pathlib.Path) -> Stage:
        return Stage(
            site=f"http://localhost:{free_port(site_port)}",
            addon=f"http://localhost:{free_port(addon_port)}",
            data_dir=folder,
        )

    perform(data_dir, build, lambda troupe: play(troupe, people=people, once=once))


if __name__ == "__main__":
    typer.run(main)
