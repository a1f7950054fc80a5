"""What a run's metrics are and how each is measured, remembered while the run is under way."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from gateway.limits import MetricRules, metric_rules
from gateway.planner import INLINE, Chosen, Planned, PlannedMetric, Planner
from gateway.run_manifest import LABEL_ANNOTATION, AnalysisRun, Order

MAX_REMEMBERED: Final = 20_000


@dataclass(frozen=True, slots=True)
class RunPlan:
    """A run, ready to be driven."""

    planned: Planned
    rules: tuple[MetricRules, ...]
    """One per metric, in the order of the spec."""
    metrics: Mapping[str, PlannedMetric]
    """By name."""


class Manifests(Protocol):
    """Where manifests of runs are."""

    async def manifest(self, run_id: str) -> Mapping[str, object]:
        """The manifest of a run. Raises RunNotFound, StoreUnavailable."""


class RunPlans:
    """Plans runs; a run with secrets anew from time to time, as their values may change."""

    def __init__(
        self,
        planner: Planner,
        manifests: Manifests,
        *,
        secrets_ttl_s: float,
        now_s: Callable[[], float],
    ) -> None:
        self._planner = planner
        self._manifests = manifests
        self._secrets_ttl_s = secrets_ttl_s
        self._now_s = now_s
        self._remembered: OrderedDict[str, tuple[float, RunPlan]] = OrderedDict()

    async def of(self, run_id: str) -> RunPlan:
        """The plan of a run.

        Raises:
            TemplateInvalid: it cannot be planned (any more), with every problem.
            RunNotFound: it is gone.
            StoreUnavailable: its manifest cannot be read.

        """
        kept = self._remembered.get(run_id)
        if kept is not None and self._now_s() < kept[0]:
            self._remembered.move_to_end(run_id)
            return kept[1]
        run = AnalysisRun.model_validate(await self._manifests.manifest(run_id))
        made = await plan_run(self._planner, _stored(run))
        ttl_s = self._secrets_ttl_s if made.planned.redaction else float("inf")
        self._remembered[run_id] = (self._now_s() + ttl_s, made)
        self._remembered.move_to_end(run_id)
        if len(self._remembered) > MAX_REMEMBERED:
            self._remembered.popitem(last=False)
        return made

    def forget(self, run_id: str) -> None:
        """Drop the plan of a run that has ended."""
        self._remembered.pop(run_id, None)


def wanted(order: Order) -> Chosen:
    """What an order measures."""
    label = order.annotations.get(LABEL_ANNOTATION, INLINE)
    return Chosen(
        namespace=order.namespace, label=label, flat=order.flat, arguments=order.arguments
    )


def _stored(run: AnalysisRun) -> Chosen:
    """What a stored manifest measures; its arguments are complete."""
    metadata = run.metadata
    return Chosen(
        namespace=metadata.namespace or "",
        label=metadata.annotations.get(LABEL_ANNOTATION, INLINE),
        flat=run.flat(),
        arguments=run.spec.args,
    )


async def plan_run(planner: Planner, choice: Chosen) -> RunPlan:
    """Plan what a run measures, and how it is scheduled, counted and kept.

    Raises:
        TemplateInvalid: with every problem of metrics, rules and secrets.

    """
    planned = await planner.resolve(choice)
    retention = [rule.part for rule in choice.flat.measurement_retention]
    return RunPlan(
        planned=planned,
        rules=tuple(
            metric_rules(each.plan.metric, is_dry_run=each.plan.is_dry_run, retention=retention)
            for each in planned.metrics
        ),
        metrics={each.plan.name: each for each in planned.metrics},
    )
