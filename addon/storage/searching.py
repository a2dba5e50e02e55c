"""Which contacts does a list show, at a million of them? In a time that does not grow with the tenant.

Three ways, chosen here and not left to the planner, which knows nothing of a tenant that has just arrived: few that a
filter names are gathered and sorted; what is frequent is met by walking the list's own index for a while; what is rare is
gathered through trigrams (docs/decisions/0014-search.md). Every function runs inside the caller's transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from addon.crm.company import CompanyId
from addon.crm.contact import Contact, ContactId
from addon.storage import contacts, criteria, keyset, needle
from addon.storage.criteria import Filter
from addon.storage.database import TenantScope

LIST = "contacts"

END = 2**62  # steps that no list has
MOST_COUNTED = 1_000
COUNTING_STEPS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How far each way goes; some 10 ms each.

    few: so many that a filter names are gathered and sorted; some: and so many where nothing else helped.
    sample: so many entries of an index tell whether enough is met within `steps`. What is not is rarer than one in 600, and
    of a million the trigrams give that many in little longer. many: as many that the trigrams give are not gathered: their
    text is frequent, only not where the walk began.
    """

    few: int = 2_000
    some: int = 20_000
    sample: int = 2_000
    steps: int = 30_000
    many: int = 5_000


USUAL = Effort()


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which contacts, in which order. `query`: part of the name, the email or the company's name; None and "" find all.

    linked: synced with Jira, or not; attention: True for those that a decision which waits for a person is about.
    """

    query: str | None = None
    linked: bool | None = None
    company_id: CompanyId | None = None
    attention: bool | None = None
    sort: keyset.Sort = keyset.BY_NAME
    cursor: str | None = None
    limit: int = keyset.DEFAULT_LIMIT

    @property
    def is_filtered(self) -> bool:
        return bool(self.query and self.query.strip()) or (self.linked, self.company_id, self.attention) != (None,) * 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many contacts fit. Not exact: at least as many."""

    number: int
    is_exact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """A search as SQL, on rows `w`. `within`: what walking an index leaves out by itself. `rare`: what trigrams may find;
    `is_telling`: and find with little else.
    """

    filters: Sequence[Filter]
    within: str
    order: str
    values: Mapping[str, object]
    rare: Sequence[str] | None
    is_telling: bool

    @property
    def condition(self) -> str:
        return " AND ".join(f"({each.condition})" for each in self.filters) or "true"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """The first that fit, in order. `is_cut`: the walk ended early. `total`: how many fit, where that is known."""

    contact_ids: Sequence[ContactId]
    is_cut: bool = False
    total: int | None = None


async def search(scope: TenantScope, wanted: Search, *, effort: Effort = USUAL) -> keyset.Page[Contact]:
    """One page of the contacts that fit. Raises Invalid for a cursor of another list."""
    question = await _ask(scope, wanted)
    found = _Found(contact_ids=[]) if question is None else await _find(scope, question, wanted.limit + 1, effort)
    return await _page(scope, wanted, found.contact_ids)


async def search_and_count(
    scope: TenantScope, wanted: Search, *, effort: Effort = USUAL
) -> tuple[keyset.Page[Contact], Count]:
    """As `search`, and how many fit on this page and behind it, as far as that is quickly known."""
    question = await _ask(scope, wanted)
    if question is None:
        return keyset.Page(items=[], next_cursor=None), Count(number=0, is_exact=True)
    found = await _find(scope, question, wanted.limit + 1, effort)
    page = await _page(scope, wanted, found.contact_ids)
    if found.total is not None:
        return page, Count(number=found.total, is_exact=True)
    return page, await _count(scope, question, at_least=len(found.contact_ids))


async def _page(scope: TenantScope, wanted: Search, contact_ids: Sequence[ContactId]) -> keyset.Page[Contact]:
    shown = contact_ids[: wanted.limit]
    rows = {row["contact_id"]: row for row in await contacts.fetch_rows(scope, shown)}
    ordered = [rows[contact_id] for contact_id in shown if contact_id in rows]
    next_cursor = None
    if len(contact_ids) > wanted.limit and ordered:
        last = keyset.Position(key=ordered[-1][wanted.sort.column], row_id=ordered[-1]["contact_id"])
        next_cursor = keyset.write_cursor(LIST, wanted.sort, last)
    return keyset.Page(items=await contacts.with_links(scope, ordered), next_cursor=next_cursor)


async def _find(scope: TenantScope, question: _Question, limit: int, effort: Effort) -> _Found:
    few = await _find_few(scope, question, limit, effort.few)
    if few is not None:
        return few
    found = await _walk(scope, question, limit, steps=effort.sample)
    if not found.is_cut:
        return found
    is_frequent = len(found.contact_ids) * effort.steps >= limit * effort.sample
    if is_frequent or not question.is_telling:
        found = await _walk(scope, question, limit, steps=effort.steps)
        if not found.is_cut:
            return found
    rare = await _find_rare(scope, question, limit, effort.many)
    if rare is not None:
        return rare
    some = await _find_few(scope, question, limit, effort.some)
    return some or await _walk(scope, question, limit, steps=END)


async def _find_few(scope: TenantScope, question: _Question, limit: int, few: int) -> _Found | None:
    """Sort those that a filter names and that fit; None where each filter names more than `few`."""
    for each in question.filters:
        if each.ids is not None:
            # The query of ids names its tenant_id.
            sql = f"SELECT count(*) FROM (SELECT 1 /* tenant_id */ FROM ({each.ids}) l LIMIT {few + 1}) few"  # noqa: S608 - as said
            if await scope.fetch_val(sql, **each.values) <= few:
                return await _gather(scope, question, each.ids, limit)
    return None


