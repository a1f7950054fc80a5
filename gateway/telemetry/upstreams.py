"""What the gateway tells Prometheus about named upstreams."""

from collections.abc import Callable, Mapping
from enum import StrEnum

from prometheus_client import Counter, Gauge, Histogram

from gateway.telemetry.registry import DURATION_BUCKETS_S, Telemetry


class Outcome(StrEnum):
    """What came of a request: values of a label."""

    ANSWERED = "answered"
    """An answer that is not one of the next."""
    UNAVAILABLE = "unavailable"
    """A 502, 503 or 504."""
    NO_ANSWER = "no_answer"
    """No connection, no whole answer, or none in time."""


class Unasked(StrEnum):
    """Why a request was not sent: values of a label."""

    BREAKER = "breaker"
    """The upstream had failed too often."""
    BUDGET = "budget"
    """There was no place, or no token, in time."""


class UpstreamTelemetry:
    """Own metrics of connections, by the verbs that make them move; labels are of the settings."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._registry = telemetry.registry
        self._gauges = {
            "under_way": self._gauge("requests_in_flight", "Requests to a connection under way."),
            "waiting": self._gauge(
                "requests_waiting", "Requests that wait for a place or a token of a connection."
            ),
            "breaker": self._gauge(
                "breaker_open", "0 while a connection is asked, 1 while it rests, 0.5 on trial."
            ),
        }
        self._took_s = Histogram(
            "analysis_gateway_upstream_request_duration_seconds",
            "Requests to a connection, by what came of each, and the time it took, waits apart.",
            ("connection", "outcome"),
            buckets=DURATION_BUCKETS_S,
            registry=self._registry,
        )
        self._waited_s = Histogram(
            "analysis_gateway_upstream_wait_seconds",
            "How long requests to a connection waited for a place and a token.",
            ("connection",),
            buckets=DURATION_BUCKETS_S,
            registry=self._registry,
        )
        self._retried = Counter(
            "analysis_gateway_upstream_retries",
            "Requests to a connection that were repeated.",
            ("connection",),
            registry=self._registry,
        )
        self._unasked = Counter(
            "analysis_gateway_upstream_unasked",
            "Requests that were not sent to a connection: it rests (`breaker`), or there was no"
            " place or token in time (`budget`).",
            ("connection", "reason"),
            registry=self._registry,
        )

    def show(self, connection: str, figures: Mapping[str, Callable[[], float]]) -> None:
        """Show how a connection stands: ``under_way``, ``waiting`` and ``breaker``."""
        for name, figure in figures.items():
            self._gauges[name].labels(connection).set_function(figure)
        for outcome in Outcome:
            self._took_s.labels(connection, outcome)
        for reason in Unasked:
            self._unasked.labels(connection, reason)
        self._waited_s.labels(connection)
        self._retried.labels(connection)

    def asked(self, connection: str, outcome: Outcome, *, took_s: float) -> None:
        """Count a request."""
        self._took_s.labels(connection, outcome).observe(took_s)

    def waited(self, connection: str, waited_s: float) -> None:
        """Count a wait."""
        self._waited_s.labels(connection).observe(waited_s)

    def retried(self, connection: str) -> None:
        """Count a request that is repeated."""
        self._retried.labels(connection).inc()

    def unasked(self, connection: str, reason: Unasked) -> None:
        """Count a request that is not sent."""
        self._unasked.labels(connection, reason).inc()

    def _gauge(self, name: str, meaning: str) -> Gauge:
        name = f"analysis_gateway_upstream_{name}"
        return Gauge(name, meaning, ("connection",), registry=self._registry)
