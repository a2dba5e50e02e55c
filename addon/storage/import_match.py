"""Which contacts and companies do the rows of an import mean, and what becomes of each row then? Writes nothing.

Asked by the check and again by the writing, so that both decide alike. The decision itself is `addon.crm.incoming`'s.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from addon.crm import company, contact, incoming
from addon.crm.columns import Row
from addon.crm.company import CompanyId
from addon.crm.incoming import Existing, Fate, Present, Refuse
from addon.errors import FieldProblem
from addon.storage.database import TenantScope

ROWS_AT_ONCE = 500

PRESENT = """c.contact_id, c.name, c.email, c.phone, c.job_title, c.attributes, c.company_id,
    EXISTS (
        SELECT 1 FROM account a JOIN sync_setting s ON s.tenant_id = a.tenant_id AND s.enabled
        WHERE a.tenant_id = c.tenant_id AND a.contact_id = c.contact_id
    ) AS is_synced"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Some rows of an import, in order. `first_of_company`: the rows before which the file names their company nowhere."""

    rows: Sequence[Row]
    first_of_company: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What becomes of each row of a batch, and the companies that they name and that exist, by key."""

    fates: Sequence[tuple[Row, Fate]]
    companies: Mapping[str, Sequence[CompanyId]]

    def company_of(self, row: Row) -> CompanyId | None:
        """The one that a new contact of the row belongs to; None where the row names none, or one that is yet to be made."""
        match _companies_of(row, self.companies):
            case [company_id]:
                return company_id
            case _:
                return None

    def names_new_company(self, row: Row) -> bool:
        return row.company is not None and not _companies_of(row, self.companies)


async def read_batch(scope: TenantScope, import_id: int, *, after: int) -> Batch:
    """The rows behind the one numbered `after`."""
    rows = await scope.raw.fetch(
        """
        SELECT row_no, contact_id, edit, company_key IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM import_row earlier
            WHERE earlier.tenant_id = $1 AND earlier.import_id = $2 AND earlier.company_key = r.company_key
                AND earlier.row_no < r.row_no
        ) AS is_first
        FROM import_row r WHERE tenant_id = $1 AND import_id = $2 AND row_no > $3 ORDER BY row_no LIMIT $4
        """,
        scope.tenant_id,
        import_id,
        after,
        ROWS_AT_ONCE,
    )
    return Batch(
        rows=[incoming.read_row(row["row_no"], row["contact_id"], row["edit"]) for row in rows],
        first_of_company=frozenset(row["row_no"] for row in rows if row["is_first"]),
    )


async def look_ahead(scope: TenantScope, rows: Sequence[Row], *, existing: Existing) -> Outlook:
    """What becomes of the rows as things stand in this transaction."""
    companies = await companies_of(scope, rows)
    found = await _find(scope, rows)
    return Outlook(
        fates=[(row, _decide(row, found[row.row_no], companies, existing)) for row in rows], companies=companies
    )


def _decide(
    row: Row, found: Sequence[Present], companies: Mapping[str, Sequence[CompanyId]], existing: Existing
) -> Fate:
    possible = _companies_of(row, companies)
    # The company that the contact has is the one that is meant, however many have its name.
    own = [company_id for company_id in possible if [company_id] == [present.company_id for present in found]]
    match own or possible:
        case []:
            company_id = None
        case [company_id]:
            pass
        case _:
            problem = "is the name of several companies, of which the row may mean any"
            return Refuse(problem=FieldProblem(field="company", problem=problem))
    return incoming.decide(row, found, existing=existing, company_id=company_id)


def _companies_of(row: Row, companies: Mapping[str, Sequence[CompanyId]]) -> Sequence[CompanyId]:
    return () if row.company_key is None else companies.get(row.company_key, ())


async def companies_of(scope: TenantScope, rows: Sequence[Row]) -> dict[str, list[CompanyId]]:
    """The companies that have the names of the rows, by the key of the name."""
    found: dict[str, list[CompanyId]] = defaultdict(list)
    for each in await scope.raw.fetch(
        """
        SELECT company.company_id, company.name FROM unnest($2::text[]) AS wanted (name_key)
        JOIN company ON company.tenant_id = $1 AND company.name_key = wanted.name_key
        """,
        scope.tenant_id,
        # The index knows names without their accents, which may be those of another company: the key tells.
        sorted({contact.name_key(row.company) for row in rows if row.company is not None}),
    ):
        found[company.company_key(each["name"])].append(each["company_id"])
    return found


async def _find(scope: TenantScope, rows: Sequence[Row]) -> Mapping[int, Sequence[Present]]:
    """By row number: the contact that the row names, or else those that have its email."""
    by_id = [row for row in rows if row.contact_id is not None]
    by_email = [row for row in rows if row.contact_id is None and row.email_key is not None]
    named = await scope.raw.fetch(
        f"""
        SELECT wanted.row_no, {PRESENT} FROM unnest($2::integer[], $3::bigint[]) AS wanted (row_no, contact_id)
        JOIN contact c ON c.tenant_id = $1 AND c.contact_id = wanted.contact_id
        """,  # noqa: S608 - a constant
        scope.tenant_id,
        [row.row_no for row in by_id],
        [row.contact_id for row in by_id],
    )
    known = await scope.raw.fetch(
        f"""
        SELECT wanted.row_no, found.* FROM unnest($2::integer[], $3::text[]) AS wanted (row_no, email_key), LATERAL (
            SELECT {PRESENT} FROM contact c WHERE c.tenant_id = $1 AND c.email_key = wanted.email_key
            -- One address at a time, by its index, however old the statistics are (as in plan_rows).
            ORDER BY c.contact_id OFFSET 0) AS found
        """,  # noqa: S608 - a constant
        scope.tenant_id,
        [row.row_no for row in by_email],
        [row.email_key for row in by_email],
    )
    found: dict[int, list[Present]] = defaultdict(list)
    for each in (*named, *known):
        columns = {name: value for name, value in each.items() if name != "row_no"}
        present = Present(**{**columns, "attributes": json.loads(each["attributes"])})
        found[each["row_no"]].append(present)
    return found
