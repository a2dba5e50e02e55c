"""What is known of an import at any time? The record that its states, jobs and pages share; changes nothing."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from addon.crm.incoming import Existing
from addon.crm.spreadsheet import Format
from addon.storage.database import Row
from lifecycle.tenant import AccountId

State = Literal["mapping", "reading", "matching", "refused", "ready", "writing", "done", "failed", "cancelled"]
WORKING: tuple[State, ...] = ("reading", "matching", "writing")
CHANGEABLE: tuple[State, ...] = ("mapping", "refused", "ready")

COLUMNS = """
    import_id, turn, state, account_id, file_name, file_bytes, encoding, delimiter, begin_byte, columns, targets, existing,
    at_byte, at_row, rows_read, problems, to_create, to_update, to_skip, new_companies, created, updated, skipped,
    left_out, failures, error, created_at, finished_at
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One import as it stands. at_byte, at_row: how far the work of its state has come.

    to_…: what the check found that writing would do; created, updated, skipped, left_out: what it did. left_out: rows that
    could not be taken any more when their turn came, which are listed as problems.
    """

    import_id: int
    turn: int
    state: State
    account_id: AccountId
    file_name: str
    file_bytes: int
    encoding: str
    delimiter: str
    begin_byte: int
    columns: Sequence[str]
    targets: Sequence[str]
    existing: Existing
    at_byte: int
    at_row: int
    rows_read: int
    problems: int
    to_create: int
    to_update: int
    to_skip: int
    new_companies: int
    created: int
    updated: int
    skipped: int
    left_out: int
    failures: int
    error: str | None
    created_at: datetime
    finished_at: datetime | None

    @property
    def shown_state(self) -> str:
        """As others see it: which part of the check is going on is nobody's business."""
        return "checking" if self.state in {"reading", "matching"} else self.state

    @property
    def format(self) -> Format:
        return Format(encoding=self.encoding, delimiter=self.delimiter, begin=self.begin_byte)

    @property
    def progress(self) -> float:
        """Of the work of its state, from 0 to 1."""
        match self.state:
            case "reading":
                return self.at_byte / self.file_bytes
            case "matching" | "writing":
                return self.at_row / max(self.rows_read + 1, 1)
            case "mapping":
                return 0.0
            case _:
                return 1.0


def read(row: Row) -> Import:
    """Of a row with COLUMNS."""
    return Import(**{**row, "columns": json.loads(row["columns"]), "targets": json.loads(row["targets"])})
