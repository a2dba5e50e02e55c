"""What can be asked of the contacts in a list, as SQL? Each filter as a condition and, where that is cheap, as a query of ids.

Executes nothing. Which of the two is used is decided in `addon.storage.searching`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from addon.crm.company import CompanyId
from addon.storage import attention
from addon.storage.needle import Needle

MOST_COMPANIES = 100_000

OF_LIKE_COMPANY = f"w.company_id IN (SELECT search_companies(CAST(:patterns AS text[]), {MOST_COMPANIES}))"
OF_LIKE_COMPANY_UNINDEXED = """
    w.company_id IN (SELECT f.company_id FROM company f WHERE f.tenant_id = :tenant_id
                     AND search_text(f.name_key, NULL) LIKE ANY (CAST(:patterns AS text[])))
"""

ATTENTION_IDS = f"""
    SELECT unnest(item.candidates) AS contact_id FROM ({attention.ITEMS}) item
    WHERE item.tenant_id = :tenant_id AND item.kind <> 'mass-unlink' AND {attention.SHOWN}
    UNION SELECT a.contact_id FROM ({attention.ITEMS}) item
    JOIN account a ON a.tenant_id = item.tenant_id AND a.account_id = item.account_id
    WHERE item.tenant_id = :tenant_id AND item.kind = 'email-collision' AND {attention.SHOWN}
"""  # noqa: S608 - constants


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """`condition`: on a row `w` of contact; `ids`: the contact_id of all that fit, in the order of an index, without which
    PostgreSQL would look for the first of a large tenant among the rows of all the others. `values`: of both.
    """

    condition: str
    ids: str | None = None
    values: Mapping[str, object] = field(default_factory=dict)


# The subqueries on a row are asked row by row: as joins, PostgreSQL would first find every linked contact of the tenant.
LINKED = Filter(
    condition="""
        (SELECT true FROM account a WHERE a.tenant_id = :tenant_id AND a.contact_id = w.contact_id LIMIT 1) IS NOT NULL
    """,
    ids="SELECT contact_id FROM account WHERE tenant_id = :tenant_id AND contact_id IS NOT NULL ORDER BY contact_id",
)
UNLINKED = Filter(
    condition="""
        (SELECT true FROM contact_unlinked u WHERE u.tenant_id = :tenant_id AND u.contact_id = w.contact_id) IS NOT NULL
    """,
    ids="SELECT contact_id FROM contact_unlinked WHERE tenant_id = :tenant_id ORDER BY contact_id",
)
# `IS TRUE` keeps it a condition on a row, which leaves a walk its order and its early end; without, it is a join.
IN_ATTENTION = Filter(condition=f"(w.contact_id IN ({ATTENTION_IDS})) IS TRUE", ids=ATTENTION_IDS)


def of_company(company_id: CompanyId) -> Filter:
    return Filter(
        condition="w.company_id = :company_id",
        ids="SELECT contact_id FROM contact WHERE tenant_id = :tenant_id AND company_id = :company_id ORDER BY name_key",
        values={"company_id": company_id},
    )


def like(text: Needle) -> Filter:
    """Name, email or the company's name is like the text."""
    # The keys by themselves: put together, as the trigrams have them, they cost as much again.
    values: dict[str, object] = {f"part_{place}": part for place, part in enumerate(text.parts)}
    condition = " OR ".join(f"w.name_key LIKE :{name} OR w.email_key LIKE :{name}" for name in values)
    if text.is_word:
        condition = f"({condition}) AND search_text(w.name_key, w.email_key) LIKE ANY (CAST(:patterns AS text[]))"
    condition = f"{condition} OR {OF_LIKE_COMPANY if text.is_indexed else OF_LIKE_COMPANY_UNINDEXED}"
    return Filter(condition=condition, values=values | {"patterns": text.patterns})
