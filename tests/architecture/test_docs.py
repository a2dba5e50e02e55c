"""What the documents promise is what the code has."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from addon.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
MAX_PICTURE_BYTES = 150_000
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


def test_every_setting_is_documented_with_its_default() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith(f"| `{PREFIX}")]
    documented = {name for line in rows for name in re.findall(rf"`{PREFIX}(\w+)`", line.split("|")[1])}
    assert documented == {name.upper() for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        [row] = [line for line in rows if re.search(rf"`{PREFIX}{name.upper()}`", line.split("|")[1])]
        default = ",".join(field.default) if isinstance(field.default, tuple) else str(field.default)
        assert field.default is None or f"`{default}`" in row, name


def logged_events() -> Iterator[str]:
    """What the code's loggers are given as events; a name that is put together would be missed, so none may be."""
    for path in [*ROOT.glob("addon/**/*.py"), *ROOT.glob("lifecycle/**/*.py")]:
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(call, ast.Call)
                and isinstance(call.func, ast.Attribute)
                and call.func.attr in LEVELS
                and call.args
            ):
                [event] = call.args
                assert isinstance(event, ast.Constant), f"{path}:{call.lineno}"
                yield str(event.value)


def test_every_event_of_the_log_is_documented() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    _, _, table = text.partition("| event | means |\n|---|---|\n")
    rows, _, _ = table.partition("\n\n")
    documented = {name for row in rows.splitlines() for name in re.findall(r"`([^`]+)`", row.split("|")[1])}
    assert documented == set(logged_events())


def test_links_of_the_documents_lead_somewhere() -> None:
    for document in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"(?:\]\(|src=\"|srcset=\")([^)#\"]+)", document.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_every_picture_is_used_and_small() -> None:
    texts = "".join(path.read_text(encoding="utf-8") for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
    for picture in ROOT.glob("docs/pictures/*"):
        assert picture.name in texts
        assert picture.stat().st_size <= MAX_PICTURE_BYTES, picture.name
