"""What the gateway tells Prometheus about Redis."""

from prometheus_client import Counter, Gauge

from gateway.telemetry import Telemetry


class StoreTelemetry:
    """Own metrics of the store, by the verbs that make them move."""

    def __init__(self, telemetry: Telemetry) -> None:
        registry = telemetry.registry
        self._errors = Counter(
            "analysis_gateway_store_errors",
            "Calls to Redis that failed or were not made because it had failed before.",
            ("reason",),
            registry=registry,
        )
        self._up = Gauge(
            "analysis_gateway_store_up",
            "1 while Redis answers, 0 while it does not.",
            registry=registry,
        )

    def store_failed(self, slug: str) -> None:
        """Count a call to Redis that gave nothing."""
        self._errors.labels(slug).inc()

    def store_is_up(self) -> None:
        """Show that Redis answers."""
        self._up.set(1)

    def store_is_down(self) -> None:
        """Show that Redis does not answer."""
        self._up.set(0)
