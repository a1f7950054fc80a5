"""Worked cases of Argo Rollouts' state machine (9f8d111d8): when a metric is measured.

Written as in ``test_assess_limits``.
"""

import pytest
from virtual_runs import Story, play

from gateway.template import RetentionRule

FAST = {"interval": "5s"}
NO_DRY = "dry 0/0/0/0/0"


def once(**fields: object) -> dict[str, dict[str, object]]:
    """A spec with the one metric ``m``."""
    return {"m": fields}


def kept(limit: int) -> list[RetentionRule]:
    """A rule for ``m``."""
    return [RetentionRule(metricName="m", limit=limit)]


PACE = [
    pytest.param(
        Story(metrics=once(count=0), scripts={"m": "S"}),
        ["Successful at 0", f"1/1/0/0/0 {NO_DRY}", "m Successful 1/1/0/0/0/0/1 at 0, 1 kept"],
        id="S29-a-count-of-nothing-without-an-interval-is-one",
    ),
    pytest.param(
        Story(metrics=once(count=0, **FAST), scripts={"m": "S..."}, until_s=20),
        [
            "Running",
            f"1/0/0/0/0 {NO_DRY}",
            "m Running 5/5/0/0/0/0/5 at 0 5 10 15 20, 5 kept",
        ],
        id="S30-a-count-of-nothing-with-an-interval-never-ends",
    ),
    pytest.param(
        Story(metrics=once(count="abc"), scripts={"m": "S"}),
        ["Successful at 0", f"1/1/0/0/0 {NO_DRY}", "m Successful 1/1/0/0/0/0/1 at 0, 1 kept"],
        id="S31-a-count-that-is-no-number-is-nothing",
    ),
    pytest.param(
        Story(
            metrics=once(count="{{args.c}}", interval="{{ args.i }}", failureLimit="{{args.f}}"),
            arguments={"c": "3", "i": "5s", "f": "1"},
            scripts={"m": "F,S,F"},
        ),
        [
            'Failed at 10: Metric "m" assessed Failed due to failed (2) > failureLimit (1)',
            f"1/0/1/0/0 {NO_DRY}",
            "m Failed 3/1/2/0/0/0/0 at 0 5 10, 3 kept",
        ],
        id="S32-numbers-come-from-arguments",
    ),
    pytest.param(
        Story(metrics=once(count="99999999999999999999", **FAST), scripts={"m": "S"}),
        ["Successful at 0", f"1/1/0/0/0 {NO_DRY}", "m Successful 1/1/0/0/0/0/1 at 0, 1 kept"],
        id="S33-a-count-beyond-all-bounds-is-negative",
    ),
    pytest.param(
        Story(metrics=once(count=3, interval="0s"), scripts={"m": "S,S,S"}),
        [
            "Successful at 0",
            f"1/1/0/0/0 {NO_DRY}",
            "m Successful 3/3/0/0/0/0/3 at 0 0 0, 3 kept",
        ],
        id="S34-no-interval-is-one-measurement-after-the-other",
    ),
    pytest.param(
        Story(metrics=once(count=3, interval="-5s"), scripts={"m": "S,S,S"}),
        [
            "Successful at 0",
            f"1/1/0/0/0 {NO_DRY}",
            "m Successful 3/3/0/0/0/0/3 at 0 0 0, 3 kept",
        ],
        id="S34-a-negative-interval-is-none",
    ),
    pytest.param(
        Story(metrics=once(initialDelay="20s"), scripts={"m": "S"}),
        ["Successful at 20", f"1/1/0/0/0 {NO_DRY}", "m Successful 1/1/0/0/0/0/1 at 20, 1 kept"],
        id="S35-the-first-measurement-waits-for-the-delay",
    ),
    pytest.param(
        Story(metrics=once(), scripts={"m": "R+15,R+15,S"}),
        [
            "Successful at 30",
            f"1/1/0/0/0 {NO_DRY}",
            "m Successful 1/1/0/0/0/0/1 at 0 15 30, 1 kept",
        ],
        id="S38-what-is-in-flight-stays-one-measurement",
    ),
    pytest.param(
        Story(metrics=once(), scripts={"m": "R+15,E,S"}),
        [
            "Successful at 25",
            f"1/1/0/0/0 {NO_DRY}",
            "m Successful 1/1/0/0/1/0/1 at 0 15 25, 2 kept",
        ],
        id="S39-what-fails-in-flight-is-measured-anew",
    ),
    pytest.param(
        Story(metrics=once(count=12, **FAST), scripts={"m": "S..."}),
        [
            "Successful at 55",
            f"1/1/0/0/0 {NO_DRY}",
            "m Successful 12/12/0/0/0/0/12 at 0 5 10 15 20 25 30 35 40 45 50 55, 10 kept",
        ],
        id="S40-ten-measurements-are-kept-and-all-are-counted",
    ),
    pytest.param(
        Story(metrics=once(count=3, **FAST), scripts={"m": "S..."}, retention=kept(1)),
        [
            "Successful at 10",
            f"1/1/0/0/0 {NO_DRY}",
            "m Successful 3/3/0/0/0/0/3 at 0 5 10, 1 kept",
        ],
        id="S41-a-rule-keeps-fewer",
    ),
    pytest.param(
        Story(metrics=once(count=12, **FAST), scripts={"m": "S..."}, retention=kept(0)),
        [
            "Successful at 55",
            f"1/1/0/0/0 {NO_DRY}",
            "m Successful 12/12/0/0/0/0/12 at 0 5 10 15 20 25 30 35 40 45 50 55, 10 kept",
        ],
        id="S42-a-rule-cannot-keep-nothing",
    ),
    pytest.param(
        Story(metrics={"n": {}}, scripts={"n": "E no valid provider in metric 'n'..."}),
        [
            (
                'Error at 40: Metric "n" assessed Error due to consecutiveErrors (5) >'
                " consecutiveErrorLimit (4): \"Error Message: no valid provider in metric 'n'\""
            ),
            f"1/0/0/0/1 {NO_DRY}",
            "n Error 0/0/0/0/5/5/0 at 0 10 20 30 40, 5 kept: no valid provider in metric 'n'",
        ],
        id="S69-a-provider-that-cannot-be-built-is-tried-again",
    ),
]


@pytest.mark.parametrize(("story", "expected"), PACE)
def test_count_interval_and_delay_set_the_pace(story: Story, expected: list[str]) -> None:
    """The whole outcome of a run with one metric, attempts included."""
    assert play(story).told() == expected


@pytest.mark.parametrize("delay", ["0s", "-20s"])
def test_a_delay_of_nothing_still_skips_the_first_pass(delay: str) -> None:
    """S36: measured in the second pass, which comes at once."""
    played = play(Story(metrics=once(initialDelay=delay), scripts={"m": "S"}))
    assert [status.metric_results != () for _, status in played.passes] == [False, True]
    assert played.told() == [
        "Successful at 0",
        f"1/1/0/0/0 {NO_DRY}",
        "m Successful 1/1/0/0/0/0/1 at 0, 1 kept",
    ]
