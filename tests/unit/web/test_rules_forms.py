"""What the forms and bodies of the company rules' page mean."""

import pytest

from addon.errors import Invalid
from addon.web import api_rules, forms_settings
from addon.web.api_rules import Wanted


@pytest.mark.parametrize(("typed", "meant"), [("0", 0), ("25", 25), ("", ""), ("x", "x"), ("-5", "-5"), ("1.5", "1.5")])
def test_share_is_a_number_where_it_is_one(typed: str, meant: object) -> None:
    assert forms_settings.share_body([("issueSharePercent", typed)]) == {"issueSharePercent": meant}


def test_number_of_many_digits_is_left_to_be_refused() -> None:
    (meant,) = forms_settings.share_body([("issueSharePercent", "9" * 5000)]).values()
    assert isinstance(meant, str)


def test_what_is_absent_or_null_stays_as_it_is() -> None:
    nothing = Wanted(by_organization=None, by_domain=None, share_percent=None)
    assert api_rules.read_wanted({}) == nothing
    assert api_rules.read_wanted({"byOrganization": None, "byDomain": None, "issueSharePercent": None}) == nothing


def test_every_problem_of_a_body_is_named_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        api_rules.read_wanted({"byOrganization": "on", "byDomain": 0, "issueSharePercent": 1000, "else": 1})
    assert [problem.field for problem in refused.value.problems] == [
        "else",
        "byOrganization",
        "byDomain",
        "issueSharePercent",
    ]


@pytest.mark.parametrize("sent", [{}, {"id": None}, {"id": 7}, {"id": "-1"}, {"id": "7", "force": True}])
def test_preview_is_named_by_its_id_alone(sent: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        api_rules.read_number(sent)
    assert api_rules.read_number({"id": "7"}) == 7
