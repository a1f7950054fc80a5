"""What one measurement, or one assessment, changes. ``S`` marks a worked case of Argo Rollouts."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.assess import assess, ended_by_cap, gave_up, record, terminated, trimmed
from gateway.limits import MetricRules
from gateway.model import Phase
from gateway.run_status import Measurement, MetricResult, RunStatus, Summary

NOW = 1_700_000_000.0
M = MetricRules(name="m")


def measured(phase: Phase = Phase.SUCCESSFUL, message: str = "", at: float = NOW) -> Measurement:
    """A measurement that took no time."""
    return Measurement(phase=phase, message=message, started_at_unix_s=at, finished_at_unix_s=at)


IN_FLIGHT = Measurement(
    phase=Phase.RUNNING, started_at_unix_s=NOW - 30, resume_at_unix_s=NOW, metadata={"job": "j"}
)
ENDED = RunStatus(phase=Phase.SUCCESSFUL, completed_at_unix_s=NOW - 99, message="done")


def seeded(*measurements: Measurement, **counters: int) -> RunStatus:
    """A run under way whose ``m`` has counters that no script leads to."""
    result = MetricResult(name="m", measurements=measurements, **counters)
    return RunStatus(phase=Phase.RUNNING, metric_results=(result,), started_at_unix_s=NOW - 100)


@pytest.mark.parametrize(
    ("phase", "expected"),
    [
        pytest.param(
            Phase.SUCCESSFUL,
            {"count": 11, "successful": 5, "consecutive_success": 3},
            id="a-success-ends-the-errors-in-a-row",
        ),
        pytest.param(Phase.FAILED, {"count": 11, "failed": 4}, id="a-failure-ends-both-rows"),
        pytest.param(
            Phase.INCONCLUSIVE, {"count": 11, "inconclusive": 4}, id="so-does-an-inconclusive-one"
        ),
        pytest.param(
            Phase.ERROR, {"error": 8, "consecutive_error": 3}, id="an-error-is-not-counted"
        ),
    ],
)
def test_a_measurement_is_counted(phase: Phase, expected: dict[str, int]) -> None:
    """Totals grow by one; of the two rows one grows and the other begins anew."""
    totals = {"count": 10, "successful": 4, "failed": 3, "inconclusive": 3, "error": 7}
    before = seeded(
        measured(Phase.ERROR, at=NOW - 9), **totals, consecutive_error=2, consecutive_success=2
    )
    after = record([M], before, "m", measured(phase, "why"), metadata={"late": "x"})
    rows = {"consecutive_error": 0, "consecutive_success": 0}
    result = MetricResult(
        name="m",
        measurements=(measured(Phase.ERROR, at=NOW - 9), measured(phase, "why")),
        **(totals | rows | expected),
    )
    assert after == replace(before, metric_results=(result,))


def test_news_of_a_measurement_in_flight_take_its_place() -> None:
    """It is one measurement, counted when it has finished."""
    first = measured(at=NOW - 60)
    before = seeded(first, IN_FLIGHT, count=1, successful=1, consecutive_success=1)
    asleep = replace(IN_FLIGHT, resume_at_unix_s=NOW + 15)
    after = record([M], before, "m", asleep, metadata={})
    assert after == seeded(first, asleep, count=1, successful=1, consecutive_success=1)
    finished = replace(asleep, phase=Phase.FAILED, finished_at_unix_s=NOW + 16)
    last = record([M], after, "m", finished, metadata={})
    assert last == seeded(first, finished, count=2, successful=1, failed=1)


def test_results_stand_in_the_order_of_the_metrics() -> None:
    """Whichever was first to finish; metadata and dry run are those of the first measurement."""
    rules = [MetricRules(name="b", is_dry_run=True), MetricRules(name="a")]
    status = record(rules, RunStatus(), "a", measured(), metadata={"query": "q"})
    status = record(rules, status, "b", IN_FLIGHT, metadata={})
    assert [each.name for each in status.metric_results] == ["b", "a"]
    status = record(rules, status, "a", measured(), metadata={"query": "another"})
    told = [(each.name, each.is_dry_run, each.metadata) for each in status.metric_results]
    assert told == [("b", True, {}), ("a", False, {"query": "q"})]


def test_times_are_kept_to_the_millisecond() -> None:
    """What is less than a millisecond is cut off."""
    measurement = Measurement(
        phase=Phase.RUNNING,
        started_at_unix_s=NOW + 0.0019,
        finished_at_unix_s=NOW + 0.9999,
        resume_at_unix_s=NOW + 1.001,
    )
    status = record([M], RunStatus(), "m", measurement, metadata={})
    assert status.metric_results[0].measurements == (
        Measurement(
            phase=Phase.RUNNING,
            started_at_unix_s=1_700_000_000.001,
            finished_at_unix_s=1_700_000_000.999,
            resume_at_unix_s=1_700_000_001.001,
        ),
    )
    status = assess([M], RunStatus(), is_terminated=True, now_unix_s=NOW + 0.0029)
    assert (status.started_at_unix_s, status.completed_at_unix_s) == (1_700_000_000.002,) * 2


@given(st.integers(0, 4_000_000_000_000))
def test_cutting_a_time_again_changes_nothing(milliseconds: int) -> None:
    """Else a measurement that is resumed would drift into the past."""
    started_at = milliseconds / 1000
    in_flight = Measurement(phase=Phase.RUNNING, started_at_unix_s=started_at)
    status = record([M], RunStatus(), "m", in_flight, metadata={})
    assert status.metric_results[0].measurements == (in_flight,)


def test_a_measurement_that_lacks_its_end_ended_when_it_began() -> None:
    """It must not pass for one in flight."""
    endless = Measurement(phase=Phase.ERROR, started_at_unix_s=NOW)
    status = record([M], RunStatus(), "m", endless, metadata={})
    assert status.metric_results[0].measurements == (measured(Phase.ERROR),)


@pytest.mark.parametrize(
    ("phase", "message"),
    [
        pytest.param(Phase.SUCCESSFUL, "Metric Terminated", id="successful"),
        pytest.param(Phase.INCONCLUSIVE, "Metric Terminated", id="inconclusive"),
        pytest.param(Phase.FAILED, "its own", id="failed"),
        pytest.param(Phase.ERROR, "its own", id="error"),
        pytest.param(Phase.RUNNING, "its own", id="still-running"),
    ],
)
def test_what_was_stopped_says_so_unless_it_has_to_say_more(phase: Phase, message: str) -> None:
    """Argo's words for a measurement that came to nothing bad."""
    assert terminated(measured(phase, "its own")) == measured(phase, message)


