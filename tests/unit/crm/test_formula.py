import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.crm import formula

TEXTS = st.text() | st.text(alphabet="'=+-@\t\r\n a", max_size=8)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'=1"])
def test_formula_gets_an_apostrophe(text: str) -> None:
    assert formula.guard(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Ada", "a=b", "1", " ", "' quoted'", "'"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert formula.guard(text) == text
    assert formula.unguard(text) == text


@given(TEXTS)
def test_guarded_text_is_read_back_unchanged(text: str) -> None:
    assert formula.unguard(formula.guard(text)) == text


@given(TEXTS)
def test_guarded_text_never_begins_like_a_formula(text: str) -> None:
    assert not formula.guard(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
