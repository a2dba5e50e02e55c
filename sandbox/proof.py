"""Does the add-on have what the site holds? The demo's proof: the numbers of both, and the first difference by name.

Pure: what both hold is read by `sandbox.demo`. Of two accounts with one address, a user's is the contact's own, not a customer's;
a user whom no group lists, but a desk, is shown to apps as any customer is.
"""

import collections
import collections.abc
import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """`rows`: what is counted, on the site and in the add-on. `difference`: the first one, or None."""

    rows: list[tuple[str, int, int]]
    difference: str | None


def select_in_scope(people: collections.abc.Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Whom a complete sync must know, of the people in the site's state; the inactive and apps are left out by rule."""
    return {
        each["accountId"]: each for each in people if each["reachable"] and each["active"] and each["kind"] != "app"
    }


def compare(
    in_scope: collections.abc.Mapping[str, dict[str, Any]],
    contacts: collections.abc.Sequence[dict[str, Any]],
    counted: int,
) -> Proof:
    """`contacts`: all of them, as the add-on's API shows them; `counted`: how many it says there are."""
    linked = {account["accountId"] for contact in contacts for account in contact["linkedAccounts"]}
    addresses = _group_by_address(in_scope)
    differences = list(_find_differences(in_scope, addresses, contacts))
    rows = [
        ("people in scope", len(in_scope), len(linked)),
        ("of them missing, or linked without being in scope", 0, len(linked ^ in_scope.keys())),
        ("contacts (accounts of one address share one)", len(addresses), counted),
        ("of them with another name, email or accounts", 0, len(differences)),
    ]
    wrong = [f"{name}: {on_site:,} on the site, {in_addon:,} in the add-on" for name, on_site, in_addon in rows]
    unequal = [text for text, (_, on_site, in_addon) in zip(wrong, rows, strict=True) if on_site != in_addon]
    return Proof(rows=rows, difference=next(iter([*differences, *unequal]), None))


def _group_by_address(in_scope: collections.abc.Mapping[str, dict[str, Any]]) -> set[frozenset[str]]:
    owners = collections.defaultdict[str, list[str]](list)
    for account_id, person in in_scope.items():
        owners[(person["email"] or account_id).casefold()].append(account_id)
    return {frozenset(account_ids) for account_ids in owners.values()}


def _find_differences(
    in_scope: collections.abc.Mapping[str, dict[str, Any]],
    addresses: collections.abc.Set[frozenset[str]],
    contacts: collections.abc.Iterable[dict[str, Any]],
) -> collections.abc.Iterator[str]:
    missing = set(addresses)
    for contact in contacts:
        account_ids = frozenset(account["accountId"] for account in contact["linkedAccounts"])
        if account_ids in missing:
            missing.remove(account_ids)
            yield from _compare_contact(in_scope, account_ids, contact)
        else:
            yield f"contact {contact['id']} ({contact['name']}) is linked to {_list(account_ids)}: not so on the site"
    for account_ids in missing:
        yield f"no contact is linked to {_list(account_ids)} and to nobody else"


def _compare_contact(
    in_scope: collections.abc.Mapping[str, dict[str, Any]], account_ids: frozenset[str], contact: dict[str, Any]
) -> collections.abc.Iterator[str]:
    listed = [in_scope[account_id] for account_id in account_ids if in_scope[account_id]["groups"]]
    users = {each["accountId"] for each in listed if each["kind"] == "user"}
    primary = contact["syncedJiraUser"]["accountId"] if contact["syncedJiraUser"] else "nobody"
    if primary not in (users or account_ids):
        yield f"contact {contact['id']} shows {primary}, and not {_list(users or account_ids)}"
        return
    pairs = [
        ("name", contact["name"], in_scope[primary]["displayName"]),
        ("email", contact["email"], in_scope[primary]["email"]),
        *(
            (f"account {account['accountId']}", account["displayName"], in_scope[account["accountId"]]["displayName"])
            for account in contact["linkedAccounts"]
        ),
    ]
    for what, in_addon, on_site in pairs:
        if in_addon != on_site:
            yield f"contact {contact['id']}, {what}: {on_site!r} on the site, {in_addon!r} in the add-on"
            return


def _list(account_ids: collections.abc.Set[str]) -> str:
    return ", ".join(sorted(account_ids)) or "nobody"
