"""What happened between two statuses of a run, for those who watch it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gateway.run_document import counters_json, measurement_json, summary_json
from gateway.run_status import Measurement, MetricResult, RunStatus, Summary


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    type: str
    """``measurement``, ``metric``, ``phase`` or ``end``."""
    data: Mapping[str, object]
    """JSON-ready, in the words of the run's document."""


def changes(before: RunStatus, after: RunStatus) -> tuple[Event, ...]:
    """All that is new in ``after``.

    Returns:
        In this order: a ``measurement`` for each that has started in flight or has finished, oldest
        first, as far as it is still kept; a ``metric`` for each that is completed now; a ``phase``
        if the run's has changed; an ``end`` if the run is completed now.

    """
    pairs = [
        (before.result_of(result.name) or MetricResult(name=result.name), result)
        for result in after.metric_results
    ]
    events = [
        Event("measurement", _measurement_data(now, measurement))
        for was, now in pairs
        for measurement in news(was, now)
    ]
    events += [
        Event("metric", _metric_data(now))
        for was, now in pairs
        if now.phase.is_completed and not was.phase.is_completed
    ]
    if after.phase is not before.phase:
        events.append(Event("phase", {"phase": str(after.phase), "message": after.message}))
        if after.phase.is_completed:
            events.append(Event("end", _end_data(after)))
    return tuple(events)


def news(was: MetricResult, now: MetricResult) -> Iterator[Measurement]:
    """The measurements that have started in flight, or have finished, since ``was``; oldest first.

    Those that are not kept any more are left out.
    """
    # Old ones are dropped as new ones come: only the counters tell how many have finished.
    finished = [each for each in now.measurements if each.finished_at_unix_s is not None]
    fresh = (now.count + now.error) - (was.count + was.error)
    yield from finished[max(len(finished) - fresh, 0) :]
    if now.in_flight is not None and (fresh or was.in_flight is None):
        yield now.in_flight


def _measurement_data(result: MetricResult, measurement: Measurement) -> Mapping[str, object]:
    return {
        "metric": result.name,
        "phase": str(result.phase),
        "measurement": measurement_json(measurement),
        **counters_json(result),
    }


def _metric_data(result: MetricResult) -> Mapping[str, object]:
    return {
        "metric": result.name,
        "phase": str(result.phase),
        "message": result.message,
        "dryRun": result.is_dry_run,
    }


def _end_data(status: RunStatus) -> Mapping[str, object]:
    return {
        "phase": str(status.phase),
        "message": status.message,
        "runSummary": summary_json(status.run_summary),
        "dryRunSummary": summary_json(status.dry_run_summary or Summary()),
    }
