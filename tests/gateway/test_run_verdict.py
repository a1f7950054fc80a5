"""What is said of a run."""

from dataclasses import replace
from typing import Any

import pytest
from manifests import WEB

from gateway import assess
from gateway.limits import metric_rules
from gateway.model import Phase
from gateway.run_manifest import CONTEXT_ANNOTATION, TEMPLATES_ANNOTATION
from gateway.run_status import Measurement, MetricResult, RunStatus
from gateway.run_verdict import gate_phase, metrics_of, run_phase, run_verdict
from gateway.template import Metric

NOW = 1_790_000_100.0
BEGAN = 1_790_000_000.0
PHASES = {
    "S": Phase.SUCCESSFUL,
    "F": Phase.FAILED,
    "I": Phase.INCONCLUSIVE,
    "E": Phase.ERROR,
    "R": Phase.RUNNING,
}


def manifest(*metrics: dict[str, Any], **annotations: str) -> dict[str, Any]:
    """A run's manifest, as it is kept."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisRun",
        "metadata": {
            "name": "r",
            "namespace": "shop",
            "uid": "u",
            "creationTimestamp": "2026-09-21T14:13:20.000Z",
            "annotations": annotations,
        },
        "spec": {"metrics": list(metrics)},
    }


def metric(name: str = "m", **fields: object) -> dict[str, Any]:
    """A metric of a run."""
    return {"name": name, "provider": WEB, **fields}


def told(*metrics: dict[str, Any], terminate: bool = False, **stories: str) -> RunStatus:
    """The status after one pass over these measurements: a letter for each, ten seconds apart."""
    rules = [
        metric_rules(
            Metric.model_validate({k: v for k, v in each.items() if k != "dry"}),
            is_dry_run="dry" in each,
            retention=[],
        )
        for each in metrics
    ]
    status = RunStatus(phase=Phase.RUNNING, started_at_unix_s=BEGAN)
    for name, story in stories.items():
        for number, letter in enumerate(story):
            at = BEGAN + 10 * number
            phase = PHASES[letter]
            measured = Measurement(
                phase=phase,
                started_at_unix_s=at,
                finished_at_unix_s=at + 0.5 if phase.is_completed else None,
                value="" if letter in "ER" else f"[0.{number}]",
                message="away" if letter == "E" else "",
            )
            status = assess.record(rules, status, name, measured, metadata={})
    status = assess.assess(rules, status, is_terminated=terminate, now_unix_s=NOW)
    return assess.assess(rules, status, is_terminated=terminate, now_unix_s=NOW)


def reason(
    *metrics: dict[str, Any], terminate: bool = False, dry: str = "", **stories: str
) -> tuple[str, str]:
    """Phase and reason of a run."""
    dried = [{**each, "dry": 1} if each["name"] == dry else each for each in metrics]
    status = told(*dried, terminate=terminate, **stories)
    run = manifest(*metrics)
    if dry:
        run["spec"]["dryRun"] = [{"metricName": dry}]
    verdict = run_verdict("u", run, status, is_terminated=terminate, now_unix_s=NOW)
    return str(verdict["phase"]), str(verdict["reason"])


FIVE = metric(count=5, interval="60s")
THREE_IN_A_ROW = metric(count=4, interval="10s", consecutiveSuccessLimit=3, failureLimit=-1)


@pytest.mark.parametrize(
    ("metrics", "stories", "expected"),
    [
        pytest.param(
            [metric()],
            {"m": "S"},
            ("Successful", "m: 1 measurement, 1 successful"),
            id="one-measurement-is-enough",
        ),
        pytest.param(
            [metric(count=4, interval="10s", failureLimit=1)],
            {"m": "SFESS"},
            ("Successful", "m: 5 measurements, 3 successful, 1 failed, 1 without a value"),
            id="what-was-tolerated-is-told",
        ),
        pytest.param(
            [metric("a"), metric("b")],
            {"a": "S", "b": "S"},
            ("Successful", "all 2 metrics are Successful"),
            id="all-of-several",
        ),
        pytest.param(
            [metric()],
            {"m": "F"},
            ("Failed", 'Metric "m" assessed Failed due to failed (1) > failureLimit (0)'),
            id="a-failure-is-told-as-argo-does",
        ),
        pytest.param(
            [metric()],
            {"m": "I"},
            (
                "Inconclusive",
                'Metric "m" assessed Inconclusive due to inconclusive (1) > inconclusiveLimit (0)',
            ),
            id="so-is-doubt",
        ),
        pytest.param(
            [metric(consecutiveErrorLimit=0)],
            {"m": "E"},
            (
                "Error",
                "m: away; 1 error in a row, limit 0",
            ),
            id="an-error-has-its-own-words",
        ),
        pytest.param(
            [metric(count=3, interval="10s", consecutiveSuccessLimit=2, failureLimit=1)],
            {"m": "SFS"},
            (
                "Inconclusive",
                (
                    "m: 3 measurements, 2 successful, 1 failed, never 2 in a row"
                    " (consecutiveSuccessLimit)"
                ),
            ),
            id="argo-has-no-words-for-successes-that-never-came-in-a-row",
        ),
        pytest.param(
            [metric("e", consecutiveErrorLimit=0), {**THREE_IN_A_ROW, "name": "m"}],
            {"m": "SFSF", "e": "E"},
            (
                "Failed",
                (
                    "m: 4 measurements, 2 successful, 2 failed, never 3 in a row"
                    " (consecutiveSuccessLimit)"
                ),
            ),
            id="the-message-of-a-lesser-metric-does-not-count",
        ),
    ],
)
def test_an_end_has_a_reason(
    metrics: list[dict[str, Any]], stories: dict[str, str], expected: tuple[str, str]
) -> None:
    """Argo's message, or a sentence where Argo has none."""
    assert reason(*metrics, **stories) == expected