@pytest.mark.parametrize(
    ("before", "outcome", "phase", "message"),
    [
        pytest.param(
            seeded(measured(), failed=5, consecutive_error=4, error=4),
            measured(Phase.ERROR),
            Phase.ERROR,
            'Metric "m" assessed Error due to consecutiveErrors (5) > consecutiveErrorLimit (4)',
            id="S66-the-error-limit-is-asked-last",
        ),
        pytest.param(
            seeded(IN_FLIGHT, failed=2, inconclusive=2),
            measured(),
            Phase.INCONCLUSIVE,
            'Metric "m" assessed Inconclusive due to inconclusive (2) > inconclusiveLimit (0)',
            id="S67-the-inconclusive-limit-is-asked-after-failures",
        ),
        pytest.param(
            seeded(IN_FLIGHT, failed=5),
            IN_FLIGHT,
            Phase.RUNNING,
            "",
            id="S68-limits-wait-for-what-is-in-flight",
        ),
    ],
)
def test_a_seeded_run_goes_on(
    before: RunStatus, outcome: Measurement, phase: Phase, message: str
) -> None:
    """Counters that jump: in a metric Error beats Inconclusive, and Inconclusive beats Failed."""
    status = record([M], before, "m", outcome, metadata={})
    status = assess([M], status, is_terminated=False, now_unix_s=NOW)
    told = (status.phase, status.message, [each.phase for each in status.metric_results])
    assert told == (phase, message, [phase])


