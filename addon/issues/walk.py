"""Where does the reading of the issues that were there already go on? Open ones first, then the rest (C5). Pure.

A place in Jira's list is a token that may stop being taken; then the reading goes on from the age of the last issue that
it met. Each part's issues are written when all of them are known, so that a company's are written by one call.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal, assert_never

Phase = Literal["open", "rest", "done"]

LOOK_EACH = 10_000
# Issues read between two looks whether some company has enough of them for a call that can't take more.

CATCH_UP = timedelta(hours=1)
# Events that got lost are made up for so often.

OVERLAP = timedelta(minutes=10)
# Jira's index is behind by seconds to minutes.

TO_READ: tuple[Phase, ...] = ("open", "rest")

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """`token`: of the next page of `jql`; both None at the list's beginning, and where Jira did not take the token.

    `last`: when the last issue that was met was created. `is_read`: all of the phase are met, and are being written.
    `unlooked`: how many were met since somebody looked for full calls.
    """

    phase: Phase = "open"
    token: str | None = None
    jql: str | None = None
    last: datetime | None = None
    is_read: bool = False
    unlooked: int = 0

    def to_json(self) -> dict[str, Any]:
        last = self.last and self.last.isoformat()
        return {"token": self.token, "jql": self.jql, "last": last, "isRead": self.is_read, "unlooked": self.unlooked}

    @classmethod
    def from_json(cls, phase: Phase, data: Mapping[str, Any] | None) -> "Place":
        """`data` is None where nothing was read yet."""
        if data is None:
            return cls(phase=phase)
        last = data["last"]
        return cls(
            phase=phase,
            token=data["token"],
            jql=data["jql"],
            last=datetime.fromisoformat(last) if last else None,
            is_read=data["isRead"],
            unlooked=data["unlooked"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CatchUp:
    """An asking for what no event told: of which time, as of `began`; `token` of the next page."""

    began: datetime
    jql: str
    token: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {"began": self.began.isoformat(), "jql": self.jql, "token": self.token}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "CatchUp":
        return cls(began=datetime.fromisoformat(data["began"]), jql=data["jql"], token=data["token"])


def query(place: Place, now: datetime) -> str:
    """The JQL of the place's next page: with a token it has to be what the token was given for."""
    if place.jql is not None and place.token is not None:
        return place.jql
    parts = [condition(place.phase)]
    if place.last is not None:
        parts.append(f"created <= -{_minutes_before(place.last, now)}m")
    return " AND ".join(parts) + " ORDER BY created DESC"


def condition(phase: Phase) -> str:
    match phase:
        case "open":
            return "statusCategory != Done"
        case "rest":
            return "statusCategory = Done"
        case "done":
            raise ValueError("nothing is left to read")
        case _:
            assert_never(phase)


def following(place: Place, *, jql: str, read: int, last: datetime | None, token: str | None) -> Place:
    """After a page of `read` issues, the last of which was created at `last`."""
    return replace(
        place,
        token=token,
        jql=jql,
        last=last or place.last,
        is_read=token is None,
        unlooked=place.unlooked + read,
    )


def without_token(place: Place) -> Place:
    """Jira does not take the token any more."""
    return replace(place, token=None, jql=None)


def next_phase(place: Place) -> Place:
    """All of a phase are written."""
    match place.phase:
        case "open":
            return Place(phase="rest")
        case "rest" | "done":
            return Place(phase="done")
        case _:
            assert_never(place.phase)


def catch_up(since: datetime, now: datetime) -> CatchUp:
    """An asking for issues that are new, or have another reporter, since then."""
    ago = _ago(now - since + OVERLAP)
    return CatchUp(began=now, jql=f"(created >= {ago} OR reporter CHANGED AFTER {ago}) ORDER BY created DESC")


def _minutes_before(moment: datetime, now: datetime) -> int:
    """Whole minutes, so many that an issue of that moment is not left out."""
    return max(0, (now - moment) // MINUTE)


def _ago(span: timedelta) -> str:
    """The span as JQL writes it, rather too long than too short."""
    for unit, name, most in ((MINUTE, "m", 2 * DAY), (HOUR, "h", 90 * DAY)):
        if span <= most:
            return f"-{-(-span // unit)}{name}"
    return f"-{-(-span // DAY)}d"
