"""What the documents promise is what the code has."""

import re
from pathlib import Path

from addon.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
MAX_PICTURE_BYTES = 150_000


def test_every_setting_is_documented_with_its_default() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith(f"| `{PREFIX}")]
    documented = {name for line in rows for name in re.findall(rf"`{PREFIX}(\w+)`", line.split("|")[1])}
    assert documented == {name.upper() for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        [row] = [line for line in rows if re.search(rf"`{PREFIX}{name.upper()}`", line.split("|")[1])]
        default = ",".join(field.default) if isinstance(field.default, tuple) else str(field.default)
        assert field.default is None or f"`{default}`" in row, name


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
