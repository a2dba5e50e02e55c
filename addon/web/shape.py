"""How do our records look as JSON? The shapes of the public interface, and nothing that decides anything."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from starlette.responses import JSONResponse

from addon.crm.company import Company, CompanyRef
from addon.crm.contact import Contact, LinkedAccount
from addon.storage.history import Change
from addon.storage.keyset import Page
from addon.storage.sync_state import Run, SyncStatus

Json = dict[str, Any]
Item = TypeVar("Item")


def moment(time: datetime) -> str:
    """RFC 3339, UTC."""
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def account(linked: LinkedAccount) -> Json:
    return {
        "accountId": linked.account_id,
        "displayName": linked.display_name,
        "kind": linked.kind,
        "active": linked.active,
        "emailState": linked.email_state,
        "linkedBy": linked.linked_by,
        "linkedAt": moment(linked.linked_at),
        "checkedAt": moment(linked.checked_at),
    }


def company_ref(found: CompanyRef) -> Json:
    return {"id": str(found.company_id), "name": found.name}


def contact(found: Contact) -> Json:
    user = found.synced_jira_user
    return {
        "id": str(found.contact_id),
        "name": found.name,
        "email": found.email,
        "phone": found.phone,
        "jobTitle": found.job_title,
        "attributes": dict(found.attributes),
        "company": None if found.company is None else company_ref(found.company),
        "companyBy": found.company_by,
        "origin": found.origin,
        "syncedJiraUser": None if user is None else account(user),
        "linkedAccounts": [account(linked) for linked in found.accounts],
        "readOnly": list(found.read_only),
        "deletable": found.deletable,
        "version": found.version,
        "createdAt": moment(found.created_at),
        "updatedAt": moment(found.updated_at),
    }


def company(found: Company) -> Json:
    return {
        "id": str(found.company_id),
        "name": found.name,
        "domains": list(found.domains),
        "organizationId": found.organization_id,
        "contacts": found.contacts,
        "version": found.version,
    }


def run(found: Run) -> Json:
    return {
        "id": str(found.id),
        "trigger": found.trigger,
        "state": found.state,
        "phase": found.phase,
        "seen": found.seen,
        "total": found.total,
        "linked": found.linked,
        "created": found.created,
        "updated": found.updated,
        "unlinked": found.unlinked,
        "held": found.held,
        "points": found.points,
        "startedAt": moment(found.started_at),
        "finishedAt": None if found.finished_at is None else moment(found.finished_at),
        "error": found.error,
    }


def sync(status: SyncStatus) -> Json:
    return {
        "enabled": status.enabled,
        "filters": status.filters.to_json(),
        "includeInactive": status.include_inactive,
        "state": status.state,
        "run": None if status.run is None else run(status.run),
        "lastRun": None if status.last_run is None else run(status.last_run),
        "attention": status.attention,
        "counts": {"contacts": status.contacts, "linked": status.linked},
        "crmGroups": list(status.crm_groups),
    }


def change(made: Change) -> Json:
    return {
        "id": str(made.change_id),
        "runId": None if made.run_id is None else str(made.run_id),
        "contactId": str(made.contact_id),
        "contactName": made.contact_name,
        "accountId": made.account_id,
        "field": made.field,
        "old": made.old,
        "new": made.new,
        "cause": made.cause,
        "at": moment(made.at),
    }


def page(found: Page[Item], write: Callable[[Item], Json]) -> JSONResponse:
    """A list with the cursor of what follows."""
    return JSONResponse({"values": [write(item) for item in found.items], "next": found.next_cursor})
