"""What the gateway tells Prometheus about durable runs."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from gateway.model import Phase
from gateway.telemetry.labels import CappedLabels, Labels
from gateway.telemetry.registry import Telemetry

MAX_TEMPLATES: Final = 1_000
"""Label sets of (template, namespace) before the rest is ``other``."""
_LATENESS_BUCKETS_S: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class RunTelemetry:
    """Own metrics of runs, by the verbs that make them move."""

    def __init__(self, telemetry: Telemetry) -> None:
        registry = telemetry.registry
        self._ended = Counter(
            "analysis_gateway_runs",
            "Runs that this process saw end; those of inline templates are called `inline`.",
            ("template", "namespace", "phase"),
            registry=registry,
        )
        self._lateness_s = Histogram(
            "analysis_gateway_run_lateness_seconds",
            "How long after its time each step of a run began.",
            buckets=_LATENESS_BUCKETS_S,
            registry=registry,
        )
        self._live = Gauge(
            "analysis_gateway_live_runs",
            "Runs under way on all replicas together, as of the last look.",
            registry=registry,
        )
        self._labels = CappedLabels(
            MAX_TEMPLATES, on_other=telemetry.dropping("runs"), on_evict=self._forget
        )

    def run_ended(self, *, template: str, namespace: str, phase: Phase, now_unix_s: float) -> None:
        """Count a run that is completed."""
        labels = self._labels.admit((template, namespace), now_unix_s=now_unix_s)
        self._ended.labels(*labels, phase).inc()

    def run_stepped(self, *, late_s: float) -> None:
        """Count a step and how late it began."""
        self._lateness_s.observe(late_s)

    def runs_live(self, number: int) -> None:
        """Show how many runs are under way."""
        self._live.set(number)

    def _forget(self, labels: Labels) -> None:
        for phase in Phase:
            self._ended.remove(*labels, phase)
