"""What the gateway tells Prometheus about itself.

One registry per process, handed in where it is needed. Every label comes from a closed set, or
from a capped one whose rest is called ``other`` (``gateway/labels.py``).
"""

import platform
from collections.abc import Callable
from importlib.metadata import version
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    disable_created_metrics,
)

from gateway.labels import CappedLabels
from gateway.model import Phase

# When a series began is known to whoever scrapes it, and doubles what is scraped.
disable_created_metrics()  # type: ignore[no-untyped-call]

MAX_TEMPLATES: Final = 1_000
"""Label sets of (template, namespace) before the rest is ``other``."""
MAX_METRICS: Final = 5_000
"""Label sets of (template, namespace, metric) before the rest is ``other``."""
DURATION_BUCKETS_S: Final = (0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Telemetry:
    """The gateway's own metrics, by the verbs that make them move."""

    def __init__(self) -> None:
        self.registry: Final = CollectorRegistry()
        build = Info("analysis_gateway_build", "The running version.", registry=self.registry)
        build.info({"version": version("analysis-gateway"), "python": platform.python_version()})
        self._dropped = self._counter(
            "dropped_series",
            "Label sets that were counted under `other` because their family was full.",
            "family",
        )
        self._verdicts = self._counter(
            "verdicts",
            "Verdicts given; inline templates are called `inline`.",
            "template",
            "namespace",
            "phase",
        )
        self._measurement_s = self._histogram(
            "measurement_duration_seconds",
            "Measurements judged, and the time each took from asking for a reading, kept or new.",
            "provider",
            "phase",
        )
        self._last_value = self._gauge(
            "metric_last_value",
            "The newest value of a metric, if it is one number.",
            "template",
            "namespace",
            "metric",
        )
        self._last_value_at = self._gauge(
            "metric_last_value_timestamp_seconds",
            "When that value was measured, in Unix seconds.",
            "template",
            "namespace",
            "metric",
        )
        self._readings = self._counter(
            "readings", "Where readings came from: hit, miss or coalesced.", "cache"
        )
        self._store_errors = self._counter(
            "store_errors",
            "Calls to Redis that failed or were not made because it had failed before.",
            "reason",
        )
        self._store_up = self._gauge("store_up", "1 while Redis answers, 0 while it does not.")
        self._in_flight = self._gauge(
            "upstream_queries_in_flight",
            "Measurements that are being taken from a provider right now.",
        )
        self._requests_s = self._histogram(
            "http_request_duration_seconds",
            "Time from a request's headers to the end of its answer, in seconds.",
            "route",
            "status",
        )
        self._templates = self._gauge("templates", "Templates that can be named, by kind.", "kind")
        self._broken_files = self._gauge(
            "broken_template_files",
            "Template files, and templates of the cluster, that cannot be used as they are.",
        )
        self._template_labels = CappedLabels(
            MAX_TEMPLATES, on_other=self.dropping("verdicts"), on_evict=self._forget
        )
        self._metric_labels = CappedLabels(
            MAX_METRICS,
            on_other=self.dropping("metric_last_value"),
            on_evict=self._forget_value,
        )
        self._verdict_series: dict[tuple[str, ...], Counter] = {}
        self._measurement_series: dict[tuple[str, Phase], Histogram] = {}
        self._value_series: dict[tuple[str, ...], tuple[Gauge, Gauge]] = {}
        self._reading_series: dict[str, Counter] = {}
        self._request_series: dict[tuple[str, int], Histogram] = {}

    def dropping(self, family: str) -> Callable[[], None]:
        """What counts a label set of a family that was full."""
        return self._dropped.labels(family).inc

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"analysis_gateway_{name}", meaning, labels, registry=self.registry)

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(f"analysis_gateway_{name}", meaning, labels, registry=self.registry)

    def _histogram(self, name: str, meaning: str, *labels: str) -> Histogram:
        name = f"analysis_gateway_{name}"
        return Histogram(name, meaning, labels, buckets=DURATION_BUCKETS_S, registry=self.registry)

    def verdict_given(
        self, *, template: str, namespace: str, phase: Phase, now_unix_s: float
    ) -> None:
        """Count a verdict of a template that can be named, or of an ``inline`` one."""
        labels = self._template_labels.admit((template, namespace), now_unix_s=now_unix_s)
        # Series are looked up once: the library takes longer to find one than to count.
        key = (*labels, phase)
        series = self._verdict_series.get(key)
        if series is None:
            series = self._verdict_series[key] = self._verdicts.labels(*key)
        series.inc()

    def measured(self, *, provider: str, phase: Phase, took_s: float) -> None:
        """Count a measurement and how long it took."""
        series = self._measurement_series.get((provider, phase))
        if series is None:
            series = self._measurement_s.labels(provider, phase)
            self._measurement_series[provider, phase] = series
        series.observe(took_s)

    def valued(
        self, *, template: str, namespace: str, metric: str, value: float, measured_at_unix_s: float
    ) -> None:
        """Show a metric's newest value and when it was measured."""
        labels = self._metric_labels.admit(
            (template, namespace, metric), now_unix_s=measured_at_unix_s
        )
        series = self._value_series.get(labels)
        if series is None:
            series = (self._last_value.labels(*labels), self._last_value_at.labels(*labels))
            self._value_series[labels] = series
        series[0].set(value)
        series[1].set(measured_at_unix_s)

    def cache_lookup(self, state: str) -> None:
        """Count where a reading came from."""
        series = self._reading_series.get(state)
        if series is None:
            series = self._reading_series[state] = self._readings.labels(state)
        series.inc()

    def store_failed(self, slug: str) -> None:
        """Count a call to Redis that gave nothing."""
        self._store_errors.labels(slug).inc()

    def store_is_up(self) -> None:
        """Show that Redis answers."""
        self._store_up.set(1)

    def store_is_down(self) -> None:
        """Show that Redis does not answer."""
        self._store_up.set(0)

    def flight_started(self) -> None:
        """Show one more measurement under way."""
        self._in_flight.inc()

    def flight_finished(self) -> None:
        """Show one measurement less under way."""
        self._in_flight.dec()

    def answered(self, *, route: str, status: int, took_s: float) -> None:
        """Count an HTTP answer and how long it took."""
        series = self._request_series.get((route, status))
        if series is None:
            series = self._requests_s.labels(route, str(status))
            self._request_series[route, status] = series
        series.observe(took_s)

    def templates_loaded(self, *, by_kind: dict[str, int], broken_files: int) -> None:
        """Show what the template source holds."""
        for kind, count in by_kind.items():
            self._templates.labels(kind).set(count)
        self._broken_files.set(broken_files)

    def _forget(self, labels: tuple[str, ...]) -> None:
        for phase in Phase:
            if phase.is_completed or phase is Phase.RUNNING:
                self._verdict_series.pop((*labels, phase), None)
                self._verdicts.remove(*labels, phase)

    def _forget_value(self, labels: tuple[str, ...]) -> None:
        self._value_series.pop(labels, None)
        self._last_value.remove(*labels)
        self._last_value_at.remove(*labels)
