"""Rate limits of vendors, honoured: who may wait waits and asks again, who may not is told at once.

    the vendor says when to come back    nobody asks the same before
    that fits into a request's time      it waits, and is sent again, as often as fits
    it does not                          it gets the vendor's own answer, without being sent

When the time is over, one of those who waited asks, and the others wait for what comes of that. If
the vendor still wants to hear nothing, it was one request that it refused; and if it answers, the
others follow at once. Pauses of different lengths, which are more usual, would take more time and
still send many requests to a vendor that refuses them all.
"""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, Protocol

from gateway.attempts import sent_again
from gateway.errors import ProviderError
from gateway.provider import Clock, Context, Http, HttpRequest, HttpResponse
from gateway.upstreams.rate_limit_headers import TOO_MANY_REQUESTS, quota_in, silence_s
from gateway.upstreams.silences import Silence, Silences

SHORTEST_EXCHANGE_S: Final = 0.5
"""A wait that leaves less time than this for an answer is not worth it."""


class RateLimitObserver(Protocol):
    """Who counts."""

    def quota_told(
        self,
        *,
        provider: str,
        credential: str,
        remaining: float | None,
        limit: float | None,
        now_unix_s: float,
    ) -> None:
        """A vendor has told what it lets one still ask; None is what it did not tell."""

    def rate_limited(self, *, provider: str, credential: str, now_unix_s: float) -> None:
        """A vendor has refused a request for now."""


class RateLimits:
    """What one process has learnt of the limits of vendors."""

    def __init__(self, observer: RateLimitObserver) -> None:
        self._observer = observer
        self._silences = Silences()

    def within(
        self, context: Context, *, provider: str, credential: str, longest_s: float = math.inf
    ) -> Context:
        """What one measurement may use of the world: its requests honour the limits.

        Args:
            context: what any measurement may use.
            provider: Argo's key under ``provider:``.
            credential: the name of the credentials that it uses; empty if they have none.
            longest_s: after how many seconds the measurement is given up, whatever its requests'
                own limits are.

        """
        http = RateLimitedHttp(
            context.http,
            self._silences,
            _Teller(self._observer, provider, credential, context.now_unix_s),
            given_up_at_s=asyncio.get_running_loop().time() + longest_s,
        )
        return replace(context, http=http)


@dataclass(frozen=True, slots=True)
class _Teller:
    """Tells of the answers that one measurement gets."""

    observer: RateLimitObserver
    provider: str
    credential: str
    now_unix_s: Clock

    def tell(self, answer: HttpResponse) -> float | None:
        """Count, and say for how many seconds the vendor wants to hear nothing, if it says so."""
        now_unix_s = self.now_unix_s()
        quota = quota_in(answer.headers, now_unix_s=now_unix_s)
        if quota is not None:
            self.observer.quota_told(
                provider=self.provider,
                credential=self.credential,
                remaining=quota.remaining,
                limit=quota.limit,
                now_unix_s=now_unix_s,
            )
        wait_s = silence_s(answer.status, answer.headers, now_unix_s=now_unix_s)
        if wait_s is not None or answer.status == TOO_MANY_REQUESTS:
            self.observer.rate_limited(
                provider=self.provider, credential=self.credential, now_unix_s=now_unix_s
            )
        return wait_s


class _Call(NamedTuple):
    """One request and its time, by the event loop's clock."""

    request: HttpRequest
    clock_s: Callable[[], float]
    answered_by_s: float
    waits_until_s: float
    """Later there is too little time left for an answer."""


class _Told(NamedTuple):
    """An answer, and whether it may be worth asking again later."""

    answer: HttpResponse
    is_for_later: bool


class RateLimitedHttp:
    """Implements ``gateway.provider.Http`` for one measurement, around another one."""

    def __init__(
        self, inner: Http, silences: Silences, teller: _Teller, *, given_up_at_s: float
    ) -> None:
        self._inner = inner
        self._silences = silences
        self._teller = teller
        self._given_up_at_s = given_up_at_s

    async def send(self, request: HttpRequest, *, timeout_s: float) -> HttpResponse:
        """Send one request, as often as its vendor's limits make that necessary and its time lets.

        Raises: as ``gateway.provider.Http.send`` says.
        """
        clock_s = asyncio.get_running_loop().time
        answered_by_s = clock_s() + timeout_s
        latest_s = min(answered_by_s, self._given_up_at_s) - SHORTEST_EXCHANGE_S
        call = _Call(request, clock_s, answered_by_s, latest_s)
        last: HttpResponse | None = None
        while True:
            silence = self._silence(call)
            if silence is None:
                if last is not None:
                    sent_again()
                told = await self._ask(call)
            elif silence.until_s > call.waits_until_s:
                return last or silence.answer
            else:
                after = await self._ask_after(silence, call)
                if after is None:
                    continue
                if last is not None:
                    sent_again()
                told = after
            last = told.answer
            if not told.is_for_later or not request.may_be_repeated:
                return last

    def _silence(self, call: _Call) -> Silence | None:
        return self._silences.of(call.request, now_s=call.clock_s())

    async def _ask(self, call: _Call) -> _Told:
        answer = await self._inner.send(call.request, timeout_s=call.answered_by_s - call.clock_s())
        wait_s = self._teller.tell(answer)
        if wait_s is None:
            return _Told(answer, is_for_later=False)
        self._silences.begin(call.request, answer, wait_s, now_s=call.clock_s())
        return _Told(answer, is_for_later=True)

    async def _ask_after(self, silence: Silence, call: _Call) -> _Told | None:
        """Ask when a silence is over; None if somebody else has, or if it goes on for too long."""
        try:
            async with asyncio.timeout_at(call.waits_until_s):
                await silence.turn.acquire()
        except TimeoutError:
            return _Told(silence.answer, is_for_later=False)
        try:
            if self._silence(call) is not silence:
                return None
            while (wait_s := silence.until_s - call.clock_s()) > 0:
                if silence.until_s > call.waits_until_s:
                    return None
                await asyncio.sleep(wait_s)
            return await self._ask_first(call)
        finally:
            silence.turn.release()

    async def _ask_first(self, call: _Call) -> _Told:
        try:
            told = await self._ask(call)
        except ProviderError:
            self._silences.end(call.request)
            raise
        if not told.is_for_later:
            self._silences.end(call.request)
        return told
