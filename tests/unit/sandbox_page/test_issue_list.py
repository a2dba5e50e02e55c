"""The list of issues: what a query finds, page by page, and what Jira has against one."""

import html
import re
import urllib.parse

import pytest

from sandbox import issue_listing, site
from tests.unit.sandbox_page.conftest import PROPERTY, Stage


def keys_in(text: str) -> list[str]:
    return re.findall(r'<td class="key"><a href="/browse/([A-Z0-9-]+)">', text)


async def search(stage: Stage, here: site.Site, jql: str, page: int | str = 1) -> str:
    answer = await stage.browser.get(f"{here.base_url}/issues/", params={"jql": jql, "page": page})
    assert answer.status_code == 200
    return answer.text


def a_named(here: site.Site, company: str) -> str:
    made = here.create_issue(here.member.account_id)
    here.tracker.set_property(made.key, PROPERTY, {"id": "1", "name": company})
    return made.key


async def test_list_without_a_query_shows_the_newest_change_first(stage: Stage) -> None:
    for here in (stage.first, stage.second):
        changed = next(iter(here.issues))
        here.edit_issue(changed.key, summary="Changed now")
        text = await search(stage, here, "")
        assert keys_in(text)[0] == changed.key
        assert len(keys_in(text)) == min(len(here.issues), issue_listing.PAGE_SIZE)


async def test_query_finds_by_reporter_and_by_the_field_of_an_app(stage: Stage) -> None:
    here, other = stage.first, stage.second
    acme, contoso = a_named(here, 'Acme "A" \\ Sons'), a_named(here, "Contoso")
    a_named(other, "Contoso")
    for jql, keys in (
        (f'reporter = "{here.member.account_id}" ORDER BY created ASC', [acme, contoso]),
        ('"Company" = "Acme \\"A\\" \\\\ Sons"', [acme]),
        ("Company = contoso AND statusCategory != Done", [contoso]),
        ("Company = contoso AND statusCategory = Done", []),
        ("Company IS NOT EMPTY ORDER BY key ASC", sorted([acme, contoso])),
    ):
        assert keys_in(await search(stage, here, jql)) == keys
    assert "No issue matches." in await search(stage, here, "Company = Nowhere")


async def test_field_of_an_app_is_a_column(stage: Stage) -> None:
    here = stage.first
    a_named(here, "Acme & Sons")
    text = await search(stage, here, "Company IS NOT EMPTY")
    assert '<th scope="col">Company</th>' in text
    assert "<bdi>Acme &amp; Sons</bdi>" in text


@pytest.mark.parametrize("jql", ["nonsense", "reporter = ", "never = 1", "ORDER BY created", "Company ~ acme"])
async def test_what_jira_has_against_a_query_is_shown_and_the_query_stays(jql: str, stage: Stage) -> None:
    answer = await stage.browser.get(f"{stage.first.base_url}/issues/", params={"jql": jql})
    assert answer.status_code == 400
    assert 'id="jql-problem" role="alert"' in answer.text
    assert f'value="{html.escape(jql)}"' in answer.text


async def test_pages_follow_each_other_and_keep_the_query(stage: Stage) -> None:
    here = stage.first
    made = [here.create_issue(here.agent.account_id).key for _ in range(120)]
    jql = f'reporter = "{here.agent.account_id}" ORDER BY key ASC'
    seen: list[str] = []
    for page, shown in ((1, "1\u201350"), (2, "51\u2013100"), (3, "101\u2013120")):
        text = await search(stage, here, jql, page=page)
        assert f"{shown} of 120" in text
        assert ('rel="prev"' in text, 'rel="next"' in text) == (page > 1, page < 3)
        seen += keys_in(text)
    assert seen == made
    text = await search(stage, here, jql, page=2)
    assert urllib.parse.urlencode({"jql": jql, "page": 3}).replace("&", "&amp;") in text
    for beyond in ("99", "-1", "x", "0"):
        assert keys_in(await search(stage, here, jql, page=beyond))


async def test_list_counts_no_further_than_jira_does(stage: Stage) -> None:
    here = stage.first
    for _ in range(issue_listing.MOST_FOUND + 1):
        here.create_issue(here.agent.account_id)
    assert "1\u201350 of 1000+" in await search(stage, here, f'reporter = "{here.agent.account_id}"')
    assert "951\u20131000 of 1000+" in await search(stage, here, "", page=999)
