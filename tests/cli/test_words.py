"""What is said of a run: durations, counters, lines and conclusions, as tables."""

import pytest
from local_runs import local
from running import web_metric

from gateway.cli import words
from gateway.limits import MetricRules
from gateway.model import Phase
from gateway.run_status import Measurement, MetricResult, RunStatus

RULES = MetricRules(name="m", interval_s=1.0, count=5)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        pytest.param(-3, "0s", id="what-is-over"),
        pytest.param(0, "0s", id="nothing"),
        pytest.param(0.2, "1s", id="what-has-begun"),
        pytest.param(59, "59s", id="seconds"),
        pytest.param(65, "1m05s", id="minutes"),
        pytest.param(7800, "2h10m", id="hours"),
        pytest.param(86_400, "24h00m", id="a-day"),
    ],
)
def test_a_duration_is_short(seconds: float, told: str) -> None:
    """The two largest units; what has begun counts whole, so nothing is early."""
    assert words.duration(seconds) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("[0.95]", "[0.95]", id="as-it-is"),
        pytest.param("a >= 1 &&\n  b", "a >= 1 &&   b", id="lines-become-one"),
        pytest.param("\x1b[31m\x07", r"\x1b[31m\x07", id="escapes-are-shown"),
        pytest.param("\u202egnp", r"\u202egnp", id="a-change-of-direction-is-shown"),
        pytest.param("é ✓", "é ✓", id="what-can-be-read-stays"),
        pytest.param("x" * 301, "x" * 300 + "...", id="long-texts-are-cut"),
    ],
)
def test_a_text_is_harmless(text: str, told: str) -> None:
    """It is one line, and no terminal obeys it."""
    assert words.clean(text) == told


@pytest.mark.parametrize(
    ("rules", "result", "told"),
    [
        pytest.param(RULES, MetricResult(name="m"), "count 0/5", id="nothing-yet"),
        pytest.param(
            MetricRules(name="m", count=None),
            MetricResult(name="m", count=7),
            "count 7",
            id="endless",
        ),
        pytest.param(
            MetricRules(name="m", count=5, failure_limit=2, inconclusive_limit=1),
            MetricResult(name="m", count=3, failed=1, inconclusive=1),
            "count 3/5, failed 1/2, inconclusive 1/1",
            id="limits",
        ),
        pytest.param(
            MetricRules(name="m", count=5, failure_limit=-1),
            MetricResult(name="m", count=3, failed=3),
            "count 3/5, failed 3",
            id="no-limit-at-all",
        ),
        pytest.param(
            RULES,
            MetricResult(name="m", count=1, failed=1),
            "count 1/5, failed 1/0",
            id="a-limit-of-nothing",
        ),
        pytest.param(
            MetricRules(name="m", count=None, consecutive_success_limit=3),
            MetricResult(name="m", count=4, consecutive_success=2, consecutive_error=1, error=3),
            "count 4, consecutive errors 1/4, consecutive successes 2/3",
            id="in-a-row",
        ),
    ],
)
def test_counters_stand_against_their_limits(
    rules: MetricRules, result: MetricResult, told: str
) -> None:
    """Those that say nothing are left out."""
    assert words.counters(rules, result) == told


def measured(phase: Phase, value: str = "") -> Measurement:
    """One that took no time."""
    return Measurement(phase=phase, started_at_unix_s=1.0, finished_at_unix_s=1.0, value=value)


def result(
    name: str, phase: Phase = Phase.SUCCESSFUL, value: str = "1", **fields: object
) -> MetricResult:
    """A metric that is completed after one measurement."""
    return MetricResult(
        name=name,
        phase=phase,
        measurements=(measured(phase, value),),
        **{"count": 1, phase.value.lower(): 1, **fields},  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("status", "told"),
    [
        pytest.param(
            RunStatus(phase=Phase.FAILED, message="because", metric_results=(result("one"),)),
            "because",
            id="argos-message",
        ),
        pytest.param(
            RunStatus(phase=Phase.SUCCESSFUL, metric_results=(result("one"),)),
            "one: 1 satisfies result == 1",
            id="the-rule-of-the-only-metric",
        ),
        pytest.param(
            RunStatus(phase=Phase.SUCCESSFUL, metric_results=(result("one"), result("two"))),
            "all 2 metrics are Successful",
            id="several-metrics",
        ),
        pytest.param(
            RunStatus(
                phase=Phase.SUCCESSFUL,
                metric_results=(result("dry", Phase.FAILED, "2", is_dry_run=True),),
            ),
            "dry run only, not counted: dry Failed: 1 measurement, 1 failed",
            id="dry-runs-only",
        ),
        pytest.param(
            RunStatus(
                phase=Phase.INCONCLUSIVE,
                metric_results=(
                    result("one"),
                    result(
                        "two",
                        Phase.INCONCLUSIVE,
                        inconclusive=0,
                        count=5,
                        consecutive_success=2,
                        successful=4,
                    ),
                ),
            ),
            "two: 5 measurements, 4 successful, never 3 in a row (consecutiveSuccessLimit)",
            id="successes-that-did-not-come",
        ),
    ],
)
async def test_a_conclusion_says_why(status: RunStatus, told: str) -> None:
    """Argo's message, or what it leaves unsaid."""
    metrics = [
        web_metric("http://x", "result == 1", name="one"),
        web_metric(
            "http://x",
            "result == 1",
            name="two",
            consecutiveSuccessLimit=3,
            count=5,
            interval="1s",
            failureLimit=2,
        ),
        web_metric("http://x", "result == 1", name="dry"),
    ]
    async with local(*metrics, dryRun=[{"metricName": "dry"}]) as made:
        assert words.conclusion(made.plan, status) == told


async def test_a_dry_run_is_marked_as_one() -> None:
    """Its failure does not count."""
    metric = web_metric("http://x", "result == 1", name="dry")
    failed = result("dry", Phase.FAILED, "2", is_dry_run=True)
    after = RunStatus(phase=Phase.SUCCESSFUL, metric_results=(failed,))
    async with local(metric, dryRun=[{"metricName": "dry"}]) as made:
        lines = [each.plain for each in words.changes(made.plan, RunStatus(), after)]
    assert lines == [
        "dry  Failed: 2 does not satisfy result == 1 (missed by 1) (count 1/1, failed 1/0)",
        "dry  the metric is Failed (dry run)",
        "the run is Successful",
    ]


async def test_one_in_flight_is_told_of_without_a_reason() -> None:
    """There is none before its end."""
    running = MetricResult(
        name="m", measurements=(Measurement(phase=Phase.RUNNING, started_at_unix_s=1.0),)
    )
    after = RunStatus(phase=Phase.PENDING, metric_results=(running,))
    async with local(web_metric("http://x", "result == 1")) as made:
        lines = [each.plain for each in words.changes(made.plan, RunStatus(), after)]
    assert lines == ["m  Running (count 0/1)"]