@pytest.mark.parametrize(
    ("metrics", "stories", "expected"),
    [
        pytest.param(
            [metric(count=5, interval="100s")],
            {"m": "SS"},
            "m: 2 of 5 measurements, the next at 2026-09-21T14:15:10.500Z",
            id="when-the-next-is-due",
        ),
        pytest.param([FIVE], {"m": "S"}, "m: 1 of 5 measurements, the next is due", id="it-is-due"),
        pytest.param(
            [metric(interval="1h")],
            {"m": "SEE"},
            "m: 1 measurement and no count, 2 errors in a row, the next is due",
            id="without-end-after-errors",
        ),
        pytest.param(
            [FIVE],
            {"m": "SE"},
            "m: 1 of 5 measurements, 1 error in a row, the next is due",
            id="after-an-error",
        ),
        pytest.param(
            [FIVE],
            {"m": "SR"},
            "m: 1 of 5 measurements, one under way since 2026-09-21T14:13:30.000Z",
            id="one-is-under-way",
        ),
        pytest.param(
            [metric("late", initialDelay="10m"), metric("done")],
            {"done": "S"},
            "late: 0 of 1 measurement, the next at 2026-09-21T14:23:20.000Z",
            id="only-those-that-are-not-decided",
        ),
        pytest.param(
            [metric("a", initialDelay="10m"), metric("b", initialDelay="20m")],
            {},
            "a: 0 of 1 measurement, the next at 2026-09-21T14:23:20.000Z;"
            " b: 0 of 1 measurement, the next at 2026-09-21T14:33:20.000Z",
            id="all-of-them",
        ),
    ],
)
def test_what_a_run_waits_for(
    metrics: list[dict[str, Any]], stories: dict[str, str], expected: str
) -> None:
    """Which metrics are not decided, and when they are measured next."""
    assert reason(*metrics, **stories) == ("Running", expected)


