"""A vendor with rate limits, for tests in virtual time."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from job_api import world_with
from virtual_time import now_s

from gateway.errors import ProviderUnreachable
from gateway.provider import Http, HttpRequest, HttpResponse
from gateway.upstreams.rate_limits import RateLimits

GREEN = HttpResponse(200, "OK", {}, b"green")


def limited(after: str = "", *, status: int = 429, **headers: str) -> HttpResponse:
    """An answer that refuses for now; underscores in names are hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    told = {"Retry-After": after} if after else {}
    return HttpResponse(status, "later", {**told, **named}, b"slow down")


@dataclass
class Vendor:
    """Implements ``gateway.provider.Http``: answers in order, the last one for ever."""

    answers: list[HttpResponse | ProviderUnreachable] = field(default_factory=lambda: [GREEN])
    takes_s: float = 0.0
    arrivals_s: list[float] = field(default_factory=list)
    requests: list[HttpRequest] = field(default_factory=list)

    async def send(self, request: HttpRequest, *, timeout_s: float) -> HttpResponse:
        """Record a request, answer it."""
        answer = self.answers[min(len(self.requests), len(self.answers) - 1)]
        self.arrivals_s.append(now_s())
        self.requests.append(request)
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.sleep(self.takes_s)
        except TimeoutError:
            raise ProviderUnreachable("context deadline exceeded") from None
        if isinstance(answer, ProviderUnreachable):
            raise answer
        return answer


@dataclass
class Observed:
    """Implements ``gateway.upstreams.rate_limits.RateLimitObserver``."""

    quotas: list[tuple[str, str, float | None, float | None]] = field(default_factory=list)
    refusals: list[tuple[str, str]] = field(default_factory=list)

    def quota_told(
        self,
        *,
        provider: str,
        credential: str,
        remaining: float | None,
        limit: float | None,
        now_unix_s: float,  # noqa: ARG002 - the port's shape
    ) -> None:
        """Note it."""
        self.quotas.append((provider, credential, remaining, limit))

    def rate_limited(self, *, provider: str, credential: str, now_unix_s: float) -> None:  # noqa: ARG002 - the same
        """Note it."""
        self.refusals.append((provider, credential))


def request(
    url: str = "https://vendor/query",
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    is_repeatable: bool = False,
) -> HttpRequest:
    """A request of a measurement."""
    return HttpRequest(method, url, headers or {}, body, is_repeatable=is_repeatable)


@dataclass
class Gateway:
    """A process whose measurements ask a vendor."""

    vendor: Vendor
    observed: Observed = field(default_factory=Observed)

    def __post_init__(self) -> None:
        self._limits = RateLimits(self.observed)

    def http(self, provider: str = "web", credential: str = "", **limit: float) -> Http:
        """The way out of one measurement."""
        context = replace(world_with(None, now_s), http=self.vendor)
        return self._limits.within(context, provider=provider, credential=credential, **limit).http

    async def send(
        self, asked: HttpRequest | None = None, *, timeout_s: float = 10.0, **limit: float
    ) -> int:
        """Send a request in a measurement of its own; the status of the answer."""
        answer = await self.http(**limit).send(asked or request(), timeout_s=timeout_s)
        return answer.status
