"""Reasons: one sentence on what decided, and what it is made of."""

from typing import Any

import pytest

from gateway.conditions import evidence_of, judge
from gateway.evidence import Comparison
from gateway.freeze import freeze
from gateway.limits import MetricRules
from gateway.model import Judgement, Phase, Reading, ResultType
from gateway.reasons import (
    MAX_CHARS,
    Decided,
    explain,
    explanation_json,
    newest_decisive,
    of_run,
    run_reason,
)
from gateway.run_status import Measurement as RunMeasurement
from gateway.run_status import MetricResult, RunStatus
from gateway.verdict import Measurement


def judged(text: str, result: object, success: str = "", failure: str = "") -> Measurement:
    """A measurement of decoded JSON, judged and with its evidence."""
    reading = Reading(freeze(result), ResultType.JSON, text)
    judgement = judge(reading, success_condition=success, failure_condition=failure)
    return Measurement(
        metric="m",
        provider="web",
        phase=judgement.phase,
        message=judgement.message,
        success_condition=success,
        failure_condition=failure,
        reading=reading,
        evidence=evidence_of(
            reading, judgement.phase, success_condition=success, failure_condition=failure
        ),
    )


@pytest.mark.parametrize(
    ("result", "conditions", "sentence"),
    [
        pytest.param(
            0.018,
            ["result < 0.01"],
            "X does not satisfy result < 0.01 (missed by 0.008)",
            id="a-limit-that-was-missed",
        ),
        pytest.param(
            [0.97],
            ["result[0] >= 0.95"],
            "X satisfies result[0] >= 0.95 (met by 0.02)",
            id="one-that-was-met",
        ),
        pytest.param(
            [0.95],
            ["result[0] >= 0.95"],
            "X satisfies result[0] >= 0.95 (met by 0)",
            id="and-no-more-than-that",
        ),
        pytest.param(
            7.0,
            ["", "result > 5"],
            "X satisfies the failure condition result > 5 (met by 2)",
            id="failed-by-the-failure-condition",
        ),
        pytest.param(
            3.0,
            ["", "result > 5"],
            "X does not satisfy the failure condition result > 5 (missed by 2)",
            id="kept-the-failure-condition",
        ),
        pytest.param(
            3.0,
            ["result < 2", "result > 5"],
            "X satisfies neither result < 2 (missed by 1) nor the failure condition result > 5",
            id="in-between",
        ),
        pytest.param(
            [0.5, 9.0],
            ["len(result) > 1 && result[0] < 1 && result[1] < 5"],
            "X does not satisfy len(result) > 1 && result[0] < 1 && result[1] < 5"
            " (result[1] < 5 missed by 4)",
            id="the-part-that-decided",
        ),
        pytest.param(
            [0.5, 0.1, 0.2, 0.3],
            ["result[0] < 1 && result[1] < 1 && result[2] < 1 && result[3] < 1"],
            "X satisfies result[0] < 1 && result[1] < 1 && result[2] < 1 && result[3] < 1"
            " (result[0] < 1 met by 0.5, result[1] < 1 met by 0.9, result[2] < 1 met by 0.8)",
            id="not-more-parts-than-one-reads",
        ),
        pytest.param(
            1.0, ["result == 1"], "X satisfies result == 1", id="equal-numbers-have-no-margin"
        ),
        pytest.param(
            "red",
            ['result == "green"'],
            'X does not satisfy result == "green"',
            id="texts-have-none-either",
        ),
        pytest.param(
            float("nan"),
            ["result > 1"],
            "X does not satisfy result > 1",
            id="nor-what-is-no-number",
        ),
        pytest.param(1.0, [], "X was measured and there is no condition", id="no-condition"),
        pytest.param(
            [],
            ["result[0] > 1"],
            'could not evaluate successCondition "result[0] > 1": metric result is nil or empty:'
            " no data returned from the metric provider",
            id="an-error",
        ),
    ],
)
def test_a_measurement_says_by_how_much(
    result: object, conditions: list[str], sentence: str
) -> None:
    """The rule, the value and the margin."""
    assert explain(judged("X", result, *conditions)) == sentence


def test_a_sentence_stays_one_that_can_be_read() -> None:
    """However long value and condition are."""
    long = '"' + "<script>" * 2_000 + '"'
    condition = " && ".join(['result != "green"'] * 100)
    sentence = explain(judged(long, "<script>" * 2_000, condition))
    assert len(sentence) < 2 * MAX_CHARS + 100
    assert sentence.startswith('"<script><script>')


def test_what_a_provider_decided_has_no_evidence() -> None:
    """No condition was asked."""
    reading = Reading(None, ResultType.JSON, "x", judgement=Judgement(Phase.FAILED))
    assert (
        evidence_of(reading, Phase.FAILED, success_condition="true", failure_condition="") is None
    )


