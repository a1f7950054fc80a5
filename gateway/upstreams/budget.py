"""What all requests to one named upstream share: its client, its gate, its breaker."""

import asyncio
import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.provider import Http
from gateway.telemetry.upstreams import Outcome, Unasked, UpstreamTelemetry
from gateway.upstreams.breaker import Breaker, State
from gateway.upstreams.buckets import Rate
from gateway.upstreams.gate import Gate

_REMEMBERED: Final = 200
_BREAKER_FIGURES: Final = {State.CLOSED: 0.0, State.HALF_OPEN: 0.5, State.OPEN: 1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """How much may be asked of it."""

    concurrency: int
    rate: Rate | None
    retries: int
    patience_s: float
    """Who was not answered in less than that says nothing of the upstream."""


class UpstreamBudget:
    """One upstream of this process."""

    def __init__(
        self,
        name: str,
        client: Http,
        allowance: Allowance,
        *,
        gate: Gate,
        breaker: Breaker,
        telemetry: UpstreamTelemetry,
    ) -> None:
        self.name: Final = name
        self.client: Final = client
        self.allowance: Final = allowance
        self.gate: Final = gate
        self.breaker: Final = breaker
        self._telemetry = telemetry
        self._news = asyncio.Event()
        self._clock_s: Final = asyncio.get_running_loop().time
        self._took_s: deque[float] = deque(maxlen=_REMEMBERED)
        self._counts = {"requests": 0, "failures": 0, "retries": 0, "unasked": 0}
        telemetry.show(
            name,
            {
                "under_way": lambda: gate.under_way,
                "waiting": lambda: gate.waiting,
                "breaker": lambda: _BREAKER_FIGURES[breaker.state(self._clock_s())],
            },
        )

    def asked(self, outcome: Outcome, *, took_s: float) -> None:
        """A request has come to an end."""
        self._took_s.append(took_s)
        self._counts["requests"] += 1
        self._counts["failures"] += outcome is not Outcome.ANSWERED
        self._telemetry.asked(self.name, outcome, took_s=took_s)

    def waited(self, waited_s: float) -> None:
        """A request has got its place."""
        self._telemetry.waited(self.name, waited_s)

    def retried(self) -> None:
        """A request is repeated."""
        self._counts["retries"] += 1
        self._telemetry.retried(self.name)

    def unasked(self, reason: Unasked) -> None:
        """A request is not sent."""
        self._counts["unasked"] += 1
        self._telemetry.unasked(self.name, reason)

    def tell(self) -> None:
        """The breaker has heard something."""
        self._news.set()
        self._news = asyncio.Event()

    async def has_news(self, until_s: float) -> bool:
        """Wait for the breaker to hear something; False if it does not until then, by the loop."""
        try:
            async with asyncio.timeout_at(until_s):
                await self._news.wait()
        except TimeoutError:
            return False
        return True

    def details(self) -> Mapping[str, object]:
        """How it stands in this process; JSON-ready, and free of secrets and addresses."""
        now_s = self._clock_s()
        rate = self.allowance.rate
        rest = self.breaker.rest(now_s)
        return {
            "name": self.name,
            "breaker": self.breaker.state(now_s),
            "retryInSeconds": None if rest is None else round(rest.retry_in_s, 3),
            "concurrency": self.allowance.concurrency,
            "underWay": self.gate.under_way,
            "waiting": self.gate.waiting,
            "rate": None if rate is None else {"perSecond": rate.per_s, "burst": rate.burst},
            **self._counts,
            "latencySeconds": self._latency(),
        }

    def _latency(self) -> Mapping[str, float] | None:
        """Of the newest requests; None if there were none."""
        took_s = sorted(self._took_s)
        if not took_s:
            return None
        places = {"p50": 0.5, "p99": 0.99}
        return {
            name: round(took_s[math.ceil(share * len(took_s)) - 1], 4)
            for name, share in places.items()
        }
