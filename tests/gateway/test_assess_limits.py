"""Worked cases of Argo Rollouts' state machine: each was seen in the original (9f8d111d8).

Counters are count/successful/failed/inconclusive/error/consecutiveError/consecutiveSuccess,
summaries are count/successful/failed/inconclusive/error. Cases that begin in the middle of a run
are in ``test_assess``.
"""

import pytest
from virtual_runs import Story, play

FAST = {"interval": "5s"}
SLOW = {"interval": "60s"}
NO_DRY = "dry 0/0/0/0/0"


def once(**fields: object) -> dict[str, dict[str, object]]:
    """A spec with the one metric ``m``."""
    return {"m": fields}


ONE_METRIC = [
    pytest.param(
        Story(metrics=once(), scripts={"m": "S"}),
        ["Successful at 0", f"1/1/0/0/0 {NO_DRY}", "m Successful 1/1/0/0/0/0/1 at 0, 1 kept"],
        id="S01-one-success-is-enough",
    ),
    pytest.param(
        Story(metrics=once(), scripts={"m": "F boom"}),
        [
            (
                'Failed at 0: Metric "m" assessed Failed due to failed (1) > failureLimit (0):'
                ' "Error Message: boom"'
            ),
            f"1/0/1/0/0 {NO_DRY}",
            "m Failed 1/0/1/0/0/0/0 at 0, 1 kept: boom",
        ],
        id="S02-one-failure-is-too-much",
    ),
    pytest.param(
        Story(metrics=once(), scripts={"m": "F"}),
        [
            'Failed at 0: Metric "m" assessed Failed due to failed (1) > failureLimit (0)',
            f"1/0/1/0/0 {NO_DRY}",
            "m Failed 1/0/1/0/0/0/0 at 0, 1 kept",
        ],
        id="S03-a-failure-without-a-message",
    ),
    pytest.param(
        Story(metrics=once(), scripts={"m": "I"}),
        [
            (
                'Inconclusive at 0: Metric "m" assessed Inconclusive due to'
                " inconclusive (1) > inconclusiveLimit (0)"
            ),
            f"1/0/0/1/0 {NO_DRY}",
            "m Inconclusive 1/0/0/1/0/0/0 at 0, 1 kept",
        ],
        id="S04-one-inconclusive-measurement-is-too-much",
    ),
    pytest.param(
        Story(metrics=once(), scripts={"m": "E bad..."}),
        [
            (
                'Error at 40: Metric "m" assessed Error due to'
                ' consecutiveErrors (5) > consecutiveErrorLimit (4): "Error Message: bad"'
            ),
            f"1/0/0/0/1 {NO_DRY}",
            "m Error 0/0/0/0/5/5/0 at 0 10 20 30 40, 5 kept: bad",
        ],
        id="S05-the-fifth-error-in-a-row-is-too-much",
    ),
    pytest.param(
        Story(metrics=once(**SLOW), scripts={"m": "E bad..."}),
        [
            (
                'Error at 40: Metric "m" assessed Error due to'
                ' consecutiveErrors (5) > consecutiveErrorLimit (4): "Error Message: bad"'
            ),
            f"1/0/0/0/1 {NO_DRY}",
            "m Error 0/0/0/0/5/5/0 at 0 10 20 30 40, 5 kept: bad",
        ],
        id="S06-errors-do-not-wait-for-the-interval",
    ),
    pytest.param(
        Story(metrics=once(), scripts={"m": "E,E,S"}),
        [
            "Successful at 20",
            f"1/1/0/0/0 {NO_DRY}",
            "m Successful 1/1/0/0/2/0/1 at 0 10 20, 3 kept",
        ],
        id="S07-errors-do-not-count",
    ),
    pytest.param(
        Story(metrics=once(count=3, **SLOW), scripts={"m": "S,E,E,S,S"}),
        [
            "Successful at 140",
            f"1/1/0/0/0 {NO_DRY}",
            "m Successful 3/3/0/0/2/0/2 at 0 60 70 80 140, 5 kept",
        ],
        id="S08-after-an-error-the-interval-comes-back",
    ),
    pytest.param(
        Story(metrics=once(count=2, interval="2s"), scripts={"m": "E,S,S"}),
        [
            "Successful at 12",
            f"1/1/0/0/0 {NO_DRY}",
            "m Successful 2/2/0/0/1/0/2 at 0 10 12, 3 kept",
        ],
        id="S09-an-error-waits-longer-than-a-short-interval",
    ),
    pytest.param(
        Story(metrics=once(consecutiveErrorLimit=0), scripts={"m": "E"}),
        [
            (
                'Error at 0: Metric "m" assessed Error due to'
                " consecutiveErrors (1) > consecutiveErrorLimit (0)"
            ),
            f"1/0/0/0/1 {NO_DRY}",
            "m Error 0/0/0/0/1/1/0 at 0, 1 kept",
        ],
        id="S10-no-error-is-tolerated",
    ),
    pytest.param(
        Story(metrics=once(count=-1), scripts={"m": "E bad"}),
        [
            "Successful at 0",
            f"1/1/0/0/0 {NO_DRY}",
            "m Successful 0/0/0/0/1/1/0 at 0, 1 kept: bad",
        ],
        id="S11-a-negative-count-makes-a-success-of-an-error",
    ),
    pytest.param(
        Story(metrics=once(count=-1), scripts={"m": "F"}),
        [
            'Failed at 0: Metric "m" assessed Failed due to failed (1) > failureLimit (0)',
            f"1/0/1/0/0 {NO_DRY}",
            "m Failed 1/0/1/0/0/0/0 at 0, 1 kept",
        ],
        id="S12-a-negative-count-saves-no-failure",
    ),
    pytest.param(
        Story(metrics=once(count=5, failureLimit=2, **FAST), scripts={"m": "F,S,F,S,F"}),
        [
            'Failed at 20: Metric "m" assessed Failed due to failed (3) > failureLimit (2)',
            f"1/0/1/0/0 {NO_DRY}",
            "m Failed 5/2/3/0/0/0/0 at 0 5 10 15 20, 5 kept",
        ],
        id="S13-failures-add-up",
    ),
    pytest.param(
        Story(metrics=once(count=5, failureLimit=3, **FAST), scripts={"m": "F,S,F,S,F"}),
        [
            "Successful at 20",
            f"1/1/0/0/0 {NO_DRY}",
            "m Successful 5/2/3/0/0/0/0 at 0 5 10 15 20, 5 kept",
        ],
        id="S14-as-many-failures-as-the-limit-are-tolerated",
    ),
    pytest.param(
        Story(metrics=once(count=3, failureLimit=3, **FAST), scripts={"m": "F,F,F"}),
        [
            "Successful at 10",
            f"1/1/0/0/0 {NO_DRY}",
            "m Successful 3/0/3/0/0/0/0 at 0 5 10, 3 kept",
        ],
        id="S15-all-measurements-may-fail",
    ),
    pytest.param(
        Story(metrics=once(count=1, failureLimit=1), scripts={"m": "F z"}),
        ["Successful at 0", f"1/1/0/0/0 {NO_DRY}", "m Successful 1/0/1/0/0/0/0 at 0, 1 kept: z"],
        id="S16-a-tolerated-failure-leaves-its-message",
    ),
    pytest.param(
        Story(metrics=once(count=3, inconclusiveLimit=1, **FAST), scripts={"m": "I,S,I"}),
        [
            (
                'Inconclusive at 10: Metric "m" assessed Inconclusive due to'
                " inconclusive (2) > inconclusiveLimit (1)"
            ),
            f"1/0/0/1/0 {NO_DRY}",
            "m Inconclusive 3/1/0/2/0/0/0 at 0 5 10, 3 kept",
        ],
        id="S17-inconclusive-measurements-add-up",
    ),
    pytest.param(
        Story(metrics=once(count=3, inconclusiveLimit=2, **FAST), scripts={"m": "I,S,I"}),
        [
            "Successful at 10",
            f"1/1/0/0/0 {NO_DRY}",
            "m Successful 3/1/0/2/0/0/0 at 0 5 10, 3 kept",
        ],
        id="S18-as-many-inconclusive-ones-as-the-limit-are-tolerated",
    ),
    pytest.param(
        Story(
            metrics=once(consecutiveSuccessLimit=2, failureLimit=-1, **FAST),
            scripts={"m": "F,S,F,S,S"},
        ),
        [
            "Successful at 20",
            f"1/1/0/0/0 {NO_DRY}",
            "m Successful 5/3/2/0/0/0/2 at 0 5 10 15 20, 5 kept",
        ],
        id="S19-two-successes-in-a-row-end-it",
    ),
    pytest.param(
        Story(
            metrics=once(consecutiveSuccessLimit=2, failureLimit=1, count=10, **FAST),
            scripts={"m": "F,S,S"},
        ),
        [
            "Successful at 10",
            f"1/1/0/0/0 {NO_DRY}",
            "m Successful 3/2/1/0/0/0/2 at 0 5 10, 3 kept",
        ],
        id="S20-successes-in-a-row-end-it-before-the-count",
    ),
    pytest.param(
        Story(metrics=once(consecutiveSuccessLimit=2, **FAST), scripts={"m": "S,E,S,S"}),
        [
            "Successful at 20",
            f"1/1/0/0/0 {NO_DRY}",
            "m Successful 3/3/0/0/1/0/2 at 0 5 15 20, 4 kept",
        ],
        id="S21-an-error-breaks-the-row",
    ),
    pytest.param(
        Story(
            metrics=once(consecutiveSuccessLimit=3, failureLimit=0, count=3, **FAST),
            scripts={"m": "S,E,S,S"},
        ),
        [
            "Inconclusive at 20",
            f"1/1/0/0/0 {NO_DRY}",
            "m Inconclusive 3/3/0/0/1/0/2 at 0 5 15 20, 4 kept",
        ],
        id="S22-the-row-is-too-short-at-the-count",
    ),
    pytest.param(
        Story(metrics=once(consecutiveSuccessLimit=2), scripts={"m": "S"}),
        ["Inconclusive at 0", f"1/1/0/0/0 {NO_DRY}", "m Inconclusive 1/1/0/0/0/0/1 at 0, 1 kept"],
        id="S23-one-measurement-is-no-row-of-two",
    ),
    pytest.param(
        Story(metrics=once(consecutiveSuccessLimit=2, failureLimit=-1), scripts={"m": "S"}),
        ["Failed at 0", f"1/1/0/0/0 {NO_DRY}", "m Failed 1/1/0/0/0/0/1 at 0, 1 kept"],
        id="S24-without-a-failure-limit-too-short-a-row-is-a-failure",
    ),
    pytest.param(
        Story(
            metrics=once(
                consecutiveSuccessLimit=3, failureLimit=1, inconclusiveLimit=3, count=5, **FAST
            ),
            scripts={"m": "I,S,S,I,S"},
        ),
        [
            "Inconclusive at 20",
            f"1/1/0/0/0 {NO_DRY}",
            "m Inconclusive 5/3/0/2/0/0/1 at 0 5 10 15 20, 5 kept",
        ],
        id="S25-inconclusive-ones-break-the-row",
    ),
    pytest.param(
        Story(
            metrics=once(consecutiveSuccessLimit=3, failureLimit=-1, count=4, **FAST),
            scripts={"m": "S,S,F,S"},
        ),
        [
            "Failed at 15",
            f"1/1/0/0/0 {NO_DRY}",
            "m Failed 4/3/1/0/0/0/1 at 0 5 10 15, 4 kept",
        ],
        id="S26-a-failure-breaks-the-row",
    ),
]


@pytest.mark.parametrize(("story", "expected"), ONE_METRIC)
def test_limits_decide_one_metric(story: Story, expected: list[str]) -> None:
    """The whole outcome of a run with one metric, attempts included."""
    assert play(story).told() == expected
