"""Which Jira groups may use contacts and companies besides Jira administrators (D13)? What an administrator sends, checked.

Pure. Who is in a group is Jira's to say: see `addon.jira.permissions`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from addon.errors import FieldProblem

FIELD = "crmGroups"
MAX_GROUPS = 100
MAX_ID_LENGTH = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a body says; `groups` may be used only when `problems` is empty."""

    groups: tuple[str, ...]
    problems: Sequence[FieldProblem]


def read(sent: object) -> Reading:
    """The ids of the groups, each once. An empty list leaves contacts to administrators alone."""
    if not isinstance(sent, list) or not all(isinstance(item, str) and _is_id(item.strip()) for item in sent):
        return _refuse("must be a list of group ids, each a text")
    groups = tuple(sorted({item.strip() for item in sent}))
    if len(groups) > MAX_GROUPS:
        return _refuse(f"must not have more than {MAX_GROUPS} groups")
    return Reading(groups=groups, problems=())


def _is_id(item: str) -> bool:
    return 0 < len(item) <= MAX_ID_LENGTH and item.isprintable()


def _refuse(problem: str) -> Reading:
    return Reading(groups=(), problems=[FieldProblem(field=FIELD, problem=problem)])
