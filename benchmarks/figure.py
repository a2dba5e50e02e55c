"""What is a result? A number with its unit, and the goal of the design where there is one."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """`goal` is the most that it may be, or with `better="more"` the least; None: it only explains another."""

    name: str
    value: float
    unit: str
    goal: float | None = None
    better: Literal["less", "more"] = "less"

    @property
    def is_met(self) -> bool | None:
        if self.goal is None:
            return None
        return self.value <= self.goal if self.better == "less" else self.value >= self.goal

    @property
    def shown_goal(self) -> str:
        return "" if self.goal is None else f"{'≤' if self.better == 'less' else '≥'} {self.goal:g} {self.unit}"


def p95(values: Sequence[float]) -> float:
    """The value that 95 of 100 do not exceed."""
    return sorted(values)[max(0, math.ceil(len(values) * 0.95) - 1)]
