"""What the gateway tells Prometheus about measurements, and about providers that fail."""

from collections.abc import Mapping
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from gateway.labels import CappedLabels, Labels
from gateway.model import Phase
from gateway.telemetry import DURATION_BUCKETS_S, Telemetry

MAX_METRICS: Final = 5_000
"""Label sets of (template, namespace, metric) before the rest is ``other``."""
CONDITIONS: Final = ("successCondition", "failureCondition")
_LABELS: Final = ("template", "namespace", "metric")


class MeasurementTelemetry:
    """Own metrics of measurements, by the verbs that make them move."""

    def __init__(self, telemetry: Telemetry) -> None:
        registry = telemetry.registry
        self._judged = Counter(
            "analysis_gateway_metric_measurements",
            "Measurements of a metric that were judged, kept readings included.",
            (*_LABELS, "phase"),
            registry=registry,
        )
        self._threshold = Gauge(
            "analysis_gateway_metric_threshold",
            "The number that a condition compares the value with, if it is one.",
            (*_LABELS, "condition"),
            registry=registry,
        )
        self._errors = Counter(
            "analysis_gateway_provider_errors",
            "Measurements for which a provider gave no value, by why; looks of runs at Jobs and"
            " executions of Kayenta are not counted.",
            ("provider", "reason"),
            registry=registry,
        )
        self._took_s = Histogram(
            "analysis_gateway_measurement_duration_seconds",
            "Measurements judged, and the time each took from asking for a reading, kept or new.",
            ("provider", "phase"),
            buckets=DURATION_BUCKETS_S,
            registry=registry,
        )
        self._labels = CappedLabels(
            MAX_METRICS,
            on_other=telemetry.dropping("metric_measurements"),
            on_evict=self._forget,
        )
        # Series are looked up once: the library takes longer to find one than to count.
        self._judged_series: dict[Labels, Counter] = {}
        self._took_series: dict[tuple[str, Phase], Histogram] = {}
        self._shown_thresholds: dict[Labels, float] = {}

    def judged(
        self,
        *,
        template: str,
        namespace: str,
        metric: str,
        phase: Phase,
        thresholds: Mapping[str, float],
        now_unix_s: float,
    ) -> None:
        """Count a measurement of a metric, and show what its conditions compare with.

        ``thresholds`` is by the name of the condition, one of ``CONDITIONS``.
        """
        labels = self._labels.admit((template, namespace, metric), now_unix_s=now_unix_s)
        key = (*labels, phase)
        series = self._judged_series.get(key)
        if series is None:
            series = self._judged_series[key] = self._judged.labels(*key)
        series.inc()
        for condition, number in thresholds.items():
            key = (*labels, condition)
            if self._shown_thresholds.get(key) != number:
                self._shown_thresholds[key] = number
                self._threshold.labels(*key).set(number)

    def measured(self, *, provider: str, phase: Phase, took_s: float) -> None:
        """Count a measurement and how long it took."""
        series = self._took_series.get((provider, phase))
        if series is None:
            series = self._took_s.labels(provider, phase)
            self._took_series[provider, phase] = series
        series.observe(took_s)

    def provider_failed(self, *, provider: str, reason: str) -> None:
        """Count a measurement that a provider gave no value for; ``reason`` is an error's slug."""
        self._errors.labels(provider, reason).inc()

    def _forget(self, labels: Labels) -> None:
        for phase in Phase:
            self._judged_series.pop((*labels, phase), None)
            self._judged.remove(*labels, phase)
        for condition in CONDITIONS:
            self._shown_thresholds.pop((*labels, condition), None)
            self._threshold.remove(*labels, condition)
