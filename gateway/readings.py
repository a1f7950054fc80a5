"""Readings: measured once for all who ask, reused while fresh enough.

    memory     what this process knows
    shared     what other replicas measured, or are measuring
    a flight   one measurement under way, owned by nobody who waits for it

What is empty, partial or failed is never kept. A flight whose callers have all left goes on; its
outcome is kept for the next caller with the same question, once.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from gateway.beginnings import telling
from gateway.errors import ProviderUnreachable, ProviderUnreadable
from gateway.flight import Ask, Flight, FlightBeginning, Freshness, Origin, Outcome
from gateway.memory import Memory, Remembered
from gateway.model import Reading
from gateway.pace import Pace
from gateway.shared_readings import Found, Lead, NoStore, SharedReadings, Wanted
from gateway.unclaimed import UNCLAIMED_S, Unclaimed

_FIRST_POLL_S: Final = 0.01
_LONGEST_POLL_S: Final = 0.05

__all__ = ["Answer", "CacheState", "Freshness", "Measure", "Readings", "ReadingsObserver"]

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


_STATES: Final = {
    Origin.KEPT: CacheState.HIT,
    Origin.UNCLAIMED: CacheState.HIT,
    Origin.FOLLOWED: CacheState.COALESCED,
}


class Readings:
    """Answers questions."""

    def __init__(
        self,
        *,
        memory: Memory,
        shared: SharedReadings | None,
        observer: ReadingsObserver,
        longest_flight_s: float = 60.0,
        now_unix_s: Callable[[], float] = time.time,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._memory = memory
        self._alone = SharedReadings(NoStore(), retention_s=0)
        self._shared = shared or self._alone
        self._observer = observer
        self.longest_flight_s: Final = longest_flight_s
        """After how many seconds a measurement is given up that has no limit of its own."""
        self._now_unix_s = now_unix_s
        self._monotonic_s = monotonic_s
        self._pace = Pace()
        self._flights: dict[str, Flight] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._unclaimed = Unclaimed()

    def peek(self, key: str, freshness: Freshness) -> Answer | None:
        """A fresh reading from this process's memory, without waiting for anything."""
        # What nobody has seen yet is newer than what is remembered, and may be bad news.
        if key in self._unclaimed:
            return None
        return self._known(key, freshness)

    def are_current(self, wanted: Sequence[tuple[str, Reading]], freshness: Freshness) -> bool:
        """Whether each question would be answered by ``peek`` with this very reading.

        If so, that counts as having been answered.
        """
        for key, reading in wanted:
            kept = None if key in self._unclaimed else self._fresh(key, freshness)
            if kept is None or kept.reading is not reading:
                return False
        for _ in wanted:
            self._observer.cache_lookup(CacheState.HIT)
        return True

    async def read(
        self,
        key: str,
        freshness: Freshness,
        measure: Measure,
        *,
        longest_s: float | None = None,
        tenant: str = "",
    ) -> Answer:
        """A reading that is fresh enough, measured if there is none.

        A caller who is cancelled leaves the measurement running. ``measure`` has to end by itself;
        it is cancelled after ``longest_s`` seconds, or those of all flights. A measurement that is
        under way serves who asks explicitly only if it began no earlier than the age that was asked
        for: with 0, one that has not yet reached the provider. Where there is more to measure than
        this process can, tenants take turns.

        Raises:
            ProviderError: what ``measure`` raised, for every caller who waited for it.

        """
        ask = Ask.at(self._monotonic_s(), freshness)
        while True:
            unclaimed = self._unclaimed.take(key, ask, now_s=self._monotonic_s())
            if unclaimed is not None:
                return self._told(unclaimed, CacheState.HIT)
            known = self._known(key, freshness)
            if known is not None:
                return known
            flight = self._flights.get(key)
            if flight is None or not ask.may_join(flight):
                flight = self._take_off(key, ask, measure, longest_s, tenant)
                outcome = await flight.wait()
                return self._told(outcome, CacheState.MISS)
            outcome = await flight.wait()
            if ask.takes(outcome):
                return self._told(outcome, CacheState.COALESCED)

    async def drain(self, grace_s: float) -> None:
        """Wait until nothing is under way; cancel what takes longer than ``grace_s`` seconds."""
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks), timeout=grace_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _take_off(
        self, key: str, ask: Ask, measure: Measure, longest_s: float | None, tenant: str
    ) -> Flight:
        longest_s = self.longest_flight_s if longest_s is None else longest_s
        flight = self._flights[key] = Flight(ask, secrets.token_hex(8), longest_s)
        task = asyncio.create_task(self._fly(key, flight, measure, tenant), name="measure")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return flight

    async def _fly(self, key: str, flight: Flight, measure: Measure, tenant: str) -> None:
        limit = asyncio.timeout(flight.longest_s)
        try:
            async with limit:
                await self._pace.turn(tenant)
                outcome = await self._obtain(key, flight, measure)
        except asyncio.CancelledError:
            error = ProviderUnreachable("given up: the gateway is shutting down")
            self._land(key, flight, flight.failed(error, now_s=self._monotonic_s()))
            await self._sharing(flight).release(key, token=flight.token)
            raise
        except Exception as error:  # noqa: BLE001 # whoever waits has to hear of it
            if limit.expired():
                is_of_all = flight.longest_s == self.longest_flight_s
                hint = " (verdicts.measurementTimeout)" if is_of_all else ""
                error = ProviderUnreachable(
                    f"no answer within {flight.longest_s:g}s, the longest that a measurement"
                    f" may take{hint}"
                )
            outcome = flight.failed(error, now_s=self._monotonic_s())
        except BaseException as error:
            # What ends tasks or the process must not leave anybody waiting for ever.
            told = ProviderUnreadable(f"the measurement ended in {type(error).__name__}")
            self._land(key, flight, flight.failed(told, now_s=self._monotonic_s()))
            raise
        is_unseen = flight.waiters == 0
        self._land(key, flight, outcome)
        if outcome.origin is Origin.MEASURED:
            await self._share(key, flight, outcome, is_unseen=is_unseen)

    async def _obtain(self, key: str, flight: Flight, measure: Measure) -> Outcome:
        pause_s = _FIRST_POLL_S
        reading_from_s = flight.ask.reading_from_s
        while True:
            now_s = self._monotonic_s()
            wanted = Wanted(
                reading_age_s=now_s - reading_from_s,
                under_way_s=now_s - flight.ask.flight_from_s,
                takes_unclaimed=flight.ask.takes_unclaimed,
            )
            claim = await self._sharing(flight).claim(key, wanted, token=flight.token)
            if isinstance(claim, Lead):
                return await self._measure(key, flight, measure)
            if isinstance(claim, Found):
                return flight.found(claim, now_s=self._monotonic_s())
            flight.began_s = self._monotonic_s() - claim.under_way_s
            # The awaited reading will be as old as its measurement, give or take a poll.
            reading_from_s = min(reading_from_s, flight.began_s - _FIRST_POLL_S)
            await asyncio.sleep(pause_s)
            pause_s = min(1.5 * pause_s, _LONGEST_POLL_S)

    async def _measure(self, key: str, flight: Flight, measure: Measure) -> Outcome:
        began = FlightBeginning(flight, self._monotonic_s)
        self._observer.flight_started()
        try:
            async with self._sharing(flight).lease(key, began.age_s, token=flight.token):
                with telling(began):
                    reading = await measure()
                began_s = self._monotonic_s() - began.age_s()
                return Outcome(reading, began_s - reading.lag_s, Origin.MEASURED)
        finally:
            self._observer.flight_finished()

    def _land(self, key: str, flight: Flight, outcome: Outcome) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
        reading = outcome.keepable
        # What nobody has seen is not remembered here but marked in Redis, where the first who asks,
        # of any replica, takes the mark away.
        is_marked = reading is not None and outcome.origin is Origin.MEASURED
        if reading is not None and (flight.waiters or not is_marked):
            self._memory.put(key, reading, began_s=outcome.began_s)
        if flight.waiters:
            self._unclaimed.drop(key)
        elif not is_marked:
            self._leave_unclaimed(key, outcome)
        flight.outcome.set_result(outcome)

    async def _share(self, key: str, flight: Flight, outcome: Outcome, *, is_unseen: bool) -> None:
        reading = outcome.keepable
        if not flight.ask.is_shared:
            if is_unseen and reading is not None:
                self._leave_unclaimed(key, outcome)
            return
        if reading is None:
            await self._sharing(flight).release(key, token=flight.token)
            return
        # Callers have been answered by now: Redis may take its time. Who heard nothing from other
        # replicas tells them all the same: what they hold may be older, and better.
        is_shared = await self._shared.publish(
            key,
            reading,
            age_s=self._monotonic_s() - outcome.began_s,
            token=flight.token,
            unclaimed_s=UNCLAIMED_S if is_unseen else 0,
        )
        if is_unseen and not is_shared:
            self._leave_unclaimed(key, outcome)

    def _sharing(self, flight: Flight) -> SharedReadings:
        # Who takes nothing but a new measurement has nothing to hear from other replicas.
        is_alone = flight.ask.wants_new or not flight.ask.is_shared
        return self._alone if is_alone else self._shared

    def _leave_unclaimed(self, key: str, outcome: Outcome) -> None:
        now_s = self._monotonic_s()
        kept = self._memory.get(key, now_s=now_s)
        if kept is not None and kept.began_s > outcome.began_s:
            return
        self._unclaimed.leave(key, outcome, now_s=now_s)

    def _known(self, key: str, freshness: Freshness) -> Answer | None:
        kept = self._fresh(key, freshness)
        return None if kept is None else self._answered(kept.reading, kept.began_s, CacheState.HIT)

    def _fresh(self, key: str, freshness: Freshness) -> Remembered | None:
        now_s = self._monotonic_s()
        kept = self._memory.get(key, now_s=now_s)
        return None if kept is None or now_s - kept.began_s > freshness.max_age_s else kept

    def _told(self, outcome: Outcome, if_measured: CacheState) -> Answer:
        if isinstance(outcome.result, Reading):
            state = _STATES.get(outcome.origin, if_measured)
            return self._answered(outcome.result, outcome.began_s, state)
        self._observer.cache_lookup(if_measured)
        # One error is raised for many callers: without this each would add its frames to it.
        raise outcome.result.with_traceback(None)

    def _answered(self, reading: Reading, began_s: float, cache: CacheState) -> Answer:
        self._observer.cache_lookup(cache)
        age_s = max(0.0, self._monotonic_s() - began_s)
        return Answer(reading, self._now_unix_s() - age_s, age_s, cache)
