"""A run's status as the JSON that Argo writes, and back.

Source: argo-rollouts pkg/apis/rollouts/v1alpha1/analysis_types.go:225-346 @ 9f8d111d8 for names
and for what is left out: zeros, ``false``, empty texts and empty lists. Unlike Argo, times have
milliseconds.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from gateway.model import Phase
from gateway.run_status import Measurement, MetricResult, RunStatus, Summary
from gateway.verdict import timestamp

_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_HALF_A_MILLISECOND_S: Final = 0.0005
_PHASES: Final[Mapping[str, Phase]] = {str(phase): phase for phase in Phase}


class StatusUnreadable(Exception):
    """A document that is no run's status; the text says where."""


def status_json(status: RunStatus) -> dict[str, object]:
    """The status as JSON-ready values; times must be on the millisecond to come back as they are.

    ``runSummary`` is always there, ``dryRunSummary`` from the first assessment on.
    """
    content: dict[str, object] = {
        "phase": str(status.phase),
        "runSummary": summary_json(status.run_summary),
    }
    if status.message:
        content["message"] = status.message
    if status.metric_results:
        content["metricResults"] = [_result_json(result) for result in status.metric_results]
    if status.started_at_unix_s is not None:
        content["startedAt"] = _time_text(status.started_at_unix_s)
    if status.completed_at_unix_s is not None:
        content["completedAt"] = _time_text(status.completed_at_unix_s)
    if status.dry_run_summary is not None:
        content["dryRunSummary"] = summary_json(status.dry_run_summary)
    return content


def run_json(
    manifest: Mapping[str, object], status: RunStatus, *, is_terminated: bool
) -> dict[str, object]:
    """The whole AnalysisRun: its manifest, whether somebody wants it to end, its status."""
    spec = manifest["spec"]
    if is_terminated and isinstance(spec, dict):
        spec = {**spec, "terminate": True}
    return {**manifest, "spec": spec, "status": status_json(status)}


def measurement_json(measurement: Measurement) -> dict[str, object]:
    """One entry of ``measurements``."""
    content: dict[str, object] = {
        "phase": str(measurement.phase),
        "startedAt": _time_text(measurement.started_at_unix_s),
    }
    if measurement.finished_at_unix_s is not None:
        content["finishedAt"] = _time_text(measurement.finished_at_unix_s)
    if measurement.message:
        content["message"] = measurement.message
    if measurement.value:
        content["value"] = measurement.value
    if measurement.metadata:
        content["metadata"] = dict(measurement.metadata)
    if measurement.resume_at_unix_s is not None:
        content["resumeAt"] = _time_text(measurement.resume_at_unix_s)
    return content


def counters_json(result: MetricResult) -> dict[str, int]:
    """All counters of a metric, zeros included."""
    return {
        "count": result.count,
        "successful": result.successful,
        "failed": result.failed,
        "inconclusive": result.inconclusive,
        "error": result.error,
        "consecutiveError": result.consecutive_error,
        "consecutiveSuccess": result.consecutive_success,
    }


def summary_json(summary: Summary) -> dict[str, int]:
    """``runSummary`` or ``dryRunSummary``; empty if all is zero."""
    numbers = {
        "count": summary.count,
        "successful": summary.successful,
        "failed": summary.failed,
        "inconclusive": summary.inconclusive,
        "error": summary.error,
    }
    return {name: number for name, number in numbers.items() if number}


def parse_status(content: Mapping[str, object]) -> RunStatus:
    """A status from decoded JSON; fields that nobody knows are passed over.

    Raises:
        StatusUnreadable: a field is missing, or is not of its kind.

    """
    return RunStatus(
        phase=_phase(content),
        message=_text(content, "message"),
        metric_results=tuple([_result(each) for each in _objects(content, "metricResults")]),
        started_at_unix_s=_time(content, "startedAt"),
        completed_at_unix_s=_time(content, "completedAt"),
        run_summary=_summary(_object(content, "runSummary")),
        dry_run_summary=(
            _summary(_object(content, "dryRunSummary")) if "dryRunSummary" in content else None
        ),
    )


