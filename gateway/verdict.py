"""A verdict and its measurements, and the documents that they become."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property, lru_cache

import orjson

from gateway.evidence import Evidence
from gateway.gotext import special_float
from gateway.model import Phase, Reading, Typed
from gateway.secrets import Redaction
from gateway.traces import Trace

MAX_TEXT_CHARS = 16_384
"""Longer values are cut in a verdict document; conditions always see them whole."""

BEST_TO_WORST = (
    Phase.SUCCESSFUL,
    Phase.RUNNING,
    Phase.PENDING,
    Phase.INCONCLUSIVE,
    Phase.ERROR,
    Phase.FAILED,
)
"""Source: argo-rollouts utils/analysis/helpers.go:48-55 @ 9f8d111d8."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One metric, measured once and judged."""

    metric: str
    provider: str
    phase: Phase
    message: str = ""
    """Why the phase is Error or Running; secrets are already masked."""
    reason: str = ""
    """Which rule decided, in one sentence (``gateway.reasons``)."""
    hint: str = ""
    """The condition with a caret under what is wrong with it; empty if nothing is."""
    success_condition: str = ""
    failure_condition: str = ""
    query: str = ""
    """The query after argument substitution, secrets masked."""
    reading: Reading | None = None
    """What was judged; None if nothing was measured."""
    age_s: float = 0.0
    cache: str = "none"
    took_s: float = 0.0
    is_dry_run: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)
    """What the provider told beside its value, or beside its error."""
    evidence: Evidence | None = None
    """What led to the phase, secrets masked; None where no condition was asked."""
    trace: Trace | None = None
    """The requests and answers behind the reading; None if they are not known any more."""

    @property
    def shown_reading(self) -> Reading | None:
        """The reading as far as it is reported: what could not be judged mostly is not."""
        reading = self.reading
        return reading if reading is not None and reading.is_reported_with(self.phase) else None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The phase of a whole analysis, with its reasons."""

    phase: Phase
    reason: str
    namespace: str
    templates: tuple[str, ...]
    """``name@sha256:...`` of every template that took part."""
    started_at_unix_s: float
    finished_at_unix_s: float
    measurements: tuple[Measurement, ...]
    context: Mapping[str, object] = field(default_factory=dict)
    """What the caller asked to have repeated."""
    is_explained: bool = False
    """Whether requests and answers are told; who may not see them does not get it."""

    @property
    def is_ok(self) -> bool:
        """Whether the release may go on."""
        return self.phase is Phase.SUCCESSFUL

    @cached_property
    def caches(self) -> frozenset[str]:
        """Where its readings came from; nothing if it has none."""
        return frozenset(each.cache for each in self.measurements if each.reading is not None)

    @cached_property
    def age_s(self) -> float:
        """How old its oldest reading was."""
        return max((each.age_s for each in self.measurements), default=0.0)

    @cached_property
    def body(self) -> bytes:
        """The document as strict JSON."""
        return orjson.dumps(document(self), option=orjson.OPT_APPEND_NEWLINE)


def document(verdict: Verdict) -> dict[str, object]:
    """The verdict as JSON-ready values, flat on top so that a jsonPath reaches them."""
    return {
        "phase": verdict.phase,
        "ok": verdict.is_ok,
        "reason": verdict.reason,
        "run": None,
        "namespace": verdict.namespace,
        "templates": list(verdict.templates),
        "startedAt": timestamp(verdict.started_at_unix_s),
        "finishedAt": (
            None if verdict.phase is Phase.RUNNING else timestamp(verdict.finished_at_unix_s)
        ),
        "metrics": {each.metric: _metric(each, verdict) for each in verdict.measurements},
        **({"context": dict(verdict.context)} if verdict.context else {}),
    }


def _metric(measurement: Measurement, verdict: Verdict) -> dict[str, object]:
    parts = measurement_document(measurement)
    if verdict.is_explained:
        trace = measurement.trace
        parts["exchanges"] = None if trace is None else trace.json()
    return parts


def measurement_document(measurement: Measurement) -> dict[str, object]:
    """One metric's part of a verdict document."""
    reading = measurement.shown_reading
    is_long = reading is not None and len(reading.text) > MAX_TEXT_CHARS
    parts: dict[str, object] = {
        "phase": measurement.phase,
        "value": None if reading is None or is_long else json_ready(reading.result),
        "text": "" if reading is None else cut(reading.text, MAX_TEXT_CHARS),
        "message": measurement.message,
        "provider": measurement.provider,
        "successCondition": measurement.success_condition,
        "failureCondition": measurement.failure_condition,
        "query": measurement.query,
        "ageSeconds": round(measurement.age_s, 3),
        "cache": measurement.cache,
        "tookMs": round(measurement.took_s * 1000, 1),
        "dryRun": measurement.is_dry_run,
        "metadata": dict(measurement.metadata),
    }
    if measurement.reason:
        parts["reason"] = measurement.reason
    if measurement.hint:
        parts["hint"] = measurement.hint
    if measurement.evidence is not None:
        parts["explanation"] = {
            **measurement.evidence.json,
            "retries": None if measurement.trace is None else measurement.trace.retries,
        }
    return parts


def redacted(measurement: Measurement, redaction: Redaction) -> Measurement:
    """The measurement without secrets, wherever they turned up: some servers echo what they get."""
    if not redaction:
        return measurement
    reading = measurement.reading
    return replace(
        measurement,
        reading=None if reading is None else masked(reading, redaction),
        metric=redaction.text(measurement.metric),
        message=redaction.text(measurement.message),
        hint=redaction.text(measurement.hint),
        success_condition=redaction.text(measurement.success_condition),
        failure_condition=redaction.text(measurement.failure_condition),
        query=redaction.text(measurement.query),
        metadata=redaction.texts(measurement.metadata),
    )


def masked(reading: Reading, redaction: Redaction) -> Reading:
    """The reading without secrets."""
    if not redaction:
        return reading
    return replace(
        reading, result=redaction.value(reading.result), text=redaction.text(reading.text)
    )


def json_ready(value: object) -> object:
    """A reading's value without read-only wrappers; numbers that JSON lacks become texts."""
    match value:
        case float() if not math.isfinite(value):
            return special_float(value)
        case Typed():
            return value.json_value
        case tuple():
            return [json_ready(item) for item in value]
        case Mapping():
            return {key: json_ready(item) for key, item in value.items()}
        case _:
            return value


def one_number(reading: Reading) -> float | None:
    """The reading as a single number: a scalar, or a list of one; None for anything else."""
    value = reading.result
    if isinstance(value, tuple) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, float) else None


def timestamp(unix_s: float) -> str:
    """RFC 3339 with milliseconds, UTC."""
    second, thousandth = divmod(int(unix_s * 1000), 1000)
    return f"{_whole_second(second)}.{thousandth:03d}Z"


# Thousands of runs tell of the same last minutes.
@lru_cache(maxsize=4_096)
def _whole_second(unix_s: int) -> str:
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def cut(text: str, max_chars: int) -> str:
    """The text; what is longer ends after ``max_chars`` with three dots."""
    return text if len(text) <= max_chars else f"{text[:max_chars]}..."
