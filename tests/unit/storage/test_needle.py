"""What a text in the search box becomes."""

import pytest

from addon.storage import needle


@pytest.mark.parametrize("text", [None, "", "  ", "\t"])
def test_text_without_a_letter_finds_everything(text: str | None) -> None:
    assert needle.read(text) is None


@pytest.mark.parametrize(
    ("text", "patterns"),
    [
        ("Lovelace", ["%lovelace%"]),
        (" ada  lovelace ", ["%ada  lovelace%"]),
        ("Zoë", ["%zoe%", "%zoë%"]),
        ("100%_sure\\", [r"%100\%\_sure\\%"]),
        ("%", [r"%\%%"]),
        ("王伟", ["%王伟%"]),
        ("\u0301", ["%\u0301%"]),
    ],
)
def test_text_is_folded_like_names_and_like_emails_and_is_literal(text: str, patterns: list[str]) -> None:
    read = needle.read(text)
    assert read is not None
    assert list(read.patterns) == patterns


@pytest.mark.parametrize("text", ["a", "Lo", "7", "é"])
def test_one_or_two_latin_letters_begin_a_word(text: str) -> None:
    read = needle.read(text)
    assert read is not None
    folded = {"é": "e"}.get(text, text.lower())
    assert set(read.patterns) == {f"% {folded}%", f"%.{folded}%", f"%@{folded}%", f"%-{folded}%", f"%'{folded}%"} | {
        rf"%\_{folded}%",
        f"%+{folded}%",
    }
    assert read.is_indexed


@pytest.mark.parametrize(
    ("text", "is_indexed"),
    [
        ("ada", True),
        ("иван", True),
        ("@x", True),
        ("a b", True),
        ("x.y", True),
        ("@", False),
        ("%%%", False),
        ("...", False),
        ("王伟", False),
        ("ж", False),
        ("a_", False),
        ("\u0301", False),
    ],
)
def test_trigrams_are_asked_for_what_they_know_alone(text: str, is_indexed: bool) -> None:  # noqa: FBT001 - a column
    read = needle.read(text)
    assert read is not None
    assert read.is_indexed is is_indexed


@pytest.mark.parametrize(
    ("text", "is_telling"), [("ada b", True), ("jo", True), ("a b", False), ("ab c", False), ("%", False)]
)
def test_letters_that_only_begin_words_tell_little(text: str, is_telling: bool) -> None:  # noqa: FBT001 - a parameter
    read = needle.read(text)
    assert read is not None
    assert read.is_telling is is_telling
