"""`make bench`: the table on the screen, and benchmarks/results.json."""

import asyncio
import json
import os
import pathlib
import platform
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks import backfill, hours, latency, lists, memory, rates, runs
from benchmarks.figure import Figure

RESULTS = pathlib.Path(__file__).with_name("results.json")
FEW = 10_000

console = Console()


async def measure(groups: Mapping[str, AsyncIterator[Figure]]) -> dict[str, list[Figure]]:
    figures: dict[str, list[Figure]] = {}
    for name, group in groups.items():
        console.rule(name)
        async for figure in group:
            figures.setdefault(name, []).append(figure)
            console.print(f"{figure.name}: {figure.value:,.3g} {figure.unit}", highlight=False)
    return figures


def show(figures: list[Figure]) -> None:
    table = Table(title="Benchmarks")
    for column in ("figure", "value", "goal", "met"):
        table.add_column(column, justify="left" if column == "figure" else "right")
    for figure in figures:
        met = {None: "", True: "yes", False: "no"}[figure.is_met]
        table.add_row(figure.name, f"{figure.value:,.2f} {figure.unit}", figure.shown_goal, met)
    console.print(table)


def main(
    people: Annotated[int, typer.Option(help="People of the site whose runs are timed.")] = 100_000,
    many: Annotated[
        int, typer.Option(help="People of the site whose memory is compared with one of 10,000.")
    ] = 1_000_000,
    town: Annotated[int, typer.Option(help="People of the site whose hours are counted.")] = 10_000,
    contacts: Annotated[int, typer.Option(help="Contacts of the tenant whose pages are timed.")] = 1_000_000,
    seconds: Annotated[float, typer.Option(help="How long requests per second are counted.")] = 10,
    issues: Annotated[int, typer.Option(help="Issues whose companies are written.")] = 100_000,
    companies: Annotated[int, typer.Option(help="Companies of these issues.")] = 200,
    only: Annotated[list[str] | None, typer.Option(help="Groups of figures to measure; may be repeated.")] = None,
) -> None:
    """Measure, show and write down."""
    groups = {
        "runs": runs.measure(people),
        "memory": memory.measure(min(FEW, many), many),
        "hours": hours.measure(town),
        "latency": latency.measure(people),
        "lists": lists.measure(contacts),
        "rates": rates.measure(seconds),
        "backfill": backfill.measure(issues, companies),
    }
    unknown = set(only or ()) - set(groups)
    if unknown:
        raise typer.BadParameter(f"no such group: {', '.join(sorted(unknown))}; there are {', '.join(groups)}")
    figures = asyncio.run(measure({name: group for name, group in groups.items() if not only or name in only}))
    show([figure for group in figures.values() for figure in group])
    write(figures)


def write(figures: Mapping[str, Sequence[Figure]]) -> None:
    """Groups that were not measured this time keep their figures."""
    before = json.loads(RESULTS.read_text(encoding="utf-8"))["groups"] if RESULTS.exists() else {}
    machine = {"cpus": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
    rows = {
        name: [
            {"name": f.name, "value": round(f.value, 4), "unit": f.unit, "goal": f.goal, "met": f.is_met} for f in group
        ]
        for name, group in figures.items()
    }
    RESULTS.write_text(
        json.dumps({"machine": machine, "groups": {**before, **rows}}, indent=2) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    typer.run(main)
