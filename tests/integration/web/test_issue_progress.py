"""The page of the company rules: how far companies have come on issues, and what that may cost."""

import json
from datetime import timedelta

from tests.integration.web.desk import NOW, Desk
from tests.integration.web.html import fragment, read

PAGE = "/pages/company-rules"
RULES = "/api/company-rules"


async def execute(desk: Desk, sql: str, **values: object) -> None:
    async with desk.database.tenant(desk.tenant.tenant_id) as scope:
        await scope.execute(sql, **values)


async def test_share_is_chosen_and_kept(acme: Desk, globex: Desk) -> None:
    text = read(await acme.page(PAGE))
    assert '<option value="25" selected>25 %</option>' in text
    assert "Of the 42,250 API points an hour" in text
    saved = await acme.call("PUT", "/api/fragments/rules/share", form={"issueSharePercent": "0"})
    assert '<option value="0" selected>None</option>' in read(saved)
    assert "crm:shared" in json.loads(saved.headers["hx-trigger"])
    assert (await acme.get(RULES))["issueSharePercent"] == 0
    assert (await globex.get(RULES))["issueSharePercent"] == 25
    for refused in ("", "x", "101", "-5", "9" * 5000):
        answer = await acme.call("PUT", "/api/fragments/rules/share", form={"issueSharePercent": refused})
        assert [problem["field"] for problem in answer.json()["errors"]] == ["issueSharePercent"], refused[:9]
    await acme.call("PUT", RULES, json={"issueSharePercent": 33})
    assert '<option value="33" selected>33 %</option>' in read(await acme.page(PAGE)), "also one that is not offered"


async def test_status_of_issues_is_sent_again_only_when_it_changed(acme: Desk, globex: Desk) -> None:
    await acme.turn(on=True)
    path = "/api/fragments/rules/issues"
    shown = await fragment(acme, "GET", "rules/issues")
    view = json.loads(shown.split("hx-vals='")[1].split("'")[0])
    assert (await acme.call("GET", path, params=view)).status_code == 204
    await execute(
        acme,
        """
        INSERT INTO issue_state (tenant_id, phase, read, total, written, hour, spent, waiting_for, waiting_until)
        VALUES (:tenant_id, 'open', 1200, 5000, 800, :hour, 10500, 'the hourly API budget', :until)
        """,
        hour=NOW.replace(minute=0),
        until=NOW + timedelta(minutes=30),
    )
    text = read(await acme.call("GET", path, params=view))
    assert "1,200 of about 5,000 issues read" in text
    assert 'id="issues-written">800</dd>' in text
    assert "Waiting for the hourly API budget; goes on <time" in text
    assert "10,500 of 10,562 points of this hour's share spent" in text
    assert "5,000" not in await fragment(globex, "GET", "rules/issues")
    await execute(
        acme,
        "UPDATE issue_state SET waiting_for = 'a larger share', waiting_until = NULL WHERE tenant_id = :tenant_id",
    )
    assert "Waiting for a larger share." in await fragment(acme, "GET", "rules/issues")
    acme.clock.now += timedelta(hours=1)
    assert "0 of 10,562 points" in await fragment(acme, "GET", "rules/issues"), "the share is whole again"
