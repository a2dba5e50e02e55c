import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.crm import formula

TEXTS = st.text() | st.text(alphabet="'=+-@\t\r\n;\" a", max_size=8)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t1", "\r1", "'=1"])
def test_formula_gets_an_apostrophe(text: str) -> None:
    assert formula.guard(text) == f"'{text}"


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("a;=1+1", "a;'=1+1"),
        ("=1;-2", "'=1;'-2"),
        ("a\n=1", "a\n'=1"),
        ("\t=1", "'\t'=1"),
        ("a;;@b", "a;;'@b"),
        ("a;'=1", "a;''=1"),
        ('a;"=1"', 'a;\'"=1"'),
    ],
)
def test_part_that_a_spreadsheet_may_cut_off_is_guarded_too(text: str, cell: str) -> None:
    """In countries where a semicolon stands between the cells of a sheet."""
    assert formula.guard(text) == cell
    assert formula.unguard(cell) == text


@pytest.mark.parametrize("text", ["", "Ada", "a=b", "1", " ", "' quoted'", "'", "Ada; Bob", "a;b=c", "a\n\nb"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert formula.guard(text) == text
    assert formula.unguard(text) == text


@given(TEXTS)
def test_guarded_text_is_read_back_unchanged(text: str) -> None:
    assert formula.unguard(formula.guard(text)) == text


@given(TEXTS)
def test_no_part_of_a_guarded_text_begins_like_a_formula(text: str) -> None:
    guarded = formula.guard(text)
    assert not guarded.startswith(("\t", "\r", "\n"))
    first, *others = re.split(r"[;\t\r\n]", guarded)
    for part in (first, *(other.lstrip('"') for other in others)):
        assert not part.startswith(("=", "+", "-", "@"))
