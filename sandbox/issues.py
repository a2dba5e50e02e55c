"""What is an issue of a Jira site? One immutable record; its past and its place among others are the store's knowledge.

A change makes a new record (`dataclasses.replace`), so that a reader never sees half of one.
"""

import collections.abc
import dataclasses
import datetime as dt
import enum
from typing import Any, Literal

ISSUE_TYPE_ID = "10001"
ISSUE_TYPE_NAME = "Service Request"
Moment = Literal["created", "updated"]
Order = Literal["created", "updated", "key"]
MOMENTS: tuple[Moment, ...] = ("created", "updated")
ORDERS: tuple[Order, ...] = ("created", "updated", "key")
Place = tuple[Any, int]
"""When, and the issue's number, which decides between issues of the same moment; or the project, and the number in it."""


class StatusCategory(enum.StrEnum):
    """Jira's own keys. Every status of this site is the only one of its category and has the category's name."""

    NEW = "new"
    INDETERMINATE = "indeterminate"
    DONE = "done"

    @property
    def label(self) -> str:
        return LABELS[self]


LABELS = {
    StatusCategory.NEW: "To Do",
    StatusCategory.INDETERMINATE: "In Progress",
    StatusCategory.DONE: "Done",
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """`created` and `updated` are aware UTC; nobody has reported an issue whose `reporter_id` is None.

    `reporter_changes` are the moments at which it got another reporter. Properties change neither them nor `updated`.
    """

    number: int
    key: str
    project_id: str
    project_key: str
    reporter_id: str | None
    summary: str
    created: dt.datetime
    updated: dt.datetime
    status: StatusCategory = StatusCategory.NEW
    properties: collections.abc.Mapping[str, Any] = dataclasses.field(default_factory=dict)
    reporter_changes: tuple[dt.datetime, ...] = ()

    @property
    def issue_id(self) -> str:
        return str(self.number)

    def place(self, order: Order) -> Place:
        if order == "key":
            return self.project_key, int(self.key.rpartition("-")[2])
        return (self.created if order == "created" else self.updated), self.number

    def with_property(self, key: str, value: Any) -> "Issue":
        return dataclasses.replace(self, properties={**self.properties, key: value})

    def without_property(self, key: str) -> "Issue":
        kept = {name: value for name, value in self.properties.items() if name != key}
        return dataclasses.replace(self, properties=kept)
