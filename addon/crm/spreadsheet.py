"""How is a CSV file read, of whatever program and country, a piece at a time? Pure: bytes in, records out.

A record ends at a byte of the file, so that reading goes on there later. What cannot be read is said with its row, never
guessed at.
"""

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from addon.crm import formula

ENCODINGS = (
    "utf-8",
    "utf-16-le",
    "utf-16-be",
    "windows-1252",
    "windows-1250",
    "windows-1251",
    "windows-1253",
    "windows-1254",
    "windows-1255",
    "windows-1256",
    "cp932",
    "gb18030",
    "big5",
    "cp949",
)
"""Each keeps the length of a text when it is decoded and encoded again, which the place of a record is counted by."""

DELIMITERS = (",", ";", "\t")

BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))

MAX_COLUMNS = 400

SEPARATOR_LINE = "sep="
# Excel's own first line, which names the delimiter and is no record.


class SpreadsheetError(ValueError):
    """The file cannot be read on; the message says why, for the person who brought it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """How the bytes are to be read. `begin`: the byte at which the header begins."""

    encoding: str
    delimiter: str
    begin: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One row, its cells as they were before they were guarded. `end`: the byte behind it, counted from the first one read."""

    cells: Sequence[str]
    end: int

    @property
    def is_empty(self) -> bool:
        return not any(cell.strip() for cell in self.cells)


def detect(head: bytes, *, encoding: str | None = None, delimiter: str | None = None, is_whole: bool) -> Format:
    """How a file that begins with `head` is to be read, unless a person said so.

    What is neither marked nor UTF-8 is supposed to be Western European: the person is shown what that gives.
    Raises SpreadsheetError for what is no text.
    """
    mark, marked = next(((mark, name) for mark, name in BOMS if head.startswith(mark)), (b"", None))
    chosen = encoding or marked or _detect_unmarked(head, is_whole=is_whole)
    begin = len(mark) if chosen == marked else 0
    text, fault = _decode(head[begin:], chosen, is_whole=is_whole)
    if fault is not None:
        raise fault
    if "\0" in text:
        raise SpreadsheetError("is not a CSV file: save the sheet as CSV, then try again")
    first_line = io.StringIO(text, newline="").readline()
    named = first_line[len(SEPARATOR_LINE) :].rstrip("\r\n")
    if first_line.lower().startswith(SEPARATOR_LINE) and named in DELIMITERS:
        begin += len(first_line.encode(chosen))
        return Format(encoding=chosen, delimiter=delimiter or named, begin=begin)
    return Format(encoding=chosen, delimiter=delimiter or _detect_delimiter(text), begin=begin)


def records(raw: bytes, file_format: Format, *, is_whole: bool) -> Iterator[Record]:
    """The records that end within `raw`, which begins where a record does. `is_whole`: the file ends with it.

    Raises SpreadsheetError behind the last record that can be read.
    """
    text, fault = _decode(raw, file_format.encoding, is_whole=is_whole)
    lines = _Lines(text, file_format.encoding, is_whole=is_whole and fault is None)
    reader = csv.reader(lines, delimiter=file_format.delimiter)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as exc:
            raise SpreadsheetError(f"has a cell of more than {csv.field_size_limit():,} characters") from exc
        if lines.is_at_end:  # within a record: a quotation mark is still open
            if is_whole and fault is None:
                raise SpreadsheetError("has a quotation mark that opens and never closes")
            break
        if len(cells) > MAX_COLUMNS:
            raise SpreadsheetError(f"has more than {MAX_COLUMNS} columns")
        yield Record(cells=[formula.unguard(cell) for cell in cells], end=lines.end)
    if fault is not None:
        raise fault


class _Lines:
    """Yields the lines of a text and counts their bytes. `is_at_end`: more was asked for than there is."""

    def __init__(self, text: str, encoding: str, *, is_whole: bool) -> None:
        # Without translation: a line may end in any of the three ways, and its bytes must be counted.
        self._lines = io.StringIO(text, newline="")
        self._encoding = encoding
        self._is_whole = is_whole
        self._length = len(text)
        self.end = 0
        self.is_at_end = False

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._lines.readline()
        # The last line of a part may go on in the next one, also where it ends in a carriage return.
        may_go_on = not self._is_whole and not line.endswith("\n") and self._lines.tell() == self._length
        if not line or may_go_on:
            self.is_at_end = True
            raise StopIteration
        self.end += len(line.encode(self._encoding))
        return line


def _decode(raw: bytes, encoding: str, *, is_whole: bool) -> tuple[str, SpreadsheetError | None]:
    """The text up to the first byte that is none, and what is wrong there. A character cut off at the end is left out."""
    try:
        return codecs.getincrementaldecoder(encoding)("strict").decode(raw, final=is_whole), None
    except UnicodeDecodeError as exc:
        good = codecs.getincrementaldecoder(encoding)("strict").decode(raw[: exc.start], final=False)
        return good, SpreadsheetError(f"is not written in {encoding.upper()}; choose another character set")


def _detect_unmarked(head: bytes, *, is_whole: bool) -> str:
    evens, odds = head[0::2].count(0), head[1::2].count(0)
    if odds > len(head) / 4 and evens == 0:
        return "utf-16-le"
    if evens > len(head) / 4 and odds == 0:
        return "utf-16-be"
    _, fault = _decode(head, "utf-8", is_whole=is_whole)
    return "utf-8" if fault is None else "windows-1252"


def _detect_delimiter(text: str) -> str:
    """The one that cuts the header into the most columns."""

    def columns(delimiter: str) -> int:
        return len(next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), []))

    return max(DELIMITERS, key=columns)
