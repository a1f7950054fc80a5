"""What the gateway tells Prometheus about the values of metrics."""

from typing import Final

from prometheus_client import Gauge

from gateway.labels import CappedLabels, Labels
from gateway.telemetry import Telemetry

MAX_METRICS: Final = 5_000
"""Label sets of (template, namespace, metric) before the rest is ``other``."""
_LABELS: Final = ("template", "namespace", "metric")


class ValueTelemetry:
    """The newest value of each metric, and when that was."""

    def __init__(self, telemetry: Telemetry) -> None:
        registry = telemetry.registry
        self._value = Gauge(
            "analysis_gateway_metric_last_value",
            "The newest value of a metric, if it is one number.",
            _LABELS,
            registry=registry,
        )
        self._valued_at = Gauge(
            "analysis_gateway_metric_last_value_timestamp_seconds",
            "When that value was measured, in Unix seconds.",
            _LABELS,
            registry=registry,
        )
        self._labels = CappedLabels(
            MAX_METRICS,
            on_other=telemetry.dropping("metric_last_value"),
            on_evict=self._forget,
        )
        # Series are looked up once: the library takes longer to find one than to set it.
        self._series: dict[Labels, tuple[Gauge, Gauge]] = {}

    def valued(
        self, *, template: str, namespace: str, metric: str, value: float, measured_at_unix_s: float
    ) -> None:
        """Show a metric's newest value and when it was measured."""
        labels = self._labels.admit((template, namespace, metric), now_unix_s=measured_at_unix_s)
        series = self._series.get(labels)
        if series is None:
            series = (self._value.labels(*labels), self._valued_at.labels(*labels))
            self._series[labels] = series
        series[0].set(value)
        series[1].set(measured_at_unix_s)

    def _forget(self, labels: Labels) -> None:
        self._series.pop(labels, None)
        self._value.remove(*labels)
        self._valued_at.remove(*labels)
