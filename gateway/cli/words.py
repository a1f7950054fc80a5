"""What a terminal, or the log of a CI job, is told of a run; each thing on one line."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from rich.text import Text

from gateway import verdict
from gateway.limits import MetricRules, violation
from gateway.model import Judgement, Phase, Reading, ResultType
from gateway.provider import OUTCOME_METADATA, LastingProvider
from gateway.run_events import news
from gateway.run_status import Measurement, MetricResult, RunStatus
from gateway.runs.plans import RunPlan

MAX_CHARS: Final = 300
"""Longer values and messages are cut; the document has them whole."""
_MAX_NAME_COLUMNS: Final = 24
_STYLES: Final = {
    Phase.SUCCESSFUL: "green",
    Phase.FAILED: "bold red",
    Phase.ERROR: "red",
    Phase.INCONCLUSIVE: "yellow",
    Phase.RUNNING: "cyan",
}


def clean(text: str) -> str:
    """The text on one line and without what a terminal would obey: anybody may have written it."""
    shown = "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode()
        for each in " ".join(text.splitlines())
    )
    return verdict.cut(shown, MAX_CHARS)


def phase_text(phase: Phase) -> Text:
    """The phase in its colour."""
    return Text(phase.value, style=_STYLES.get(phase, ""))


def time_of_day(unix_s: float) -> str:
    """``14:03:05``, as the clock on the wall says."""
    return datetime.fromtimestamp(unix_s, UTC).astimezone().strftime("%H:%M:%S")


def duration(seconds: float) -> str:
    """``7s``, ``1m05s``, ``2h10m``; what has begun counts whole."""
    whole = max(0, math.ceil(seconds))
    hours, minutes = divmod(whole // 60, 60)
    if hours:
        return f"{hours}h{minutes:02d}m"
    return f"{minutes}m{whole % 60:02d}s" if minutes else f"{whole}s"


def counters(rules: MetricRules, result: MetricResult) -> str:
    """The counters that matter to this metric, each against its limit."""
    count = result.count if rules.count is None else f"{result.count}/{rules.count}"
    counted = [
        ("failed", result.failed, rules.failure_limit),
        ("inconclusive", result.inconclusive, rules.inconclusive_limit),
    ]
    parts = [f"count {count}"]
    for name, number, limit in counted:
        if number or limit > 0:
            parts.append(f"{name} {number}/{limit}" if limit >= 0 else f"{name} {number}")
    if result.consecutive_error:
        parts.append(
            f"consecutive errors {result.consecutive_error}/{rules.consecutive_error_limit}"
        )
    if rules.consecutive_success_limit > 0:
        parts.append(
            f"consecutive successes {result.consecutive_success}/{rules.consecutive_success_limit}"
        )
    return ", ".join(parts)


def reason(plan: RunPlan, metric_name: str, measurement: Measurement) -> str:
    """Which rule decided a measurement, with the value it saw."""
    metric = plan.metrics[metric_name].plan
    masked = plan.planned.redaction.text
    judged = verdict.Measurement(
        metric=metric_name,
        provider=metric.provider_name,
        phase=measurement.phase,
        message=measurement.message,
        success_condition=masked(metric.success_condition),
        failure_condition=masked(metric.failure_condition),
        reading=_reading(metric.provider, measurement),
    )
    return clean(verdict.explain(judged))


def _reading(provider: object, measurement: Measurement) -> Reading:
    if isinstance(provider, LastingProvider):
        text = measurement.metadata.get(OUTCOME_METADATA, "")
        return Reading(None, ResultType.JSON, text, judgement=Judgement(measurement.phase))
    return Reading(None, ResultType.JSON, measurement.value)


def changes(plan: RunPlan, before: RunStatus, after: RunStatus) -> Iterator[Text]:
    """A line for each measurement and for each change of phase, without the time."""
    width = min(max(len(clean(each.name)) for each in plan.rules), _MAX_NAME_COLUMNS)
    for rules, result in measured(plan, after):
        name = clean(result.name).ljust(width)
        was = before.result_of(result.name) or MetricResult(name=result.name)
        for each in news(was, result):
            why = reason(plan, result.name, each)
            told = f"{f': {why}' if why else ''} ({counters(rules, result)})"
            yield Text.assemble(f"{name}  ", phase_text(each.phase), told)
        if result.phase.is_completed and not was.phase.is_completed:
            yield Text.assemble(f"{name}  the metric is ", metric_phase_text(result))
    if after.phase is not before.phase:
        yield Text.assemble("the run is ", phase_text(after.phase))


def measured(plan: RunPlan, status: RunStatus) -> Iterator[tuple[MetricRules, MetricResult]]:
    """The metrics that there are results of, in their order."""
    for rules in plan.rules:
        result = status.result_of(rules.name)
        if result is not None:
            yield rules, result


def metric_phase_text(result: MetricResult) -> Text:
    """The phase of a metric, and whether it counts."""
    text = phase_text(result.phase)
    return text.append(" (dry run)") if result.is_dry_run else text


def conclusion(plan: RunPlan, status: RunStatus) -> str:
    """Why a run ended as it did: Argo's message, or what it leaves unsaid."""
    if status.message:
        return clean(status.message)
    counted = [pair for pair in measured(plan, status) if not pair[0].is_dry_run]
    if not counted:
        return "all metrics are dry runs, which do not count"
    if status.phase is Phase.SUCCESSFUL and len(counted) > 1:
        return f"all {len(counted)} metrics are Successful"
    return "; ".join(
        f"{clean(result.name)}: {_decision(plan, rules, result)}"
        for rules, result in counted
        if result.phase is status.phase
    )


def _decision(plan: RunPlan, rules: MetricRules, result: MetricResult) -> str:
    if result.phase is not Phase.SUCCESSFUL and violation(rules, result) is None:
        return (
            f"{result.consecutive_success} successes in a row at the end of {result.count}"
            f" measurements, {rules.consecutive_success_limit} were wanted"
            " (consecutiveSuccessLimit)"
        )
    return reason(plan, result.name, result.measurements[-1])


def is_endless(rules: MetricRules) -> bool:
    """Whether a metric that does well is never done."""
    return rules.count is None and rules.consecutive_success_limit <= 0
