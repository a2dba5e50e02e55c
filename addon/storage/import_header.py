"""How does the beginning of an import's file read: what are its columns called, and what stands in them?"""

from collections.abc import Sequence
from dataclasses import dataclass

from addon.crm import spreadsheet
from addon.crm.spreadsheet import Format, SpreadsheetError
from addon.errors import FieldProblem, Invalid
from addon.storage import import_file
from addon.storage.database import TenantScope

HEAD_BYTES = import_file.PIECE_BYTES
SAMPLES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """How the beginning of a file reads: the columns' names, and some cells of each."""

    format: Format
    columns: Sequence[str]
    samples: Sequence[Sequence[str]]


def read(head: bytes, *, encoding: str | None, delimiter: str | None, is_whole: bool) -> Header:
    """Raises Invalid where the file does not begin with the names of columns."""
    try:
        found = spreadsheet.detect(head, encoding=encoding, delimiter=delimiter, is_whole=is_whole)
        some = []
        for record in spreadsheet.records(head[found.begin :], found, is_whole=is_whole):
            some.append(record.cells)
            if len(some) > SAMPLES:
                break
    except SpreadsheetError as exc:
        raise Invalid([FieldProblem(field="file", problem=str(exc))]) from exc
    names = [name.strip() for name in some[0]] if some else []
    if not any(names):
        raise Invalid([FieldProblem(field="file", problem="does not begin with the names of its columns")])
    samples = [[row[place] if place < len(row) else "" for row in some[1:]] for place in range(len(names))]
    return Header(format=found, columns=names, samples=samples)


async def fetch(
    scope: TenantScope, import_id: int, *, file_bytes: int, encoding: str | None, delimiter: str | None
) -> Header:
    """Of a file that is kept. Raises Invalid."""
    head = await import_file.read(scope, import_id, begin=0, length=HEAD_BYTES)
    return read(head, encoding=encoding, delimiter=delimiter, is_whole=file_bytes <= HEAD_BYTES)
