"""What do Jira's answers look like, as far as we read them? Models of the border; everything unread is ignored.

Source: Atlassian's OpenAPI documents of the Jira platform and of Jira Service Management.
"""

import re
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter

Item = TypeVar("Item")

Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else value)]
"""Null says as much as nothing: one such record must not make its whole page unreadable."""

FORMER = re.compile(r"(former|deleted) user( \(.*\))?", re.IGNORECASE)
# Portal customers become "Former user (Deactivated)" (support.atlassian.com, "Delete portal-only customers"); the other
# words are guessed. Whom none of them fits stays linked, as one who is inactive.

LAST_MILLISECOND = 253_402_300_799_999  # of the year 9999, where Python's calendar ends


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Person(_Answer):
    """Somebody. Texts are absent, null or empty where Jira has, or shows, no value; so is `active`, of a corrupted record."""

    account_id: Text = Field(alias="accountId", default="")
    # A captured payload has "true" as a text; pydantic reads both.
    active: bool | None = False
    display_name: Text = Field(alias="displayName", default="")
    email: str | None = Field(alias="emailAddress", default=None)

    @property
    def is_former(self) -> bool:
        """Whether this is what Jira shows of a deleted account where it does not leave it out: of a record that was deleted
        only "`displayName` gives an indication" (schema `User`). Somebody who is there and has such a name is taken for
        deleted too, if inactive and without a visible email.
        """
        is_blank = not self.active and not (self.email or "").strip()
        return is_blank and FORMER.fullmatch(self.display_name.strip()) is not None


class User(Person):
    """`User` and `UserDetails` of the platform."""

    account_type: Text = Field(alias="accountType", default="")


class Customer(Person):
    """`UserDTO` of Jira Service Management: it does not say what kind of account it is."""


class Group(_Answer):
    group_id: str | None = Field(alias="groupId", default=None)
    name: str = ""


class GroupNames(_Answer):
    """`SimpleListWrapperGroupName`: `size` is how many there are, also where `items` has fewer."""

    size: int = Field(ge=0, default=0)
    items: list[Group] = []


class Member(User):
    """A `User` with `expand=groups`."""

    groups: GroupNames = GroupNames()


class FoundGroups(_Answer):
    """What the group picker shows: the first groups of `total`."""

    values: list[Group] = Field(alias="groups")
    total: int = Field(ge=0)


class Desk(_Answer):
    id: str
    name: Text = Field(alias="projectName", default="")


class Organization(_Answer):
    id: str
    name: Text = ""


class PlatformPage(_Answer, Generic[Item]):
    """A page bean of the platform. `startAt` and `maxResults` are what Jira took, not what was asked for."""

    values: list[Item]
    start_at: int = Field(alias="startAt", ge=0)
    max_results: int = Field(alias="maxResults", gt=0)
    total: int = Field(ge=0)
    is_last: bool = Field(alias="isLast")


class DeskPage(_Answer, Generic[Item]):
    """A page of Jira Service Management; `size` is how many it holds."""

    values: list[Item]
    start: int = Field(ge=0)
    size: int = Field(ge=0)
    is_last: bool = Field(alias="isLastPage")


class Email(_Answer):
    account_id: Text = Field(alias="accountId")
    email: str | None = None


class Permission(_Answer):
    have_permission: bool = Field(alias="havePermission", default=False)


class Permissions(_Answer):
    permissions: dict[str, Permission]


class ProjectGrant(_Answer):
    """`issues`: of those that were asked about, where the person has the permission."""

    permission: str
    issues: list[int] = []


class Grants(_Answer):
    global_permissions: list[str] = Field(alias="globalPermissions")
    project_permissions: list[ProjectGrant] = Field(alias="projectPermissions", default=[])


class FailedWebhook(_Answer):
    id: str
    body: str | None = None
    failure_time: int = Field(alias="failureTime", ge=0, le=LAST_MILLISECOND)


class FailedWebhooks(_Answer):
    values: list[FailedWebhook]
    next: str | None = None


class IssueFields(_Answer):
    """`reporter` is null where an issue has none, or the app may not see them."""

    reporter: User | None = None


class Issue(_Answer):
    fields: IssueFields = IssueFields()


class IssuePage(_Answer):
    values: list[Issue] = Field(alias="issues")
    next_page_token: str | None = Field(alias="nextPageToken", default=None)


USER = TypeAdapter(User)


class FoundIssue(_Answer):
    """An issue with the fields that were asked for, as they are: `addon.issues.facts` reads them."""

    id: str
    fields: dict[str, object] = {}


class FoundIssues(_Answer):
    values: list[FoundIssue] = Field(alias="issues")
    next_page_token: str | None = Field(alias="nextPageToken", default=None)


class Count(_Answer):
    count: int = Field(ge=0)


class Property(_Answer):
    value: object = None


class Task(_Answer):
    """`TaskProgressBeanObject`: ENQUEUED, RUNNING, COMPLETE, FAILED, CANCEL_REQUESTED, CANCELLED or DEAD."""

    status: str


USERS = TypeAdapter(PlatformPage[User])
MEMBER = TypeAdapter(Member)
GROUPS_OF_USER = TypeAdapter(list[Group])
FOUND_GROUPS = TypeAdapter(FoundGroups)
GROUPS = TypeAdapter(PlatformPage[Group])
CUSTOMERS = TypeAdapter(DeskPage[Customer])
DESKS = TypeAdapter(DeskPage[Desk])
ORGANIZATIONS = TypeAdapter(DeskPage[Organization])
EMAILS = TypeAdapter(list[Email])
PERMISSIONS = TypeAdapter(Permissions)
GRANTS = TypeAdapter(Grants)
FAILED_WEBHOOKS = TypeAdapter(FailedWebhooks)
ISSUES = TypeAdapter(IssuePage)
FOUND_ISSUES = TypeAdapter(FoundIssues)
COUNT = TypeAdapter(Count)
PROPERTY = TypeAdapter(Property)
TASK = TypeAdapter(Task)