def test_the_end_that_is_asked_for_does_not_save_what_was_decided() -> None:
    """S65: Failed for want of successes in a row, with a message about something else."""
    rules = [
        MetricRules(
            name="m", consecutive_success_limit=2, failure_limit=-1, count=2, interval_s=5.0
        )
    ]
    before = seeded(measured(), count=2, successful=1, failed=1, consecutive_success=1)
    assert assess(rules, before, is_terminated=True, now_unix_s=NOW) == RunStatus(
        phase=Phase.FAILED,
        message="Run Terminated",
        metric_results=(replace(before.metric_results[0], phase=Phase.FAILED),),
        started_at_unix_s=NOW - 100,
        completed_at_unix_s=NOW,
        run_summary=Summary(count=1, successful=1),
        dry_run_summary=Summary(),
    )


def test_a_result_without_measurements_is_pending() -> None:
    """A status that nobody here wrote; it is Successful as soon as the run is to end."""
    before = seeded()
    told = [
        assess([M], before, is_terminated=asked, now_unix_s=NOW).metric_results
        for asked in (False, True)
    ]
    expected = [Phase.PENDING, Phase.SUCCESSFUL]
    assert told == [(MetricResult(name="m", phase=phase),) for phase in expected]


def test_what_is_left_of_the_measurements_is_the_newest() -> None:
    """S41, and a metric beside it that has few enough."""
    measurements = tuple(measured(at=NOW + second) for second in range(3))
    results = (
        MetricResult(name="m", measurements=measurements, count=3),
        MetricResult(name="n", measurements=measurements, count=3),
    )
    rules = [MetricRules(name="m", retention=1), MetricRules(name="n", retention=3)]
    assert trimmed(rules, RunStatus(metric_results=results)).metric_results == (
        MetricResult(name="m", measurements=measurements[2:], count=3),
        results[1],
    )


def test_nothing_is_left_out_if_there_is_room() -> None:
    """The status is the same object."""
    status = seeded(*[measured()] * 10)
    assert trimmed([M], status) is status


def test_a_run_that_cannot_go_on_ends_in_error() -> None:
    """What was measured stays; the end is dated, so that the run is deleted some day."""
    before = seeded(measured(), count=1, successful=1)
    after = gave_up(before, "Analysis spec invalid: no metrics specified", now_unix_s=NOW + 0.0005)
    assert after == replace(
        before,
        phase=Phase.ERROR,
        message="Analysis spec invalid: no metrics specified",
        completed_at_unix_s=NOW,
    )


def test_a_run_that_lasts_too_long_is_inconclusive() -> None:
    """It says how long it might have lasted, and which setting says so."""
    before = seeded(IN_FLIGHT)
    assert ended_by_cap(before, max_duration_s=86_400, now_unix_s=NOW) == replace(
        before,
        phase=Phase.INCONCLUSIVE,
        message="Run did not end within 86400s (runs.maxDuration)",
        completed_at_unix_s=NOW,
    )


@pytest.mark.parametrize("asked", [False, True])
def test_a_run_that_has_ended_never_changes(*, asked: bool) -> None:
    """S70: not by what is wrong with its spec now, nor by anything else."""
    bad = measured(Phase.FAILED)
    assert gave_up(ENDED, "Analysis spec invalid: x", now_unix_s=NOW) is ENDED
    assert ended_by_cap(ENDED, max_duration_s=86_400, now_unix_s=NOW) is ENDED
    assert record([M], ENDED, "m", bad, metadata={}) is ENDED
    assert assess([M], ENDED, is_terminated=asked, now_unix_s=NOW) is ENDED
