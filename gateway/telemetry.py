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
DURATION_BUCKETS_S: Final = (0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Telemetry:
    """The registry, and the metrics of what is asked over HTTP, by the verbs that make them move.

    What else is told stands in modules of its own: ``gateway/*_telemetry.py``.
    """

    def __init__(self) -> None:
        self.registry: Final = CollectorRegistry()
        build = Info("analysis_gateway_build", "The running version.", registry=self.registry)
        build.info({"version": version("analysis-gateway"), "python": platform.python_version()})
        self._dropped = Counter(
            "analysis_gateway_dropped_series",
            "Label sets that were counted under `other` because their family was full.",
            ("family",),
            registry=self.registry,
        )
        self._verdicts = Counter(
            "analysis_gateway_verdicts",
            "Verdicts given; inline templates are called `inline`.",
            ("template", "namespace", "phase"),
            registry=self.registry,
        )
        self._requests_s = Histogram(
            "analysis_gateway_http_request_duration_seconds",
            "Time from a request's headers to the end of its answer, in seconds.",
            ("route", "status"),
            buckets=DURATION_BUCKETS_S,
            registry=self.registry,
        )
        self._templates = Gauge(
            "analysis_gateway_templates",
            "Templates that can be named, by kind.",
            ("kind",),
            registry=self.registry,
        )
        self._broken_files = Gauge(
            "analysis_gateway_broken_template_files",
            "Template files, and templates of the cluster, that cannot be used as they are.",
            registry=self.registry,
        )
        self._template_labels = CappedLabels(
            MAX_TEMPLATES, on_other=self.dropping("verdicts"), on_evict=self._forget
        )
        self._verdict_series: dict[tuple[str, ...], Counter] = {}
        self._request_series: dict[tuple[str, int], Histogram] = {}

    def dropping(self, family: str) -> Callable[[], None]:
        """What counts a label set of a family that was full."""
        return self._dropped.labels(family).inc

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
            self._verdict_series.pop((*labels, phase), None)
            self._verdicts.remove(*labels, phase)
