"""How do we take in what Jira tells us? Store the ids that an event names, in one transaction with the job, and answer.

No person stands behind these calls: the tenant's signature is bound to the request. Of people, an event is a hint: nothing of
it but ids is kept (`addon.sync.hints`), and its accounts are read again later. An issue's event also says who reported it, as
of when (`addon.issues.facts`). Our own trouble is a 503, so that Jira retries.
"""

import hashlib
from http import HTTPStatus

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from addon.errors import Busy
from addon.issues import facts, label
from addon.storage import deliveries, issue_company
from addon.sync import hints
from addon.web import body
from addon.web.auth import Visit, webhook
from addon.web.deps import WebDeps
from addon.web.errors import REFUSALS

IDENTIFIER = "X-Atlassian-Webhook-Identifier"
"""The same for all attempts at one delivery, unique within a tenant."""

MAX_IDENTIFIER_LENGTH = 256

ISSUE_PATH = "/webhooks/issue"
MAX_ISSUE_BYTES = 25 * 1024 * 1024
# An issue comes with all of its texts. Jira delivers no more (Atlassian, "Webhooks"), and what is refused is not sent again.


def routes(deps: WebDeps) -> list[BaseRoute]:
    return [webhook("/webhooks/user", receive, deps=deps), webhook(ISSUE_PATH, receive, deps=deps)]


async def receive(visit: Visit) -> Response:
    """204 once stored, and while the sync is off, when there is nothing to store (S16)."""
    try:
        if visit.request.headers.get(label.TRACE_HEADER) == label.TRACE:
            return Response(status_code=HTTPStatus.NO_CONTENT)  # what we wrote ourselves tells us nothing
        event = await body.read_json(visit.request)
        hint, told = hints.read(event), facts.read(event)
        delivery_id = await _delivery_id(visit.request)
        async with visit.tenant() as scope:
            await deliveries.receive(scope, delivery_id, hint, enqueue=visit.deps.enqueue, now=visit.now())
            if told is not None:
                await issue_company.hear(scope, [told], enqueue=visit.deps.enqueue)
    except REFUSALS:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, Jira must send the event again
        # The type alone: the text of a database error repeats what was to be stored.
        structlog.get_logger().error("webhook-not-stored", error=type(error).__name__)
        raise Busy("The event could not be stored. Send it again.") from None
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def _delivery_id(request: Request) -> str:
    """Jira's, or a digest of the body where it names none that we could store."""
    named = request.headers.get(IDENTIFIER, "")
    if 0 < len(named) <= MAX_IDENTIFIER_LENGTH and named.isprintable() and named != deliveries.LISTED:
        return named
    return hashlib.sha256(await request.body()).hexdigest()
