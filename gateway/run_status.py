"""The status of an AnalysisRun: what was measured, what was counted, what it came to.

Values only; ``gateway.assess`` has the rules, ``gateway.run_document`` the JSON.

Source: argo-rollouts pkg/apis/rollouts/v1alpha1/analysis_types.go:225-346 @ 9f8d111d8.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.model import Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One attempt to measure a metric; times are Unix seconds."""

    phase: Phase
    started_at_unix_s: float
    finished_at_unix_s: float | None = None
    """None while it is in flight."""
    message: str = ""
    value: str = ""
    """As Argo prints it; empty beside an Error."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    resume_at_unix_s: float | None = None
    """When one that is in flight wants to be looked at again."""
    unknown: Mapping[str, object] = field(default_factory=dict)
    """What a newer gateway wrote of it, as JSON: kept as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricResult:
    """One metric: its newest measurements, and counters over all that there ever were."""

    name: str
    phase: Phase = Phase.RUNNING
    message: str = ""
    measurements: tuple[Measurement, ...] = ()
    """Oldest first; only the newest are kept."""
    count: int = 0
    """Measurements that were judged; Errors are not among them."""
    successful: int = 0
    failed: int = 0
    inconclusive: int = 0
    error: int = 0
    consecutive_error: int = 0
    consecutive_success: int = 0
    is_dry_run: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)
    """What the provider tells of the metric, such as its resolved query."""
    unknown: Mapping[str, object] = field(default_factory=dict)
    """What a newer gateway wrote of it, as JSON: kept as it is."""

    @property
    def last(self) -> Measurement | None:
        """The newest measurement, None if there is none."""
        return self.measurements[-1] if self.measurements else None

    @property
    def in_flight(self) -> Measurement | None:
        """The newest measurement if it has not finished."""
        last = self.last
        return last if last is not None and last.finished_at_unix_s is None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """How many metrics there are, and how those that are completed ended."""

    count: int = 0
    successful: int = 0
    failed: int = 0
    inconclusive: int = 0
    error: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStatus:
    """A whole run; a new one is Pending until its first pass is over."""

    phase: Phase = Phase.PENDING
    message: str = ""
    metric_results: tuple[MetricResult, ...] = ()
    """In the order of the metrics in the spec; without those that were never measured."""
    started_at_unix_s: float | None = None
    """When the first pass was over."""
    completed_at_unix_s: float | None = None
    run_summary: Summary = Summary()
    dry_run_summary: Summary | None = None
    """None until the first assessment."""
    unknown: Mapping[str, object] = field(default_factory=dict)
    """What a newer gateway wrote of it, as JSON: kept as it is."""

    def result_of(self, metric_name: str) -> MetricResult | None:
        """The result of a metric, None if it was never measured."""
        return next((each for each in self.metric_results if each.name == metric_name), None)
