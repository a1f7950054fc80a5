"""A circuit breaker: who is not there is not asked again and again, but now and then.

    closed      everybody may ask; so many failures in a row, of whomever, open it
    open        no tenant that has seen it fail may ask, until a pause is over
    half open   the pause is over: each of them may ask once, and an answer closes it; a failure
                makes the pause twice as long

A tenant's queries may fail because they are the tenant's: so who has not seen a failure asks as
if it were closed, and nobody waits for what another tenant asks. Any answer closes it.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

LONGEST_PAUSE_S: Final = 30.0
MEMORY_S: Final = 60.0
"""Failures that are further apart than this are not in a row."""


class State(StrEnum):
    """How a breaker stands: values of a label."""

    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nobody is asked now."""

    failures: int
    """In a row, so far."""
    retry_in_s: float
    """After how long it may be tried; 0 if it is tried right now."""

    @property
    def is_on_trial(self) -> bool:
        """Whether it is tried right now, so that what comes of it is worth waiting for."""
        return not self.retry_in_s


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """A request to an upstream that has failed."""

    tenant: str
    opening: int
    """Which time it was open: what is learnt of an earlier one says nothing of this one."""


class Breaker:
    """The breaker of one upstream; its callers say what time it is."""

    def __init__(self, *, failures: int, pause_s: float) -> None:
        """``failures`` in a row open it, 0 never; the first ``pause_s`` is that long."""
        self._most: Final = failures
        self._first_pause_s: Final = pause_s
        self._pause_s = pause_s
        self._in_a_row = 0
        self._last_s = 0.0
        self._retry_at_s: float | None = None
        self._openings = 0
        self._trials: dict[str, Trial] = {}
        self._have_seen: set[str] = set()

    def state(self, now_s: float) -> State:
        """How it stands."""
        if self._retry_at_s is None:
            return State.CLOSED
        return State.HALF_OPEN if self._trials or now_s >= self._retry_at_s else State.OPEN

    def rest(self, now_s: float) -> Refusal | None:
        """Why it is at rest; None if everybody may ask, or try."""
        if self._trials:
            return Refusal(self._in_a_row, 0.0)
        if self._retry_at_s is None or now_s >= self._retry_at_s:
            return None
        return Refusal(self._in_a_row, self._retry_at_s - now_s)

    def refusal(self, tenant: str, now_s: float) -> Refusal | None:
        """Why a tenant may not ask; None if it may."""
        if self._retry_at_s is None or tenant not in self._have_seen:
            return None
        if tenant in self._trials:
            return Refusal(self._in_a_row, 0.0)
        if now_s >= self._retry_at_s:
            return None
        return Refusal(self._in_a_row, self._retry_at_s - now_s)

    def begin(self, tenant: str) -> Trial | None:
        """A tenant asks that may: on trial, or None if there is nothing to be tried."""
        if self._retry_at_s is None:
            return None
        trial = Trial(tenant, self._openings)
        if tenant in self._have_seen:
            self._trials[tenant] = trial
        return trial

    def answered(self) -> None:
        """An answer came."""
        self._retry_at_s = None
        self._pause_s = self._first_pause_s
        self._in_a_row = 0
        self._trials.clear()
        self._have_seen.clear()

    def failed(self, tenant: str, now_s: float, trial: Trial | None) -> None:
        """None came."""
        if self._retry_at_s is None and now_s - self._last_s > MEMORY_S:
            self._in_a_row = 0
            self._have_seen.clear()
        self._in_a_row += 1
        self._last_s = now_s
        self._have_seen.add(tenant)
        self.given_up(trial)
        if self._retry_at_s is None:
            if self._most and self._in_a_row >= self._most:
                self._openings += 1
                self._retry_at_s = now_s + self._pause_s
        elif self._is_of_now(trial) and now_s >= self._retry_at_s:
            self._pause_s = min(2 * self._pause_s, max(LONGEST_PAUSE_S, self._first_pause_s))
            self._retry_at_s = now_s + self._pause_s

    def given_up(self, trial: Trial | None) -> None:
        """Nobody knows what would have come: it was not sent, or not waited for."""
        if trial is not None and self._trials.get(trial.tenant) is trial:
            del self._trials[trial.tenant]

    def _is_of_now(self, trial: Trial | None) -> bool:
        return trial is not None and trial.opening == self._openings
