"""Readings: measured once for all who ask, reused while fresh enough.

    here       a bounded memory in this process
    Redis      what other replicas measured
    a flight   one measurement under way, owned by nobody who waits for it

What is empty, partial or failed is never kept. A flight whose callers have all left goes on; its
outcome is kept for the next caller with the same question.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Protocol

from gateway.errors import ProviderError
from gateway.memory import Memory
from gateway.model import Reading
from gateway.shared_readings import Follow, Lead, SharedReadings
from gateway.stored import Stored

UNCLAIMED_S: Final = 60.0
"""How long an outcome that nobody waited for is kept for the next caller."""
CLOCK_SKEW_S: Final = 5.0
"""Readings from further in the future than this come from a clock that was set back."""

Measure = Callable[[], Awaitable[Reading]]


class CacheState(StrEnum):
    """Where an answer came from."""

    HIT = "hit"
    """A kept reading."""
    MISS = "miss"
    """Measured for this caller."""
    COALESCED = "coalesced"
    """Measured for another caller who asked at the same time."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old a reading may be."""

    max_age_s: float
    is_explicit: bool
    """Whether the caller said so. Who did not is also served by an older outcome that nobody has
    seen yet, and by a measurement that has been under way for longer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A reading with its history."""

    reading: Reading
    measured_at_unix_s: float
    """When the measurement began: no datum in it is newer."""
    age_s: float
    cache: CacheState


class ReadingsObserver(Protocol):
    """Who counts."""

    def cache_lookup(self, state: str) -> None:
        """An answer was given from there."""

    def flight_started(self) -> None:
        """A provider is being asked."""

    def flight_finished(self) -> None:
        """The provider has answered or failed."""


@dataclass(slots=True)
class _Flight:
    task: asyncio.Task[Answer]
    started_at_unix_s: float
    waiters: int = 0


@dataclass(frozen=True, slots=True)
class _Unclaimed:
    answer: Answer | None
    error: ProviderError | None
    until_unix_s: float


