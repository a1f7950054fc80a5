"""What a condition saw on its way to true or false: a decision that can be checked.

Values only; ``gateway.conditions`` finds them, ``gateway.reasons`` makes sentences of them.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Final

_EXACT: Final = {"==", "!="}


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a condition that was evaluated."""

    expression: str
    value: object = None
    """JSON-ready; long texts, lists and objects are cut."""
    error: str = ""
    """Why it has no value; nothing behind it was evaluated."""

    @property
    def json(self) -> dict[str, object]:
        """JSON-ready."""
        found = {"error": self.error} if self.error else {"value": self.value}
        return {"expression": self.expression, **found}


@dataclass(frozen=True, slots=True)
class Comparison:
    """A number of the result beside the number that it was compared with."""

    expression: str
    """What was compared: ``result[0]``."""
    operator: str
    """With the expression on its left."""
    limit: float
    value: float
    """Finite, as the limit is."""
    holds: bool

    @property
    def margin(self) -> float:
        """How far the value is from the limit; below zero if the comparison does not hold."""
        # 0.91 is not 0.03999999999999993 below 0.95, to a person.
        distance = float(f"{abs(self.value - self.limit):.12g}")
        return distance if self.holds or distance == 0 else -distance

    @property
    def tells_more(self) -> bool:
        """Whether the margin says something that the comparison does not."""
        return math.isfinite(self.margin) and not (self.operator in _EXACT and self.margin == 0)

    @property
    def text(self) -> str:
        """``result[0] >= 0.95``."""
        return f"{self.expression} {self.operator} {self.limit:.12g}"

    @property
    def json(self) -> dict[str, object]:
        """JSON-ready."""
        return {
            "expression": self.expression,
            "operator": self.operator,
            "limit": self.limit,
            "value": self.value,
            "margin": self.margin if math.isfinite(self.margin) else None,
            "holds": self.holds,
        }


@dataclass(frozen=True)
class ConditionEvidence:
    """How one condition came out."""

    value: bool | None
    """None if it has none: an error."""
    parts: tuple[Part, ...] = ()
    """In the order of evaluation, the whole last; those that nobody had to look at are missing."""
    comparisons: tuple[Comparison, ...] = ()
    """Those with a number, in the same order."""

    @property
    def is_one_comparison(self) -> bool:
        """Whether the condition is a comparison with a number, and nothing else."""
        return len(self.comparisons) == 1 and len(self.parts) == 2  # noqa: PLR2004 - it, and what it compares

    @cached_property
    def decisive(self) -> tuple[Comparison, ...]:
        """The comparisons that came out as the whole did, and tell by how much."""
        return tuple(
            each for each in self.comparisons if each.holds is self.value and each.tells_more
        )

    @property
    def json(self) -> dict[str, object]:
        """JSON-ready."""
        return {
            "value": self.value,
            "parts": [each.json for each in self.parts],
            "comparisons": [each.json for each in self.comparisons],
        }


@dataclass(frozen=True)
class Evidence:
    """What led from a reading to a phase; one serves all who are shown it."""

    samples: int
    """How many values the reading holds: elements of a list, else 1; 0 for none."""
    success: ConditionEvidence | None = None
    """None if there is no such condition."""
    failure: ConditionEvidence | None = None

    @cached_property
    def json(self) -> dict[str, object]:
        """JSON-ready, in the words of a template; not to be changed."""
        return {
            "samples": self.samples,
            "successCondition": None if self.success is None else self.success.json,
            "failureCondition": None if self.failure is None else self.failure.json,
        }
