"""What watchers hear of a step."""

from dataclasses import replace

import pytest

from gateway.model import Phase
from gateway.run_events import Event, changes
from gateway.run_status import Measurement, MetricResult, RunStatus, Summary

NOW = 1_700_000_000.0
ZEROS = {
    "count": 0,
    "successful": 0,
    "failed": 0,
    "inconclusive": 0,
    "error": 0,
    "consecutiveError": 0,
    "consecutiveSuccess": 0,
}
NEW = RunStatus()


def measured(phase: Phase, second: int) -> Measurement:
    """A measurement that took a second; one that is Running has not finished."""
    return Measurement(
        phase=phase,
        started_at_unix_s=NOW + second,
        finished_at_unix_s=NOW + second + 1 if phase.is_completed else None,
    )


def told(phase: str, second: int) -> dict[str, object]:
    """The same as watchers get it."""
    content = {"phase": phase, "startedAt": f"2023-11-14T22:13:{20 + second}.000Z"}
    if phase == "Running":
        return content
    return content | {"finishedAt": f"2023-11-14T22:13:{21 + second}.000Z"}


def run(*results: MetricResult, phase: Phase = Phase.RUNNING, message: str = "") -> RunStatus:
    """A run in which so much has happened."""
    return RunStatus(phase=phase, message=message, metric_results=results)


def m(*measurements: Measurement, phase: Phase = Phase.RUNNING, **counters: int) -> MetricResult:
    """What is known of the metric ``m``."""
    return MetricResult(name="m", phase=phase, measurements=measurements, **counters)


def measurement(phase: str, second: int, of: str = "Running", **counters: int) -> Event:
    """The event of a measurement of ``m``."""
    data = {"metric": "m", "phase": of, "measurement": told(phase, second), **ZEROS, **counters}
    return Event("measurement", data)


IN_FLIGHT = measured(Phase.RUNNING, 4)
S0, S4 = measured(Phase.SUCCESSFUL, 0), measured(Phase.SUCCESSFUL, 4)
E0, S8 = measured(Phase.ERROR, 0), measured(Phase.SUCCESSFUL, 8)
GOES_ON = Event("phase", {"phase": "Running", "message": ""})


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(NEW, NEW, [], id="nothing-happened"),
        pytest.param(NEW, run(), [GOES_ON], id="a-run-that-waits-for-a-delay"),
        pytest.param(
            NEW,
            run(m(S0, count=1, successful=1, consecutive_success=1)),
            [measurement("Successful", 0, count=1, successful=1, consecutiveSuccess=1), GOES_ON],
            id="the-first-measurement",
        ),
        pytest.param(
            run(m(S0, count=1)),
            run(m(S0, S4, count=2)),
            [measurement("Successful", 4, count=2)],
            id="one-more-measurement",
        ),
        pytest.param(
            run(m(E0, error=1, consecutive_error=1)),
            run(m(S4, error=1, count=1)),
            [measurement("Successful", 4, error=1, count=1)],
            id="one-more-of-which-one-is-kept",
        ),
        pytest.param(
            run(m(S0, count=5)),
            run(m(E0, count=5, error=1, consecutive_error=1)),
            [measurement("Error", 0, count=5, error=1, consecutiveError=1)],
            id="an-error-is-a-measurement",
        ),
        pytest.param(
            run(m(S0, count=1)),
            run(m(S4, S8, count=4)),
            [measurement("Successful", 4, count=4), measurement("Successful", 8, count=4)],
            id="more-than-are-kept",
        ),
        pytest.param(
            run(m(S0, count=1)),
            run(m(S0, IN_FLIGHT, count=1)),
            [measurement("Running", 4, count=1)],
            id="one-is-in-flight",
        ),
        pytest.param(
            run(m(S0, IN_FLIGHT, count=1)),
            run(m(S0, replace(IN_FLIGHT, resume_at_unix_s=NOW + 60), count=1)),
            [],
            id="it-is-still-in-flight",
        ),
        pytest.param(
            run(m(S0, IN_FLIGHT, count=1)),
            run(m(S0, S4, count=2)),
            [measurement("Successful", 4, count=2)],
            id="what-was-in-flight-has-finished",
        ),
        pytest.param(
            run(m(S0, IN_FLIGHT, count=1)),
            run(m(S0, S4, measured(Phase.RUNNING, 9), count=2)),
            [measurement("Successful", 4, count=2), measurement("Running", 9, count=2)],
            id="it-has-finished-and-the-next-one-is-in-flight",
        ),
        pytest.param(
            run(m(S0, count=1)),
            run(m(S0, S4, count=2, phase=Phase.SUCCESSFUL)),
            [
                measurement("Successful", 4, of="Successful", count=2),
                Event(
                    "metric",
                    {"metric": "m", "phase": "Successful", "message": "", "dryRun": False},
                ),
            ],
            id="a-metric-is-completed",
        ),
        pytest.param(
            run(m(S0, count=1, phase=Phase.SUCCESSFUL)),
            run(m(S0, count=1, phase=Phase.SUCCESSFUL)),
            [],
            id="a-metric-was-completed-before",
        ),
        pytest.param(
            run(),
            run(phase=Phase.ERROR, message="Analysis spec invalid: x"),
            [
                Event("phase", {"phase": "Error", "message": "Analysis spec invalid: x"}),
                Event(
                    "end",
                    {
                        "phase": "Error",
                        "message": "Analysis spec invalid: x",
                        "runSummary": {},
                        "dryRunSummary": {},
                    },
                ),
            ],
            id="a-run-gives-up-before-it-was-assessed",
        ),
    ],
)
def test_a_step_is_told(before: RunStatus, after: RunStatus, expected: list[Event]) -> None:
    """What is new, once each, and nothing of what is not."""
    assert changes(before, after) == tuple(expected)


def test_the_end_comes_last() -> None:
    """All measurements, then all metrics, then the run."""
    dry = MetricResult(
        name="d", phase=Phase.FAILED, message="no", measurements=(S0,), count=1, is_dry_run=True
    )
    after = replace(
        run(m(S4, count=1, phase=Phase.SUCCESSFUL), dry, phase=Phase.SUCCESSFUL, message="done"),
        run_summary=Summary(count=1, successful=1),
        dry_run_summary=Summary(count=1, failed=1),
    )
    of_dry = {"metric": "d", "phase": "Failed", "measurement": told("Successful", 0)}
    assert changes(run(), after) == (
        measurement("Successful", 4, of="Successful", count=1),
        Event("measurement", {**of_dry, **ZEROS, "count": 1}),
        Event("metric", {"metric": "m", "phase": "Successful", "message": "", "dryRun": False}),
        Event("metric", {"metric": "d", "phase": "Failed", "message": "no", "dryRun": True}),
        Event("phase", {"phase": "Successful", "message": "done"}),
        Event(
            "end",
            {
                "phase": "Successful",
                "message": "done",
                "runSummary": {"count": 1, "successful": 1},
                "dryRunSummary": {"count": 1, "failed": 1},
            },
        ),
    )
