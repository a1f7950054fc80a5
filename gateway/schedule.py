"""When a run wants something: what is due, when to look again, and when it is over.

The time is always an argument, in Unix seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

from gateway.limits import MetricRules, is_at_count, metric_phase
from gateway.model import Phase
from gateway.run_status import Measurement, MetricResult, RunStatus

ERROR_RETRY_S: Final = 10.0
"""From an Error to the next attempt, whatever the interval.

Source: argo-rollouts analysis/analysis.go:30 @ 9f8d111d8.
"""
CLOCKS_DIFFER_S: Final = 30.0
"""By how much the clocks of replicas may differ. What was done later than that from now was done
before a clock was set back: nobody waits until its time comes again."""
_DECISIVE: Final = frozenset({Phase.FAILED, Phase.ERROR, Phase.INCONCLUSIVE})


class Action(Enum):
    """What to do with a metric now."""

    MEASURE = "measure"
    """Take a new measurement."""
    RESUME = "resume"
    """Look again at the measurement in flight."""
    TERMINATE = "terminate"
    """Stop the measurement in flight."""


@dataclass(frozen=True, slots=True)
class Task:
    """Something that is due."""

    action: Action
    metric_name: str


class TtlStrategy(Protocol):
    """How long a run is kept after its end, in seconds; None where nothing is said."""

    @property
    def seconds_after_completion(self) -> int | None:
        """For every run that nothing else speaks of."""

    @property
    def seconds_after_success(self) -> int | None:
        """For a Successful run."""

    @property
    def seconds_after_failure(self) -> int | None:
        """For a Failed run."""


def due(
    rules: Sequence[MetricRules], status: RunStatus, *, is_terminated: bool, now_unix_s: float
) -> tuple[Task, ...]:
    """What this pass has to do, in the order of the metrics.

    Source: argo-rollouts analysis/analysis.go:176-250 @ 9f8d111d8. Unlike Argo, a metric that its
    counters have decided, and that was not assessed since, is not measured once more.
    """
    if status.phase.is_completed:
        return ()
    must_stop = is_terminating(status, is_terminated=is_terminated)
    results = {result.name: result for result in status.metric_results}
    tasks: list[Task] = []
    for rule in rules:
        result = results.get(rule.name, MetricResult(name=rule.name))
        if result.phase.is_completed:
            continue
        if must_stop:
            action = Action.TERMINATE if result.in_flight else None
        else:
            action = _action(rule, result, status.started_at_unix_s, now_unix_s)
        if action is not None:
            tasks.append(Task(action, rule.name))
    return tuple(tasks)


def next_wake(
    rules: Sequence[MetricRules], status: RunStatus, *, is_terminated: bool, now_unix_s: float
) -> float | None:
    """When the next pass is wanted, never before ``now_unix_s``; None if nothing is to come.

    A measurement in flight that does not say when to look again wants no pass: its provider calls.

    Source: argo-rollouts analysis/analysis.go:691-759 @ 9f8d111d8.
    """
    if status.phase.is_completed:
        return None
    started_at = status.started_at_unix_s
    if started_at is None or is_terminating(status, is_terminated=is_terminated):
        return now_unix_s
    results = {result.name: result for result in status.metric_results}
    wakes: list[float] = []
    for rule in rules:
        result = results.get(rule.name, MetricResult(name=rule.name))
        wake = None if result.phase.is_completed else _wake(rule, result, started_at, now_unix_s)
        if wake is not None:
            wakes.append(wake)
    return max(min(wakes), now_unix_s) if wakes else None


def overdue(
    status: RunStatus,
    *,
    is_terminated: bool,
    created_at_unix_s: float,
    max_duration_s: float,
    now_unix_s: float,
) -> bool:
    """Whether a run has lasted too long; one that is terminating is about to end anyway."""
    return (
        not status.phase.is_completed
        and now_unix_s - created_at_unix_s >= max_duration_s
        and not is_terminating(status, is_terminated=is_terminated)
    )


def expires_at(ttl: TtlStrategy, status: RunStatus) -> float | None:
    """The first moment at which a run is to be deleted; None if it has not ended, or is kept.

    It is a second later than the strategy says: Argo waits for more whole seconds than that.

    Source: argo-rollouts analysis/analysis.go:807-842 @ 9f8d111d8.
    """
    if status.completed_at_unix_s is None:
        return None
    seconds = ttl.seconds_after_completion
    if status.phase is Phase.SUCCESSFUL and ttl.seconds_after_success is not None:
        seconds = ttl.seconds_after_success
    if status.phase is Phase.FAILED and ttl.seconds_after_failure is not None:
        seconds = ttl.seconds_after_failure
    return None if seconds is None else status.completed_at_unix_s + seconds + 1


def is_terminating(status: RunStatus, *, is_terminated: bool) -> bool:
    """Whether nothing new is to begin: somebody wants the run to end, or a metric has failed it.

    Source: argo-rollouts utils/analysis/helpers.go:84-101 @ 9f8d111d8.
    """
    return is_terminated or any(
        result.phase in _DECISIVE and not result.is_dry_run for result in status.metric_results
    )


def _action(
    rules: MetricRules, result: MetricResult, started_at: float | None, now: float
) -> Action | None:
    last = result.last
    if last is None:
        return Action.MEASURE if _is_delay_over(rules, started_at, now) else None
    if last.finished_at_unix_s is None:
        resume_at = _unless_set_back(last.resume_at_unix_s, last.started_at_unix_s, now)
        return None if resume_at is not None and resume_at > now else Action.RESUME
    # A worker that dies in the middle of a pass leaves measurements that nobody has assessed: one
    # more could hide, for instance, that there were too many errors in a row.
    if metric_phase(rules, result, is_terminating=False).is_completed:
        return None
    is_due = now > last.finished_at_unix_s + _gap_s(rules, last)
    return Action.MEASURE if is_due or _is_set_back(last.finished_at_unix_s, now) else None


def _wake(rules: MetricRules, result: MetricResult, started_at: float, now: float) -> float | None:
    last = result.last
    if last is None:
        return started_at + (rules.initial_delay_s or 0)
    if last.finished_at_unix_s is None:
        return _unless_set_back(last.resume_at_unix_s, last.started_at_unix_s, now)
    if is_at_count(rules, result):
        return None
    due_at = last.finished_at_unix_s + _gap_s(rules, last)
    return _unless_set_back(due_at, last.finished_at_unix_s, now)


def _unless_set_back(due_at: float | None, done_at: float, now: float) -> float | None:
    """When something is due after what was done then; now, if a clock was set back since."""
    return now if due_at is not None and _is_set_back(done_at, now) else due_at


def _is_set_back(done_at: float, now: float) -> bool:
    return done_at > now + CLOCKS_DIFFER_S


def _is_delay_over(rules: MetricRules, started_at: float | None, now: float) -> bool:
    # Even a delay of nothing waits for the end of the first pass.
    return rules.initial_delay_s is None or (
        started_at is not None and started_at + rules.initial_delay_s <= now
    )


def _gap_s(rules: MetricRules, last: Measurement) -> float:
    if last.phase is Phase.ERROR or rules.interval_s is None:
        return ERROR_RETRY_S
    return rules.interval_s