def test_evidence_of_something_else_is_none() -> None:
    """What may be shown is not what was judged: nothing is told of it."""
    reading = Reading("*****", ResultType.JSON, '"*****"')
    conditions = {"success_condition": 'result == "abc"', "failure_condition": ""}
    assert evidence_of(reading, Phase.SUCCESSFUL, **conditions) is None
    found = evidence_of(reading, Phase.FAILED, **conditions)
    assert found is not None
    assert found.success is not None
    assert found.success.json["value"] is False


def test_a_margin_without_a_number_is_not_told() -> None:
    """The distance between the largest numbers is none."""
    far = Comparison("result", "<", -1.7e308, 1.7e308, holds=False)
    assert (far.json["margin"], far.tells_more) == (None, False)


def run(metric: MetricRules, *measurements: RunMeasurement, **fields: Any) -> Decided:
    """A metric that has ended, whose success condition is ``result < 1``."""
    result = MetricResult(name=metric.name, measurements=measurements, **fields)
    newest = newest_decisive(result)
    return Decided(metric, result, None if newest is None else told(newest))


def told(measurement: RunMeasurement, condition: str = "result < 1") -> Measurement:
    """A measurement of a run, as reasons know it."""
    return of_run(
        measurement,
        metric="m",
        provider="web",
        success_condition=condition,
        failure_condition="",
    )


def taken(phase: Phase, value: str, **fields: Any) -> RunMeasurement:
    """A measurement of a run."""
    return RunMeasurement(phase=phase, started_at_unix_s=0, value=value, **fields)


@pytest.mark.parametrize(
    ("phase", "metrics", "reason"),
    [
        pytest.param(
            Phase.FAILED,
            [
                run(
                    MetricRules(name="m", failure_limit=2, count=5),
                    taken(Phase.FAILED, "1.25"),
                    taken(Phase.SUCCESSFUL, "0.5"),
                    phase=Phase.FAILED,
                    failed=3,
                    count=5,
                ),
                run(MetricRules(name="o"), phase=Phase.SUCCESSFUL, count=1, successful=1),
            ],
            "m: 1.25 does not satisfy result < 1 (missed by 0.25); 3 of 5 failed, limit 2",
            id="the-metric-that-failed",
        ),
        pytest.param(
            Phase.INCONCLUSIVE,
            [
                run(
                    MetricRules(name="m", inconclusive_limit=1),
                    taken(Phase.INCONCLUSIVE, "", metadata={"outcome": "cancelled"}),
                    phase=Phase.INCONCLUSIVE,
                    inconclusive=2,
                    count=2,
                )
            ],
            "m: cancelled; 2 of 2 inconclusive, limit 1",
            id="what-a-provider-decided",
        ),
        pytest.param(
            Phase.ERROR,
            [
                run(
                    MetricRules(name="m"),
                    taken(Phase.ERROR, "", message="away"),
                    phase=Phase.ERROR,
                    error=5,
                    consecutive_error=5,
                )
            ],
            "m: away; 5 errors in a row, limit 4",
            id="errors",
        ),
        pytest.param(
            Phase.SUCCESSFUL,
            [
                run(
                    MetricRules(name="m", count=2),
                    taken(Phase.SUCCESSFUL, "[+Inf]"),
                    taken(Phase.SUCCESSFUL, "-Inf"),
                    phase=Phase.SUCCESSFUL,
                    count=2,
                    successful=2,
                )
            ],
            "m: -Inf satisfies result < 1; 2 measurements, 2 successful",
            id="an-infinite-value-has-no-margin",
        ),
        pytest.param(Phase.FAILED, [], "because", id="nothing-that-decided"),
    ],
)
def test_a_run_says_which_metric_decided(phase: Phase, metrics: list[Decided], reason: str) -> None:
    """With its newest measurement of that phase, and the counters against their limits."""
    message = "because" if phase is Phase.FAILED else ""
    assert run_reason(RunStatus(phase=phase, message=message), metrics) == reason


def test_a_metric_that_was_left_behind_says_how_far_it_came() -> None:
    """Whoever ended its run did not wait for it."""
    left = run(MetricRules(name="m"), phase=Phase.RUNNING, count=1, successful=1)
    assert left.reason == "m: 1 measurement, 1 successful"


def test_a_value_that_was_cut_leads_to_nothing() -> None:
    """Nobody guesses what came behind."""
    found = told(taken(Phase.FAILED, "[1,2..."))
    assert explanation_json(found) == {"reason": "[1,2... does not satisfy result < 1"}


def test_what_goes_on_has_no_reason_yet() -> None:
    """It may come to anything."""
    assert explanation_json(told(taken(Phase.RUNNING, ""))) == {}
