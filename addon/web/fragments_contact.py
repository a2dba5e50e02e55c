"""The parts of a contact's page that htmx asks for: its card, its history, and the merging of two contacts.

The rules and templates are those of the JSON API and of the first paint (docs/decisions/0005-html-fragments.md).
"""

from collections.abc import Mapping

from starlette.responses import Response
from starlette.routing import BaseRoute

from addon.crm import draft
from addon.crm.contact import ContactId
from addon.errors import FieldProblem, Invalid, StaleVersion
from addon.storage import contacts, merging
from addon.storage.database import TenantScope
from addon.storage.history import Which
from addon.sync.people import Cause
from addon.web import (
    api_contacts,
    api_merge,
    auth,
    body,
    cards,
    forms,
    freshness,
    marks,
    notices,
    rebase,
    render,
    texts,
    views,
)
from addon.web.auth import Right, Visit, api
from addon.web.deps import WebDeps

ROOT = "/api/fragments/contacts"


def routes(deps: WebDeps) -> list[BaseRoute]:
    one = f"{ROOT}/{{id}}"
    return [
        api(ROOT, {"POST": create_contact}, right=Right.CRM, deps=deps),
        api(f"{ROOT}/new", {"GET": new_contact}, right=Right.CRM, deps=deps),
        api(one, {"GET": contact_card, "PATCH": edit_contact, "DELETE": delete_contact}, right=Right.CRM, deps=deps),
        api(f"{one}/changes", {"GET": contact_changes}, right=Right.CRM, deps=deps),
        api(f"{one}/let-rules-choose", {"POST": let_rules_choose}, right=Right.CRM, deps=deps),
        api(f"{one}/merge", {"GET": merge_candidates, "POST": merge_contact}, right=Right.ADMIN, deps=deps),
    ]


async def new_contact(visit: Visit) -> Response:
    async with visit.tenant() as scope:
        view = await cards.new_contact(scope)
    return render.fragment("contact_new.html", view)


async def create_contact(visit: Visit) -> Response:
    reading = draft.read_new_contact(forms.contact_body(await body.read_form(visit.request)))
    may_merge = await auth.may(visit.caller, Right.ADMIN, deps=visit.deps)
    async with visit.tenant() as scope:
        made = await contacts.create(scope, reading, now=visit.now())
        await marks.follow(visit, scope)
        view = await cards.contact_card(scope, made.contact_id, may_merge=may_merge)
    return render.fragment("contact_card.html", view, headers=notices.say(texts.gettext("Contact created")))


async def contact_card(visit: Visit) -> Response:
    wanted = api_contacts.read_search(visit)
    contact_id = ContactId(body.path_id(visit.request))
    may_merge = await auth.may(visit.caller, Right.ADMIN, deps=visit.deps)
    async with visit.tenant() as scope:
        view = await cards.contact_card(scope, contact_id, may_merge=may_merge)
        await freshness.renew(visit, scope, [view["contact"]])
    return render.fragment("contact_card.html", view | {"way": views.way(wanted)})


async def edit_contact(visit: Visit) -> Response:
    """A form that was overtaken by somebody else's change comes back with what was typed, and with what changed."""
    wanted = api_contacts.read_search(visit)
    contact_id = ContactId(body.path_id(visit.request))
    fields = await body.read_form(visit.request)
    reading = draft.read_contact_edit(forms.contact_body(fields))
    may_merge = await auth.may(visit.caller, Right.ADMIN, deps=visit.deps)
    notice = notices.say(texts.gettext("Contact saved"))
    try:
        async with visit.tenant() as scope:
            await contacts.edit(scope, contact_id, reading, now=visit.now())
            await marks.follow(visit, scope)
            view = await cards.contact_card(scope, contact_id, may_merge=may_merge)
    except StaleVersion:
        notice = {}
        async with visit.tenant() as scope:
            rebased = await _rebased(scope, contact_id, fields)
            view = await cards.contact_card(scope, contact_id, may_merge=may_merge, rebased=rebased)
    view |= {"is_overtaken": not notice, "way": views.way(wanted)}
    return render.fragment("contact_card.html", view, headers=notice)


