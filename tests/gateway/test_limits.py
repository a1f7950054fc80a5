"""One metric: rules and phase. An ``S`` marks a worked case of Argo Rollouts (9f8d111d8)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manifests import metric

from gateway.limits import (
    MetricRules,
    Violation,
    metric_phase,
    metric_rules,
    violation,
    within_measure,
)
from gateway.model import Phase
from gateway.run_status import Measurement, MetricResult
from gateway.template import RetentionRule

SUCCESS = Measurement(phase=Phase.SUCCESSFUL, started_at_unix_s=1.0, finished_at_unix_s=1.0)
IN_FLIGHT = Measurement(phase=Phase.RUNNING, started_at_unix_s=1.0)


def result(**counters: int) -> MetricResult:
    """A metric that is under way, as its counters say."""
    return MetricResult(name="m", measurements=(SUCCESS,), **counters)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({}, MetricRules(name="m"), id="nothing-is-said"),
        pytest.param(
            {
                "interval": "1m30s",
                "initialDelay": "500ms",
                "count": 7,
                "failureLimit": "-1",
                "inconclusiveLimit": "+2",
                "consecutiveErrorLimit": 0,
                "consecutiveSuccessLimit": 3,
            },
            MetricRules(
                name="m",
                interval_s=90.0,
                initial_delay_s=0.5,
                count=7,
                failure_limit=-1,
                inconclusive_limit=2,
                consecutive_error_limit=0,
                consecutive_success_limit=3,
            ),
            id="everything-is-said",
        ),
        pytest.param(
            {"interval": "5s"},
            MetricRules(name="m", interval_s=5.0, count=None),
            id="an-interval-without-a-count-never-ends",
        ),
        pytest.param(
            {"interval": "0s", "initialDelay": "0"},
            MetricRules(name="m", interval_s=0.0, initial_delay_s=0.0, count=None),
            id="a-duration-of-nothing-is-a-duration",
        ),
        pytest.param(
            {"failureLimit": "a", "inconclusiveLimit": "50%", "consecutiveErrorLimit": "x"},
            MetricRules(name="m", consecutive_error_limit=0),
            id="a-text-that-is-no-number-is-nothing",
        ),
        pytest.param(
            {"count": "2147483648", "failureLimit": "4294967298", "interval": "5s"},
            MetricRules(name="m", interval_s=5.0, count=-(1 << 31), failure_limit=2),
            id="numbers-lose-their-upper-bits",
        ),
        pytest.param(
            {"count": "99999999999999999999", "interval": "5s"},
            MetricRules(name="m", interval_s=5.0, count=-1),
            id="S33-a-number-beyond-all-bounds-is-minus-one",
        ),
    ],
)
def test_rules_are_read_from_a_metric(fields: dict[str, object], expected: MetricRules) -> None:
    """All fields, their defaults, and Kubernetes' lenient numbers."""
    assert metric_rules(metric("m", **fields), is_dry_run=False, retention=()) == expected


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        pytest.param([], 10, id="no-rule"),
        pytest.param([("^success-", 3)], 3, id="a-rule-that-matches"),
        pytest.param([("other", 3)], 10, id="a-rule-for-another-metric"),
        pytest.param([("rate", 3), ("succ", 20)], 20, id="the-last-rule-counts"),
        pytest.param([("rate", 20), ("succ", 3)], 3, id="the-last-rule-counts-if-it-is-smaller"),
        pytest.param([("rate", 3), ("error", 4)], 3, id="the-last-rule-that-matches-counts"),
        pytest.param([("rate", 3), ("rate$", 0)], 10, id="a-last-rule-of-nothing-is-the-default"),
        pytest.param([("rate", -1)], 10, id="a-negative-rule-is-the-default"),
        pytest.param([("rate", 1_001)], 1_000, id="a-thousand-are-enough"),
    ],
)
def test_a_rule_says_how_many_measurements_are_kept(
    rules: list[tuple[str, int]], expected: int
) -> None:
    """Of the rules for one metric the last one is taken, whatever it says."""
    retention = [RetentionRule(metricName=pattern, limit=limit) for pattern, limit in rules]
    named = metric("success-rate")
    assert metric_rules(named, is_dry_run=True, retention=retention) == MetricRules(
        name="success-rate", is_dry_run=True, retention=expected
    )


ROW_OF_4 = MetricRules(name="m", failure_limit=4, consecutive_success_limit=4, count=10)
ROW_OF_4_FOR_EVER = MetricRules(
    name="m", failure_limit=4, consecutive_success_limit=4, count=None, interval_s=5.0
)
ROW_OF_2 = MetricRules(
    name="m", failure_limit=-1, consecutive_success_limit=2, count=2, interval_s=5.0
)


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        pytest.param([], [], id="no-metrics-keep-nothing"),
        pytest.param([1_000], [1_000], id="one-metric-keeps-what-it-says"),
        pytest.param([1_000] * 4, [500] * 4, id="four-keep-a-quarter-each"),
        pytest.param([1_000, 3, 3, 3], [500, 3, 3, 3], id="a-share-is-no-gift"),
        pytest.param([1_000] * 201, [10] * 201, id="the-default-is-always-kept"),
    ],
)
def test_what_a_run_keeps_is_bounded_as_a_whole(kept: list[int], expected: list[int]) -> None:
    """However many metrics there are: every step writes down all that is kept."""
    rules = [MetricRules(name=f"m{place}", retention=number) for place, number in enumerate(kept)]
    assert [each.retention for each in within_measure(rules)] == expected


