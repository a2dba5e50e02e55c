"""An issue and those around it: who reported it, who sees it, and how its panel is read and its form sent."""

import html
import re
from collections.abc import Sequence
from typing import Any

import httpx

from addon.issues.facts import IssueFacts
from addon.storage import issue_company
from lifecycle.tenant import AccountId
from tests.integration.web.desk import ADMIN, MEMBER, NOW, Desk, People
from tests.integration.web.html import read

ISSUE = 10001
ADA = AccountId("qm:ada")
AGENT = AccountId("5b10:agent")
CUSTOMER = AccountId("qm:somebody")
USERS = frozenset({"jira-users"})


def show_issue(people: People, sites: Sequence[Desk]) -> None:
    """ADMIN administers, MEMBER sees contacts, AGENT uses Jira, CUSTOMER does not; each but the last sees the issue."""
    for site in sites:
        tenant_id = site.tenant.tenant_id
        for person in (ADMIN, MEMBER, AGENT):
            people.groups[tenant_id, person] = USERS | ({"crm"} if person == MEMBER else frozenset())
            people.shown.add((tenant_id, person, ISSUE))


async def report(site: Desk, reporter_id: AccountId | None, issue_id: int = ISSUE) -> None:
    """As an event of Jira tells."""
    facts = IssueFacts(issue_id=issue_id, reporter_id=reporter_id, updated_at=NOW)
    async with site.database.tenant(site.tenant.tenant_id) as scope:
        await issue_company.learn(scope, [facts], is_backlog=False)


async def ada(site: Desk, **attributes: Any) -> dict[str, Any]:
    """A customer with a contact, who reported the issue, at a site where MEMBER sees contacts."""
    made = await site.make_contact(email="ada@example.com", phone="+44 1", jobTitle="Analyst", **attributes)
    await site.link(made["id"], ADA, kind="customer", display_name="Ada in Jira")
    await site.turn(on=True)
    async with site.database.tenant(site.tenant.tenant_id) as scope:
        await scope.execute("UPDATE sync_setting SET crm_groups = ARRAY['crm'] WHERE tenant_id = :tenant_id")
    await report(site, ADA)
    return made


async def panel(site: Desk, issue_id: int = ISSUE) -> str:
    return read(await site.page("/pages/issue-context", f"issue={issue_id}"))


def said(text: str) -> str:
    """What a person reads of a page or a fragment, without the tags."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text.rpartition("<main")[2])).split())


async def set_company(site: Desk, made: dict[str, Any], issue_id: int = ISSUE, /, **fields: str) -> httpx.Response:
    form = {"contact": made["id"], "version": str(made["version"]), **fields}
    return await site.call("PATCH", f"/api/fragments/issues/{issue_id}/company", form=form)


async def due(site: Desk) -> Sequence[str]:
    """Whose issues are to be looked at."""
    async with site.database.tenant(site.tenant.tenant_id) as scope:
        rows = await scope.fetch_all("SELECT account_id FROM reporter_due WHERE tenant_id = :tenant_id")
    return [row["account_id"] for row in rows]
