"""A run as a verdict: how it stands, in one sentence and in the newest measurement of each metric.

The same document as that of a verdict that is given at once (``gateway.verdict``), so that the same
jsonPath and the same eyes read both.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from gateway.args import PLACEHOLDER
from gateway.limits import MetricRules, metric_rules
from gateway.model import Phase
from gateway.plan import fill_metrics
from gateway.reasons import Decided, explanation_json, newest_decisive, numbered, of_run, run_reason
from gateway.run_document import counters_json
from gateway.run_manifest import CONTEXT_ANNOTATION, TEMPLATES_ANNOTATION, AnalysisRun, parse_run
from gateway.run_status import Measurement as RunMeasurement
from gateway.run_status import MetricResult, RunStatus
from gateway.schedule import next_wake
from gateway.template import Argument, Metric
from gateway.validation import matching
from gateway.verdict import Measurement, timestamp

_NO_JSON_NUMBER: Final = re.compile(r"NaN|[+-]Inf")


@dataclass(frozen=True, slots=True)
class RunMetric:
    """A metric of the run, and what came of it so far."""

    spec: Metric
    """Resolved, secrets excepted."""
    rules: MetricRules
    result: MetricResult
    """One that is Pending if there is none."""


def run_phase(status: RunStatus) -> Phase:
    """The phase, but Running for a run that nobody has taken up yet: callers wait for either."""
    return status.phase if status.phase.is_completed else Phase.RUNNING


def gate_phase(status: RunStatus, *, is_terminated: bool) -> Phase:
    """The phase as a gate takes it: who was stopped before the end has not passed."""
    phase = run_phase(status)
    return Phase.INCONCLUSIVE if phase is Phase.SUCCESSFUL and is_terminated else phase


def run_verdict(
    run_id: str,
    manifest: Mapping[str, object],
    status: RunStatus,
    *,
    is_terminated: bool,
    now_unix_s: float,
) -> dict[str, object]:
    """The verdict as JSON-ready values.

    Args:
        run_id: the run's.
        manifest: well formed, as ``gateway.run_manifest.manifest`` makes it.
        status: how it stands.
        is_terminated: whether somebody wants it to end.
        now_unix_s: for what is due and how old a measurement is.

    Raises:
        TemplateInvalid: the manifest has what this gateway does not know.

    """
    run = parse_run(manifest)
    metrics = tuple(run_metrics(run, status))
    annotations = run.metadata.annotations
    templates = annotations.get(TEMPLATES_ANNOTATION, "")
    ended_at = status.completed_at_unix_s
    verdict: dict[str, object] = {
        "phase": run_phase(status),
        "ok": gate_phase(status, is_terminated=is_terminated) is Phase.SUCCESSFUL,
        "reason": _reason(metrics, status, is_terminated=is_terminated, now_unix_s=now_unix_s),
        "run": run_id,
        "namespace": run.metadata.namespace,
        "templates": templates.split(",") if templates else [],
        "startedAt": _created_at(manifest),
        "finishedAt": None if ended_at is None else timestamp(ended_at),
        "metrics": {each.rules.name: _metric_json(each, now_unix_s) for each in metrics},
    }
    if CONTEXT_ANNOTATION in annotations:
        verdict["context"] = _context(annotations[CONTEXT_ANNOTATION])
    return verdict


def run_metrics(run: AnalysisRun, status: RunStatus) -> Iterator[RunMetric]:
    """The metrics of a run in the order of its spec, also those that were never measured."""
    flat = run.flat()
    dry = [rule.part.metric_name for rule in flat.dry_run]
    retention = [rule.part for rule in flat.measurement_retention]
    for filled in fill_metrics(flat.metrics, {each.name: _shown(each) for each in run.spec.args}):
        spec = filled.metric.part
        is_dry_run = any(matching(pattern, [spec.name]) for pattern in dry)
        result = status.result_of(spec.name)
        yield RunMetric(
            spec,
            metric_rules(spec, is_dry_run=is_dry_run, retention=retention),
            result or MetricResult(name=spec.name, phase=Phase.PENDING, is_dry_run=is_dry_run),
        )


def _shown(argument: Argument) -> str:
    source = argument.value_from
    if argument.value is None or (source is not None and source.secret_key_ref is not None):
        return PLACEHOLDER
    return argument.value


def _created_at(manifest: Mapping[str, object]) -> object:
    metadata = manifest["metadata"]
    return metadata["creationTimestamp"] if isinstance(metadata, dict) else None


def _context(text: str) -> object:
    try:
        return orjson.loads(text)
    except ValueError:
        # An AnalysisRun manifest can bring any text.
        return {}


def _metric_json(metric: RunMetric, now_unix_s: float) -> dict[str, object]:
    spec, result, last = metric.spec, metric.result, metric.result.last
    text = "" if last is None else last.value
    finished_at = None if last is None else last.finished_at_unix_s
    took_s = None
    if last is not None and finished_at is not None:
        took_s = finished_at - last.started_at_unix_s
    return {
        "phase": result.phase,
        "value": _value(text),
        "text": text,
        "message": result.message or ("" if last is None else last.message),
        "provider": next(iter(spec.provider), ""),
        "successCondition": spec.success_condition,
        "failureCondition": spec.failure_condition,
        "query": next(iter(result.metadata.values()), ""),
        "ageSeconds": None if finished_at is None else round(max(0, now_unix_s - finished_at), 3),
        "tookMs": None if took_s is None else round(took_s * 1000, 1),
        "dryRun": metric.rules.is_dry_run,
        "metadata": {} if last is None else dict(last.metadata),
        **counters_json(result),
        **({} if last is None else explanation_json(judged(spec, last))),
    }


def _value(text: str) -> object:
    """The value out of the text that Argo prints; None if it was cut, or there is none."""
    if '"' not in text:
        text = _NO_JSON_NUMBER.sub(r'"\g<0>"', text)
    try:
        return orjson.loads(text)
    except ValueError:
        return None


def _reason(
    metrics: tuple[RunMetric, ...], status: RunStatus, *, is_terminated: bool, now_unix_s: float
) -> str:
    if not status.phase.is_completed:
        return _why_running(metrics, status, is_terminated=is_terminated, now_unix_s=now_unix_s)
    return run_reason(status, [_decided(each) for each in metrics])


def _decided(metric: RunMetric) -> Decided:
    newest = newest_decisive(metric.result)
    decisive = None if newest is None else judged(metric.spec, newest)
    return Decided(metric.rules, metric.result, decisive)


def judged(spec: Metric, measurement: RunMeasurement) -> Measurement:
    """A measurement of a run, with what led to its phase; ``spec`` is its metric's, resolved."""
    return of_run(
        measurement,
        metric=spec.name,
        provider=next(iter(spec.provider), ""),
        success_condition=spec.success_condition,
        failure_condition=spec.failure_condition,
    )


