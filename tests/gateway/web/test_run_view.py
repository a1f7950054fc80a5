"""A run as its page shows it."""

import json
from typing import Any

import pytest

from gateway.limits import MetricRules
from gateway.model import Phase
from gateway.run_status import Measurement, MetricResult, RunStatus
from gateway.runs.store import Run
from gateway.web.run_view import MAX_CHARS, MAX_LINES, Counter, counters, lines, run_view, tally

BEGAN = 1_790_000_000.0
METRIC = {
    "name": "rate",
    "interval": "30s",
    "count": 9,
    "failureLimit": 1,
    "successCondition": "result >= 0.95",
    "provider": {"web": {"url": "http://shop"}},
}


def run(*measurements: Measurement, args: Any = (), **counts: int) -> Run:
    """A run that is under way."""
    result = MetricResult(name="rate", measurements=measurements, **counts)
    return Run(
        id="1",
        manifest={
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "AnalysisRun",
            "metadata": {"namespace": "shop", "creationTimestamp": "2026-09-21T10:13:20.000Z"},
            "spec": {"metrics": [METRIC], "args": list(args)},
        },
        status=RunStatus(phase=Phase.RUNNING, metric_results=(result,), started_at_unix_s=BEGAN),
        version=1,
        is_terminated=False,
        created_at_unix_s=BEGAN,
    )


def measured(value: str, phase: Phase, *, at: float = 0, is_over: bool = True) -> Measurement:
    """A measurement, or one that is under way."""
    return Measurement(
        phase=phase,
        value=value,
        started_at_unix_s=BEGAN + at,
        finished_at_unix_s=BEGAN + at + 0.5 if is_over else None,
    )


def test_measurements_are_told_newest_first_and_drawn_oldest_first() -> None:
    """What is under way has no end; what has no number leaves a gap; the limit is drawn."""
    view = run_view(
        run(
            measured("0.99", Phase.SUCCESSFUL),
            measured("", Phase.ERROR, at=30),
            measured("", Phase.RUNNING, at=60, is_over=False),
            count=4,
            error=1,
            successful=4,
        ),
        now_unix_s=BEGAN + 61,
    )
    (metric,) = view.metrics
    assert [each.phase for each in metric.rows] == ["Running", "Error", "Successful"]
    assert [each.took_s for each in metric.rows] == [None, 0.5, 0.5]
    assert metric.dropped == 3
    assert (view.name, view.is_over, view.ended_at) == ("1", False, "")
    assert json.loads(metric.plot) == {
        "times": [BEGAN, BEGAN + 30, BEGAN + 60],
        "phases": ["Successful", "Error", "Running"],
        "values": [[0.99, None, None]],
        "lines": [{"at": 0.95, "text": "result >= 0.95", "of": "success"}],
    }


def test_lists_of_different_lengths_are_drawn_as_far_as_they_go() -> None:
    """One line for each place."""
    view = run_view(
        run(measured("[1]", Phase.SUCCESSFUL), measured("[2,3]", Phase.SUCCESSFUL, at=1)),
        now_unix_s=BEGAN,
    )
    assert json.loads(view.metrics[0].plot)["values"] == [[1.0, 2.0], [None, 3.0]]


def test_what_has_no_numbers_is_not_drawn() -> None:
    """Its measurements are told; long ones are cut."""
    view = run_view(run(measured('"' + "x" * 999 + '"', Phase.FAILED)), now_unix_s=BEGAN)
    (metric,) = view.metrics
    assert metric.plot == ""
    assert len(metric.rows[0].value) == len(metric.rows[0].reason) == MAX_CHARS + 3


def test_a_secret_argument_is_told_without_its_value() -> None:
    """As none, which is no text."""
    source = {"secretKeyRef": {"name": "vendor", "key": "token"}}
    given = [{"name": "token", "valueFrom": source}, {"name": "service", "value": "shop"}]
    view = run_view(run(args=given), now_unix_s=BEGAN)
    assert view.arguments == (("token", None), ("service", "shop"))


@pytest.mark.parametrize(
    ("rules", "counted", "expected"),
    [
        pytest.param(
            {"failure_limit": 2},
            {"failed": 1},
            Counter("failed", 1, 2, is_over=False, share=50),
            id="below-its-limit",
        ),
        pytest.param(
            {"failure_limit": 0},
            {"failed": 1},
            Counter("failed", 1, 0, is_over=True, share=100),
            id="over-a-limit-of-none",
        ),
        pytest.param(
            {"failure_limit": -1},
            {"failed": 7},
            Counter("failed", 7, None, is_over=False, share=0),
            id="without-a-limit",
        ),
        pytest.param(
            {"count": None},
            {"count": 7},
            Counter("measured", 7, None, is_over=False, share=0),
            id="without-an-end",
        ),
        pytest.param(
            {"consecutive_success_limit": 4},
            {"consecutive_success": 3},
            Counter("successes in a row", 3, 4, is_over=False, share=75),
            id="on-the-way-to-an-early-end",
        ),
    ],
)
def test_counters_stand_beside_their_limits(
    rules: dict[str, Any], counted: dict[str, int], expected: Counter
) -> None:
    """With the share of the limit that is used up."""
    found = counters(MetricRules(name="m", **rules), MetricResult(name="m", **counted))
    assert expected in list(found)


def test_a_tally_leaves_out_what_never_happened() -> None:
    """In the order of Argo's own view."""
    result = MetricResult(name="m", successful=3, error=1)
    assert tally(result) == ((Phase.SUCCESSFUL, 3), (Phase.ERROR, 1))


def test_limits_are_drawn_once_and_not_without_end() -> None:
    """Each with the condition that has it."""
    found = lines("result > 1 && result < 2", "result > 2 || result > 3")
    assert [(each.at, each.of) for each in found] == [
        (1.0, "success"),
        (2.0, "success"),
        (3.0, "failure"),
    ]
    many = " || ".join(f"result == {number}" for number in range(50))
    assert len(lines(many, "")) == MAX_LINES
