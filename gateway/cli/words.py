"""What a terminal, or the log of a CI job, is told of a run; each thing on one line."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from rich.text import Text

from gateway import reasons, verdict
from gateway.limits import MetricRules
from gateway.model import Phase
from gateway.run_events import news
from gateway.run_status import Measurement, MetricResult, RunStatus
from gateway.runs import decisions
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


def clean(text: str, max_chars: int = MAX_CHARS) -> str:
    """The text on one line and without what a terminal would obey: anybody may have written it."""
    shown = "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode()
        for each in " ".join(text.splitlines())
    )
    return verdict.cut(shown, max_chars)


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
    return clean(reasons.explain(decisions.judged(plan, metric_name, measurement)))


def changes(plan: RunPlan, before: RunStatus, after: RunStatus) -> Iterator[Text]:
    """A line for each measurement and for each change of phase, without the time."""
    width = min(max(len(clean(each.name)) for each in plan.rules), _MAX_NAME_COLUMNS)
    for rules, result in decisions.measured(plan, after):
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


def metric_phase_text(result: MetricResult) -> Text:
    """The phase of a metric, and whether it counts."""
    text = phase_text(result.phase)
    return text.append(" (dry run)") if result.is_dry_run else text


def conclusion(plan: RunPlan, status: RunStatus) -> str:
    """Why a run ended as it did."""
    return clean(decisions.conclusion(plan, status))


def is_endless(rules: MetricRules) -> bool:
    """Whether a metric that does well is never done."""
    return rules.count is None and rules.consecutive_success_limit <= 0
