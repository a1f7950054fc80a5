"""Worked cases of Argo Rollouts' state machine (9f8d111d8): several metrics, dry runs, the end.

Written as in ``test_assess_limits``.
"""

import pytest
from virtual_runs import Story, play

FAST = {"interval": "5s"}
DRY_RUN_FAILED = "Metric assessed Failed due to failed (1) > failureLimit (0)"
A_FAILED = 'Failed at 0: Metric "a" assessed Failed due to failed (1) > failureLimit (0)'
B_FAILED = 'Failed at 0: Metric "b" assessed Failed due to failed (1) > failureLimit (0)'
NO_DRY = "dry 0/0/0/0/0"

TOGETHER = [
    pytest.param(
        Story(metrics={"a": {}, "b": {"count": 3, **FAST}}, scripts={"a": "F", "b": "S..."}),
        [
            A_FAILED,
            f"2/1/1/0/0 {NO_DRY}",
            "a Failed 1/0/1/0/0/0/0 at 0, 1 kept",
            "b Successful 1/1/0/0/0/0/1 at 0, 1 kept",
        ],
        id="S43-a-failure-ends-what-goes-well-elsewhere",
    ),
    pytest.param(
        Story(metrics={"a": {}, "b": {}}, scripts={"a": "F", "b": "R,I"}),
        [
            A_FAILED,
            f"2/0/1/1/0 {NO_DRY}",
            "a Failed 1/0/1/0/0/0/0 at 0, 1 kept",
            "b Inconclusive 1/0/0/1/0/0/0 at 0 0, 1 kept: Metric Terminated",
        ],
        id="S44-a-failure-stops-what-is-in-flight",
    ),
    pytest.param(
        Story(metrics={"a": {}, "b": {}}, scripts={"a": "F", "b": "R,S"}),
        [
            A_FAILED,
            f"2/1/1/0/0 {NO_DRY}",
            "a Failed 1/0/1/0/0/0/0 at 0, 1 kept",
            "b Successful 1/1/0/0/0/0/1 at 0 0, 1 kept: Metric Terminated",
        ],
        id="S45-what-is-stopped-may-be-well",
    ),
    pytest.param(
        Story(metrics={"a": {}, "b": {}}, scripts={"a": "F", "b": "R,E cannot"}),
        [
            A_FAILED,
            f"2/1/1/0/0 {NO_DRY}",
            "a Failed 1/0/1/0/0/0/0 at 0, 1 kept",
            "b Successful 0/0/0/0/1/1/0 at 0 0, 1 kept: cannot",
        ],
        id="S46-an-error-while-stopping-is-tolerated",
    ),
    pytest.param(
        Story(metrics={"a": {}, "b": {}}, scripts={"a": "F", "b": "R,="}),
        [
            A_FAILED,
            f"2/0/1/0/0 {NO_DRY}",
            "a Failed 1/0/1/0/0/0/0 at 0, 1 kept",
            "b Running 0/0/0/0/0/0/0 at 0 0, 1 kept",
        ],
        id="S47-what-cannot-be-stopped-stays-running",
    ),
    pytest.param(
        Story(metrics={"a": {}, "b": {"initialDelay": "60s"}}, scripts={"a": "F"}),
        [A_FAILED, f"2/0/1/0/0 {NO_DRY}", "a Failed 1/0/1/0/0/0/0 at 0, 1 kept"],
        id="S48-nobody-waits-for-a-delay-once-it-has-failed",
    ),
    pytest.param(
        Story(metrics={"a": {}, "b": {}}, scripts={"a": "I", "b": "F bb"}),
        [
            f'{B_FAILED}: "Error Message: bb"',
            f"2/0/1/1/0 {NO_DRY}",
            "a Inconclusive 1/0/0/1/0/0/0 at 0, 1 kept",
            "b Failed 1/0/1/0/0/0/0 at 0, 1 kept: bb",
        ],
        id="S49-failed-is-worse-than-inconclusive",
    ),
    pytest.param(
        Story(
            metrics={"a": {}, "b": {"consecutiveErrorLimit": 0}},
            scripts={"a": "F aa", "b": "E"},
        ),
        [
            f'{A_FAILED}: "Error Message: aa"',
            f"2/0/1/0/1 {NO_DRY}",
            "a Failed 1/0/1/0/0/0/0 at 0, 1 kept: aa",
            "b Error 0/0/0/0/1/1/0 at 0, 1 kept",
        ],
        id="S50-failed-is-worse-than-error",
    ),
    pytest.param(
        Story(
            metrics={
                "a": {"consecutiveErrorLimit": 0},
                "b": {"consecutiveSuccessLimit": 2, "failureLimit": -1},
            },
            scripts={"a": "E aa", "b": "S"},
        ),
        [
            (
                'Failed at 0: Metric "a" assessed Error due to'
                ' consecutiveErrors (1) > consecutiveErrorLimit (0): "Error Message: aa"'
            ),
            f"2/1/0/0/1 {NO_DRY}",
            "a Error 0/0/0/0/1/1/0 at 0, 1 kept: aa",
            "b Failed 1/1/0/0/0/0/1 at 0, 1 kept",
        ],
        id="S51-the-message-of-a-better-phase-stays",
    ),
    pytest.param(
        Story(metrics={"a": {}, "b": {}}, scripts={"a": "F A", "b": "F B"}),
        [
            f'{A_FAILED}: "Error Message: A"',
            f"2/0/2/0/0 {NO_DRY}",
            "a Failed 1/0/1/0/0/0/0 at 0, 1 kept: A",
            "b Failed 1/0/1/0/0/0/0 at 0, 1 kept: B",
        ],
        id="S52-the-first-of-the-worst-is-told",
    ),
]