def _result_json(result: MetricResult) -> dict[str, object]:
    content: dict[str, object] = {"name": result.name, "phase": str(result.phase)}
    if result.measurements:
        content["measurements"] = [measurement_json(each) for each in result.measurements]
    if result.message:
        content["message"] = result.message
    content |= {name: number for name, number in counters_json(result).items() if number}
    if result.is_dry_run:
        content["dryRun"] = True
    if result.metadata:
        content["metadata"] = dict(result.metadata)
    return content


def _result(content: Mapping[str, object]) -> MetricResult:
    return MetricResult(
        name=_name(content),
        phase=_phase(content),
        message=_text(content, "message"),
        measurements=tuple([parse_measurement(each) for each in _objects(content, "measurements")]),
        count=_number(content, "count"),
        successful=_number(content, "successful"),
        failed=_number(content, "failed"),
        inconclusive=_number(content, "inconclusive"),
        error=_number(content, "error"),
        consecutive_error=_number(content, "consecutiveError"),
        consecutive_success=_number(content, "consecutiveSuccess"),
        is_dry_run=_flag(content, "dryRun"),
        metadata=_texts(content, "metadata"),
    )


def parse_measurement(content: Mapping[str, object]) -> Measurement:
    """One entry of ``measurements``. Raises StatusUnreadable."""
    started_at = _time(content, "startedAt")
    if started_at is None:
        raise _unreadable(content, "startedAt", "an RFC 3339 time")
    return Measurement(
        phase=_phase(content),
        started_at_unix_s=started_at,
        finished_at_unix_s=_time(content, "finishedAt"),
        message=_text(content, "message"),
        value=_text(content, "value"),
        metadata=_texts(content, "metadata"),
        resume_at_unix_s=_time(content, "resumeAt"),
    )


def _summary(content: Mapping[str, object]) -> Summary:
    return Summary(
        count=_number(content, "count"),
        successful=_number(content, "successful"),
        failed=_number(content, "failed"),
        inconclusive=_number(content, "inconclusive"),
        error=_number(content, "error"),
    )


def _time_text(unix_s: float) -> str:
    # ``timestamp`` cuts, and 1.001 is a little less than it says.
    return timestamp(unix_s + _HALF_A_MILLISECOND_S)


def _time(content: Mapping[str, object], field: str) -> float | None:
    text = content.get(field)
    if text is None:
        return None
    try:
        return (datetime.fromisoformat(text) - _EPOCH).total_seconds()  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise _unreadable(content, field, "an RFC 3339 time") from None


def _phase(content: Mapping[str, object]) -> Phase:
    phase = _PHASES.get(_text(content, "phase"))
    if phase is None:
        raise _unreadable(content, "phase", "a phase")
    return phase


def _text(content: Mapping[str, object], field: str) -> str:
    text = content.get(field, "")
    if not isinstance(text, str):
        raise _unreadable(content, field, "a text")
    return text


def _name(content: Mapping[str, object]) -> str:
    # An empty name is one; none at all is damage.
    if "name" not in content:
        raise _unreadable(content, "name", "a text")
    return _text(content, "name")


def _number(content: Mapping[str, object], field: str) -> int:
    number = content.get(field, 0)
    if type(number) is not int:
        raise _unreadable(content, field, "an integer")
    return number


def _flag(content: Mapping[str, object], field: str) -> bool:
    flag = content.get(field, False)
    if not isinstance(flag, bool):
        raise _unreadable(content, field, "true or false")
    return flag


def _texts(content: Mapping[str, object], field: str) -> dict[str, str]:
    texts = content.get(field)
    if texts is None:
        return {}
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        raise _unreadable(content, field, "an object of texts")
    return texts


def _object(content: Mapping[str, object], field: str) -> Mapping[str, object]:
    member = content.get(field)
    if not isinstance(member, dict):
        raise _unreadable(content, field, "an object")
    return member


def _objects(content: Mapping[str, object], field: str) -> list[Mapping[str, object]]:
    members = content.get(field, [])
    if not isinstance(members, list) or not all(isinstance(each, dict) for each in members):
        raise _unreadable(content, field, "a list of objects")
    return members


def _unreadable(content: Mapping[str, object], field: str, kind: str) -> StatusUnreadable:
    return StatusUnreadable(f"{field} must be {kind}, not {str(content.get(field))[:100]!r}")
