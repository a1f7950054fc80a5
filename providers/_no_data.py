"""Why a query found nothing, or divided by nothing: asked of Prometheus with prometheus-api-client.

The library knows the API but is synchronous, so it runs in a thread; what it sends goes through our
own way out, with its limits, credentials and TLS, and its own retries never start.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from gateway.gotext import plain_float
from gateway.provider import HttpResponse
from providers._promql import Matcher, NotUnderstood, Selector, divisors, quoted, selectors

if TYPE_CHECKING:
    from prometheus_api_client import PrometheusConnect

Ask = Callable[[str, str], Awaitable[HttpResponse]]
"""Sends a GET for an endpoint such as ``/api/v1/query`` with a query string."""

MAX_QUESTIONS = 12
"""How many requests one explanation may cost."""
MAX_SELECTORS = 4
MAX_SHOWN_VALUES = 5
_SHOWN_CHARACTERS = 80


class _GaveUp(Exception):
    """No more questions may be asked."""


@dataclass(frozen=True, slots=True)
class Question:
    """A query that found nothing, and where and when it was asked."""

    query: str
    address: str
    """The server's URL without credentials, query string and trailing slash."""
    at_unix_s: float
    """The end of the range, for a range query."""


async def explain(question: Question, ask: Ask, threads: Executor, *, timeout_s: float) -> str:
    """One sentence, or nothing if nothing is certain; never raises, never longer than the limit."""
    try:
        wanted, divided_by = selectors(question.query), divisors(question.query)
    except NotUnderstood:
        return ""
    loop = asyncio.get_running_loop()
    bridge = _Bridge(ask, question.address, loop, loop.time() + timeout_s)
    try:
        async with asyncio.timeout(timeout_s):
            doctor = _Doctor(bridge, plain_float(question.at_unix_s))
            return await loop.run_in_executor(threads, doctor.explain, wanted, divided_by)
    # An explanation is a courtesy: whatever keeps us from it must not touch the verdict.
    except Exception:  # noqa: BLE001 - a third party's library and a third party's answers
        return ""
    finally:
        bridge.close()


@dataclass(slots=True)
class _Bridge:
    """From the library's thread to the event loop's client."""

    ask: Ask
    address: str
    loop: asyncio.AbstractEventLoop
    until_s: float
    questions: int = 0
    _is_closed: bool = False
    _waited_for: "Future[HttpResponse] | None" = None

    def fetch(self, url: str) -> HttpResponse:
        """Answer one of the library's requests; blocks the library's thread."""
        self.questions += 1
        remaining_s = self.until_s - self.loop.time()
        if self._is_closed or self.questions > MAX_QUESTIONS or remaining_s <= 0:
            raise _GaveUp
        endpoint = url.removeprefix(self.address)
        parts = urlsplit(endpoint)
        question = _asked(self.ask, parts.path, parts.query)
        try:
            self._waited_for = asyncio.run_coroutine_threadsafe(question, self.loop)
        except RuntimeError as error:
            question.close()
            raise _GaveUp from error
        try:
            return self._waited_for.result(timeout=remaining_s)
        finally:
            self._waited_for.cancel()

    def close(self) -> None:
        """Answer nothing more, and let go of a thread that waits."""
        self._is_closed = True
        if self._waited_for is not None:
            self._waited_for.cancel()


async def _asked(ask: Ask, endpoint: str, query: str) -> HttpResponse:
    return await ask(endpoint, query)


def _connect(bridge: _Bridge) -> "PrometheusConnect":
    import requests  # noqa: PLC0415 - slow to import, and needed for explanations only
    from prometheus_api_client import PrometheusConnect  # noqa: PLC0415 - the same

    class WayOut(requests.adapters.BaseAdapter):
        def send(self, request: requests.PreparedRequest, **_: object) -> requests.Response:  # type: ignore[override]
            answer = bridge.fetch(str(request.url))
            response = requests.Response()
            response.status_code = answer.status
            response.url = str(request.url)
            response.request = request
            response._content = answer.body  # noqa: SLF001 - how requests' own adapters fill it
            return response

        def close(self) -> None:
            pass

    session = requests.Session()
    session.trust_env = False
    prometheus = PrometheusConnect(url=bridge.address, session=session)
    # Mounted after the library's own adapter, which retries, under the same prefix.
    session.mount(bridge.address, WayOut())
    return prometheus


