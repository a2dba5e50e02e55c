"""Every code that a page tells in words has its words."""

from collections.abc import Mapping
from typing import Any, get_args

import pytest

from addon.crm.assignment import AssignedBy
from addon.storage import issue_state, rule_work
from addon.web import words


@pytest.mark.parametrize(
    ("table", "codes"),
    [
        (words.RULE_WORK, rule_work.State),
        (words.RULE_CHANGES, rule_work.ChangeState),
        (words.ISSUES, issue_state.State),
        (words.RULES, AssignedBy),
        (words.COMPANY_BY, AssignedBy),
    ],
)
def test_every_code_has_words_and_no_other_has(table: Mapping[str, str], codes: Any) -> None:
    assert table.keys() == set(get_args(codes))


def test_change_that_no_rule_makes_has_words_too() -> None:
    assert words.rule(None) == "No rule fits any more"
