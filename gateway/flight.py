"""One measurement under way, what came of it, and who may have it."""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from gateway.model import Reading
from gateway.shared_readings import Found


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old a reading may be."""

    max_age_s: float
    is_explicit: bool
    """Whether the caller said so. Who did not is also served by an older outcome that nobody has
    seen yet, and by a measurement that has been under way for longer."""
    is_shared: bool = True
    """Whether replicas share it. What is asked all the time, by who seldom asks the same as others,
    costs more to share than to measure."""


class Origin(Enum):
    """Where an outcome came from."""

    KEPT = "kept"
    """Redis had it."""
    UNCLAIMED = "unclaimed"
    """Redis had it, and nobody had seen it yet."""
    FOLLOWED = "followed"
    """Another replica was measuring, and this one waited for it."""
    MEASURED = "measured"
    """This replica measured, or tried to."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A reading or what went wrong."""

    result: Reading | Exception
    began_s: float
    """When the measurement began, on the monotonic clock."""
    origin: Origin

    @property
    def keepable(self) -> Reading | None:
        """The reading, unless it is empty or partial."""
        result = self.result
        if isinstance(result, Exception) or result.is_empty or result.is_partial:
            return None
        return result


class Flight:
    """One measurement under way: waited for by callers, owned by none of them."""

    __slots__ = ("ask", "began_s", "longest_s", "outcome", "token", "waiters")

    def __init__(self, ask: "Ask", token: str, longest_s: float) -> None:
        self.ask = ask
        """What the caller wants who made it take off."""
        self.token = token
        """Its name towards other replicas."""
        self.longest_s = longest_s
        """When it is given up."""
        self.outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.began_s: float | None = None
        """When the measurement began, on the monotonic clock; None while Redis is asked, and while
        its first request waits until it may be sent."""
        self.waiters = 0

    async def wait(self) -> Outcome:
        """What comes of it; who is cancelled meanwhile leaves it under way."""
        self.waiters += 1
        try:
            # A caller that hangs up must not cancel the outcome that the others wait for.
            return await asyncio.shield(self.outcome)
        finally:
            self.waiters -= 1

    def found(self, found: Found, *, now_s: float) -> Outcome:
        """The outcome when Redis has a reading."""
        origin = Origin.KEPT if self.began_s is None else Origin.FOLLOWED
        if found.is_unclaimed:
            origin = Origin.UNCLAIMED
        return Outcome(found.reading, now_s - found.age_s, origin)

    def failed(self, error: Exception, *, now_s: float) -> Outcome:
        """The outcome when there is no reading."""
        began_s = now_s if self.began_s is None else self.began_s
        return Outcome(error, began_s, Origin.MEASURED)


class FlightBeginning:
    """Implements ``gateway.beginnings.Beginning`` for a flight."""

    def __init__(self, flight: Flight, now_s: Callable[[], float]) -> None:
        self._flight = flight
        self._now_s = now_s
        self._is_out = False
        flight.began_s = now_s()

    def waits(self) -> None:
        """It has not begun, if nothing was sent before."""
        if not self._is_out:
            self._flight.began_s = None

    def goes_out(self) -> None:
        """It begins now, if it has not."""
        if not self._is_out:
            self._flight.began_s = self._now_s()
            self._is_out = True

    def age_s(self) -> float:
        """How long ago it began; 0 if it has not."""
        now_s = self._now_s()
        began_s = self._flight.began_s
        return 0.0 if began_s is None else now_s - began_s


@dataclass(frozen=True, slots=True)
class Ask:
    """A freshness at the moment of asking, as instants on the monotonic clock."""

    reading_from_s: float
    """When a kept reading's measurement may have begun at the earliest."""
    flight_from_s: float
    """The same for a measurement under way, or one that nobody has seen the outcome of."""
    takes_unclaimed: bool
    wants_new: bool
    """Whether nothing but a new measurement will do."""
    is_shared: bool = True
    """Whether other replicas hear of what comes of it."""

    @classmethod
    def at(cls, now_s: float, freshness: Freshness) -> "Ask":
        """What a caller wants who asks now."""
        oldest_s = now_s - freshness.max_age_s
        if freshness.is_explicit:
            wants_new = freshness.max_age_s == 0
            return cls(
                oldest_s,
                oldest_s,
                takes_unclaimed=False,
                wants_new=wants_new,
                is_shared=freshness.is_shared,
            )
        return cls(oldest_s, -math.inf, takes_unclaimed=True, wants_new=False)

    def may_join(self, flight: Flight) -> bool:
        """Whether to wait for a measurement, as far as can be said before it has an outcome."""
        return flight.began_s is None or flight.began_s >= self.flight_from_s

    def takes(self, outcome: Outcome) -> bool:
        """Whether an outcome is new enough."""
        if outcome.origin is Origin.KEPT:
            return outcome.began_s >= self.reading_from_s
        return outcome.began_s >= self.flight_from_s
