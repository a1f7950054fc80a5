"""What the gateway tells Prometheus about readings, kept or being taken."""

from prometheus_client import Counter, Gauge

from gateway.telemetry import Telemetry


class ReadingTelemetry:
    """Own metrics of readings, by the verbs that make them move."""

    def __init__(self, telemetry: Telemetry) -> None:
        registry = telemetry.registry
        self._readings = Counter(
            "analysis_gateway_readings",
            "Where readings came from: hit, miss or coalesced.",
            ("cache",),
            registry=registry,
        )
        self._in_flight = Gauge(
            "analysis_gateway_upstream_queries_in_flight",
            "Measurements that are being taken from a provider right now.",
            registry=registry,
        )
        # Series are looked up once: the library takes longer to find one than to count.
        self._series: dict[str, Counter] = {}

    def cache_lookup(self, state: str) -> None:
        """Count where a reading came from."""
        series = self._series.get(state)
        if series is None:
            series = self._series[state] = self._readings.labels(state)
        series.inc()

    def flight_started(self) -> None:
        """Show one more measurement under way."""
        self._in_flight.inc()

    def flight_finished(self) -> None:
        """Show one measurement less under way."""
        self._in_flight.dec()
