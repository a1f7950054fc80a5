"""What a JSONPath template is made of."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Literal:
    """A text, a number or a truth value that stands for itself."""

    value: str | int | float | bool


@dataclass(frozen=True, slots=True)
class Field:
    """``.name``: the member of an object."""

    name: str


@dataclass(frozen=True, slots=True)
class Slice:
    """``[start:stop:step]``; a lone index is a slice with a derived stop."""

    start: int | None
    stop: int | None
    step: int | None
    is_stop_derived: bool

    def bounds(self, length: int) -> tuple[int, int]:
        """Where the slice starts and stops in a list of ``length`` items, unchecked."""
        start = self.start or 0
        stop = length if self.stop is None else self.stop
        if start < 0:
            start += length
        if stop < 0 or (stop == 0 and self.is_stop_derived):
            stop += length
        return start, stop


@dataclass(frozen=True, slots=True)
class Filter:
    """``[?(left op right)]``; without an operator it asks whether ``left`` finds anything."""

    left: "Action"
    operator: str
    right: "Action"


@dataclass(frozen=True, slots=True)
class Union:
    """``[a,b]``: the results of several actions on the same input."""

    branches: tuple["Action", ...]


@dataclass(frozen=True, slots=True)
class Identifier:
    """A bare word; ``range`` and ``end`` have a meaning."""

    name: str


@dataclass(frozen=True, slots=True)
class Wildcard:
    """``.*``: all members of an object or a list."""


@dataclass(frozen=True, slots=True)
class Recursive:
    """``..``: the value and all that is nested in it."""


Node = Literal | Field | Slice | Filter | Union | Identifier | Wildcard | Recursive
Action = tuple[Node, ...]
"""What stands between one pair of braces."""
Template = tuple[Literal | Action, ...]
