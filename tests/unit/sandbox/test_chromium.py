"""The browser that the tests and the pictures use is the one that is there."""

from pathlib import Path

import pytest

from sandbox import chromium


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The whole PATH, with nothing in it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(chromium.VARIABLE, raising=False)
    return tmp_path


def put(path: Path) -> str:
    path.touch(mode=0o755)
    return str(path)


@pytest.mark.parametrize("name", chromium.NAMES)
def test_browser_on_the_path_is_found_by_each_of_its_names(folder: Path, name: str) -> None:
    assert chromium.find() is None
    path = put(folder / name)
    assert chromium.find() == path


def test_named_browser_goes_before_those_on_the_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder / chromium.NAMES[0])
    named = put(folder / "my browser")
    monkeypatch.setenv(chromium.VARIABLE, named)
    assert chromium.find() == named


def test_named_browser_that_is_not_there_is_replaced_by_no_other(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder / chromium.NAMES[0])
    monkeypatch.setenv(chromium.VARIABLE, str(folder / "nowhere"))
    assert chromium.find() is None