def test_a_dry_run_is_told_and_does_not_count() -> None:
    """What would have been, where all metrics that count are fine."""
    assert reason(metric("a"), metric("b"), dry="b", a="S", b="F") == (
        "Successful",
        (
            "dry run only, not counted: b Failed: Metric assessed Failed due to failed (1)"
            " > failureLimit (0)"
        ),
    )
    assert reason(metric("a"), dry="a", terminate=True) == ("Successful", "Run Terminated")
    status = replace(told(metric("a"), terminate=True), message="")
    run = manifest(metric("a", interval="1h"))
    run["spec"]["dryRun"] = [{"metricName": "a"}]
    verdict = run_verdict("u", run, status, is_terminated=False, now_unix_s=NOW)
    assert verdict["reason"] == "dry run only, not counted: a Pending: nothing was measured"


def test_a_run_that_is_told_to_end_says_so() -> None:
    """Until it does, and then in Argo's words."""
    status = told(FIVE, m="S")
    verdict = run_verdict("u", manifest(FIVE), status, is_terminated=True, now_unix_s=NOW)
    assert (verdict["phase"], verdict["reason"]) == (
        "Running",
        "the run has been told to end and is about to",
    )
    assert reason(FIVE, terminate=True, m="S") == ("Successful", "Run Terminated")


def test_the_edges_of_a_run() -> None:
    """Before its first pass, and between the last measurement and the end."""
    new = run_verdict("u", manifest(FIVE), RunStatus(), is_terminated=False, now_unix_s=NOW)
    assert (new["phase"], new["ok"], new["reason"]) == (
        "Running",
        False,
        "the run is about to begin",
    )
    decided = MetricResult(name="m", phase=Phase.FAILED)
    status = RunStatus(phase=Phase.RUNNING, started_at_unix_s=BEGAN, metric_results=(decided,))
    last = run_verdict("u", manifest(FIVE), status, is_terminated=False, now_unix_s=NOW)
    assert last["reason"] == "the run is about to end"
    gave_up = assess.gave_up(RunStatus(), "Analysis spec invalid: x", now_unix_s=NOW)
    over = run_verdict("u", manifest(FIVE), gave_up, is_terminated=False, now_unix_s=NOW)
    assert (over["phase"], over["reason"]) == ("Error", "Analysis spec invalid: x")


def test_the_phase_that_callers_wait_for() -> None:
    """Whether anybody has taken a run up is of no interest to them."""
    phases = [run_phase(RunStatus(phase=phase)) for phase in Phase]
    assert phases == [Phase.RUNNING, Phase.RUNNING, *list(Phase)[2:]]


def test_who_was_stopped_before_the_end_has_not_passed() -> None:
    """Argo calls it Successful; a gate does not let it through, and the verdict is not ok."""
    stopped = RunStatus(phase=Phase.SUCCESSFUL, message="Run Terminated")
    verdict = run_verdict("u", manifest(FIVE), stopped, is_terminated=True, now_unix_s=NOW)
    assert (verdict["phase"], verdict["ok"]) == ("Successful", False)
    assert gate_phase(stopped, is_terminated=True) is Phase.INCONCLUSIVE
    assert gate_phase(stopped, is_terminated=False) is Phase.SUCCESSFUL
    failed = RunStatus(phase=Phase.FAILED)
    assert gate_phase(failed, is_terminated=True) is Phase.FAILED


