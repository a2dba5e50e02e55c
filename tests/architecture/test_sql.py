"""Rules of the house that no linter knows: SQL names its tenant, transactions have no child tasks, modules have a shape."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("addon", "lifecycle", "sandbox")
MAX_LINES = 300
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "service", "services", "manager", "managers", "common", "misc"}

# A statement, or a part that holds a whole query; the words in this order are no English.
SQL = re.compile(
    r"^\s*(--[^\n]*\n\s*)*(SELECT\b|INSERT\s+INTO\b|UPDATE\s+\w+\s+SET\b|DELETE\s+FROM\b|WITH\s+\w+\s+AS\s*\()"
    r"|\b(SELECT\b[^;]*\bFROM|INSERT\s+INTO|DELETE\s+FROM)\s",
    re.DOTALL,
)
# These read no table: settings of the session, numbers of a sequence, a lock.
NO_TABLE = re.compile(r"^\s*SELECT\s+(set_config|pg_advisory_xact_lock|nextval)\s*\(")
ALL_TENANTS = re.compile(r"(--|#) all tenants: \S")
SCHEMA = ROOT / "addon" / "storage" / "migrations"

CHILD_TASKS = {"gather", "create_task", "TaskGroup", "ensure_future"}
TRANSACTIONS = {"tenant", "transaction", "page"}


def modules(*packages: str) -> list[Path]:
    return [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def texts(tree: ast.AST) -> Iterator[tuple[int, int, str]]:
    """Every text of a module but docstrings, with its lines; the parts of an f-string as one."""
    within = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    docstrings = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
            yield node.lineno, node.end_lineno or node.lineno, "".join(parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in within | docstrings:
            yield node.lineno, node.end_lineno or node.lineno, node.value


def forgetful(source: str) -> list[int]:
    """The lines of SQL that names no tenant and does not say why."""
    lines = source.splitlines()
    found: list[int] = []
    for first, last, text in texts(ast.parse(source)):
        if not SQL.search(text) or NO_TABLE.match(text) or "tenant_id" in text:
            continue
        # The reason stands in the statement, or in a comment just above it.
        near = lines[max(first - 3, 0) : last]
        if not any(ALL_TENANTS.search(line) for line in near):
            found.append(first)
    return found


def split_transactions(source: str) -> list[int]:
    """The lines where a child task is started inside a transaction: it would not be part of it."""
    found: list[int] = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.AsyncWith) or not any(_opens_transaction(item.context_expr) for item in node.items):
            continue
        inside = (each for statement in node.body for each in ast.walk(statement))
        found.extend(each.lineno for each in inside if isinstance(each, ast.Call) and _called(each) in CHILD_TASKS)
    return found


def _opens_transaction(expression: ast.expr) -> bool:
    return isinstance(expression, ast.Call) and _called(expression) in TRANSACTIONS


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


@pytest.mark.parametrize("path", [p for p in modules("addon", "lifecycle") if SCHEMA not in p.parents], ids=name_of)
def test_sql_names_its_tenant_or_says_why_not(path: Path) -> None:
    assert forgetful(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", modules("addon", "lifecycle"), ids=name_of)
def test_no_child_task_is_started_inside_a_transaction(path: Path) -> None:
    assert split_transactions(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", modules(*PACKAGES), ids=name_of)
def test_module_says_what_it_is_and_stays_small(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(source)), "no docstring"
    assert source.startswith('"""'), "the docstring is not the first line"
    assert len(source.splitlines()) <= MAX_LINES
    assert path.stem not in EMPTY_NAMES


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ('run("SELECT name FROM contact WHERE contact_id = :id")', [1]),
        ('run("SELECT name FROM contact WHERE tenant_id = :tenant_id")', []),
        ('run(f"DELETE FROM {table} WHERE id = 1")', [1]),
        ('run(f"DELETE FROM {table} WHERE tenant_id = $1")', []),
        ('run("""\n    UPDATE contact SET name = :name\n""")', [1]),
        ('run("""\n    -- all tenants: a repair\n    UPDATE contact SET name = :name\n""")', []),
        ('# all tenants: the queue is shared\nrun("SELECT 1 FROM pgqueuer")', []),
        ('# all tenants:\nrun("SELECT 1 FROM pgqueuer")', [2]),
        ('run("WITH gone AS (DELETE FROM account RETURNING 1) SELECT 1")', [1]),
        ('run("EXISTS (SELECT 1 FROM account a WHERE a.contact_id = c.contact_id)")', [1]),
        ('"""Select from what you see."""', []),
        ('say("Select a company from the list")', []),
        ("run(\"SELECT set_config('a', 'b', true)\")", []),
    ],
)
def test_rule_about_sql_finds_what_it_should(source: str, lines: list[int]) -> None:
    assert forgetful(source) == lines


@pytest.mark.parametrize(
    ("body", "is_found"),
    [
        ("await asyncio.gather(one(), two())", True),
        ("group.create_task(one())", True),
        ("async with asyncio.TaskGroup() as group:\n            pass", True),
        ("await scope.execute('x')", False),
    ],
)
def test_rule_about_child_tasks_finds_what_it_should(body: str, is_found: bool) -> None:  # noqa: FBT001 - a column of the table
    for opening in ("database.tenant(tenant_id) as scope", "pool.connection() as c, c.transaction()"):
        source = f"async def run():\n    async with {opening}:\n        {body}\n"
        assert bool(split_transactions(source)) is is_found
    assert split_transactions(f"async def run():\n    async with lock:\n        {body}\n") == []
