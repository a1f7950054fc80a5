"""Why a run that is planned came out as it did, in sentences without secrets."""

from collections.abc import Iterator

from gateway.limits import MetricRules
from gateway.reasons import Decided, newest_decisive, of_run, run_reason
from gateway.run_status import Measurement, MetricResult, RunStatus
from gateway.runs.plans import RunPlan
from gateway.verdict import Measurement as Judged


def judged(plan: RunPlan, metric_name: str, measurement: Measurement) -> Judged:
    """A measurement of a run, with what led to its phase."""
    metric = plan.metrics[metric_name].plan
    masked = plan.planned.redaction.text
    return of_run(
        measurement,
        metric=metric_name,
        provider=metric.provider_name,
        success_condition=masked(metric.success_condition),
        failure_condition=masked(metric.failure_condition),
    )


def measured(plan: RunPlan, status: RunStatus) -> Iterator[tuple[MetricRules, MetricResult]]:
    """The metrics that there are results of, in their order."""
    for rules in plan.rules:
        result = status.result_of(rules.name)
        if result is not None:
            yield rules, result


def conclusion(plan: RunPlan | None, status: RunStatus) -> str:
    """Why a run ended as it did; Argo's message if it could not be planned."""
    return status.message if plan is None else run_reason(status, list(_decided(plan, status)))


def by_metric(plan: RunPlan, status: RunStatus) -> dict[str, str]:
    """Why each metric is as it is, by its name: how it ended, or its newest measurement."""
    return {each.result.name: each.reason for each in _decided(plan, status)}


def _decided(plan: RunPlan, status: RunStatus) -> Iterator[Decided]:
    for rules, result in measured(plan, status):
        newest = newest_decisive(result)
        decisive = None if newest is None else judged(plan, result.name, newest)
        yield Decided(rules, result, decisive)
