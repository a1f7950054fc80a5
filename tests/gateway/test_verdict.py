"""Measurements to a verdict."""

import math
from dataclasses import replace

import pytest

from gateway.freeze import freeze
from gateway.model import Judgement, Phase, Reading, ResultType, Typed
from gateway.reasons import explain, summarize
from gateway.secrets import Redaction, Secret
from gateway.verdict import (
    MAX_TEXT_CHARS,
    Measurement,
    Verdict,
    document,
    measurement_document,
    one_number,
    redacted,
)

READING = Reading((0.91,), ResultType.FLOATS, "[0.91]", metadata={"warnings": '"slow"'})
LETTERS = {
    "S": Phase.SUCCESSFUL,
    "F": Phase.FAILED,
    "I": Phase.INCONCLUSIVE,
    "E": Phase.ERROR,
    "R": Phase.RUNNING,
}


def measured(metric: str, phase: Phase, **fields: object) -> Measurement:
    """A measurement of 0.91 with both conditions set."""
    plain = Measurement(
        metric=metric,
        provider="prometheus",
        phase=phase,
        success_condition="result[0] >= 0.95",
        failure_condition="result[0] < 0.9",
        message="upstream is away" if phase in {Phase.ERROR, Phase.RUNNING} else "",
        reading=None if phase in {Phase.ERROR, Phase.RUNNING} else READING,
        metadata=READING.metadata,
    )
    return replace(plain, **fields)


def told(story: str) -> list[Measurement]:
    """``S Fd`` is a successful metric ``a`` and a failed, dry-run metric ``b``."""
    return [
        measured(name, LETTERS[word[0]], is_dry_run=word.endswith("d"))
        for name, word in zip("abcdef", story.split(), strict=False)
    ]


@pytest.mark.parametrize(
    ("story", "phase", "reason"),
    [
        pytest.param("S", "Successful", "a: [0.91] satisfies result[0] >= 0.95", id="one-success"),
        pytest.param("S S", "Successful", "all 2 metrics are Successful", id="all-succeed"),
        pytest.param(
            "S F",
            "Failed",
            "b: [0.91] satisfies the failure condition result[0] < 0.9",
            id="one-failure-fails-all",
        ),
        pytest.param(
            "I S",
            "Inconclusive",
            "a: [0.91] satisfies neither result[0] >= 0.95"
            " nor the failure condition result[0] < 0.9",
            id="inconclusive-is-worse-than-success",
        ),
        pytest.param("I E", "Error", "b: upstream is away", id="error-is-worse-than-inconclusive"),
        pytest.param(
            "E F",
            "Failed",
            "b: [0.91] satisfies the failure condition result[0] < 0.9",
            id="failure-is-worst",
        ),
        pytest.param("R E I", "Running", "a: upstream is away", id="an-open-metric-keeps-all-open"),
        pytest.param(
            "R F",
            "Failed",
            "b: [0.91] satisfies the failure condition result[0] < 0.9",
            id="a-failure-needs-not-wait-for-the-others",
        ),
        pytest.param("E E", "Error", "a: upstream is away; b: upstream is away", id="all-are-told"),
        pytest.param(
            "S Fd",
            "Successful",
            "dry run only, not counted: b Failed:"
            " [0.91] satisfies the failure condition result[0] < 0.9",
            id="a-dry-run-failure-is-told-and-not-counted",
        ),
        pytest.param("Sd", "Successful", "a: [0.91] satisfies result[0] >= 0.95", id="all-dry"),
        pytest.param(
            "S Rd",
            "Successful",
            "dry run only, not counted: b Running: upstream is away",
            id="nobody-waits-for-a-dry-run",
        ),
    ],
)
def test_the_worst_metric_speaks_for_all(story: str, phase: str, reason: str) -> None:
    """The phase of an analysis is its worst metric's, and its reason that metric's."""
    assert summarize(told(story)) == (Phase(phase), reason)


@pytest.mark.parametrize(
    ("fields", "phase", "sentence"),
    [
        pytest.param(
            {"failure_condition": ""},
            Phase.FAILED,
            "[0.91] does not satisfy result[0] >= 0.95",
            id="failed-without-a-failure-condition",
        ),
        pytest.param(
            {"success_condition": ""},
            Phase.SUCCESSFUL,
            "[0.91] does not satisfy the failure condition result[0] < 0.9",
            id="successful-without-a-success-condition",
        ),
        pytest.param(
            {"success_condition": "", "failure_condition": ""},
            Phase.SUCCESSFUL,
            "[0.91] was measured and there is no condition",
            id="successful-without-conditions",
        ),
    ],
)
def test_one_sentence_names_the_rule(fields: dict[str, str], phase: Phase, sentence: str) -> None:
    """With one condition or none the sentence names what there is."""
    assert explain(measured("a", phase, **fields)) == sentence


@pytest.mark.parametrize(
    ("phase", "message", "sentence"),
    [
        pytest.param(Phase.SUCCESSFUL, "", "the Job is complete", id="a-success"),
        pytest.param(Phase.FAILED, "", "the Job is complete", id="a-failure"),
        pytest.param(
            Phase.INCONCLUSIVE, "no image", "the Job is complete; no image", id="with-a-message"
        ),
        pytest.param(Phase.ERROR, "it is gone", "it is gone", id="an-error-tells-its-message"),
        pytest.param(Phase.RUNNING, "ask again", "ask again", id="so-does-what-goes-on"),
    ],
)
def test_what_a_provider_decided_is_told_in_its_words(
    phase: Phase, message: str, sentence: str
) -> None:
    """No condition was asked, whichever the metric has."""
    judged = Reading(
        None, ResultType.JSON, "the Job is complete", judgement=Judgement(phase, message)
    )
    assert explain(measured("a", phase, message=message, reading=judged)) == sentence


