"""What are the places of a site where its people belong? Groups, service desks, and the register of organizations."""

import collections.abc
import dataclasses

from sandbox import roster

USER_ACCESS = "user"
ADMIN_ACCESS = "admin"
MAX_NAME_CHARS = 300


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """`access` says what membership grants: pairs of product key and `user` or `admin`."""

    group_id: str
    name: str
    access: frozenset[tuple[str, str]] = frozenset()

    def grants(self, product: str | None, access: str | None) -> bool:
        return any(product in (None, key) and access in (None, kind) for key, kind in self.access)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    desk_id: str
    project_id: str
    project_key: str
    project_name: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    organization_id: str
    uuid: str
    name: str
    desk_ids: frozenset[str] = frozenset()


class Register:
    """All that is done to organizations goes through here. `organizations` by their ids, which are never given twice. A KeyError says that there is no such organization."""

    def __init__(self) -> None:
        self.organizations: dict[str, Organization] = {}
        self.members = roster.Roster(str)
        self._last = 0

    def create(
        self, name: str, *, uuid: str, desk_ids: frozenset[str], account_ids: collections.abc.Iterable[str]
    ) -> Organization:
        self._last = max(self._last, *map(int, self.organizations), 0) + 1
        created = Organization(organization_id=str(self._last), uuid=uuid, name=_check_name(name), desk_ids=desk_ids)
        self.organizations[created.organization_id] = created
        self.members.fill(created.organization_id, account_ids)
        return created

    def rename(self, organization_id: str, name: str) -> Organization:
        renamed = dataclasses.replace(self.organizations[organization_id], name=_check_name(name))
        self.organizations[organization_id] = renamed
        return renamed

    def delete(self, organization_id: str) -> None:
        """Its members stay on the site, and where else they belong."""
        self._last = max(self._last, *map(int, self.organizations))
        del self.organizations[organization_id]
        self.members.dissolve(organization_id)

    def add_member(self, organization_id: str, account_id: str) -> None:
        self.members.add(self.organizations[organization_id].organization_id, account_id)

    def remove_member(self, organization_id: str, account_id: str) -> None:
        self.members.remove(self.organizations[organization_id].organization_id, account_id)


def _check_name(name: str) -> str:
    """Any text, markup or not. Raises ValueError for none at all, and for more than Jira takes."""
    if not name.strip() or len(name) > MAX_NAME_CHARS:
        raise ValueError(f"An organization's name must have 1 to {MAX_NAME_CHARS} characters.")
    return name
