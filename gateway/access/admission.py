"""How many requests of a caller are let in: so many a second, so many at once, a few wait.

Who may wait does so for a short time; all others are told at once when to come back, which costs
next to nothing.
"""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Protocol

from gateway.access.budgets import budget_of
from gateway.access.caller import Caller
from gateway.access.policy import Policy
from gateway.config.access import CallerBudget
from gateway.errors import TooManyRequests
from gateway.telemetry.callers import Excess
from gateway.upstreams.buckets import Bucket, Rate

LONGEST_WAIT_S: Final = 5.0
"""Callers such as Argo's controller give up after ten, and the answer takes its time as well."""
MAX_CALLERS: Final = 10_000
"""Whose requests are counted; who asked longest ago is forgotten first."""


class AdmissionObserver(Protocol):
    """Who counts."""

    def refused(self, reason: Excess) -> None:
        """A request was not let in."""

    def waits(self) -> None:
        """A request begins to wait."""

    def waited(self) -> None:
        """A request waits no longer."""


class Admission:
    """Knows how much each caller asks."""

    def __init__(
        self,
        policy: Callable[[], Policy],
        default: CallerBudget,
        observer: AdmissionObserver,
        now_s: Callable[[], float],
    ) -> None:
        """``now_s`` is the event loop's clock."""
        self._policy = policy
        self._known = policy()
        self._default = default
        self._observer = observer
        self._now_s = now_s
        self._meters: OrderedDict[str, Meter] = OrderedDict()

    def of(self, caller: Caller) -> "Meter":
        """The meter of a caller; a changed policy makes new ones."""
        policy = self._policy()
        if policy is not self._known:
            self._known = policy
            self._meters.clear()
        meter = self._meters.get(caller.name)
        if meter is None:
            budget = budget_of(policy, caller, self._default)
            meter = Meter(caller.name, budget, self._observer, self._now_s)
            self._meters[caller.name] = meter
            if len(self._meters) > MAX_CALLERS:
                self._meters.popitem(last=False)
        self._meters.move_to_end(caller.name)
        return meter


class Meter:
    """What one caller asks."""

    def __init__(
        self,
        name: str,
        budget: CallerBudget,
        observer: AdmissionObserver,
        now_s: Callable[[], float],
    ) -> None:
        self._name = name
        self._budget = budget
        self._observer = observer
        self._now_s = now_s
        self._bucket = Bucket(Rate(budget.per_second, budget.burst))
        self._places: Final = budget.concurrency
        self._under_way = 0
        self._waiting: OrderedDict[asyncio.Future[None], None] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None

    def pass_by(self) -> None:
        """Let in a request that takes no place: it waits for something else. Raises as below."""
        if not self._bucket.take_one(self._now_s()):
            raise self._refusal()

    async def enter(self) -> None:
        """Let in a request, which takes a place until ``leave``.

        Raises:
            TooManyRequests: there is none, and none soon enough.

        """
        if not self._waiting and self._takes():
            return
        if len(self._waiting) >= self._budget.queue or self._wait_s() >= LONGEST_WAIT_S:
            raise self._refusal()
        waiter = asyncio.get_running_loop().create_future()
        self._waiting[waiter] = None
        self._observer.waits()
        self._serve()
        try:
            async with asyncio.timeout(LONGEST_WAIT_S):
                await waiter
        except BaseException as error:
            self._waiting.pop(waiter, None)
            if waiter.done() and not waiter.cancelled():
                self.leave()
            if isinstance(error, TimeoutError):
                raise self._refusal() from None
            raise
        finally:
            self._observer.waited()

    def leave(self) -> None:
        """A request that was let in has its answer."""
        self._under_way -= 1
        if self._waiting:
            self._serve()

    def _takes(self) -> bool:
        """Take a place and a token, if there are both."""
        if self._under_way >= self._places or not self._bucket.take_one(self._now_s()):
            return False
        self._under_way += 1
        return True

    def _serve(self) -> None:
        while self._waiting and self._takes():
            waiter, _ = self._waiting.popitem(last=False)
            if waiter.done():
                # It was cancelled in this very turn of the loop.
                self._under_way -= 1
            else:
                waiter.set_result(None)
        is_for_time = self._waiting and self._under_way < self._places
        if is_for_time and self._timer is None:
            wait_s = self._bucket.wait_s(self._now_s())
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._next)

    def _next(self) -> None:
        self._timer = None
        self._serve()

    def _wait_s(self) -> float:
        """How long one more has to wait for its token at least."""
        return self._bucket.wait_s(self._now_s(), len(self._waiting) + 1)

    def _refusal(self) -> TooManyRequests:
        budget, wait_s = self._budget, self._wait_s()
        # Where there are tokens it is the places that lack.
        reason = Excess.RATE if wait_s > 0 else Excess.CONCURRENCY
        self._observer.refused(reason)
        retry_after_s = max(1, math.ceil(wait_s))
        what = {
            Excess.RATE: f"more than {budget.per_second} times a second",
            Excess.CONCURRENCY: f"for more than {budget.concurrency} answers at the same time",
        }[reason]
        return TooManyRequests(
            f"caller {self._name} asks {what}, and {len(self._waiting)} of its requests wait:"
            f" ask again in {retry_after_s}s (access.budget, or budgets of the policy)",
            retry_after_s=retry_after_s,
        )
