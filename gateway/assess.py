"""The state machine of a run: what a measurement changes, and what they all come to.

A pass is ``schedule.due`` -> measure -> ``record`` each -> ``assess`` -> ``trimmed``; after it
``schedule.next_wake`` says when the next one is wanted. The time is always an argument, in Unix
seconds. Unlike Argo, which cuts what it records of it to seconds, milliseconds are kept.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gateway.limits import MetricRules, Violation, metric_phase, violation
from gateway.model import Phase
from gateway.run_status import Measurement, MetricResult, RunStatus, Summary
from gateway.schedule import is_terminating
from gateway.verdict import BEST_TO_WORST

_METRIC_TERMINATED: Final = "Metric Terminated"
_RUN_TERMINATED: Final = "Run Terminated"


@dataclass(frozen=True, slots=True)
class _Judged:
    rules: MetricRules
    result: MetricResult
    violation: Violation | None
    """None unless the metric is completed."""


def record(
    rules: Sequence[MetricRules],
    status: RunStatus,
    metric_name: str,
    measurement: Measurement,
    *,
    metadata: Mapping[str, str],
) -> RunStatus:
    """The status with one more measurement, or with news of the one in flight.

    Source: argo-rollouts analysis/analysis.go:312-431 @ 9f8d111d8. Unlike Argo, results stand in
    the order of the metrics, whichever measurement was the first to finish.

    Args:
        rules: of all metrics, in their order.
        status: before; one that is completed stays as it is.
        metric_name: one of ``rules``.
        measurement: if its phase is completed and it lacks an end, it ended when it started.
        metadata: of the metric; only what comes with its first measurement is kept.

    """
    if status.phase.is_completed:
        return status
    places = {rule.name: place for place, rule in enumerate(rules)}
    before = status.result_of(metric_name) or MetricResult(
        name=metric_name, is_dry_run=rules[places[metric_name]].is_dry_run, metadata=metadata
    )
    after = _counted(before, _on_record(measurement))
    others = (result for result in status.metric_results if result.name != metric_name)
    results = sorted((*others, after), key=lambda result: places[result.name])
    return replace(status, metric_results=tuple(results))


def terminated(measurement: Measurement) -> Measurement:
    """What came of stopping a measurement, with the message that Argo gives it.

    Source: argo-rollouts analysis/analysis.go:312-431 @ 9f8d111d8.
    """
    if measurement.phase in {Phase.SUCCESSFUL, Phase.INCONCLUSIVE}:
        return replace(measurement, message=_METRIC_TERMINATED)
    return measurement


def assess(
    rules: Sequence[MetricRules], status: RunStatus, *, is_terminated: bool, now_unix_s: float
) -> RunStatus:
    """The status with the phases, messages and summaries that its measurements lead to.

    A metric that fails while others are unfinished leaves the run Running: the next pass finds it,
    stops the others and completes the run.

    Source: argo-rollouts analysis/analysis.go:436-573 @ 9f8d111d8.
    """
    if status.phase.is_completed:
        return status
    must_stop = is_terminating(status, is_terminated=is_terminated)
    results = {result.name: result for result in status.metric_results}
    judged = [
        _judged(rule, results[rule.name], must_stop=must_stop)
        for rule in rules
        if rule.name in results
    ]
    completed = [metric for metric in judged if metric.result.phase.is_completed]
    phase, message = _worst(completed, _RUN_TERMINATED if is_terminated else "")
    if must_stop:
        phase = phase or Phase.SUCCESSFUL
    elif phase is None or len(completed) < len(rules):
        phase, message = Phase.RUNNING, ""
    now = _on_the_millisecond(now_unix_s)
    dry_rules = [rule for rule in rules if rule.is_dry_run]
    return RunStatus(
        phase=phase,
        message=message,
        metric_results=tuple(metric.result for metric in judged),
        started_at_unix_s=now if status.started_at_unix_s is None else status.started_at_unix_s,
        completed_at_unix_s=now if phase.is_completed else None,
        run_summary=_summary(
            len(rules) - len(dry_rules), (each for each in completed if not each.rules.is_dry_run)
        ),
        dry_run_summary=_summary(
            len(dry_rules), (each for each in completed if each.rules.is_dry_run)
        ),
        unknown=status.unknown,
    )


def trimmed(rules: Sequence[MetricRules], status: RunStatus) -> RunStatus:
    """The status without its oldest measurements; the counters still speak of all of them.

    Source: argo-rollouts analysis/analysis.go:762-805 @ 9f8d111d8.
    """
    kept = {rule.name: rule.retention for rule in rules}
    if all(len(each.measurements) <= kept[each.name] for each in status.metric_results):
        return status
    results = tuple(
        replace(each, measurements=each.measurements[-kept[each.name] :])
        for each in status.metric_results
    )
    return replace(status, metric_results=results)


def gave_up(status: RunStatus, message: str, *, now_unix_s: float) -> RunStatus:
    """A run that cannot go on: its spec, an argument or a secret is not as it should be.

    Source: argo-rollouts analysis/analysis.go:43-139 @ 9f8d111d8. Unlike Argo, the end is dated:
    a run without one would never be deleted.
    """
    return _ended(status, Phase.ERROR, message, now_unix_s)


def ended_by_cap(status: RunStatus, *, max_duration_s: float, now_unix_s: float) -> RunStatus:
    """A run that is ``schedule.overdue``. Unlike Argo, which never ends one for its age.

    Args:
        status: one that is completed stays as it is.
        max_duration_s: how long it might have lasted.
        now_unix_s: when it ends.

    """
    message = f"Run did not end within {max_duration_s:g}s (runs.maxDuration)"
    return _ended(status, Phase.INCONCLUSIVE, message, now_unix_s)


def _ended(status: RunStatus, phase: Phase, message: str, now_unix_s: float) -> RunStatus:
    if status.phase.is_completed:
        return status
    ended_at = _on_the_millisecond(now_unix_s)
    return replace(status, phase=phase, message=message, completed_at_unix_s=ended_at)


def _counted(result: MetricResult, measurement: Measurement) -> MetricResult:
    earlier = result.measurements if result.in_flight is None else result.measurements[:-1]
    measurements = (*earlier, measurement)
    phase = measurement.phase
    if not phase.is_completed:
        return replace(result, measurements=measurements)
    is_error, is_success = phase is Phase.ERROR, phase is Phase.SUCCESSFUL
    return replace(
        result,
        measurements=measurements,
        count=result.count + (not is_error),
        successful=result.successful + is_success,
        failed=result.failed + (phase is Phase.FAILED),
        inconclusive=result.inconclusive + (phase is Phase.INCONCLUSIVE),
        error=result.error + is_error,
        consecutive_error=result.consecutive_error + 1 if is_error else 0,
        consecutive_success=result.consecutive_success + 1 if is_success else 0,
    )


def _on_record(measurement: Measurement) -> Measurement:
    finished_at, resume_at = measurement.finished_at_unix_s, measurement.resume_at_unix_s
    if finished_at is None and measurement.phase.is_completed:
        finished_at = measurement.started_at_unix_s
    return replace(
        measurement,
        started_at_unix_s=_on_the_millisecond(measurement.started_at_unix_s),
        finished_at_unix_s=None if finished_at is None else _on_the_millisecond(finished_at),
        resume_at_unix_s=None if resume_at is None else _on_the_millisecond(resume_at),
    )


def _on_the_millisecond(unix_s: float) -> float:
    # Microseconds first: 1.001 is a little less than it says, and must not become 1.0.
    return round(unix_s * 1_000_000) // 1000 / 1000


def _judged(rules: MetricRules, result: MetricResult, *, must_stop: bool) -> _Judged:
    phase = metric_phase(rules, result, is_terminating=must_stop)
    exceeded = violation(rules, result) if phase.is_completed else None
    message = result.message
    if phase is not result.phase:
        message = result.last.message if result.last is not None else ""
    if exceeded is not None and rules.is_dry_run:
        message = f"Metric assessed {phase} due to {exceeded.reason}"
    if phase is not result.phase or message != result.message:
        result = replace(result, phase=phase, message=message)
    return _Judged(rules, result, exceeded)


def _worst(completed: Iterable[_Judged], message: str) -> tuple[Phase | None, str]:
    worst: Phase | None = None
    for metric in completed:
        phase = metric.result.phase
        if metric.rules.is_dry_run:
            worst = worst or Phase.SUCCESSFUL
        elif worst is None or BEST_TO_WORST.index(phase) > BEST_TO_WORST.index(worst):
            worst = phase
            # As in Argo, a verdict without a reason leaves the message of one less bad.
            message = _reason(metric, metric.violation) if metric.violation else message
    return worst, message


def _reason(metric: _Judged, exceeded: Violation) -> str:
    result = metric.result
    text = f'Metric "{result.name}" assessed {result.phase} due to {exceeded.reason}'
    return f'{text}: "Error Message: {result.message}"' if result.message else text


def _summary(count: int, completed: Iterable[_Judged]) -> Summary:
    # Argo asks the limits, not the phases: who fails for want of successes counts as successful.
    phases = [each.violation.phase if each.violation else Phase.SUCCESSFUL for each in completed]
    return Summary(
        count=count,
        successful=phases.count(Phase.SUCCESSFUL),
        failed=phases.count(Phase.FAILED),
        inconclusive=phases.count(Phase.INCONCLUSIVE),
        error=phases.count(Phase.ERROR),
    )
