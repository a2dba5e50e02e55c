import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from addon.crm import formula
from addon.web import sheet


@given(st.lists(st.none() | st.text(st.characters(exclude_characters="\r\n\0")), min_size=1))
def test_line_reads_back_as_it_was_written(cells: list[str | None]) -> None:
    (row,) = csv.reader(io.StringIO(sheet.line(cells), newline=""))
    assert row == [formula.guard(cell or "") for cell in cells]


def test_sheet_begins_with_the_mark_of_its_character_set() -> None:
    assert sheet.header(["name", "=x"]).encode() == b"\xef\xbb\xbfname,'=x\r\n"


@pytest.mark.parametrize(
    ("accept", "is_wanted"),
    [
        ("text/csv", True),
        ("application/json, TEXT/CSV;q=0.9", True),
        ("*/*", False),
        ("", False),
        ("application/json", False),
        ("text/csvx", False),
    ],
)
def test_csv_is_sent_only_when_asked_for_by_name(accept: str, is_wanted: bool) -> None:  # noqa: FBT001 - a table's column
    request = Request({"type": "http", "headers": [(b"accept", accept.encode())]})
    assert sheet.is_wanted(request) is is_wanted
