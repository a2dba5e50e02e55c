"""The parts of the companies' pages that htmx asks for: their list, and the card of one.

The rules and templates are those of the JSON API and of the first paint (docs/decisions/0005-html-fragments.md).
"""

from starlette.responses import Response
from starlette.routing import BaseRoute

from addon.crm import draft
from addon.crm.company import CompanyId
from addon.errors import StaleVersion
from addon.storage import companies, company_merging
from addon.storage.database import TenantScope
from addon.web import api_companies, api_merge, body, cards, forms, marks, notices, rebase, render, texts
from addon.web.auth import Right, Visit, api
from addon.web.deps import WebDeps

ROOT = "/api/fragments/companies"


def routes(deps: WebDeps) -> list[BaseRoute]:
    one = f"{ROOT}/{{id}}"
    return [
        api(ROOT, {"GET": company_list, "POST": create_company}, right=Right.CRM, deps=deps),
        api(f"{ROOT}/rows", {"GET": company_rows}, right=Right.CRM, deps=deps),
        api(f"{ROOT}/choices", {"GET": company_choices}, right=Right.CRM, deps=deps),
        api(f"{ROOT}/new", {"GET": new_company}, right=Right.CRM, deps=deps),
        api(f"{one}/merge", {"GET": merge_candidates, "POST": merge_company}, right=Right.CRM, deps=deps),
        api(one, {"GET": company_card, "PATCH": edit_company, "DELETE": delete_company}, right=Right.CRM, deps=deps),
    ]


async def company_list(visit: Visit) -> Response:
    async with visit.tenant() as scope:
        view = await cards.company_list(scope, companies.Search())
    return render.fragment("company_list.html", view)


async def company_rows(visit: Visit) -> Response:
    """The table of a search, or the rows that follow in it."""
    wanted = api_companies.read_search(visit)
    async with visit.tenant() as scope:
        view = await cards.company_list(scope, wanted)
    return render.fragment("company_table.html" if wanted.cursor is None else "company_rows.html", view)


async def new_company(_visit: Visit) -> Response:
    return render.fragment("company_card.html", cards.new_company())


async def create_company(visit: Visit) -> Response:
    reading = draft.read_new_company(forms.company_body(await body.read_form(visit.request)))
    async with visit.tenant() as scope:
        made = await companies.create(scope, reading, now=visit.now())
        await marks.follow(visit, scope)
        view = await cards.company_card(scope, made.company_id)
    return render.fragment("company_card.html", view, headers=notices.say(texts.gettext("Company created")))


async def company_card(visit: Visit) -> Response:
    async with visit.tenant() as scope:
        view = await cards.company_card(scope, CompanyId(body.path_id(visit.request)))
    return render.fragment("company_card.html", view)


async def edit_company(visit: Visit) -> Response:
    """A form that was overtaken by somebody else's change comes back with what was typed, and with what changed."""
    company_id = CompanyId(body.path_id(visit.request))
    fields = await body.read_form(visit.request)
    reading = draft.read_company_edit(forms.company_body(fields))
    notice = notices.say(texts.gettext("Company saved"))
    try:
        async with visit.tenant() as scope:
            await companies.edit(scope, company_id, reading, now=visit.now())
            await marks.follow(visit, scope)
            view = await cards.company_card(scope, company_id)
    except StaleVersion:
        notice = {}
        async with visit.tenant() as scope:
            rebased = await _rebased(scope, company_id, fields)
            view = await cards.company_card(scope, company_id, rebased=rebased)
    return render.fragment("company_card.html", view | {"is_overtaken": not notice}, headers=notice)


async def _rebased(scope: TenantScope, company_id: CompanyId, fields: forms.Fields) -> rebase.Rebased:
    present = cards.company_record_of(await companies.fetch(scope, company_id))
    sent = {name: "\n".join(value.splitlines()) for name, value in fields}
    typed = cards.typed_record(sent, {}, present)
    return rebase.rebase(seen=rebase.read(sent.get(forms.SEEN, ""), otherwise=present), typed=typed, present=present)


async def delete_company(visit: Visit) -> Response:
    async with visit.tenant() as scope:
        await companies.delete(scope, CompanyId(body.path_id(visit.request)), now=visit.now())
        await marks.follow(visit, scope)
        view = await cards.company_list(scope, companies.Search())
    return render.fragment("company_list.html", view, headers=notices.say(texts.gettext("Company deleted")))


async def merge_candidates(visit: Visit) -> Response:
    company_id = CompanyId(body.path_id(visit.request))
    query = body.Query(visit.request)
    wanted = query.text("merge-query") or ""
    query.check()
    async with visit.tenant() as scope:
        view = await cards.company_merge_candidates(scope, company_id, query=wanted)
    return render.fragment("company_merge.html", view)


async def merge_company(visit: Visit) -> Response:
    company_id = CompanyId(body.path_id(visit.request))
    into = api_merge.read_company(dict(await body.read_form(visit.request)))
    async with visit.tenant() as scope:
        kept = await company_merging.merge(scope, company_id, into, now=visit.now())
        await marks.follow(visit, scope)
        view = await cards.company_card(scope, kept.company_id)
    return render.fragment("company_card.html", view, headers=notices.say(texts.gettext("Companies merged")))


async def company_choices(visit: Visit) -> Response:
    """The options of a contact form's company, for where there are too many to list; the chosen one stays chosen."""
    query = body.Query(visit.request)
    text, company_id = query.text("company-query") or "", query.row_id("company")
    query.check()
    async with visit.tenant() as scope:
        chosen = None if company_id is None else await companies.find_ref(scope, CompanyId(company_id))
        choices = await cards.company_choices(scope, query=text, chosen=chosen)
    return render.fragment("company_options.html", {"choices": choices, "chosen": chosen})