async def _rebased(scope: TenantScope, contact_id: ContactId, fields: forms.Fields) -> rebase.Rebased:
    present = cards.record_of(await contacts.fetch(scope, contact_id))
    sent: Mapping[str, str] = dict(fields)
    attributes = forms.attributes(fields) if forms.HAS_ATTRIBUTES in sent else present.attributes
    typed = cards.typed_record(sent, attributes, present)
    return rebase.rebase(seen=rebase.read(sent.get(forms.SEEN, ""), otherwise=present), typed=typed, present=present)


async def let_rules_choose(visit: Visit) -> Response:
    """The company is found by the rules again (C2)."""
    wanted = api_contacts.read_search(visit)
    contact_id = ContactId(body.path_id(visit.request))
    version = draft.read_id(dict(await body.read_form(visit.request)).get("version"))
    if version is None:
        raise Invalid([FieldProblem(field="version", problem="must be the version that was read")])
    may_merge = await auth.may(visit.caller, Right.ADMIN, deps=visit.deps)
    async with visit.tenant() as scope:
        await contacts.let_rules_choose(scope, contact_id, version=version, now=visit.now())
        await marks.follow(visit, scope)
        view = await cards.contact_card(scope, contact_id, may_merge=may_merge)
    notice = notices.say(texts.gettext("The rules choose the company from now on"))
    return render.fragment("contact_card.html", view | {"way": views.way(wanted)}, headers=notice)


async def delete_contact(visit: Visit) -> Response:
    """Back to the list from which the contact was opened."""
    wanted = api_contacts.read_search(visit)
    async with visit.tenant() as scope:
        await contacts.delete(scope, ContactId(body.path_id(visit.request)))
        await marks.follow(visit, scope)
        view = await views.contact_list(scope, wanted)
    return render.fragment("contact_list.html", view, headers=notices.say(texts.gettext("Contact deleted")))


async def contact_changes(visit: Visit) -> Response:
    """The history as it is filtered, or the changes that follow in it."""
    contact_id = ContactId(body.path_id(visit.request))
    query = body.Query(visit.request)
    which, cursor = Which(field=query.text("field"), cause=query.text("cause")), query.cursor()
    query.check()
    problems = [
        FieldProblem(field=name, problem="is nothing that the history tells of")
        for name, value, known in (("field", which.field, cards.FIELDS), ("cause", which.cause, tuple(Cause)))
        if value is not None and value not in known
    ]
    if problems:
        raise Invalid(problems)
    async with visit.tenant() as scope:
        await contacts.fetch(scope, contact_id)
        view = await cards.contact_changes(scope, contact_id, which=which, cursor=cursor)
    return render.fragment("contact_changes.html" if cursor is None else "contact_change_rows.html", view)


async def merge_candidates(visit: Visit) -> Response:
    contact_id = ContactId(body.path_id(visit.request))
    query = body.Query(visit.request)
    wanted = query.text("merge-query") or ""
    query.check()
    async with visit.tenant() as scope:
        view = await cards.merge_candidates(scope, contact_id, query=wanted)
    return render.fragment("contact_merge.html", view)


async def merge_contact(visit: Visit) -> Response:
    contact_id = ContactId(body.path_id(visit.request))
    into = api_merge.read_contact(dict(await body.read_form(visit.request)))
    async with visit.tenant() as scope:
        kept = await merging.merge(scope, contact_id, into, now=visit.now())
        await marks.follow(visit, scope)
        view = await cards.contact_card(scope, kept.contact_id, may_merge=True)
    return render.fragment("contact_card.html", view, headers=notices.say(texts.gettext("Contacts merged")))
