"""The companies that a form offers where there are too many to list: searching among them chooses none."""

import re
from typing import Any

import pytest

from addon.web import cards
from tests.integration.web import reported
from tests.integration.web.desk import NOW, Desk, People
from tests.integration.web.html import fragment
from tests.integration.web.reported import ada, panel

SELECTED = re.compile(r'<option value="(\w*)" selected>([^<]*)<')


async def choices(site: Desk, kind: str, **params: Any) -> str:
    return await fragment(site, "GET", f"{kind}/choices", params=params)


async def test_choices_are_searched_and_begin_with_what_is_no_company(acme: Desk) -> None:
    for name in ("Acme", "Globex"):
        await acme.make_company(name=name)
    text = await choices(acme, "issues", **{"company-query": "glo"})
    assert re.findall(r'<option value="(\w*)"', text)[:3] == ["rules", "", "new"]
    assert ("Globex" in text, "Acme" in text) == (True, False)
    assert SELECTED.findall(text) == [("", "No company")]
    text = await choices(acme, "issues", **{"company-query": "\u0301"})
    assert "Globex" not in text


@pytest.mark.parametrize("kind", ["issues", "companies"])
async def test_chosen_company_stays_chosen_while_another_is_searched(acme: Desk, globex: Desk, kind: str) -> None:
    """Or *No company* would be what is saved. A company of another site is none."""
    chosen, other = await acme.make_company(), await acme.make_company(name="Other")
    theirs = await globex.make_company(name="Theirs")
    text = await choices(acme, kind, **{"company-query": "oth", "company": chosen["id"]})
    assert SELECTED.findall(text) == [(chosen["id"], "Acme")]
    assert f'<option value="{other["id"]}">Other<' in text
    text = await choices(acme, kind, **{"company-query": "oth", "company": theirs["id"]})
    assert "Theirs" not in text
    assert (await fragment(acme, "GET", f"{kind}/choices", params={"company-query": "oth"})).count("Other") == 1


@pytest.mark.parametrize("choice", ["rules", "new"])
async def test_choice_that_is_no_company_stays_chosen_while_one_is_searched(acme: Desk, choice: str) -> None:
    await acme.make_company(name="Other")
    text = await choices(acme, "issues", **{"company-query": "oth", "company": choice})
    assert [value for value, _ in SELECTED.findall(text)] == [choice]


async def test_search_tells_what_is_chosen(acme: Desk, people: People) -> None:
    """Both fields send the chosen company along."""
    reported.show_issue(people, [acme])
    async with acme.database.tenant(acme.tenant.tenant_id) as scope:
        await scope.execute(
            """
            INSERT INTO company (tenant_id, name, name_key, created_at, updated_at)
            SELECT :tenant_id, 'Firm ' || n, 'firm ' || n, :now, :now FROM generate_series(1, :count) n
            """,
            count=cards.MAX_CHOICES + 1,
            now=NOW,
        )
    made = await ada(acme)
    for text in (await panel(acme), await fragment(acme, "GET", f"contacts/{made['id']}")):
        (search,) = re.findall(r'<input id="company-query"[^>]*>', text)
        assert 'hx-include="#field-company"' in search