def metrics_of(manifest: Mapping[str, object]) -> dict[str, Metric]:
    """The metrics of a run by their names, resolved but for secrets.

    Raises:
        TemplateInvalid: the manifest has what this gateway does not know.

    """
    run = parse_run(manifest)
    return {each.spec.name: each.spec for each in run_metrics(run, RunStatus())}


def _why_running(
    metrics: tuple[RunMetric, ...], status: RunStatus, *, is_terminated: bool, now_unix_s: float
) -> str:
    if is_terminated:
        return "the run has been told to end and is about to"
    if status.started_at_unix_s is None:
        return "the run is about to begin"
    unfinished = [each for each in metrics if not each.result.phase.is_completed]
    if not unfinished:
        return "the run is about to end"
    return "; ".join(_progress(each, status, now_unix_s) for each in unfinished)


def _progress(metric: RunMetric, status: RunStatus, now_unix_s: float) -> str:
    result, rules = metric.result, metric.rules
    # Who waits for a metric that may never end should read why.
    so_far = f"{numbered(result.count, 'measurement')} and no count"
    if rules.count is not None:
        so_far = f"{result.count} of {numbered(rules.count, 'measurement')}"
    told = f"{rules.name}: {so_far}"
    if result.consecutive_error:
        told += f", {numbered(result.consecutive_error, 'error')} in a row"
    if result.in_flight is not None:
        since = timestamp(result.in_flight.started_at_unix_s)
        return f"{told}, one under way since {since}"
    wake = next_wake([rules], status, is_terminated=False, now_unix_s=now_unix_s)
    if wake is None or wake <= now_unix_s:
        return f"{told}, the next is due"
    return f"{told}, the next at {timestamp(wake)}"
