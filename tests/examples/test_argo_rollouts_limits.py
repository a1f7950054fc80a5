"""How long Argo asks the gateway, and what its limits make of the answers: no clock but ours."""

from itertools import chain, repeat
from pathlib import Path

import pytest
import yaml

from gateway.assess import assess, record
from gateway.limits import MetricRules, metric_rules
from gateway.model import Phase
from gateway.run_status import Measurement, RunStatus
from gateway.schedule import due, next_wake
from gateway.template import parse

FOLDER = Path(__file__).resolve().parents[2] / "examples/argo-rollouts"
VERDICT = FOLDER / "gateway-verdict.yaml"
RUN = FOLDER / "gateway-run.yaml"
# S, F, I, E: a measurement's phase. R: Inconclusive after a wait of 50 s, for the run goes on.
PHASES = {"S": Phase.SUCCESSFUL, "F": Phase.FAILED, "I": Phase.INCONCLUSIVE, "E": Phase.ERROR}
WAIT_S = 50.0
LONGEST_S = 86_400.0


def rules_of(text: str) -> tuple[MetricRules, ...]:
    """What Argo is told about the metrics of a template."""
    metrics = parse(yaml.safe_load(text)).spec.metrics
    return tuple(metric_rules(metric, is_dry_run=False, retention=()) for metric in metrics)


def analysed(rules: tuple[MetricRules, ...], story: str) -> tuple[str, int]:
    """How an analysis ends whose first metric is measured so, the last letter for ever.

    All other metrics are Successful. Returns the phase and the whole seconds that it took.
    """
    letters = chain(story, repeat(story[-1]))
    status, now_s = RunStatus(), 0.0
    while not status.phase.is_completed and now_s < LONGEST_S:
        tasks = due(rules, status, is_terminated=False, now_unix_s=now_s)
        for task in tasks:
            letter = next(letters) if task.metric_name == rules[0].name else "S"
            took_s = WAIT_S if letter == "R" else 0.0
            measurement = Measurement(
                phase=PHASES[letter.replace("R", "I")],
                started_at_unix_s=now_s,
                finished_at_unix_s=now_s + took_s,
            )
            status = record(rules, status, task.metric_name, measurement, metadata={})
            now_s += took_s
        status = assess(rules, status, is_terminated=False, now_unix_s=now_s)
        wake_s = next_wake(rules, status, is_terminated=False, now_unix_s=now_s)
        # An interval must have passed, not only be reached.
        now_s = max(now_s, wake_s or 0.0) + (0.0 if status.phase.is_completed else 0.001)
    return status.phase.value, int(min(now_s, LONGEST_S))


@pytest.mark.parametrize(
    ("count", "story", "expected"),
    [
        pytest.param("10", "S", ("Successful", 270), id="ten-good-ones"),
        pytest.param("10", "FS", ("Successful", 270), id="one-failure-is-forgiven"),
        pytest.param("10", "SFSF", ("Failed", 90), id="the-second-failure-is-final"),
        pytest.param("10", "IIS", ("Successful", 270), id="two-unknown-ones-are-borne"),
        pytest.param("10", "I", ("Inconclusive", 60), id="nothing-but-unknown-never-passes"),
        pytest.param("10", "E" * 12 + "S", ("Successful", 390), id="two-minutes-away-are-borne"),
        pytest.param("10", "E", ("Error", 120), id="more-than-two-minutes-away-is-an-error"),
        pytest.param("0", "S", ("Running", 86_400), id="in-the-background-it-never-ends"),
        pytest.param("0", "S" * 99 + "F", ("Failed", 3_000), id="in-the-background-it-can-fail"),
    ],
)
def test_verdicts_lead_argo_to(count: str, story: str, expected: tuple[str, int]) -> None:
    """What count, interval and the limits make of the measurements."""
    text = VERDICT.read_text(encoding="utf-8")
    assert analysed(rules_of(text.replace("{{args.count}}", count)), story) == expected


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        pytest.param("S", ("Successful", 0), id="one-success-ends-it"),
        pytest.param("RRRS", ("Successful", 156), id="waits-for-the-end-of-the-run"),
        pytest.param("RRRF", ("Failed", 156), id="one-failure-ends-it"),
        pytest.param("R" * 89 + "S", ("Successful", 4_628), id="the-last-moment"),
        pytest.param("R", ("Inconclusive", 4_678), id="never-ends-and-never-passes"),
        pytest.param("RRRI", ("Inconclusive", 328), id="an-inconclusive-run-is-seen-within-3-min"),
        pytest.param("E" * 12 + "S", ("Successful", 120), id="two-minutes-away-are-borne"),
        pytest.param("RE", ("Error", 172), id="more-than-two-minutes-away-is-an-error"),
    ],
)
def test_runs_lead_argo_to(story: str, expected: tuple[str, int]) -> None:
    """One answer about an ended run decides; running out of patience does not pass."""
    assert analysed(rules_of(RUN.read_text(encoding="utf-8")), story) == expected


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        pytest.param("RRRS", ("Successful", 328), id="comes-to-the-same-end"),
        pytest.param("R", ("Inconclusive", 4_678), id="never-ends-and-never-passes"),
    ],
)
def test_runs_lead_an_older_argo_to(story: str, expected: tuple[str, int]) -> None:
    """Without ``consecutiveSuccessLimit`` all of ``count`` is measured, within 3 minutes."""
    text = RUN.read_text(encoding="utf-8")
    older = text.replace("      consecutiveSuccessLimit: 1\n", "")
    assert older != text
    assert analysed(rules_of(older), story) == expected


def test_run_that_is_not_new_never_passes() -> None:
    """An older run with the same key is Inconclusive, whatever its phase."""
    verdict, is_new = rules_of(RUN.read_text(encoding="utf-8"))
    assert is_new.name == "is-new"
    assert analysed((is_new, verdict), "I") == ("Inconclusive", 0)
