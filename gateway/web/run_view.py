"""A run as its page shows it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import orjson

from gateway import verdict
from gateway.expr import thresholds
from gateway.limits import MetricRules
from gateway.model import Phase
from gateway.reasons import explain
from gateway.run_manifest import parse_run
from gateway.run_status import Measurement, MetricResult
from gateway.run_verdict import RunMetric, judged, run_metrics, run_verdict
from gateway.runs.plans import Origin
from gateway.runs.store import Run, understood
from gateway.web.values import numbers

MAX_CHARS: Final = 400
"""Longer values and reasons are cut; the manifest has them whole."""
MAX_LINES: Final = 8
_LINE_CHARS: Final = 60
_BAR: Final = 100


@dataclass(frozen=True, slots=True)
class Counter:
    """How often something happened, and how often it may."""

    name: str
    number: int
    limit: int | None
    """None if no number is too many."""
    is_over: bool
    share: int
    """Of the limit, in hundredths."""


@dataclass(frozen=True, slots=True)
class Line:
    """A limit that is drawn."""

    at: float
    text: str
    of: str
    """``success`` or ``failure``: which condition has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measurement."""

    phase: Phase
    at: str
    """RFC 3339."""
    took_s: float | None
    value: str
    reason: str
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricView:
    """One metric with its measurements, newest first."""

    name: str
    phase: Phase
    provider: str
    is_dry_run: bool
    message: str
    success_condition: str
    failure_condition: str
    asked: Mapping[str, str]
    """What the provider tells of the metric, such as its resolved query."""
    counters: tuple[Counter, ...]
    tally: tuple[tuple[Phase, int], ...]
    rows: tuple[Row, ...]
    dropped: int
    """Measurements that are not kept any more."""
    plot: str
    """JSON for the script that draws it; empty if there are no numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """A run."""

    id: str
    name: str
    namespace: str
    phase: Phase
    reason: str
    is_over: bool
    is_terminated: bool
    is_ok: bool
    """Whether a gate lets it through: who was terminated has not passed."""
    templates: tuple[str, ...]
    made_by: str
    created_at: str
    ended_at: str
    arguments: tuple[tuple[str, str | None], ...]
    """Names and values; None for one out of a secret."""
    labels: Mapping[str, str] = field(default_factory=dict)
    metrics: tuple[MetricView, ...] = ()


def run_view(run: Run, *, now_unix_s: float) -> RunView:
    """All that the page of a run shows.

    Raises:
        RunUnreadable: it has what this gateway does not know.
        RunOfNewer: the same, but a newer replica knows.

    """
    with understood(run):
        manifest = parse_run(run.manifest)
        told = run_verdict(
            run.id,
            run.manifest,
            run.status,
            is_terminated=run.is_terminated,
            now_unix_s=now_unix_s,
        )
    origin = Origin.of(run.manifest)
    return RunView(
        id=run.id,
        name=manifest.metadata.name or run.id,
        namespace=origin.namespace,
        phase=run.status.phase,
        reason=str(told["reason"]),
        is_over=run.status.phase.is_completed,
        is_terminated=run.is_terminated,
        is_ok=told["ok"] is True,
        templates=origin.templates,
        made_by=origin.made_by,
        created_at=str(told["startedAt"]),
        ended_at=str(told["finishedAt"] or ""),
        arguments=tuple(
            (each.name, None if each.value is None else verdict.cut(each.value, MAX_CHARS))
            for each in manifest.spec.args
        ),
        labels=manifest.metadata.labels,
        metrics=tuple(metric_view(each) for each in run_metrics(manifest, run.status)),
    )


def metric_view(metric: RunMetric) -> MetricView:
    """A metric of the page."""
    spec, rules, result = metric.spec, metric.rules, metric.result
    finished = [each for each in result.measurements if each.finished_at_unix_s is not None]
    return MetricView(
        name=spec.name,
        phase=result.phase,
        provider=next(iter(spec.provider), ""),
        is_dry_run=rules.is_dry_run,
        message=result.message,
        success_condition=spec.success_condition,
        failure_condition=spec.failure_condition,
        asked=result.metadata,
        counters=tuple(counters(rules, result)),
        tally=tally(result),
        rows=tuple(row(metric, each) for each in reversed(result.measurements)),
        dropped=max(result.count + result.error - len(finished), 0),
        plot=plot(result.measurements, lines(spec.success_condition, spec.failure_condition)),
    )


def counters(rules: MetricRules, result: MetricResult) -> Iterator[Counter]:
    """The counters that matter to a metric, each with what it may come to."""
    yield _counter("measured", result.count, rules.count)
    failure_limit = None if rules.failure_limit < 0 else rules.failure_limit
    yield _counter("failed", result.failed, failure_limit)
    yield _counter("inconclusive", result.inconclusive, rules.inconclusive_limit)
    yield _counter("errors in a row", result.consecutive_error, rules.consecutive_error_limit)
    if rules.consecutive_success_limit > 0:
        yield _counter(
            "successes in a row", result.consecutive_success, rules.consecutive_success_limit
        )


def _counter(name: str, number: int, limit: int | None) -> Counter:
    share = 0
    if limit is not None and number > 0:
        share = min(_BAR, _BAR * number // max(limit, 1))
    is_over = limit is not None and number > limit
    return Counter(name, number, limit, is_over, share)


def tally(result: MetricResult) -> tuple[tuple[Phase, int], ...]:
    """How measurements came out, as Argo's own view counts them, without what never happened."""
    found = (
        (Phase.SUCCESSFUL, result.successful),
        (Phase.FAILED, result.failed),
        (Phase.INCONCLUSIVE, result.inconclusive),
        (Phase.ERROR, result.error),
    )
    return tuple(each for each in found if each[1])


def row(metric: RunMetric, measurement: Measurement) -> Row:
    """A measurement of the page, and which rule decided it."""
    ended_at = measurement.finished_at_unix_s
    return Row(
        phase=measurement.phase,
        at=verdict.timestamp(measurement.started_at_unix_s),
        took_s=None if ended_at is None else max(ended_at - measurement.started_at_unix_s, 0),
        value=verdict.cut(measurement.value, MAX_CHARS),
        reason=verdict.cut(explain(judged(metric.spec, measurement)), MAX_CHARS),
        metadata={key: verdict.cut(text, MAX_CHARS) for key, text in measurement.metadata.items()},
    )


def lines(success_condition: str, failure_condition: str) -> tuple[Line, ...]:
    """The numbers that two conditions compare the result with; each place is drawn once."""
    found: dict[float, Line] = {}
    for text, of in ((success_condition, "success"), (failure_condition, "failure")):
        for each in thresholds(text):
            name = f"{each.expression} {each.operator} {each.limit:g}"
            found.setdefault(each.limit, Line(each.limit, verdict.cut(name, _LINE_CHARS), of))
    return tuple(found.values())[:MAX_LINES]


def plot(measurements: Sequence[Measurement], drawn: Sequence[Line]) -> str:
    """What is drawn of measurements, oldest first: JSON of times, phases, numbers and limits.

    What has no number keeps its place in time, so that gaps and errors are seen.
    """
    found = [numbers(each.value) for each in measurements]
    width = max((len(each) for each in found), default=0)
    if not width:
        return ""
    values = [
        [each[index] if index < len(each) else None for each in found] for index in range(width)
    ]
    return orjson.dumps(
        {
            "times": [round(each.started_at_unix_s, 3) for each in measurements],
            "phases": [each.phase for each in measurements],
            "values": values,
            "lines": drawn,
        }
    ).decode()
