import csv
import io
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.crm import formula, spreadsheet
from addon.crm.spreadsheet import Format, SpreadsheetError

CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
SHEETS = st.lists(st.lists(CELLS, min_size=2, max_size=3), min_size=1, max_size=6)
UNICODE = ("utf-8", "utf-16-le", "utf-16-be", "gb18030")


def written(rows: Sequence[Sequence[str]], *, delimiter: str = ",", end: str = "\r\n") -> str:
    buffer = io.StringIO()
    # Python's writer leaves a line break bare that is not its own line's end.
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([[formula.guard(cell) for cell in row] for row in rows])
    return buffer.getvalue()


def in_parts(raw: bytes, file_format: Format, *, part: int) -> list[Sequence[str]]:
    """As a job reads: a part at a time, each from where the last whole record ended."""
    found: list[Sequence[str]] = []
    begin = file_format.begin
    while begin < len(raw):
        size = part
        ends = [begin]
        while ends == [begin]:
            piece = raw[begin : begin + size]
            for record in spreadsheet.records(piece, file_format, is_whole=begin + len(piece) == len(raw)):
                found.append(record.cells)
                ends.append(begin + record.end)
            size *= 2
        begin = ends[-1]
    return found


@given(
    SHEETS, st.sampled_from(UNICODE), st.sampled_from(",;\t"), st.sampled_from(["\r\n", "\n", "\r"]), st.integers(2, 40)
)
def test_file_read_in_parts_gives_what_was_written(
    rows: list[list[str]], encoding: str, delimiter: str, end: str, part: int
) -> None:
    text = written(rows, delimiter=delimiter, end=end)
    file_format = Format(encoding=encoding, delimiter=delimiter, begin=0)
    read = in_parts(text.encode(encoding), file_format, part=part)
    assert [list(cells) for cells in read] == rows


@pytest.mark.parametrize("encoding", spreadsheet.ENCODINGS)
def test_place_of_a_record_is_counted_in_bytes_of_any_character_set(encoding: str) -> None:
    every = bytes(range(0x20, 0x100)).decode(encoding, "ignore").replace('"', "").replace(",", "")
    raw = f"a,b\n{every},1\nc,d\n".encode(encoding)
    assert [cells[-1] for cells in in_parts(raw, Format(encoding=encoding, delimiter=",", begin=0), part=8)] == [
        *("b", "1", "d")
    ]


@pytest.mark.parametrize(
    ("raw", "encoding", "delimiter", "begin"),
    [
        (b"name,email\nA,a@b.c\n", "utf-8", ",", 0),
        ("name;größe\n".encode(), "utf-8", ";", 0),
        (b"\xef\xbb\xbfname\temail\n", "utf-8", "\t", 3),
        ("\ufeffname,email\n".encode("utf-16-le"), "utf-16-le", ",", 2),
        ("\ufeffname,email\n".encode("utf-16-be"), "utf-16-be", ",", 2),
        ("name,email\n".encode("utf-16-le"), "utf-16-le", ",", 0),
        ("name,email\n".encode("utf-16-be"), "utf-16-be", ",", 0),
        ("Größe;Straße\n".encode("windows-1252"), "windows-1252", ";", 0),
        (b"sep=;\r\na,x;b,y\r\n", "utf-8", ";", 7),
        (b'"a;b;c",d\n', "utf-8", ",", 0),
        (b"one column\n", "utf-8", ",", 0),
    ],
)
def test_format_is_found_out(raw: bytes, encoding: str, delimiter: str, begin: int) -> None:
    expected = Format(encoding=encoding, delimiter=delimiter, begin=begin)
    assert spreadsheet.detect(raw, is_whole=True) == expected


def test_head_that_ends_within_a_character_is_utf_8() -> None:
    assert spreadsheet.detect("ä".encode()[:1], is_whole=False).encoding == "utf-8"


def test_what_a_person_says_counts() -> None:
    found = spreadsheet.detect("п;в\n".encode("windows-1251"), encoding="windows-1251", delimiter="\t", is_whole=True)
    assert found == Format(encoding="windows-1251", delimiter="\t", begin=0)


@pytest.mark.parametrize("raw", [b"PK\x03\x04\0\0\0", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", b"\x81\x8d"])
def test_what_is_no_text_is_refused(raw: bytes) -> None:
    with pytest.raises(SpreadsheetError):
        spreadsheet.detect(raw, is_whole=True)


@pytest.mark.parametrize(
    ("raw", "before", "problem"),
    [
        (b'a\n"b\nc\n', 1, "quotation mark"),
        (b"a\nb\n\xff\nc\n", 2, "is not written in UTF-8"),
        (b"a\n" + b"x" * 140_000 + b"\n", 1, "cell of more than"),
        (b"a\n" + b"," * 500 + b"\n", 1, "columns"),
        (b"a\n\xc3", 1, "is not written in UTF-8"),
    ],
)
def test_fault_comes_behind_what_can_be_read(raw: bytes, before: int, problem: str) -> None:
    found: list[Sequence[str]] = []
    file_format = Format(encoding="utf-8", delimiter=",", begin=0)
    with pytest.raises(SpreadsheetError, match=problem):
        found.extend(record.cells for record in spreadsheet.records(raw, file_format, is_whole=True))
    assert len(found) == before