@pytest.mark.parametrize(("story", "expected"), TOGETHER)
def test_the_worst_metric_decides_the_run(story: Story, expected: list[str]) -> None:
    """The whole outcome of a run with two metrics."""
    assert play(story).told() == expected


def test_an_early_failure_takes_two_passes() -> None:
    """S43, pass by pass: first the failure is seen, then the other metric is ended."""
    story = Story(metrics={"a": {}, "b": {"count": 3, **FAST}}, scripts={"a": "F", "b": "S..."})
    passes = [
        (at, str(status.phase), [str(result.phase) for result in status.metric_results])
        for at, status in play(story).passes
    ]
    assert passes == [
        (0, "Running", ["Failed", "Running"]),
        (0, "Failed", ["Failed", "Successful"]),
    ]


DRY_RUN = [
    pytest.param(
        Story(metrics={"a": {}}, scripts={"a": "F x"}, dry_run=["a"]),
        [
            "Successful at 0",
            "0/0/0/0/0 dry 1/0/1/0/0",
            f"a Failed 1/0/1/0/0/0/0 at 0, 1 kept: {DRY_RUN_FAILED}",
        ],
        id="S53-a-dry-run-fails-nothing",
    ),
    pytest.param(
        Story(
            metrics={"a": {"consecutiveErrorLimit": 0}, "b": {}},
            scripts={"a": "E", "b": "F y"},
            dry_run=["a"],
        ),
        [
            f'{B_FAILED}: "Error Message: y"',
            "1/0/1/0/0 dry 1/0/0/0/1",
            (
                "a Error 0/0/0/0/1/1/0 at 0, 1 kept: Metric assessed Error due to"
                " consecutiveErrors (1) > consecutiveErrorLimit (0)"
            ),
            "b Failed 1/0/1/0/0/0/0 at 0, 1 kept: y",
        ],
        id="S54-a-dry-run-hides-no-failure",
    ),
    pytest.param(
        Story(
            metrics={"a": {}, "b": FAST},
            scripts={"a": "S", "b": "S..."},
            dry_run=["b"],
            terminate_in_pass=4,
        ),
        [
            "Successful at 10: Run Terminated",
            "1/1/0/0/0 dry 1/1/0/0/0",
            "a Successful 1/1/0/0/0/0/1 at 0, 1 kept",
            "b Successful 3/3/0/0/0/0/3 at 0 5 10, 3 kept",
        ],
        id="S55-a-dry-run-without-end-keeps-the-run-going",
    ),
    pytest.param(
        Story(
            metrics={"a": {}, "d": {"initialDelay": "60s"}},
            scripts={"a": "S", "d": "F"},
            dry_run=["d"],
        ),
        [
            "Successful at 60",
            "1/1/0/0/0 dry 1/0/1/0/0",
            "a Successful 1/1/0/0/0/0/1 at 0, 1 kept",
            f"d Failed 1/0/1/0/0/0/0 at 60, 1 kept: {DRY_RUN_FAILED}",
        ],
        id="S56-a-run-waits-for-its-dry-runs",
    ),
    pytest.param(
        Story(
            metrics={"a": {"consecutiveSuccessLimit": 2, "failureLimit": -1}},
            scripts={"a": "S hey"},
            dry_run=["a"],
        ),
        [
            "Successful at 0",
            "0/0/0/0/0 dry 1/1/0/0/0",
            "a Failed 1/1/0/0/0/0/1 at 0, 1 kept: hey",
        ],
        id="S57-a-dry-run-that-exceeds-no-limit-keeps-its-message",
    ),
]


