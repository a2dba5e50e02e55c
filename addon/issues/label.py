"""What do we write on an issue? The company of its reporter, by id and name, and nothing else ever (C5). Pure.

Everybody who sees an issue can read its properties, so nothing personal may stand there.
"""

from collections.abc import Mapping

from addon.crm.company import CompanyRef

PROPERTY_KEY = "crm-contact-sync-company"
"""The issue property that the descriptor's field `company` shows."""

TRACE = "crm-contact-sync"
"""What Jira gives back, as `X-Atlassian-Webhook-Trace`, with the events that our own writes set off."""

TRACE_HEADER = "X-Atlassian-Webhook-Trace"


def value(company: CompanyRef) -> Mapping[str, str]:
    """The property's value."""
    return {"id": str(company.company_id), "name": company.name}