class Readings:
    """Answers questions."""

    def __init__(
        self,
        *,
        memory: Memory,
        shared: SharedReadings | None,
        observer: ReadingsObserver,
        now_unix_s: Callable[[], float] = time.time,
    ) -> None:
        self._memory = memory
        self._shared = shared
        self._observer = observer
        self._now_unix_s = now_unix_s
        self._flights: dict[str, _Flight] = {}
        self._tasks: set[asyncio.Task[Answer]] = set()
        self._unclaimed: dict[str, _Unclaimed] = {}

    def peek(self, key: str, freshness: Freshness) -> Answer | None:
        """A fresh reading from this process's memory, without waiting for anything."""
        now = self._now_unix_s()
        stored = self._memory.get(key)
        if stored is None or not _is_fresh(stored.measured_at_unix_s, freshness, now):
            return None
        return self._answered(_answer(stored, now, CacheState.HIT))

    async def read(self, key: str, freshness: Freshness, measure: Measure) -> Answer:
        """A reading that is fresh enough, measured if there is none.

        A caller who is cancelled leaves the measurement running.

        Raises:
            ProviderError: what ``measure`` raised, for every caller who waited for it.

        """
        found = self.peek(key, freshness) or self._claim(key, freshness)
        if found is not None:
            return found
        flight = self._flights.get(key)
        if flight is not None and self._may_join(flight, freshness):
            return self._answered(replace(await _join(flight), cache=CacheState.COALESCED))
        return self._answered(await _join(self._take_off(key, freshness, measure)))

    async def drain(self, grace_s: float) -> None:
        """Wait until nothing is under way; cancel what takes longer than ``grace_s`` seconds."""
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks), timeout=grace_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _take_off(self, key: str, freshness: Freshness, measure: Measure) -> _Flight:
        now = self._now_unix_s()
        task = asyncio.create_task(self._fly(key, freshness, measure, now), name="measure")
        flight = self._flights[key] = _Flight(task, now)
        self._tasks.add(task)
        task.add_done_callback(lambda _: self._land(key, flight))
        return flight

    async def _fly(
        self, key: str, freshness: Freshness, measure: Measure, asked_at_unix_s: float
    ) -> Answer:
        if self._shared is None:
            return await self._measure(key, measure)

        def is_acceptable(stored: Stored) -> bool:
            return _is_fresh(stored.measured_at_unix_s, freshness, asked_at_unix_s) or (
                stored.is_unclaimed and not freshness.is_explicit
            )

        match await self._shared.follow_or_lead(key, is_acceptable):
            case Follow(stored=stored, has_waited=has_waited):
                self._memory.put(key, stored)
                state = CacheState.COALESCED if has_waited else CacheState.HIT
                return _answer(stored, self._now_unix_s(), state)
            case Lead() as lead:
                async with lead:
                    return await self._measure(key, measure)

    async def _measure(self, key: str, measure: Measure) -> Answer:
        started_at = self._now_unix_s()
        self._observer.flight_started()
        try:
            reading = await measure()
        finally:
            self._observer.flight_finished()
        stored = Stored(reading, started_at, is_unclaimed=self._has_no_waiters(key))
        if not (reading.is_empty or reading.is_partial):
            self._memory.put(key, stored)
            if self._shared is not None:
                await self._shared.put(key, stored)
        return _answer(stored, self._now_unix_s(), CacheState.MISS)

    def _has_no_waiters(self, key: str) -> bool:
        flight = self._flights.get(key)
        return flight is not None and flight.waiters == 0

    def _land(self, key: str, flight: _Flight) -> None:
        self._tasks.discard(flight.task)
        if self._flights.get(key) is flight:
            del self._flights[key]
        if flight.task.cancelled():
            return
        error = flight.task.exception()
        if flight.waiters == 0 and (error is None or isinstance(error, ProviderError)):
            until = self._now_unix_s() + UNCLAIMED_S
            answer = None if error is not None else flight.task.result()
            self._forget_old_outcomes()
            self._unclaimed[key] = _Unclaimed(answer, error, until)

    def _claim(self, key: str, freshness: Freshness) -> Answer | None:
        kept = None if freshness.is_explicit else self._unclaimed.pop(key, None)
        now = self._now_unix_s()
        if kept is None or kept.until_unix_s <= now:
            return None
        if kept.error is not None:
            raise kept.error
        assert kept.answer is not None  # noqa: S101 - an outcome is an error or an answer
        age_s = max(0.0, now - kept.answer.measured_at_unix_s)
        return self._answered(replace(kept.answer, age_s=age_s, cache=CacheState.HIT))

    def _forget_old_outcomes(self) -> None:
        now = self._now_unix_s()
        for key in [key for key, kept in self._unclaimed.items() if kept.until_unix_s <= now]:
            del self._unclaimed[key]

    def _may_join(self, flight: _Flight, freshness: Freshness) -> bool:
        return not freshness.is_explicit or _is_fresh(
            flight.started_at_unix_s, freshness, self._now_unix_s()
        )

    def _answered(self, answer: Answer) -> Answer:
        self._observer.cache_lookup(answer.cache)
        return answer


async def _join(flight: _Flight) -> Answer:
    flight.waiters += 1
    try:
        # A caller that hangs up must not cancel the answer that the others wait for.
        return await asyncio.shield(flight.task)
    finally:
        flight.waiters -= 1


def _is_fresh(measured_at_unix_s: float, freshness: Freshness, now_unix_s: float) -> bool:
    age_s = now_unix_s - measured_at_unix_s
    return -CLOCK_SKEW_S < age_s <= freshness.max_age_s


def _answer(stored: Stored, now_unix_s: float, cache: CacheState) -> Answer:
    age_s = max(0.0, now_unix_s - stored.measured_at_unix_s)
    return Answer(stored.reading, stored.measured_at_unix_s, age_s, cache)
