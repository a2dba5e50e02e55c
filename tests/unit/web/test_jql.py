"""Whatever a company is called, its name is one literal of the query and nothing else of it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.web import jql

ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)


def read(literal: str) -> str:
    """As Jira reads a literal in double quotes."""
    found = LITERAL.fullmatch(literal)
    assert found is not None, literal
    return re.sub(r"\\(.)", lambda escape: ESCAPED.get(escape[1], escape[1]), found[1], flags=re.DOTALL)


@pytest.mark.parametrize(
    ("name", "literal"),
    [
        ("Acme", '"Acme"'),
        ('Acme "The Best" Inc', r'"Acme \"The Best\" Inc"'),
        ("back\\slash", r'"back\\slash"'),
        ('x" OR project = SECRET OR "Company" = "y', r'"x\" OR project = SECRET OR \"Company\" = \"y"'),
        ("ends with \\", r'"ends with \\"'),
        ("two\nlines", r'"two\nlines"'),
        ("<b>&amp;</b>", '"<b>&amp;</b>"'),
    ],
)
def test_name_is_quoted(name: str, literal: str) -> None:
    assert jql.quote(name) == literal


@given(st.text())
def test_name_is_read_back_as_it_was(name: str) -> None:
    assert read(jql.quote(name)) == name
    assert "\n" not in jql.quote(name)


def test_query_names_the_company_and_leaves_the_issue_out() -> None:
    assert jql.open_issues("Acme", besides=10) == (
        '"Company" = "Acme" AND statusCategory != Done AND id != 10 ORDER BY updated DESC'
    )
    assert jql.open_issues("Acme") == '"Company" = "Acme" AND statusCategory != Done ORDER BY updated DESC'
