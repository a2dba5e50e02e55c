"""What do we know of an account once Jira has shown it again? Pure: the one before and the sighting in, the one after out.

Knows nothing of contacts: links are handed on as they are, and `plan` decides about them.
"""

from datetime import datetime

from addon.crm import contact as crm
from addon.sync.people import Account, EmailState, Kind, Sighting


def merged(before: Account | None, sighting: Sighting, *, run_id: int | None, now: datetime) -> Account:
    """The account after this sighting. A missing email takes nothing away: it may merely not be shown here."""
    email = sighting.email or (before.email if before else None)
    return Account(
        account_id=sighting.account_id,
        kind=_kind(before, sighting, run_id),
        active=sighting.active,
        display_name=sighting.display_name,
        email=email,
        email_key=crm.email_key(email) if email else None,
        email_state=_email_state(before, sighting),
        email_checked_at=_email_checked_at(before, sighting, now),
        seen_in_run=run_id,
        contact_id=before.contact_id if before else None,
        linked_by=before.linked_by if before else None,
        linked_at=before.linked_at if before else None,
        remembered_contact_id=before.remembered_contact_id if before else None,
        remembered_by=before.remembered_by if before else None,
        held=before.held if before else False,
    )


def _kind(before: Account | None, sighting: Sighting, run_id: int | None) -> Kind:
    """A desk's list names Atlassian users too and does not say which: what the same run saw as a user stays one."""
    was_user_just_now = before is not None and before.kind == "user" and before.seen_in_run == run_id
    return "user" if was_user_just_now else sighting.kind


def _email_state(before: Account | None, sighting: Sighting) -> EmailState:
    if sighting.email:
        return "visible"
    if sighting.email_state == "hidden" or before is None:
        return sighting.email_state or "hidden"
    if before.email is None and sighting.email_state is not None:
        return sighting.email_state
    return before.email_state


def _email_checked_at(before: Account | None, sighting: Sighting, now: datetime) -> datetime | None:
    """When Jira last answered about the email; an outage is no answer."""
    if sighting.email_state in {"visible", "hidden"}:
        return now
    return before.email_checked_at if before else None
