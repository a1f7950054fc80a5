"""Why: the one place where decisions become sentences, for the API, the page, the log and the CLI.

a measurement   which rule decided, the value it saw, by how much it was met or missed
a metric        the newest measurement that decided, and the counters against their limits
an analysis     the metrics that decided
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.conditions import decoded, evidence_of
from gateway.evidence import Comparison, ConditionEvidence
from gateway.limits import MetricRules, violation
from gateway.model import Judgement, Phase, Reading, ResultType
from gateway.provider import OUTCOME_METADATA
from gateway.run_status import Measurement as RunMeasurement
from gateway.run_status import MetricResult, RunStatus
from gateway.secrets import NOT_TOLD
from gateway.verdict import BEST_TO_WORST, Measurement, cut

MAX_CHARS: Final = 500
"""Of a value or a condition in a sentence; the document has more of them."""
_MAX_TOLD: Final = 3
"""Comparisons of one condition in a sentence."""
_INFINITE: Final = re.compile(r"\bInf\b")


def summarize(measurements: Sequence[Measurement]) -> tuple[Phase, str]:
    """The worst phase of all metrics that are not dry-run, and one sentence on why.

    A measurement still Running keeps the whole Running, unless another metric has Failed: no
    later outcome can be worse than that.

    Source: argo-rollouts utils/analysis/helpers.go:48-71 @ 9f8d111d8 for the order.
    """
    judged = [measurement for measurement in measurements if not measurement.is_dry_run]
    phase = max(
        (measurement.phase for measurement in judged), key=BEST_TO_WORST.index, default=None
    )
    if phase is not Phase.FAILED and any(each.phase is Phase.RUNNING for each in judged):
        phase = Phase.RUNNING
    if phase is None or phase is Phase.SUCCESSFUL:
        return Phase.SUCCESSFUL, _success(measurements)
    decisive = [measurement for measurement in judged if measurement.phase is phase]
    return phase, "; ".join(f"{each.metric}: {_told(each)}" for each in decisive)


def _success(measurements: Sequence[Measurement]) -> str:
    dry = [each for each in measurements if each.is_dry_run and each.phase is not Phase.SUCCESSFUL]
    if dry:
        told = "; ".join(f"{each.metric} {each.phase}: {_told(each)}" for each in dry)
        return f"dry run only, not counted: {told}"
    if len(measurements) == 1:
        return f"{measurements[0].metric}: {_told(measurements[0])}"
    return f"all {len(measurements)} metrics are Successful"


def _told(measurement: Measurement) -> str:
    return measurement.reason or explain(measurement)


def explain(measurement: Measurement) -> str:
    """One sentence: which rule decided, with the value it saw and the margin; empty for none."""
    rule = _rule(measurement)
    return "; ".join(part for part in (rule, measurement.message.strip()) if part)


def _names_a_rule(measurement: Measurement) -> bool:
    """Whether anything decided: a condition, a provider, an error."""
    judgement = measurement.reading and measurement.reading.judgement
    conditions = measurement.success_condition or measurement.failure_condition
    return bool(judgement or conditions or measurement.message)


def _rule(measurement: Measurement) -> str:
    text = cut(measurement.reading.text, MAX_CHARS) if measurement.reading else ""
    success = cut(measurement.success_condition, MAX_CHARS)
    failure = cut(measurement.failure_condition, MAX_CHARS)
    by_success, by_failure = _margins(measurement)
    match measurement.phase:
        case Phase.ERROR | Phase.RUNNING | Phase.PENDING:
            return ""
        case _ if measurement.reading is not None and measurement.reading.judgement is not None:
            return text
        case Phase.INCONCLUSIVE:
            return (
                f"{text} satisfies neither {success}{by_success}"
                f" nor the failure condition {failure}"
            )
        case Phase.FAILED if failure:
            # With both conditions set, only the failure condition can have decided.
            return f"{text} satisfies the failure condition {failure}{by_failure}"
        case Phase.FAILED:
            return f"{text} does not satisfy {success}{by_success}"
        case _ if success:
            return f"{text} satisfies {success}{by_success}"
        case _ if failure:
            return f"{text} does not satisfy the failure condition {failure}{by_failure}"
    return f"{text} was measured and there is no condition"


def _margins(measurement: Measurement) -> tuple[str, str]:
    evidence = measurement.evidence
    if evidence is None:
        return "", ""
    return _margin(evidence.success), _margin(evidence.failure)


def _margin(condition: ConditionEvidence | None) -> str:
    """`` (missed by 0.04)``; with the comparison where it is not the whole condition."""
    if condition is None or not condition.decisive:
        return ""
    by = [_by(each, condition) for each in condition.decisive[:_MAX_TOLD]]
    return f" ({', '.join(by)})"


def _by(comparison: Comparison, condition: ConditionEvidence) -> str:
    by = f"{'met' if comparison.holds else 'missed'} by {abs(comparison.margin):.4g}"
    return by if condition.is_one_comparison else f"{comparison.text} {by}"


def explanation_json(measurement: Measurement) -> dict[str, object]:
    """What a document of a run says of a measurement's reasons: nothing if it knows none."""
    found: dict[str, object] = {}
    if measurement.phase.is_completed:
        found["reason"] = explain(measurement)
    if measurement.evidence is not None:
        found["explanation"] = measurement.evidence.json
    return found


