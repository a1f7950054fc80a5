"""Who is connected: at most so many, and who has to go when one more comes.

A caller is judged by what it owes: one that has sent half a request, or does not read its answer,
takes a place and gives nothing for it, so it goes first. Nobody goes who waits for the gateway.
"""

import time
from collections.abc import Callable
from typing import Final, Protocol

from gateway.telemetry.connections import Cut

PATIENCE_S: Final = 1.0
"""How long a caller may owe something before it has to go ahead of those who rest between two
requests; when such callers take more than half of the places, that is at once."""


class Visitor(Protocol):
    """A connection."""

    def cut(self, reason: Cut) -> None:
        """End it at once."""


class Crowd:
    """The connections of one port, by what they wait for."""

    def __init__(self, most: int, now_s: Callable[[], float] = time.monotonic) -> None:
        self._most: Final = most
        self._now_s: Final = now_s
        self._present: Final = set[Visitor]()
        self._owing: Final = dict[Visitor, float]()
        """Who has not sent all of a request, or does not read, and since when; oldest first."""
        self._resting: Final = dict[Visitor, None]()
        """Who has its answer and has not begun another request; oldest first."""

    def __len__(self) -> int:
        """How many are connected."""
        return len(self._present)

    def has_room(self) -> bool:
        """Whether one more may come; who has waited longest makes room."""
        if len(self._present) < self._most:
            return True
        victim = self._victim()
        if victim is None:
            return False
        self.leaves(victim)
        victim.cut(Cut.CROWDED)
        return True

    def enters(self, visitor: Visitor) -> None:
        """It is connected, and owes a request."""
        self._present.add(visitor)
        self.owes(visitor)

    def owes(self, visitor: Visitor) -> None:
        """From now on something is to come of it: a head, a body, or room for its answer."""
        self.works(visitor)
        if visitor in self._present:
            self._owing[visitor] = self._now_s()

    def works(self, visitor: Visitor) -> None:
        """It has done its part: what is waited for now is the gateway."""
        self._owing.pop(visitor, None)
        self._resting.pop(visitor, None)

    def rests(self, visitor: Visitor) -> None:
        """It has its answer."""
        self._owing.pop(visitor, None)
        if visitor in self._present:
            self._resting[visitor] = None

    def leaves(self, visitor: Visitor) -> None:
        """It is connected no longer."""
        self._present.discard(visitor)
        self.works(visitor)

    def _victim(self) -> Visitor | None:
        oldest, since_s = next(iter(self._owing.items()), (None, 0.0))
        is_late = self._now_s() - since_s >= PATIENCE_S
        if oldest is not None and (is_late or len(self._owing) * 2 > self._most):
            return oldest
        return next(iter(self._resting), oldest)