def test_a_whole_verdict() -> None:
    """The document, with the newest measurement of each metric."""
    spec = metric(
        count="{{args.n}}",
        interval="10s",
        successCondition="result < {{args.limit}} && '{{args.token}}' != '{{args.no}}'",
    )
    measured = Measurement(
        phase=Phase.SUCCESSFUL,
        started_at_unix_s=BEGAN,
        finished_at_unix_s=BEGAN + 0.25,
        value='{"a":[1,"NaN"]}',
        metadata={"warnings": "slow"},
    )
    result = MetricResult(
        name="m",
        measurements=(measured,),
        count=1,
        successful=1,
        consecutive_success=1,
        metadata={"ResolvedPrometheusQuery": "up"},
    )
    status = RunStatus(phase=Phase.RUNNING, started_at_unix_s=BEGAN, metric_results=(result,))
    run = manifest(
        spec,
        metric("later"),
        **{TEMPLATES_ANNOTATION: "a@sha256:1,b@sha256:2", CONTEXT_ANNOTATION: '{"commit":"4f"}'},
    )
    secret = {"secretKeyRef": {"name": "s", "key": "k"}}
    run["spec"]["args"] = [
        {"name": "n", "value": "2"},
        {"name": "limit", "value": "0.5"},
        {"name": "token", "value": "shadowed", "valueFrom": secret},
        {"name": "no", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    ]
    verdict = run_verdict("u", run, status, is_terminated=False, now_unix_s=BEGAN + 1)
    nothing = {
        "phase": "Pending",
        "value": None,
        "text": "",
        "message": "",
        "provider": "web",
        "successCondition": "",
        "failureCondition": "",
        "query": "",
        "ageSeconds": None,
        "tookMs": None,
        "dryRun": False,
        "metadata": {},
        "count": 0,
        "successful": 0,
        "failed": 0,
        "inconclusive": 0,
        "error": 0,
        "consecutiveError": 0,
        "consecutiveSuccess": 0,
    }
    assert verdict == {
        "phase": "Running",
        "ok": False,
        "reason": "m: 1 of 2 measurements, the next at 2026-09-21T14:13:30.250Z;"
        " later: 0 of 1 measurement, the next is due",
        "run": "u",
        "namespace": "shop",
        "templates": ["a@sha256:1", "b@sha256:2"],
        "startedAt": "2026-09-21T14:13:20.000Z",
        "finishedAt": None,
        "metrics": {
            "m": {
                **nothing,
                "phase": "Running",
                "value": {"a": [1, "NaN"]},
                "text": '{"a":[1,"NaN"]}',
                "successCondition": "result < 0.5 && 'temp-for-secret' != 'temp-for-secret'",
                "query": "up",
                "ageSeconds": 0.75,
                "tookMs": 250.0,
                "metadata": {"warnings": "slow"},
                # What was asked is not what is told: a secret took part.
                "reason": '{"a":[1,"NaN"]} satisfies'
                " result < 0.5 && 'temp-for-secret' != 'temp-for-secret'",
                "count": 1,
                "successful": 1,
                "consecutiveSuccess": 1,
            },
            "later": nothing,
        },
        "context": {"commit": "4f"},
    }
    ended = run_verdict(
        "u",
        manifest(spec, **{CONTEXT_ANNOTATION: "no JSON"}) | {"spec": run["spec"]},
        replace(status, phase=Phase.SUCCESSFUL, completed_at_unix_s=BEGAN + 2),
        is_terminated=False,
        now_unix_s=NOW,
    )
    assert (ended["ok"], ended["finishedAt"], ended["templates"], ended["context"]) == (
        True,
        "2026-09-21T14:13:22.000Z",
        [],
        {},
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("[0.25,NaN]", [0.25, "NaN"], id="a-vector-with-no-number"),
        pytest.param("+Inf", "+Inf", id="infinity"),
        pytest.param("[-Inf]", ["-Inf"], id="less-than-everything"),
        pytest.param('"green"', "green", id="a-text"),
        pytest.param('{"a": "x', None, id="what-was-cut"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_a_value_comes_back_out_of_its_text(text: str, value: object) -> None:
    """A run keeps the text that Argo prints."""
    measured = Measurement(
        phase=Phase.SUCCESSFUL, started_at_unix_s=BEGAN, finished_at_unix_s=BEGAN, value=text
    )
    result = MetricResult(name="m", measurements=(measured,), count=1, successful=1)
    status = RunStatus(phase=Phase.RUNNING, started_at_unix_s=BEGAN, metric_results=(result,))
    verdict: Any = run_verdict("u", manifest(FIVE), status, is_terminated=False, now_unix_s=NOW)
    assert verdict["metrics"]["m"]["value"] == value


def test_the_metrics_of_a_run_are_resolved() -> None:
    """All but secrets."""
    spec = metric(successCondition="result < {{args.limit}}")
    run = manifest(spec)
    run["spec"]["args"] = [{"name": "limit", "value": "0.5"}]
    assert metrics_of(run)["m"].success_condition == "result < 0.5"