@dataclass(frozen=True, slots=True)
class Decided:
    """A metric of a run that has ended."""

    rules: MetricRules
    result: MetricResult
    decisive: Measurement | None
    """The newest of the measurements that came out as the metric did, as ``of_run`` makes it."""

    @property
    def is_exceeded(self) -> bool:
        """Whether a limit is."""
        return violation(self.rules, self.result) is not None

    @property
    def is_told(self) -> bool:
        """Whether we know more than Argo's message."""
        return not self.is_exceeded or self._rule != ""

    @property
    def reason(self) -> str:
        """``checkout: 1 does not satisfy result < 1 (missed by 0); 2 of 5 failed, limit 1``."""
        result, exceeded = self.result, violation(self.rules, self.result)
        if exceeded is not None:
            told = _against_limit(self.rules, result, exceeded.phase)
        elif result.phase is not Phase.SUCCESSFUL and result.phase.is_completed:
            return f"{result.name}: {_without_successes(self.rules, result)}"
        else:
            told = tally(result) if result.count + result.error != 1 or not self._rule else ""
        return f"{result.name}: " + "; ".join(part for part in (self._rule, told) if part)

    @property
    def _rule(self) -> str:
        decisive = self.decisive
        return explain(decisive) if decisive is not None and _names_a_rule(decisive) else ""


def newest_decisive(result: MetricResult) -> RunMeasurement | None:
    """The newest measurement that came out as its metric, as far as any is still kept."""
    return next((each for each in result.measurements[::-1] if each.phase is result.phase), None)


def run_reason(status: RunStatus, metrics: Sequence[Decided]) -> str:
    """Why a run ended as it did: the metrics that decided, or Argo's message."""
    if status.phase is Phase.SUCCESSFUL:
        return status.message or _why_successful(metrics)
    alike = [each for each in metrics if each.result.phase is status.phase]
    # The run's message may be that of a metric which is less bad: as Argo has it.
    decisive = [each for each in alike if not each.rules.is_dry_run]
    if not any(each.is_told for each in decisive):
        return status.message
    return "; ".join(each.reason for each in decisive)


def _why_successful(metrics: Sequence[Decided]) -> str:
    dry = [each.result for each in metrics if each.rules.is_dry_run]
    missed = [result for result in dry if result.phase is not Phase.SUCCESSFUL]
    if missed:
        told = [f"{each.name} {each.phase}: {each.message or tally(each)}" for each in missed]
        return f"dry run only, not counted: {'; '.join(told)}"
    if len(metrics) == 1:
        return metrics[0].reason
    return f"all {len(metrics)} metrics are Successful"


def _against_limit(rules: MetricRules, result: MetricResult, phase: Phase) -> str:
    if phase is Phase.ERROR:
        errors = numbered(result.consecutive_error, "error")
        return f"{errors} in a row, limit {rules.consecutive_error_limit}"
    if phase is Phase.INCONCLUSIVE:
        of = f"{result.inconclusive} of {result.count}"
        return f"{of} inconclusive, limit {rules.inconclusive_limit}"
    return f"{result.failed} of {result.count} failed, limit {rules.failure_limit}"


def tally(result: MetricResult) -> str:
    """How often a metric was measured, and what came of it."""
    numbers = {
        "successful": result.successful,
        "failed": result.failed,
        "inconclusive": result.inconclusive,
        "without a value": result.error,
    }
    told = [f"{number} {word}" for word, number in numbers.items() if number]
    if not told:
        return "nothing was measured"
    return f"{numbered(result.count + result.error, 'measurement')}, {', '.join(told)}"


def _without_successes(rules: MetricRules, result: MetricResult) -> str:
    limit = rules.consecutive_success_limit
    return f"{tally(result)}, never {limit} in a row (consecutiveSuccessLimit)"


def numbered(number: int, what: str) -> str:
    """``1 error``, ``2 errors``."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def of_run(
    measurement: RunMeasurement,
    *,
    metric: str,
    provider: str,
    success_condition: str,
    failure_condition: str,
) -> Measurement:
    """A measurement of a run, with what led to its phase as far as its text still tells."""
    outcome = measurement.metadata.get(OUTCOME_METADATA, "")
    judged = Reading(None, ResultType.JSON, outcome, judgement=Judgement(measurement.phase))
    reading = judged if outcome else _reading(measurement.value)
    return Measurement(
        metric=metric,
        provider=provider,
        phase=measurement.phase,
        message=measurement.message,
        success_condition=success_condition,
        failure_condition=failure_condition,
        reading=reading or Reading(None, ResultType.JSON, measurement.value),
        evidence=None
        if reading is None or NOT_TOLD in measurement.message
        else evidence_of(
            reading,
            measurement.phase,
            success_condition=success_condition,
            failure_condition=failure_condition,
        ),
    )


def _reading(text: str) -> Reading | None:
    """What Argo's text says; None if it was cut, or nothing was measured."""
    spelt = text if '"' in text else _INFINITE.sub(r"\g<0>inity", text).replace("+Inf", "Inf")
    try:
        result, kind = decoded(json.loads(spelt), "json")
    except (ValueError, OverflowError, RecursionError):
        return None
    return Reading(result, kind, text)