def test_a_verdict_document_is_flat_on_top() -> None:
    """A whole document, as it goes over the wire."""
    verdict = Verdict(
        phase=Phase.FAILED,
        reason="a: no",
        namespace="shop",
        templates=("t@sha256:00",),
        started_at_unix_s=0.0,
        finished_at_unix_s=1.25,
        measurements=(
            measured("a", Phase.FAILED, query="up", age_s=2.1004, cache="hit", took_s=0.0004),
        ),
        context={"revision": 7},
    )
    assert document(verdict) == {
        "phase": "Failed",
        "ok": False,
        "reason": "a: no",
        "run": None,
        "namespace": "shop",
        "templates": ["t@sha256:00"],
        "startedAt": "1970-01-01T00:00:00.000Z",
        "finishedAt": "1970-01-01T00:00:01.250Z",
        "metrics": {
            "a": {
                "phase": "Failed",
                "value": [0.91],
                "text": "[0.91]",
                "message": "",
                "provider": "prometheus",
                "successCondition": "result[0] >= 0.95",
                "failureCondition": "result[0] < 0.9",
                "query": "up",
                "ageSeconds": 2.1,
                "cache": "hit",
                "tookMs": 0.4,
                "dryRun": False,
                "metadata": {"warnings": '"slow"'},
            }
        },
        "context": {"revision": 7},
    }


def test_a_running_verdict_has_no_end() -> None:
    """What is not finished has no time of finishing, and no context unless given."""
    verdict = Verdict(
        phase=Phase.RUNNING,
        reason="",
        namespace="shop",
        templates=(),
        started_at_unix_s=0.0,
        finished_at_unix_s=1.0,
        measurements=(),
    )
    shown = document(verdict)
    assert shown["finishedAt"] is None
    assert "context" not in shown


def test_an_error_shows_no_value_but_a_hint() -> None:
    """What could not be judged is not shown as measured."""
    shown = measurement_document(
        measured("a", Phase.ERROR, reading=READING, message="bad", hint="bad\n | x\n | ^")
    )
    assert (shown["value"], shown["text"], shown["hint"]) == (None, "", "bad\n | x\n | ^")


def test_some_values_stay_beside_an_error() -> None:
    """Those of graphite and cloudWatch do in Argo."""
    reading = replace(READING, outlives_error=True)
    shown = measurement_document(measured("a", Phase.ERROR, reading=reading, message="bad"))
    assert (shown["value"], shown["text"], shown["message"]) == ([0.91], "[0.91]", "bad")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(Typed("int64", "-7"), -7, id="a-long-is-a-number"),
        pytest.param(Typed("uint64", "18446744073709551615"), 2**64 - 1, id="unsigned"),
        pytest.param(Typed("time.Time", "2024-05-06T07:08:09Z"), "2024-05-06T07:08:09Z", id="time"),
    ],
)
def test_typed_values_are_shown_as_json_has_them(value: Typed, expected: object) -> None:
    """Whoever reads JSON need not know Go's types."""
    reading = Reading((value,), ResultType.TYPED, "")
    shown = measurement_document(measured("a", Phase.SUCCESSFUL, reading=reading))
    assert shown["value"] == [expected]


def test_a_long_value_is_cut() -> None:
    """A value of megabytes does not travel with every verdict."""
    long = Reading("x" * 20_000, ResultType.JSON, "x" * 20_000)
    shown = measurement_document(measured("a", Phase.SUCCESSFUL, reading=long))
    assert (shown["value"], shown["text"]) == (None, "x" * MAX_TEXT_CHARS + "...")


def test_values_are_strict_json() -> None:
    """Numbers that JSON lacks become texts, at any depth."""
    value = freeze({"a": [math.nan, math.inf, -math.inf, 1.5], "b": None, "c": "t", "d": True})
    shown = measurement_document(
        measured("a", Phase.SUCCESSFUL, reading=Reading(value, ResultType.JSON, "..."))
    )
    assert shown["value"] == {
        "a": ["NaN", "+Inf", "-Inf", 1.5],
        "b": None,
        "c": "t",
        "d": True,
    }


@pytest.mark.parametrize(
    ("value", "number"),
    [
        pytest.param(0.5, 0.5, id="a-scalar"),
        pytest.param((0.5,), 0.5, id="a-list-of-one"),
        pytest.param((0.5, 0.6), None, id="a-list-of-two-is-no-number"),
        pytest.param("0.5", None, id="a-text-is-no-number"),
        pytest.param(True, None, id="a-boolean-is-no-number"),
    ],
)
def test_a_reading_may_be_one_number(value: object, number: float | None) -> None:
    """Only what is one number becomes a gauge."""
    assert one_number(Reading(value, ResultType.JSON, "")) == number


def test_names_of_metadata_hold_no_secret() -> None:
    """A provider may have made them of what a server said."""
    measurement = measured("a", Phase.SUCCESSFUL, metadata={"of hunter2": "is hunter2"})
    shown = redacted(measurement, Redaction([Secret("hunter2")]))
    assert shown.metadata == {"of *****": "is *****"}
