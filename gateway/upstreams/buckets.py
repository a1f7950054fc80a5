"""Token buckets: so many a second for long, and a burst at once.

All that is kept of one is when it will be full again: every token that is taken puts that off by
the time in which one drips in. It is the generic cell rate algorithm (ITU-T I.371).
"""

import math
from dataclasses import dataclass
from typing import Final

_ALMOST: Final = 1e-6
"""By so much of a token a clock's roundings may be off."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast tokens drip into a bucket, and how many it holds."""

    per_s: float
    burst: int = 1

    @property
    def interval_s(self) -> float:
        """From one token to the next."""
        return 1 / self.per_s


class Bucket:
    """One bucket, full at the beginning; its callers say what time it is."""

    __slots__ = ("_full_at_s", "_interval_s", "_room_s")

    def __init__(self, rate: Rate) -> None:
        self._interval_s: Final = rate.interval_s
        self._room_s: Final = rate.burst * rate.interval_s
        self._full_at_s = -math.inf

    def available(self, now_s: float) -> int:
        """How many tokens are in it."""
        if self._full_at_s <= now_s:
            return round(self._room_s / self._interval_s)
        left_s = now_s + self._room_s - self._full_at_s
        return max(0, math.floor(left_s / self._interval_s + _ALMOST))

    def take_one(self, now_s: float) -> bool:
        """Take a token if there is one."""
        full_at_s = max(self._full_at_s, now_s) + self._interval_s
        if full_at_s - now_s > self._room_s + _ALMOST * self._interval_s:
            return False
        self._full_at_s = full_at_s
        return True

    def take(self, tokens: int, now_s: float) -> None:
        """Take tokens that are available."""
        self._full_at_s = max(self._full_at_s, now_s) + tokens * self._interval_s

    def wait_s(self, now_s: float, tokens: int = 1) -> float:
        """How long until so many are available, if nobody takes any meanwhile.

        More than it holds are waited for as if it had room for them.
        """
        return max(0.0, self._full_at_s + tokens * self._interval_s - self._room_s - now_s)
