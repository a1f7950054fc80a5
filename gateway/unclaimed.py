"""Outcomes that nobody waited for: each is kept for the next caller with its question, once."""

from collections import OrderedDict
from typing import Final

from gateway.flight import Ask, Outcome
from gateway.newest import remember

UNCLAIMED_S: Final = 60.0
"""How long one is kept."""
MAX_UNCLAIMED: Final = 1_000
"""How many are kept at the same time; the oldest go first."""


class Unclaimed:
    """The newest one of each question."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[Outcome, float]] = OrderedDict()

    def __contains__(self, key: str) -> bool:
        return key in self._kept

    def leave(self, key: str, outcome: Outcome, *, now_s: float) -> None:
        """Keep an outcome."""
        remember(self._kept, key, (outcome, now_s + UNCLAIMED_S), at_most=MAX_UNCLAIMED)

    def take(self, key: str, ask: Ask, *, now_s: float) -> Outcome | None:
        """The outcome for a caller, None if there is none that is new enough for it."""
        if key not in self._kept:
            return None
        outcome, until_s = self._kept[key]
        is_over = until_s < now_s
        if is_over or ask.takes(outcome):
            self.drop(key)
            return None if is_over else outcome
        return None

    def drop(self, key: str) -> None:
        """Forget what there is: somebody has seen something newer."""
        self._kept.pop(key, None)
