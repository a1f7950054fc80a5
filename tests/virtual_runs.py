"""Runs in virtual time: scripted outcomes, and a scheduler that is never late.

It wakes a little after the moment that was asked for, as a real one does: Argo wants an interval to
be over, strictly. What is recorded is cut to milliseconds, so the little never adds up.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Final

from manifests import located, metric

from gateway.assess import assess, record, terminated, trimmed
from gateway.limits import MetricRules, metric_rules
from gateway.model import Phase
from gateway.plan import fill_metrics
from gateway.run_status import Measurement, MetricResult, RunStatus, Summary
from gateway.schedule import Action, Task, due, next_wake
from gateway.template import RetentionRule

START: Final = 1_700_000_000.0
LITTLE: Final = 0.0004
MAX_PASSES: Final = 200
PHASES: Final = {
    "S": Phase.SUCCESSFUL,
    "F": Phase.FAILED,
    "I": Phase.INCONCLUSIVE,
    "E": Phase.ERROR,
    "R": Phase.RUNNING,
}


@dataclass(frozen=True, kw_only=True)
class Story:
    """A spec, and what its measurements come to.

    A script is a list of outcomes with commas between: a letter of ``PHASES``, for one in flight
    ``+15`` for when to resume, then a message; ``=`` leaves a measurement as it is. The last
    outcome of a script that ends with ``...`` is repeated for ever.
    """

    metrics: Mapping[str, Mapping[str, object]]
    """By name, the fields in wire names."""
    scripts: Mapping[str, str]
    arguments: Mapping[str, str] = field(default_factory=dict)
    dry_run: Sequence[str] = ()
    retention: Sequence[RetentionRule] = ()
    terminate_in_pass: int = MAX_PASSES + 1
    """The first pass in which somebody has asked for the end; the first one is 1."""
    until_s: float = 1_000.0
    """When to stop looking."""

    def rules(self) -> list[MetricRules]:
        """The rules of the metrics, read from real ones."""
        metrics = [metric(name, **fields) for name, fields in self.metrics.items()]
        return [
            metric_rules(
                each.metric.part,
                is_dry_run=each.metric.part.name in self.dry_run,
                retention=self.retention,
            )
            for each in fill_metrics(located(metrics), self.arguments)
        ]


@dataclass
class Played:
    """What came of a story; times are seconds since its start."""

    status: RunStatus = field(default_factory=RunStatus)
    passes: list[tuple[int, RunStatus]] = field(default_factory=list)
    attempts: dict[str, list[int]] = field(default_factory=dict)

    def told(self) -> list[str]:
        """The whole outcome, a line for the run, one for the summaries and one per metric."""
        status = self.status
        ended = status.completed_at_unix_s
        when = "" if ended is None else f" at {_since_start(ended)}"
        message = f": {status.message}" if status.message else ""
        summaries = f"{_summed(status.run_summary)} dry {_summed(status.dry_run_summary)}"
        metrics = [self._told_metric(result) for result in status.metric_results]
        return [f"{status.phase}{when}{message}", summaries, *metrics]

    def _told_metric(self, result: MetricResult) -> str:
        times = " ".join(str(at) for at in self.attempts[result.name])
        message = f": {result.message}" if result.message else ""
        kept = len(result.measurements)
        return f"{result.name} {result.phase} {_counters(result)} at {times}, {kept} kept{message}"


def play(story: Story) -> Played:
    """Carry out a story until its run has ended, or wants nothing any more, or time is over."""
    rules = story.rules()
    scripts = {name: _outcomes(script) for name, script in story.scripts.items()}
    played = Played()
    now: float | None = START
    while now is not None and now <= START + story.until_s and len(played.passes) < MAX_PASSES:
        is_terminated = len(played.passes) + 1 >= story.terminate_in_pass
        status, really = played.status, now + LITTLE
        for task in due(rules, status, is_terminated=is_terminated, now_unix_s=really):
            played.attempts.setdefault(task.metric_name, []).append(_since_start(now))
            measurement = _carried_out(task, status, next(scripts[task.metric_name]), really)
            status = record(rules, status, task.metric_name, measurement, metadata={})
        status = assess(rules, status, is_terminated=is_terminated, now_unix_s=really)
        status = trimmed(rules, status)
        played.status = status
        played.passes.append((_since_start(now), status))
        is_terminated = len(played.passes) + 1 >= story.terminate_in_pass
        now = next_wake(rules, status, is_terminated=is_terminated, now_unix_s=now)
    return played


def _carried_out(task: Task, status: RunStatus, outcome: str, now: float) -> Measurement:
    result = status.result_of(task.metric_name)
    before = None if task.action is Action.MEASURE or result is None else result.in_flight
    if outcome == "=":
        assert before is not None
        return before
    head, _, message = outcome.partition(" ")
    phase, resume_in = PHASES[head[0]], head[1:]
    measurement = Measurement(
        phase=phase,
        message=message,
        started_at_unix_s=now if before is None else before.started_at_unix_s,
        finished_at_unix_s=now if phase.is_completed else None,
        resume_at_unix_s=now + float(resume_in) if resume_in else None,
    )
    return terminated(measurement) if task.action is Action.TERMINATE else measurement


def _outcomes(script: str) -> Iterator[str]:
    outcomes = script.removesuffix("...").split(",")
    return chain(outcomes, repeat(outcomes[-1]) if script.endswith("...") else ())


def _since_start(unix_s: float) -> int:
    since = unix_s - START
    assert since == int(since)
    return int(since)


def _summed(summary: Summary | None) -> str:
    assert summary is not None
    parts = summary.count, summary.successful, summary.failed, summary.inconclusive, summary.error
    return "/".join(str(part) for part in parts)


def _counters(result: MetricResult) -> str:
    counters = (
        result.count,
        result.successful,
        result.failed,
        result.inconclusive,
        result.error,
        result.consecutive_error,
        result.consecutive_success,
    )
    return "/".join(str(counter) for counter in counters)
