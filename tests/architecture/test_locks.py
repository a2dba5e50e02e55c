"""Locks are taken in one order (decision 17). What a reader of the code can see of it is held here."""

import ast
from collections.abc import Sequence
from pathlib import Path

import pytest

ADDON = Path(__file__).parents[2] / "addon"
ORDER = ["companies", "issues"]


def called(function: ast.AST) -> Sequence[str]:
    """The duties that a function calls by name, in its order."""
    calls = [
        (node.lineno, node.args[1].value)
        for node in ast.walk(function)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "duties.call"
        and isinstance(node.args[1], ast.Constant)
    ]
    return [str(duty) for _, duty in sorted(calls)]


def crossed(source: str) -> list[str]:
    """The functions that call the duty `issues` before `companies`."""
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.AsyncFunctionDef)]
    return [each.name for each in functions if sorted(called(each)) == ORDER != called(each)]


@pytest.mark.parametrize("path", sorted(ADDON.rglob("*.py")), ids=lambda path: str(path.relative_to(ADDON)))
def test_duties_are_called_in_one_order(path: Path) -> None:
    assert crossed(path.read_text()) == []


def test_duties_in_the_other_order_are_noticed() -> None:
    lines = [f"    await duties.call(scope, {duty!r}, enqueue=enqueue)" for duty in ORDER]
    head = "async def step(scope, enqueue):"
    assert crossed("\n".join([head, *lines])) == []
    assert crossed("\n".join([head, *lines[::-1]])) == ["step"]