async def _ask(scope: TenantScope, wanted: Search) -> _Question | None:
    """None where nobody can fit. Raises Invalid."""
    sort, within, position = wanted.sort, ["true"], dict[str, object]()
    if wanted.cursor is not None:
        after = keyset.read_cursor(LIST, wanted.cursor, sort)
        within.append(f"(w.{sort.column}, w.contact_id) {sort.comparison} (:after_key, :after_id)")
        position = {"after_key": after.key, "after_id": after.row_id}
    filters: list[Filter] = []
    # The cheapest first: PostgreSQL asks them in this order.
    if wanted.company_id is not None:
        filters.append(criteria.of_company(wanted.company_id))
        if sort.column == "name_key":
            within.append(filters[-1].condition)
    text = needle.read(wanted.query)
    if text is not None:
        filters.append(criteria.like(text))
    if wanted.attention:
        filters.append(criteria.IN_ATTENTION)
    if wanted.linked is not None:
        is_on = await scope.fetch_val("SELECT enabled FROM sync_setting WHERE tenant_id = :tenant_id")
        if wanted.linked and not is_on:
            return None
        if is_on:
            filters.append(criteria.LINKED if wanted.linked else criteria.UNLINKED)
    return _Question(
        filters=filters,
        within=" AND ".join(within),
        order=f"w.{sort.column} {sort.direction}, w.contact_id {sort.direction}",
        values=position | {name: value for each in filters for name, value in each.values.items()},
        rare=text.patterns if text is not None and text.is_indexed else None,
        is_telling=text is not None and text.is_telling,
    )


async def _walk(scope: TenantScope, question: _Question, limit: int, *, steps: int) -> _Found:
    """Pass over so many entries of the list's index, and no further than is needed."""
    row = await scope.fetch_one(
        f"""
        WITH hits AS MATERIALIZED (
            SELECT w.contact_id /* tenant_id */ FROM ({_steps(question, steps)}) w WHERE {question.condition}
            -- again: a join with a condition's subquery would end the order of the steps
            ORDER BY {question.order} LIMIT {limit}
        )
        SELECT ARRAY(SELECT contact_id FROM hits) AS contact_ids,
            CASE WHEN (SELECT count(*) FROM hits) < {limit} THEN EXISTS ({_steps(question, 1)} OFFSET {steps - 1}) END AS is_cut
        """,  # noqa: S608 - as above
        **question.values,
    )
    if row is None:
        raise LookupError("a query without a table gave no row")
    contact_ids, is_cut = row["contact_ids"], bool(row["is_cut"])
    is_all = len(contact_ids) < limit and not is_cut
    return _Found(contact_ids=contact_ids, is_cut=is_cut, total=len(contact_ids) if is_all else None)


async def _count(scope: TenantScope, question: _Question, *, at_least: int) -> Count:
    """How many fit within some steps."""
    found = await _walk(scope, question, MOST_COUNTED, steps=COUNTING_STEPS)
    return Count(number=max(len(found.contact_ids), at_least), is_exact=found.total is not None)


def _steps(question: _Question, steps: int) -> str:
    return f"""
        SELECT w.contact_id, w.name_key, w.email_key, w.company_id, w.updated_at FROM contact w
        WHERE w.tenant_id = :tenant_id AND {question.within} ORDER BY {question.order} LIMIT {steps}
    """  # noqa: S608 - as above


async def _gather(scope: TenantScope, question: _Question, ids: str, limit: int) -> _Found:
    """Sort those of `ids`, a query, that fit."""
    rows = await scope.fetch_all(
        f"""
        SELECT w.contact_id, count(*) OVER () AS total FROM (
            SELECT contact_id, name_key, email_key, company_id, updated_at FROM contact
            WHERE tenant_id = :tenant_id AND contact_id = ANY(ARRAY({ids})) OFFSET 0
        ) w
        WHERE {question.within} AND {question.condition} ORDER BY {question.order} LIMIT {limit}
        """,  # noqa: S608 - as above
        **question.values,
    )
    return _Found(contact_ids=[row["contact_id"] for row in rows], total=rows[0]["total"] if rows else 0)


async def _find_rare(scope: TenantScope, question: _Question, limit: int, many: int) -> _Found | None:
    """Sort those that trigrams find and that fit; None where there are too many."""
    if question.rare is None:
        return None
    row = await scope.fetch_one(
        f"""
        WITH rare AS MATERIALIZED (SELECT * FROM search_contacts(CAST(:patterns AS text[]), {many})),
        fitting AS MATERIALIZED (
            SELECT w.contact_id, row_number() OVER (ORDER BY {question.order}) AS place FROM rare w
            WHERE CAST(:tenant_id AS uuid) IS NOT NULL AND {question.within} AND {question.condition})
        SELECT (SELECT count(*) FROM rare) AS given, (SELECT count(*) FROM fitting) AS total,
            ARRAY(SELECT contact_id FROM fitting ORDER BY place LIMIT {limit}) AS contact_ids
        """,  # noqa: S608 - as above
        **question.values,
    )
    if row is None or row["given"] >= many:
        return None
    return _Found(contact_ids=row["contact_ids"], total=row["total"])
