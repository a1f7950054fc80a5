"""What the gateway tells Prometheus about callers who ask too much."""

from enum import StrEnum

from prometheus_client import Counter, Gauge

from gateway.telemetry.registry import Telemetry


class Excess(StrEnum):
    """What a caller had too much of: values of a label."""

    RATE = "rate"
    """Requests a second."""
    CONCURRENCY = "concurrency"
    """Requests at the same time."""


class CallerTelemetry:
    """Own metrics of what callers ask, by the verbs that make them move; callers have no names."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._refused = Counter(
            "analysis_gateway_requests_refused",
            "Requests that were answered with 429, as their caller asked too often (`rate`), or too"
            " much at the same time (`concurrency`).",
            ("reason",),
            registry=telemetry.registry,
        )
        for reason in Excess:
            self._refused.labels(reason)
        self._waiting = Gauge(
            "analysis_gateway_requests_waiting",
            "Requests that wait until their caller may ask again.",
            registry=telemetry.registry,
        )

    def refused(self, reason: Excess) -> None:
        """Count a request that was not let in."""
        self._refused.labels(reason).inc()

    def waits(self) -> None:
        """Show one more that waits."""
        self._waiting.inc()

    def waited(self) -> None:
        """Show one less."""
        self._waiting.dec()
