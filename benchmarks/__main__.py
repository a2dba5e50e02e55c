"""`make bench`: the table on the screen, and benchmarks/results.json."""

import asyncio
import json
import os
import pathlib
import platform
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks import measures
from benchmarks.measures import Figure

RESULTS = pathlib.Path(__file__).with_name("results.json")


async def measure(people: int, many: int) -> list[Figure]:
    figures: list[Figure] = []
    console = Console()
    for group in (measures.runs(people), measures.memory(10_000, many)):
        async for figure in group:
            figures.append(figure)
            console.print(f"{figure.name}: {figure.value:.2f} {figure.unit}", highlight=False)
    return figures


def show(figures: list[Figure]) -> None:
    table = Table(title="Benchmarks")
    for column in ("figure", "value", "goal", "met"):
        table.add_column(column, justify="left" if column == "figure" else "right")
    for figure in figures:
        goal = "" if figure.goal is None else f"≤ {figure.goal:g} {figure.unit}"
        met = {None: "", True: "yes", False: "no"}[figure.is_met]
        table.add_row(figure.name, f"{figure.value:,.2f} {figure.unit}", goal, met)
    Console().print(table)


def main(
    people: Annotated[int, typer.Option(help="People of the site whose runs are timed.")] = 100_000,
    many: Annotated[
        int, typer.Option(help="People of the site whose memory is compared with one of 10,000.")
    ] = 1_000_000,
) -> None:
    """Measure, show and write down."""
    figures = asyncio.run(measure(people, many))
    show(figures)
    machine = {"cpus": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
    rows = [
        {"name": f.name, "value": round(f.value, 4), "unit": f.unit, "goal": f.goal, "met": f.is_met} for f in figures
    ]
    RESULTS.write_text(json.dumps({"machine": machine, "figures": rows}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
