import pytest

from addon.crm import columns

OURS = ["id", "name", "email", "origin", "syncedJiraUser", "attributes.team", "attributes"]


@pytest.mark.parametrize(
    ("names", "targets"),
    [
        (["Name", "E-Mail", "Téléphone", "Job Title"], ["name", "email", "phone", "jobTitle"]),
        (["Full name", "Email address", "Phone number", "Company name"], ["name", "email", "phone", "company"]),
        (["email", "work email"], ["email", ""]),
        (["id", "name"], ["", "name"]),
        (OURS, ["id", "name", "email", "", "", "attributes.team", "attributes"]),
        (["attributes. ", "attributes.\0"], ["", ""]),
    ],
)
def test_meaning_is_guessed_by_the_name(names: list[str], targets: list[str]) -> None:
    assert columns.guess(names) == targets


def test_row_says_only_what_is_in_its_cells() -> None:
    targets = ["name", "email", "", "attributes.team", "phone"]
    row, problems = columns.read_row(7, [" Ada ", "ada@example.com", "x", "A\r\nB", ""], targets)
    assert problems == []
    assert (row.row_no, row.name, row.email, row.phone, row.attributes) == (
        *(7, "Ada", "ada@example.com", None),
        {"team": "A B"},
    )


def test_cell_in_which_nothing_can_be_seen_is_empty() -> None:
    row, problems = columns.read_row(2, ["Ada", "\ufeff", "\u200b"], ["name", "email", "company"])
    assert (row.name, row.email, row.company, problems) == ("Ada", None, None, [])


def test_short_row_leaves_the_rest_empty() -> None:
    row, problems = columns.read_row(2, ["Ada"], ["name", "email"])
    assert (row.name, row.email, problems) == ("Ada", None, [])


@pytest.mark.parametrize(
    ("cells", "fields"),
    [
        (["A", "nobody", "", "", ""], ["email"]),
        (["A" * 256, "", "", "", ""], ["name"]),
        (["A", "", "x", "", ""], ["id"]),
        (["A", "", "", "{", ""], ["attributes"]),
        (["A", "", "", "[1]", ""], ["attributes"]),
        (["A", "", "", '{"a": 1}', ""], ["attributes.a"]),
        (["A", "", "", '{"\\u0000": "x"}', ""], ["attributes"]),
        (["A", "", "", '{"\\ud800": "x"}', ""], ["attributes"]),
        (["A", "", "", "", "x" * 256], ["company"]),
        (["A", "a b", "x", "{", "", "more"], ["", "attributes", "email", "id"]),
    ],
)
def test_row_with_faults_names_every_one(cells: list[str], fields: list[str]) -> None:
    _, problems = columns.read_row(2, cells, ["name", "email", "id", "attributes", "company"])
    assert sorted(problem.field for problem in problems) == sorted(fields)


def test_attributes_of_columns_count_before_those_of_the_object() -> None:
    row, _ = columns.read_row(2, ["A", '{"a": "1", "b": "2"}', "3"], ["name", "attributes", "attributes.a"])
    assert row.attributes == {"a": "3", "b": "2"}
