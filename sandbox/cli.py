"""The command `jira-sandbox`: one or many local Jira sites until Ctrl-C. Options only; `sandbox.server` does the work."""

import asyncio
from typing import Annotated

import typer

from sandbox import server

app = typer.Typer(add_completion=False)


@app.command()
def serve(
    port: Annotated[int, typer.Option(help="Port of the first site; the others follow. 0: any free ports.")] = 9000,
    sites: Annotated[int, typer.Option(min=1, help="How many sites.")] = 1,
    people: Annotated[int, typer.Option(min=3, help="How many accounts of all kinds each site has.")] = 300,
    seed: Annotated[int, typer.Option(help="The same seed makes the same people.")] = 1,
    install: Annotated[
        str | None, typer.Option(help="Address of an app's descriptor, to install on each site.")
    ] = None,
) -> None:
    """Serve local Jira Cloud sites."""
    plan = server.Plan(port=port, sites=sites, people=people, seed=seed, descriptor_url=install)
    try:
        asyncio.run(server.serve(plan, say=typer.echo))
    except server.InstallFailedError as exc:
        typer.echo(f"Not installed: {exc}", err=True)
        raise typer.Exit(1) from exc
    except OSError as exc:
        typer.echo(f"Cannot listen: {exc}", err=True)
        raise typer.Exit(1) from exc


def main() -> None:
    app()