@pytest.mark.parametrize(
    ("rules", "before", "running", "terminating"),
    [
        pytest.param(
            ROW_OF_4,
            result(count=10, successful=6, failed=4, consecutive_success=3),
            Phase.INCONCLUSIVE,
            Phase.INCONCLUSIVE,
            id="S27-the-row-is-too-short",
        ),
        pytest.param(
            ROW_OF_4,
            result(count=10, successful=6, failed=4, consecutive_success=4),
            Phase.SUCCESSFUL,
            Phase.SUCCESSFUL,
            id="S27-the-row-is-long-enough",
        ),
        pytest.param(
            ROW_OF_4,
            result(count=10, successful=5, failed=5, consecutive_success=4),
            Phase.FAILED,
            Phase.FAILED,
            id="S27-too-many-failures-whatever-the-row",
        ),
        pytest.param(
            ROW_OF_4_FOR_EVER,
            result(count=7, successful=4, failed=3, consecutive_success=3),
            Phase.RUNNING,
            Phase.SUCCESSFUL,
            id="S28-a-row-may-still-come",
        ),
        pytest.param(
            ROW_OF_2,
            result(count=2, successful=1, failed=1, consecutive_success=1),
            Phase.FAILED,
            Phase.FAILED,
            id="S65-the-count-is-reached-before-the-end-is-asked-for",
        ),
        pytest.param(
            MetricRules(name="m"),
            MetricResult(name="m", measurements=(SUCCESS, IN_FLIGHT), failed=5),
            Phase.RUNNING,
            Phase.RUNNING,
            id="S68-limits-wait-for-what-is-in-flight",
        ),
        pytest.param(
            MetricRules(name="m"),
            MetricResult(name="m"),
            Phase.PENDING,
            Phase.SUCCESSFUL,
            id="nothing-is-measured",
        ),
        pytest.param(
            MetricRules(name="m"),
            MetricResult(name="m", phase=Phase.INCONCLUSIVE, measurements=(SUCCESS,), failed=5),
            Phase.INCONCLUSIVE,
            Phase.INCONCLUSIVE,
            id="what-is-completed-stays",
        ),
        pytest.param(
            MetricRules(name="m", count=2),
            result(count=1, successful=1),
            Phase.RUNNING,
            Phase.SUCCESSFUL,
            id="one-more-is-wanted",
        ),
        pytest.param(
            MetricRules(name="m", count=2),
            result(count=3, successful=3),
            Phase.SUCCESSFUL,
            Phase.SUCCESSFUL,
            id="more-than-were-wanted",
        ),
    ],
)
def test_counters_and_rules_make_a_phase(
    rules: MetricRules, before: MetricResult, running: Phase, terminating: Phase
) -> None:
    """The phase of a metric while the run goes on, and while it is to end."""
    phases = [metric_phase(rules, before, is_terminating=stop) for stop in (False, True)]
    assert phases == [running, terminating]


@pytest.mark.parametrize(
    ("rules", "before", "expected"),
    [
        pytest.param(MetricRules(name="m"), result(), None, id="nothing-happened"),
        pytest.param(
            MetricRules(name="m", failure_limit=2, inconclusive_limit=1),
            result(failed=2, inconclusive=1, consecutive_error=4),
            None,
            id="as-many-as-every-limit",
        ),
        pytest.param(
            MetricRules(name="m", failure_limit=-1), result(failed=9), None, id="failures-are-free"
        ),
        pytest.param(
            MetricRules(name="m", inconclusive_limit=-1),
            result(),
            Violation(Phase.INCONCLUSIVE, "inconclusive (0) > inconclusiveLimit (-1)"),
            id="a-negative-inconclusive-limit-is-exceeded-by-nothing",
        ),
        pytest.param(
            MetricRules(name="m"),
            result(failed=3, inconclusive=2),
            Violation(Phase.INCONCLUSIVE, "inconclusive (2) > inconclusiveLimit (0)"),
            id="S67-inconclusive-beats-failed-within-a-metric",
        ),
        pytest.param(
            MetricRules(name="m"),
            result(failed=5, inconclusive=5, consecutive_error=5),
            Violation(Phase.ERROR, "consecutiveErrors (5) > consecutiveErrorLimit (4)"),
            id="S66-error-beats-all-within-a-metric",
        ),
    ],
)
def test_of_several_limits_one_is_told(
    rules: MetricRules, before: MetricResult, expected: Violation | None
) -> None:
    """The order within a metric is not the order of phases between metrics."""
    assert violation(rules, before) == expected


@given(st.integers(-(1 << 70), 1 << 70))
def test_limits_fit_into_32_bits(number: int) -> None:
    """Whatever a text says, counters can be compared with it."""
    fields = {name: str(number) for name in ("failureLimit", "inconclusiveLimit")}
    rules = metric_rules(metric("m", **fields), is_dry_run=False, retention=())
    assert -(1 << 31) <= rules.failure_limit == rules.inconclusive_limit < 1 << 31
