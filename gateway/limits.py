"""What one metric may do before it is decided: its rules, and its phase under them.

Source: argo-rollouts analysis/analysis.go:579-687 @ 9f8d111d8.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from gateway.durations import parse_duration_s
from gateway.int_or_string import IntOrString, int_value
from gateway.model import Phase
from gateway.run_status import MetricResult
from gateway.template import Metric, RetentionRule
from gateway.validation import effective_count, matching

DEFAULT_CONSECUTIVE_ERROR_LIMIT: Final = 4
"""Source: argo-rollouts utils/defaults/defaults.go:37 @ 9f8d111d8."""
DEFAULT_RETENTION: Final = 10
"""Source: argo-rollouts analysis/analysis.go:27 @ 9f8d111d8."""
MAX_RETENTION: Final = 1_000
"""Of one metric. Unlike Argo: every step writes all that is kept."""
MAX_KEPT: Final = 2_000
"""Of all metrics of a run, unless each keeps no more than ``DEFAULT_RETENTION``."""
_INT32_SIZE: Final = 1 << 32


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRules:
    """How often a metric is measured, and what is tolerated."""

    name: str
    is_dry_run: bool = False
    interval_s: float | None = None
    """From the end of one measurement to the next; zero and less means at once."""
    initial_delay_s: float | None = None
    """From the end of the run's first pass to the first measurement."""
    count: int | None = 1
    """How many judged measurements end the metric; None if no number does."""
    failure_limit: int = 0
    """Failed measurements that are tolerated; a negative number tolerates all."""
    inconclusive_limit: int = 0
    consecutive_error_limit: int = DEFAULT_CONSECUTIVE_ERROR_LIMIT
    consecutive_success_limit: int = 0
    """Successes in a row that end the metric early; zero means that none do."""
    retention: int = DEFAULT_RETENTION
    """How many measurements are kept, the newest ones."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A limit that is exceeded."""

    phase: Phase
    reason: str
    """``failed (2) > failureLimit (1)``."""


def metric_rules(
    metric: Metric, *, is_dry_run: bool, retention: Sequence[RetentionRule]
) -> MetricRules:
    """The rules of a metric that is resolved and valid (see ``gateway.validation``).

    Args:
        metric: without ``{{args.x}}``.
        is_dry_run: whether a dry-run rule matches it.
        retention: the run's rules; the last one that matches counts.

    Raises:
        ValueError: a duration that is none.

    """
    count = effective_count(metric)
    error_limit = metric.consecutive_error_limit
    return MetricRules(
        name=metric.name,
        is_dry_run=is_dry_run,
        interval_s=_duration_s(metric.interval),
        initial_delay_s=_duration_s(metric.initial_delay),
        count=None if count is None else _int32(count),
        failure_limit=_limit(metric.failure_limit),
        inconclusive_limit=_limit(metric.inconclusive_limit),
        consecutive_error_limit=(
            DEFAULT_CONSECUTIVE_ERROR_LIMIT if error_limit is None else _limit(error_limit)
        ),
        consecutive_success_limit=_limit(metric.consecutive_success_limit),
        retention=_retention(metric.name, retention),
    )


def within_measure(rules: Sequence[MetricRules]) -> tuple[MetricRules, ...]:
    """The rules of a whole run, none of which keeps more than its share of ``MAX_KEPT``.

    Unlike Argo: a status that Redis cannot take in within its time could never be saved.
    """
    share = max(MAX_KEPT // max(1, len(rules)), DEFAULT_RETENTION)
    return tuple(replace(each, retention=min(each.retention, share)) for each in rules)


def violation(rules: MetricRules, result: MetricResult) -> Violation | None:
    """The limit that the counters exceed, None if they keep all of them.

    Of several, too many errors in a row rule, then too many inconclusive measurements: within one
    metric the order is not the order of phases between metrics.

    Source: argo-rollouts analysis/analysis.go:658-687 @ 9f8d111d8.
    """
    errors, error_limit = result.consecutive_error, rules.consecutive_error_limit
    if errors > error_limit:
        reason = f"consecutiveErrors ({errors}) > consecutiveErrorLimit ({error_limit})"
        return Violation(Phase.ERROR, reason)
    if result.inconclusive > rules.inconclusive_limit:
        reason = f"inconclusive ({result.inconclusive}) > inconclusiveLimit"
        return Violation(Phase.INCONCLUSIVE, f"{reason} ({rules.inconclusive_limit})")
    if result.failed > rules.failure_limit >= 0:
        reason = f"failed ({result.failed}) > failureLimit ({rules.failure_limit})"
        return Violation(Phase.FAILED, reason)
    return None


def is_at_count(rules: MetricRules, result: MetricResult) -> bool:
    """Whether there are as many judged measurements as were wanted."""
    return rules.count is not None and result.count >= rules.count


def metric_phase(rules: MetricRules, result: MetricResult, *, is_terminating: bool) -> Phase:
    """The phase that the measurements so far give the metric.

    Source: argo-rollouts analysis/analysis.go:579-656 @ 9f8d111d8.
    """
    if result.phase.is_completed:
        return result.phase
    if not result.measurements:
        return Phase.SUCCESSFUL if is_terminating else Phase.PENDING
    if not result.measurements[-1].phase.is_completed:
        return Phase.RUNNING
    exceeded = violation(rules, result)
    if exceeded is not None:
        return exceeded.phase
    if 0 < rules.consecutive_success_limit <= result.consecutive_success:
        return Phase.SUCCESSFUL
    if is_at_count(rules, result):
        return _phase_at_count(rules)
    return Phase.SUCCESSFUL if is_terminating else Phase.RUNNING


def _phase_at_count(rules: MetricRules) -> Phase:
    if rules.consecutive_success_limit <= 0:
        return Phase.SUCCESSFUL
    # The successes in a row never came. Whether that is bad is the failure limit's to say.
    return Phase.INCONCLUSIVE if rules.failure_limit >= 0 else Phase.FAILED


def _duration_s(text: str) -> float | None:
    return parse_duration_s(text) if text else None


def _limit(number: IntOrString | None) -> int:
    return _int32(int_value(number))


def _int32(number: int) -> int:
    # Go drops the upper bits where it compares with a counter: 99999999999999999999 becomes -1.
    return (number + _INT32_SIZE // 2) % _INT32_SIZE - _INT32_SIZE // 2


def _retention(metric_name: str, rules: Sequence[RetentionRule]) -> int:
    limits = [rule.limit for rule in rules if matching(rule.metric_name, (metric_name,))]
    return min(limits[-1], MAX_RETENTION) if limits and limits[-1] > 0 else DEFAULT_RETENTION