@pytest.mark.parametrize(("story", "expected"), DRY_RUN)
def test_dry_runs_are_told_and_do_not_decide(story: Story, expected: list[str]) -> None:
    """The whole outcome of a run with dry-run metrics."""
    assert play(story).told() == expected


TERMINATED = [
    pytest.param(
        Story(metrics={"m": {}}, scripts={}, terminate_in_pass=1),
        ["Successful at 0: Run Terminated", f"1/0/0/0/0 {NO_DRY}"],
        id="S58-before-anything-was-measured",
    ),
    pytest.param(
        Story(metrics={"m": {}}, scripts={}, dry_run=["m"], terminate_in_pass=1),
        ["Successful at 0: Run Terminated", "0/0/0/0/0 dry 1/0/0/0/0"],
        id="S59-before-any-dry-run",
    ),
    pytest.param(
        Story(
            metrics={"m": {"count": 5, "failureLimit": 2, **FAST}},
            scripts={"m": "F,S"},
            terminate_in_pass=3,
        ),
        [
            "Successful at 5: Run Terminated",
            f"1/1/0/0/0 {NO_DRY}",
            "m Successful 2/1/1/0/0/0/1 at 0 5, 2 kept",
        ],
        id="S60-within-the-limits",
    ),
    pytest.param(
        Story(metrics={"m": {}}, scripts={"m": "R,I"}, terminate_in_pass=2),
        [
            (
                'Inconclusive at 0: Metric "m" assessed Inconclusive due to inconclusive (1) >'
                ' inconclusiveLimit (0): "Error Message: Metric Terminated"'
            ),
            f"1/0/0/1/0 {NO_DRY}",
            "m Inconclusive 1/0/0/1/0/0/0 at 0 0, 1 kept: Metric Terminated",
        ],
        id="S61-in-flight-and-then-inconclusive",
    ),
    pytest.param(
        Story(metrics={"m": {"inconclusiveLimit": 1}}, scripts={"m": "R,I"}, terminate_in_pass=2),
        [
            "Successful at 0: Run Terminated",
            f"1/1/0/0/0 {NO_DRY}",
            "m Successful 1/0/0/1/0/0/0 at 0 0, 1 kept: Metric Terminated",
        ],
        id="S62-in-flight-and-then-tolerated",
    ),
    pytest.param(
        Story(metrics={"m": {}}, scripts={"m": "R,F killed"}, terminate_in_pass=2),
        [
            (
                'Failed at 0: Metric "m" assessed Failed due to failed (1) > failureLimit (0):'
                ' "Error Message: killed"'
            ),
            f"1/0/1/0/0 {NO_DRY}",
            "m Failed 1/0/1/0/0/0/0 at 0 0, 1 kept: killed",
        ],
        id="S63-in-flight-and-then-failed",
    ),
    pytest.param(
        Story(metrics={"m": {}}, scripts={"m": "R,I"}, dry_run=["m"], terminate_in_pass=2),
        [
            "Successful at 0: Run Terminated",
            "0/0/0/0/0 dry 1/0/0/1/0",
            (
                "m Inconclusive 1/0/0/1/0/0/0 at 0 0, 1 kept: Metric assessed Inconclusive due to"
                " inconclusive (1) > inconclusiveLimit (0)"
            ),
        ],
        id="S64-a-dry-run-in-flight",
    ),
]


@pytest.mark.parametrize(("story", "expected"), TERMINATED)
def test_somebody_asks_for_the_end(story: Story, expected: list[str]) -> None:
    """The whole outcome of a run that is terminated."""
    assert play(story).told() == expected
