"""What the panel says where several companies fit the reporter, and nobody has decided yet."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.integration.web import reported
from tests.integration.web.desk import MEMBER, NOW, Desk, People
from tests.integration.web.html import read
from tests.integration.web.reported import ada, panel, said, set_company


@pytest.fixture(autouse=True)
def everybody(people: People, acme: Desk, globex: Desk) -> None:
    reported.show_issue(people, [acme, globex])


async def tie(site: Desk, made: dict[str, Any], companies: Sequence[dict[str, Any]]) -> str:
    """As the rules note it; the id of what waits."""
    async with site.database.tenant(site.tenant.tenant_id) as scope:
        attention_id = await scope.fetch_val(
            """
            INSERT INTO attention (tenant_id, kind, account_id, contact_id, company_ids, since)
            VALUES (:tenant_id, 'company-tie', '', CAST(:contact_id AS bigint), CAST(:tied AS bigint[]), :now)
            RETURNING attention_id
            """,
            tied=[int(company["id"]) for company in companies],
            contact_id=int(made["id"]),
            now=NOW,
        )
    return str(attention_id)


async def test_tie_names_the_companies_and_leads_administrators_to_the_decision(acme: Desk) -> None:
    made = await ada(acme)
    tied = [await acme.make_company(name=name) for name in ("Acme", "Acme East")]
    await tie(acme, made, tied)
    text = await panel(acme)
    assert "Several companies fit, so none was chosen: Acme , Acme East" in said(text)
    assert "crm-settings" in text
    assert "crm-settings" not in await panel(acme.as_person(MEMBER))
    read(await set_company(acme, made, company=tied[0]["id"]))
    assert "Several companies fit" not in await panel(acme)


async def test_dismissed_tie_is_not_said_until_other_companies_fit(acme: Desk, globex: Desk) -> None:
    for site in (globex, acme):
        made = await ada(site)
        tied = [await site.make_company(name=name) for name in ("Acme", "Acme East", "Acme West")]
        waiting = await tie(site, made, tied[:2])
    answer = await acme.call("POST", f"/api/attention/{waiting}", json={"action": "dismiss"})
    assert answer.is_success, answer.text
    text = await panel(acme)
    assert "Several companies fit" not in said(text)
    assert "crm-settings" not in text
    assert "Choose a company" in said(text)
    assert "Several companies fit" in said(await panel(globex))
    async with acme.database.tenant(acme.tenant.tenant_id) as scope:
        await scope.execute(
            "UPDATE attention SET company_ids = company_ids || CAST(:third AS bigint) WHERE tenant_id = :tenant_id",
            third=int(tied[2]["id"]),
        )
    assert "none was chosen: Acme , Acme East , Acme West" in said(await panel(acme))
