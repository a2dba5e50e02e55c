import dataclasses
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from addon.crm.contact import ContactId
from addon.storage.attention import Item
from addon.web import render
from lifecycle.tenant import ClientKey, State, Tenant, TenantId

ACME = Tenant(
    tenant_id=TenantId(uuid.UUID(int=1)),
    client_key=ClientKey("client"),
    cloud_id=None,
    base_url="https://acme.atlassian.net",
    display_url="https://acme.atlassian.net",
    oauth_client_id=None,
    state=State.ENABLED,
    installed_at=datetime(2026, 1, 1, tzinfo=UTC),
    uninstalled_at=None,
)


@pytest.mark.parametrize(
    ("base_url", "display_url", "sources"),
    [
        ("https://acme.atlassian.net", "https://acme.atlassian.net", "https://acme.atlassian.net"),
        ("https://a.jira.com", "https://Desk.Acme.com/jira", "https://a.jira.com https://desk.acme.com"),
        ("http://localhost:9000", "http://localhost:9000", "http://localhost:9000"),
        ("https://a.jira.com", "https://x; script-src *", "https://a.jira.com"),
        ("https://a.jira.com", "https://user:word@x.com", "https://a.jira.com"),
        ("https://a.jira.com", "https://*", "https://a.jira.com"),
        ("javascript:x", "data:x", "'none'"),
    ],
)
def test_only_origins_of_the_tenant_may_frame_it(base_url: str, display_url: str, sources: str) -> None:
    tenant = dataclasses.replace(ACME, base_url=base_url, display_url=display_url)
    assert render.frame_ancestors(tenant) == sources


@pytest.mark.parametrize(
    ("minutes", "text"),
    [(0.5, "1 minute"), (1, "1 minute"), (4, "4 minutes"), (4.1, "5 minutes"), (119, "119 minutes"), (121, "3 hours")],
)
def test_duration_is_rounded_up(minutes: float, text: str) -> None:
    shown = render.ENVIRONMENT.from_string("{{ time | duration }}").render(time=timedelta(minutes=minutes))
    assert shown == text


def test_tie_of_a_contact_that_was_deleted_meanwhile_is_left_out() -> None:
    """The contacts are read after the items."""
    item = Item(
        attention_id=1,
        kind="company-tie",
        run_id=None,
        account=None,
        candidates=(ContactId(5),),
        departing=0,
        about="",
        since=datetime(2026, 1, 1, tzinfo=UTC),
        contact_id=ContactId(5),
    )
    view: dict[str, object] = {"items": [item], "candidates": {}, "departing": {}, "more_items": None}
    assert "<li" not in bytes(render.fragment("attention_items.html", view).body).decode()
