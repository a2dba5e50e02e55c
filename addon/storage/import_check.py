"""How is the file of an import checked, a part at a time, before anything is written? Reads its rows, then matches them.

Every problem is noted with its row. Each function is one transaction's work and moves the import on by it, so that a
worker that dies repeats at most one part.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from addon.crm import columns, incoming, spreadsheet
from addon.crm.columns import Row
from addon.crm.incoming import Refuse, Update
from addon.crm.spreadsheet import SpreadsheetError
from addon.errors import FieldProblem
from addon.storage import import_file, import_match, keyset
from addon.storage.database import TenantScope
from addon.storage.import_match import Outlook
from addon.storage.import_record import Import

MAX_ROWS = 100_000
PART_BYTES = 1024 * 1024
# Also the longest row that can be read: it must end within a part.

HEADER_ROW = 1
OF_THE_FILE = ""
"""The field of a problem that no column alone has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong with a row, which is numbered as a spreadsheet program does: the header is row 1."""

    row_no: int
    field: str
    problem: str


@dataclass(slots=True, kw_only=True)
class _Part:
    """What was read in one go. `end`: the byte behind it; `last`: the number of its last row."""

    end: int
    last: int
    rows: list[Row] = field(default_factory=list)
    problems: list[tuple[int, FieldProblem]] = field(default_factory=list)
    read: int = 0
    is_broken: bool = False


async def read_part(scope: TenantScope, held: Import) -> None:
    """Read some more rows of the file and keep what they say."""
    raw = await import_file.read(scope, held.import_id, begin=held.at_byte, length=PART_BYTES)
    is_whole = held.at_byte + len(raw) >= held.file_bytes
    part = _read(raw, held, is_whole=is_whole)
    await _keep_rows(scope, held.import_id, part.rows)
    problems = len(part.problems)
    await note(scope, held.import_id, part.problems)
    is_last = is_whole or part.is_broken
    if is_last:
        problems += await _note_repeated(scope, held.import_id)
    await scope.execute(
        """
        UPDATE import_job SET state = :state, at_byte = :at_byte, at_row = :at_row, rows_read = rows_read + :read,
            problems = problems + :problems, failures = 0
        WHERE tenant_id = :tenant_id AND import_id = :import_id
        """,
        import_id=held.import_id,
        state="matching" if is_last else "reading",
        at_byte=part.end,
        at_row=0 if is_last else part.last,
        read=part.read,
        problems=problems,
    )


def _read(raw: bytes, held: Import, *, is_whole: bool) -> _Part:
    part = _Part(end=held.at_byte, last=held.at_row)
    try:
        for record in spreadsheet.records(raw, held.format, is_whole=is_whole):
            part.end = held.at_byte + record.end
            part.last += 1
            if part.last == HEADER_ROW or record.is_empty:
                continue
            if held.rows_read + part.read == MAX_ROWS:
                raise SpreadsheetError(f"is the first of more than {MAX_ROWS:,}; import them in parts")  # noqa: TRY301 - ends the file like any other fault of it
            part.read += 1
            row, problems = columns.read_row(part.last, record.cells, held.targets)
            part.problems += [(part.last, problem) for problem in problems]
            if not problems:
                part.rows.append(row)
        if part.end == held.at_byte and not is_whole:
            limit = PART_BYTES // 1024**2
            raise SpreadsheetError(f"is longer than {limit} MB, or has a quotation mark that opens and never closes")  # noqa: TRY301 - as above
    except SpreadsheetError as exc:
        part.is_broken = True
        part.problems.append((part.last + 1, FieldProblem(field=OF_THE_FILE, problem=str(exc))))
    if is_whole and not part.is_broken and held.rows_read + part.read == 0:
        part.problems.append((HEADER_ROW, FieldProblem(field=OF_THE_FILE, problem="is the only row of the file")))
    return part


async def match_part(scope: TenantScope, held: Import) -> None:
    """Find out what would become of some more rows; behind the last one, whether the file passed."""
    batch = await import_match.read_batch(scope, held.import_id, after=held.at_row)
    outlook = await import_match.look_ahead(scope, batch.rows, existing=held.existing)
    counts = incoming.counted([fate for _, fate in outlook.fates])
    refused = [(row.row_no, fate.problem) for row, fate in outlook.fates if isinstance(fate, Refuse)]
    refused += await _met_twice(scope, held.import_id, outlook)
    await note(scope, held.import_id, refused)
    new_companies = sum(row.row_no in batch.first_of_company and outlook.names_new_company(row) for row in batch.rows)
    state = "matching"
    if len(batch.rows) < import_match.ROWS_AT_ONCE:
        state = "refused" if held.problems + len(refused) else "ready"
    await scope.execute(
        """
        UPDATE import_job SET state = :state, at_row = :at_row, problems = problems + :problems,
            to_create = to_create + :to_create, to_update = to_update + :to_update, to_skip = to_skip + :to_skip,
            new_companies = new_companies + :new_companies, failures = 0
        WHERE tenant_id = :tenant_id AND import_id = :import_id
        """,
        import_id=held.import_id,
        state=state,
        at_row=batch.rows[-1].row_no if batch.rows else held.at_row,
        problems=len(refused),
        to_create=counts["create"],
        to_update=counts["update"],
        to_skip=counts["skip"],
        new_companies=new_companies,
    )


async def note(scope: TenantScope, import_id: int, problems: Sequence[tuple[int, FieldProblem]]) -> None:
    if problems:
        await scope.raw.execute(
            """
            INSERT INTO import_problem (tenant_id, import_id, row_no, field, problem)
            SELECT $1, $2, new.* FROM unnest($3::integer[], $4::text[], $5::text[]) AS new
            """,
            scope.tenant_id,
            import_id,
            [row_no for row_no, _ in problems],
            [problem.field for _, problem in problems],
            [problem.problem for _, problem in problems],
        )


async def problems_of(scope: TenantScope, import_id: int, *, cursor: str | None, limit: int) -> keyset.Page[Problem]:
    """By row. Raises Invalid for a cursor of another list."""
    of = f"problems of import {import_id}"
    after = 0 if cursor is None else keyset.read_id_cursor(of, cursor)
    rows = await scope.fetch_all(
        """
        SELECT place, row_no, field, problem FROM (
            SELECT row_number() OVER (ORDER BY row_no, problem_id) AS place, row_no, field, problem
            FROM import_problem WHERE tenant_id = :tenant_id AND import_id = CAST(:import_id AS bigint)
        ) numbered
        WHERE place > CAST(:after AS bigint) ORDER BY place LIMIT CAST(:limit AS bigint)
        """,
        import_id=import_id,
        after=after,
        limit=limit + 1,
    )
    shown = [Problem(row_no=row["row_no"], field=row["field"], problem=row["problem"]) for row in rows[:limit]]
    is_last = len(rows) <= limit
    return keyset.Page(
        items=shown, next_cursor=None if is_last else keyset.write_id_cursor(of, rows[limit - 1]["place"])
    )


async def _keep_rows(scope: TenantScope, import_id: int, rows: Sequence[Row]) -> None:
    await scope.raw.execute(
        """
        INSERT INTO import_row (tenant_id, import_id, row_no, contact_id, email_key, company_key, edit)
        SELECT $1, $2, row_no, contact_id, email_key, company_key, edit::jsonb
        FROM unnest($3::integer[], $4::bigint[], $5::text[], $6::text[], $7::text[])
            AS new (row_no, contact_id, email_key, company_key, edit)
        """,
        scope.tenant_id,
        import_id,
        [row.row_no for row in rows],
        [row.contact_id for row in rows],
        [row.email_key for row in rows],
        [row.company_key for row in rows],
        [incoming.write_row(row) for row in rows],
    )


async def _met_twice(scope: TenantScope, import_id: int, outlook: Outlook) -> list[tuple[int, FieldProblem]]:
    """Rows that mean by its email a contact which another row names by its id."""
    met = {
        fate.after.contact_id: row.row_no
        for row, fate in outlook.fates
        if isinstance(fate, Update) and row.contact_id is None
    }
    rows = await scope.raw.fetch(
        """
        SELECT contact_id, row_no FROM import_row
        WHERE tenant_id = $1 AND import_id = $2 AND contact_id = ANY($3::bigint[])
        """,
        scope.tenant_id,
        import_id,
        list(met),
    )
    return [
        (met[row["contact_id"]], FieldProblem(field="email", problem=f"is that of the contact of row {row['row_no']}"))
        for row in rows
    ]


async def _note_repeated(scope: TenantScope, import_id: int) -> int:
    """Rows about somebody that an earlier row is about; how many."""
    repeated: int = await scope.fetch_val(
        """
        WITH seen AS (
            SELECT row_no, 'id' AS field, min(row_no) OVER (PARTITION BY contact_id) AS first
            FROM import_row WHERE tenant_id = :tenant_id AND import_id = :import_id AND contact_id IS NOT NULL
            UNION ALL
            SELECT row_no, 'email', min(row_no) OVER (PARTITION BY email_key)
            FROM import_row
            -- A row that names its contact by the id may share its email with others, as the contacts do.
            WHERE tenant_id = :tenant_id AND import_id = :import_id AND email_key IS NOT NULL AND contact_id IS NULL
        ), noted AS (
            INSERT INTO import_problem (tenant_id, import_id, row_no, field, problem)
            SELECT :tenant_id, :import_id, row_no, field, 'is the same as in row ' || first
            FROM seen WHERE row_no > first
            RETURNING 1
        )
        SELECT count(*) FROM noted
        """,
        import_id=import_id,
    )
    return repeated