class _Doctor:
    """Asks one thing after the other until one of them explains the rest."""

    def __init__(self, bridge: _Bridge, at: str) -> None:
        self._bridge = bridge
        self._at = at

    def explain(self, wanted: tuple[Selector, ...], divided_by: tuple[str, ...]) -> str:
        """Runs in a thread."""
        with _connect(self._bridge) as self._prometheus:
            for selector in wanted[:MAX_SELECTORS]:
                if selector.is_shifted:
                    continue
                sentence = self._look_for_series(selector) or self._look_for_samples(selector)
                if sentence:
                    return sentence
            return self._look_for_traffic(divided_by)

    def _look_for_series(self, selector: Selector) -> str:
        """What keeps a selector from finding series now; empty if nothing does."""
        if self._has_data(f"count({selector})"):
            return ""
        if not selector.name:
            return f"no series matches {selector}"
        if not self._has_data(f"count({selector.narrowed()})"):
            return self._without_series(selector)
        for matcher in selector.matchers:
            if not self._has_data(f"count({selector.narrowed(matcher)})"):
                return self._without_value(selector, matcher)
        return f"no series of {selector.name} matches all of {_listed(selector.matchers, 'and')}"

    def _look_for_samples(self, selector: Selector) -> str:
        """Whether the window of a selector is too short for two samples."""
        window = selector.window
        series = str(Selector(selector.name, selector.matchers))
        if not window or self._has_data(f"count(count_over_time({series}[{window}]) > 1)"):
            return ""
        return (
            f"no series of {series} has two samples within [{window}]:"
            " the window is shorter than two scrape intervals"
        )

    def _look_for_traffic(self, divided_by: Iterable[str]) -> str:
        """Whether a divisor is zero everywhere."""
        for divisor in divided_by:
            numbers = [_number(series) for series in self._query(divisor)]
            if numbers and all(number == 0 for number in numbers):
                return f"the denominator {_cut(divisor)} is 0: there was no traffic to measure"
        return ""

    def _without_series(self, selector: Selector) -> str:
        if self._known_values("__name__", selector):
            return f"the metric {selector.name} is known to Prometheus, but has no current samples"
        return f"the metric {selector.name} is unknown to Prometheus"

    def _without_value(self, selector: Selector, matcher: Matcher) -> str:
        values = self._known_values(matcher.label, selector)
        sentence = f"the metric {selector.name} exists, but no series matches {_cut(str(matcher))}"
        if not values:
            return f"{sentence}: none has the label {matcher.label}"
        shown = [quoted(_cut(value)) for value in values[:MAX_SHOWN_VALUES]]
        more = len(values) - len(shown)
        rest = f" and {more} more" if more else ""
        return f"{sentence}; known values of {matcher.label} are {', '.join(shown)}{rest}"

    def _known_values(self, label: str, selector: Selector) -> list[str]:
        match = {"match[]": selector.narrowed()}
        values = self._prometheus.get_label_values(label, params=match)
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            # Whoever answers so is no Prometheus, and nothing that it says can be believed.
            raise _GaveUp
        return sorted(values)

    def _has_data(self, query: str) -> bool:
        return bool(self._query(query))

    def _query(self, query: str) -> list[Any]:
        series = self._prometheus.custom_query(query, params={"time": self._at})
        if not isinstance(series, list):
            raise _GaveUp
        return series


def _number(series: Any) -> float:  # noqa: ANN401 - what the library decoded
    match series:
        case {"value": [_, str(text)]}:
            return float(text)
        case _:
            return math.nan


def _listed(items: Iterable[object], word: str) -> str:
    *first, last = map(str, items)
    return _cut(f"{', '.join(first)} {word} {last}" if first else last)


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
