"""How do our records look in a spreadsheet? CSV (RFC 4180) whose cells no program takes for a formula."""

import csv
import io
from collections.abc import Sequence

from starlette.requests import Request

from addon.crm import formula
from addon.storage.history import Change
from addon.web import shape

MEDIA_TYPE = "text/csv"
CHANGE_COLUMNS = ("at", "contactId", "contactName", "accountId", "field", "old", "new", "cause")
BYTE_ORDER_MARK = "\ufeff"
# Without it, spreadsheet programs take UTF-8 for the character set of their country.


def is_wanted(request: Request) -> bool:
    """Whether the caller asks for CSV by name; a wildcard means JSON."""
    kinds = request.headers.get("accept", "").split(",")
    return any(kind.partition(";")[0].strip().lower() == MEDIA_TYPE for kind in kinds)


def change(made: Change) -> str:
    written = shape.change(made)
    return line([written[column] for column in CHANGE_COLUMNS])


def header(columns: Sequence[str]) -> str:
    """How every sheet begins."""
    return BYTE_ORDER_MARK + line(columns)


def line(cells: Sequence[str | None]) -> str:
    """One line of a sheet; None is an empty cell."""
    buffer = io.StringIO()
    csv.writer(buffer).writerow(["" if cell is None else formula.guard(cell) for cell in cells])
    return buffer.getvalue()
