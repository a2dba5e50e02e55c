"""The sandbox's own document names what there is."""

import re
from pathlib import Path

from sandbox import control, faults, switches

README = (Path(switches.__file__).parent / "README.md").read_text("utf-8")


def test_every_fault_is_documented() -> None:
    section = README.partition("## Faults")[2]
    assert set(re.findall(r"^\| `(\w+)`", section, re.MULTILINE)) == set(switches.show(faults.Faults()))
    assert all(f"`{limit}`" in section for limit in faults.Limit)


def test_every_control_call_is_documented() -> None:
    for path, _, _ in control.ENDPOINTS:
        assert path.partition("/{")[0].rpartition("/")[2] in README
