"""Who is looking at the site's pages? One of its people, chosen in the page's own switcher and kept in a cookie.

There is no password: a sandbox lets everyone be everyone. The add-on never sees this cookie as proof of anything; it
gets signed tokens.
"""

import dataclasses
import urllib.parse

from starlette.requests import Request

from sandbox import person, site


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    person: person.Person
    is_admin: bool

    @property
    def account_id(self) -> str:
        return self.person.account_id

    @property
    def has_jira(self) -> bool:
        """Portal customers, apps and people who were deactivated meet no page of Jira."""
        return self.person.active and self.person.kind is person.PersonKind.USER

    @property
    def is_customer(self) -> bool:
        """Whose place is the portal."""
        return self.person.active and self.person.kind is person.PersonKind.CUSTOMER


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A well-known person of every site, by the word that the switcher uses for them."""

    name: str
    title: str
    person: person.Person


def cookie_name(of_site: site.Site) -> str:
    """One cookie for each site: browsers keep cookies by host and ignore the port, and sites differ by port only."""
    return f"sandbox-viewer-{_port(of_site)}"


def cookies_of(seen_by: Viewer, of_site: site.Site) -> dict[str, str]:
    """The cookie that makes someone this viewer."""
    return {cookie_name(of_site): urllib.parse.quote(seen_by.account_id, safe="")}


def theme_cookie_name(of_site: site.Site) -> str:
    return f"sandbox-theme-{_port(of_site)}"


def roles_of(of_site: site.Site) -> list[Role]:
    """Whom the switcher offers: those of the well-known people who are still there, and some portal customer."""
    candidates = [
        ("admin", "Jira administrator", of_site.admin),
        ("agent", "Service agent", of_site.agent),
        ("member", "Member", of_site.member),
        ("customer", "Portal customer", _find_customer(of_site)),
    ]
    return [
        Role(name=name, title=title, person=found)
        for name, title, found in candidates
        if found is not None and not found.deleted
    ]


def find_choice(of_site: site.Site, choice: str) -> person.Person | None:
    """The person whom a role's name or an account id means."""
    by_role = next((role.person for role in roles_of(of_site) if role.name == choice), None)
    if by_role is not None:
        return by_role
    found = of_site.people.get(choice)
    return None if found is None or found.deleted else found


def viewer_of(request: Request, of_site: site.Site) -> Viewer:
    """The person in the cookie, or the site's administrator when it names nobody who is still there."""
    account_id = urllib.parse.unquote(request.cookies.get(cookie_name(of_site), ""))
    return look_as(find_choice(of_site, account_id) or of_site.admin, of_site)


def look_as(chosen: person.Person, of_site: site.Site) -> Viewer:
    return Viewer(person=chosen, is_admin=of_site.is_admin(chosen.account_id))


def _find_customer(of_site: site.Site) -> person.Person | None:
    """The first who has both a desk and an organization, because such a one meets everything; else the first of all."""
    # No list of them: this is asked on every request, and the first of many thousands is found soon.
    placed = (
        each
        for each in filter(_is_live_customer, of_site.people.values())
        if of_site.desk_customers.owners(each.account_id) and of_site.organization_members.owners(each.account_id)
    )
    return next(placed, None) or next(filter(_is_live_customer, of_site.people.values()), None)


def _is_live_customer(found: person.Person) -> bool:
    return found.kind is person.PersonKind.CUSTOMER and found.active


def _port(of_site: site.Site) -> int:
    parts = urllib.parse.urlsplit(of_site.base_url)
    return parts.port or (443 if parts.scheme == "https" else 80)
