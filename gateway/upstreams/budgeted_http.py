"""Requests to one named upstream, within its budget: in turns, repeated, or not sent at all.

    rest     it failed too often: nobody who saw it asks before a pause is over breaker.py
    wait     for a place and a token, tenants in turns                          gate.py
    repeat   what only reads and met a fault that may be over: a little later

Each try needs a place and a token of its own. All of it happens within the request's time limit.
"""

import asyncio
import random
from typing import Final

from gateway.attempts import sent_again
from gateway.beginnings import beginning
from gateway.errors import ProviderUnreachable, ProviderUnreadable, RedirectRefused
from gateway.provider import DEADLINE_EXCEEDED, HttpRequest, HttpResponse, NoAnswer
from gateway.telemetry.upstreams import Outcome, Unasked
from gateway.upstreams.breaker import Refusal, Trial
from gateway.upstreams.budget import UpstreamBudget

UNAVAILABLE: Final = frozenset({502, 503, 504})
"""What proxies say of a server that is away."""
FIRST_PAUSE_S: Final = 0.2
"""Before the first repetition, at most; each further one may be twice as long."""
LONGEST_PAUSE_S: Final = 2.0
SHORTEST_EXCHANGE_S: Final = 0.5
"""What a request leaves of its time for the answer when it waits, or half of it if that is less."""


class BudgetedHttp:
    """Implements ``gateway.provider.Http`` for one measurement of a tenant's."""

    def __init__(self, budget: UpstreamBudget, *, tenant: str, given_up_at_s: float) -> None:
        """By the event loop's clock the measurement is given up at ``given_up_at_s``."""
        self._budget = budget
        self._tenant = tenant
        self._given_up_at_s = given_up_at_s
        self._now_s = asyncio.get_running_loop().time

    async def send(self, request: HttpRequest, *, timeout_s: float) -> HttpResponse:
        """Send one request, as often as its budget has it.

        Raises: as ``gateway.provider.Http.send`` says; ProviderUnreachable, and nothing is sent, if
        the upstream rests, is on trial for longer, or has no place or token for it in time.
        """
        answered_by_s = self._now_s() + timeout_s
        left_s = min(answered_by_s, self._given_up_at_s) - self._now_s()
        latest_s = self._now_s() + left_s - min(SHORTEST_EXCHANGE_S, left_s / 2)
        retries = self._budget.allowance.retries if request.may_be_repeated else 0
        for number in range(retries + 1):
            outcome = await self._try(request, latest_s, answered_by_s)
            pause_s = min(FIRST_PAUSE_S * 2**number, LONGEST_PAUSE_S) * random.random()  # noqa: S311 - no secret
            is_last = number == retries or self._now_s() + pause_s > latest_s
            if is_last or not _may_be_over(outcome):
                break
            self._budget.retried()
            sent_again()
            await asyncio.sleep(pause_s)
        if isinstance(outcome, NoAnswer):
            raise outcome
        return outcome

    async def _try(
        self, request: HttpRequest, latest_s: float, answered_by_s: float
    ) -> HttpResponse | NoAnswer:
        began_s = self._now_s()
        while True:
            await self._check_rest(latest_s)
            try:
                async with self._budget.gate.place(self._tenant, until_s=latest_s):
                    # It may have failed, or be on trial, since this one began to wait.
                    if self._refusal() is None:
                        self._budget.waited(self._now_s() - began_s)
                        return await self._ask(request, answered_by_s)
            except TimeoutError:
                raise self._too_late(self._now_s() - began_s) from None

    async def _ask(self, request: HttpRequest, answered_by_s: float) -> HttpResponse | NoAnswer:
        breaker, began_s = self._budget.breaker, self._now_s()
        trial = breaker.begin(self._tenant)
        outcome: HttpResponse | NoAnswer
        try:
            outcome = await self._budget.client.send(request, timeout_s=answered_by_s - began_s)
        except NoAnswer as error:
            outcome = error
        except (ProviderUnreadable, RedirectRefused):
            breaker.answered()
            self._budget.tell()
            raise
        except BaseException:
            breaker.given_up(trial)
            self._budget.tell()
            raise
        self._note(outcome, trial, took_s=self._now_s() - began_s)
        return outcome

    def _note(
        self, outcome: HttpResponse | NoAnswer, trial: Trial | None, *, took_s: float
    ) -> None:
        breaker, kind = self._budget.breaker, _kind(outcome)
        self._budget.asked(kind, took_s=took_s)
        if kind is Outcome.ANSWERED:
            breaker.answered()
        elif _is_impatience(outcome) and took_s < self._budget.allowance.patience_s:
            breaker.given_up(trial)
        else:
            breaker.failed(self._tenant, self._now_s(), trial)
        self._budget.tell()

    async def _check_rest(self, until_s: float) -> None:
        """Wait for what comes of a trial. Raises ProviderUnreachable: nobody may ask until then."""
        while (refusal := self._refusal()) is not None:
            beginning().waits()
            if not refusal.is_on_trial or not await self._budget.has_news(until_s):
                self._budget.unasked(Unasked.BREAKER)
                raise ProviderUnreachable(_at_rest(self._budget.name, refusal))

    def _refusal(self) -> Refusal | None:
        return self._budget.breaker.refusal(self._tenant, self._now_s())

    def _too_late(self, waited_s: float) -> ProviderUnreachable:
        self._budget.unasked(Unasked.BUDGET)
        rate, name = self._budget.allowance.rate, self._budget.name
        keys = "concurrency" if rate is None else "concurrency, connections[].rate"
        return ProviderUnreachable(
            f"connection {name}: no room for a request within {waited_s:.3g}s, the time that there"
            f" was; others of the same budget came first (connections[].{keys})"
        )


def _kind(outcome: HttpResponse | NoAnswer) -> Outcome:
    if isinstance(outcome, NoAnswer):
        return Outcome.NO_ANSWER
    return Outcome.UNAVAILABLE if outcome.status in UNAVAILABLE else Outcome.ANSWERED


def _is_impatience(outcome: HttpResponse | NoAnswer) -> bool:
    """Whether all that is known is that none came in the time that the request had."""
    return isinstance(outcome, NoAnswer) and outcome.cause == DEADLINE_EXCEEDED


def _may_be_over(outcome: HttpResponse | NoAnswer) -> bool:
    """Whether to ask again soon. Who says when to come back is waited for elsewhere."""
    if isinstance(outcome, NoAnswer):
        return outcome.is_passing
    return outcome.status in UNAVAILABLE and "Retry-After" not in outcome.headers


def _at_rest(name: str, refusal: Refusal) -> str:
    when = f"in {refusal.retry_in_s:.1f}s" if refusal.retry_in_s else "right now"
    return (
        f"connection {name}: not asked, as its last {refusal.failures} requests failed; it is tried"
        f" again {when} (connections[].breaker)"
    )
