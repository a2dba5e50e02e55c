"""Where does a list go on? Sort orders, and the opaque cursors that continue after the last row shown.

Keyset paging: a page costs the same however far down it is, and rows that come and go shift nothing. Builds no
statement: the SQL stays with the function that uses it.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from addon.crm import draft
from addon.errors import FieldProblem, Invalid

DEFAULT_LIMIT = 50
MAX_LIMIT = 200

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sort:
    """One order of a list. The row's id decides between equal keys.

    column: also the name of the result's column; key_type: how its value is written into a cursor and read again.
    """

    name: str
    column: str
    key_type: type[str] | type[datetime]
    descending: bool

    @property
    def direction(self) -> str:
        return "DESC" if self.descending else "ASC"

    @property
    def comparison(self) -> str:
        """How a later row compares with an earlier one."""
        return "<" if self.descending else ">"


SORTS: Mapping[str, Sort] = {
    sort.name: sort
    for sort in (
        Sort(name="name", column="name_key", key_type=str, descending=False),
        Sort(name="-name", column="name_key", key_type=str, descending=True),
        Sort(name="updatedAt", column="updated_at", key_type=datetime, descending=False),
        Sort(name="-updatedAt", column="updated_at", key_type=datetime, descending=True),
    )
}
BY_NAME = SORTS["name"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """The last row that was shown: its sort key and id."""

    key: str | datetime
    row_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Item]):
    """Some rows of a list in order, and the cursor of the next ones; None at the end."""

    items: Sequence[Item]
    next_cursor: str | None


def write_cursor(of: str, sort: Sort, position: Position) -> str:
    """`of`, here and below: which list, whatever else may be asked of it; the cursor of another one is refused."""
    key = position.key.isoformat() if isinstance(position.key, datetime) else position.key
    return _encode([of, sort.name, key, position.row_id])


def read_cursor(of: str, cursor: str, sort: Sort) -> Position:
    """Raises Invalid for what this list in this order has not written."""
    name, key, row_id = _decode(of, cursor, length=3)
    if name != sort.name or not isinstance(key, str) or not _is_storable(key):
        raise _refused()
    try:
        return Position(key=key if sort.key_type is str else _read_time(key), row_id=_read_row_id(row_id))
    except ValueError as exc:
        raise _refused() from exc


def write_id_cursor(of: str, row_id: int) -> str:
    """For lists that are ordered by id alone."""
    return _encode([of, row_id])


def read_id_cursor(of: str, cursor: str) -> int:
    """Raises Invalid."""
    (row_id,) = _decode(of, cursor, length=1)
    return _read_row_id(row_id)


def write_text_cursor(of: str, key: str) -> str:
    """For lists that are ordered by one text, which no two rows share."""
    return _encode([of, key])


def read_text_cursor(of: str, cursor: str) -> str:
    """Raises Invalid."""
    (key,) = _decode(of, cursor, length=1)
    if not isinstance(key, str) or not _is_storable(key):
        raise _refused()
    return key


def _encode(parts: Sequence[object]) -> str:
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(of: str, cursor: str, *, length: int) -> Sequence[object]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        parts = json.loads(text)
        # What is no sign of base64 is passed over when it is read.
        is_ours = isinstance(parts, list) and _encode(parts) == cursor
    except (ValueError, RecursionError) as exc:
        raise _refused() from exc
    if not is_ours or parts[:1] != [of] or len(parts) != 1 + length:
        raise _refused()
    found: Sequence[object] = parts[1:]
    return found


def _is_storable(key: str) -> bool:
    """Whether a row can have this key: a name from Jira may hold control characters, but neither NUL nor surrogates."""
    return "\0" not in key and not any("\ud800" <= char <= "\udfff" for char in key)


def _read_time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise _refused()
    try:
        return moment.astimezone(UTC)
    except OverflowError as exc:  # a year that only its own zone can say
        raise _refused() from exc


def _read_row_id(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= draft.MAX_ID:
        raise _refused()
    return value


def _refused() -> Invalid:
    return Invalid([FieldProblem(field="cursor", problem="was not made by this list in this order")])
