"""What a run's metrics are and how each is measured, remembered while the run is under way."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol

import orjson

from gateway.errors import TemplateInvalid
from gateway.lasting import RunIdentity
from gateway.limits import MetricRules, metric_rules, within_measure
from gateway.planned import INLINE, Chosen, Planned, PlannedMetric
from gateway.planner import Planner
from gateway.run_manifest import (
    CONNECTIONS_ANNOTATION,
    LABEL_ANNOTATION,
    MADE_BY_ANNOTATION,
    NAMED_ANNOTATION,
    TEMPLATES_ANNOTATION,
    AnalysisRun,
    Order,
    parse_run,
)
from gateway.runs.records import RunUnreadable

MAX_REMEMBERED: Final = 20_000
NOBODY: Final = RunIdentity("", "", "")
"""Whose the plan of a run is that does not exist yet."""
MAX_REMEMBERED_BYTES: Final = 128 * 1024 * 1024
"""Of manifests. Their plans take about two and a half times as much memory."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a run comes from, as its manifest has it; what it does not say is empty."""

    made_by: str = ""
    namespace: str = ""
    templates: tuple[str, ...] = ()

    @classmethod
    def of(cls, manifest: Mapping[str, object]) -> "Origin":
        """What a manifest says."""
        metadata = manifest.get("metadata")
        found = metadata if isinstance(metadata, Mapping) else {}
        annotations = found.get("annotations") or {}
        templates = str(annotations.get(TEMPLATES_ANNOTATION, ""))
        return cls(
            made_by=str(annotations.get(MADE_BY_ANNOTATION, "")),
            namespace=str(found.get("namespace", "")),
            templates=tuple(templates.split(",")) if templates else (),
        )


@dataclass(frozen=True, slots=True)
class RunPlan:
    """A run, ready to be driven."""

    planned: Planned
    rules: tuple[MetricRules, ...]
    """One per metric, in the order of the spec."""
    metrics: Mapping[str, PlannedMetric]
    """By name."""
    run: RunIdentity
    origin: Origin = Origin()


class Manifests(Protocol):
    """Where manifests of runs are."""

    async def manifest(self, run_id: str) -> Mapping[str, object]:
        """The manifest of a run. Raises RunNotFound, StoreUnavailable."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A plan that is remembered."""

    until_s: float
    plan: RunPlan
    manifest_bytes: int


class RunPlans:
    """Plans runs; a run with secrets anew from time to time, as their values may change."""

    def __init__(
        self,
        planner: Planner,
        manifests: Manifests,
        *,
        secrets_ttl_s: float,
        now_s: Callable[[], float],
        max_bytes: int = MAX_REMEMBERED_BYTES,
    ) -> None:
        self._planner = planner
        self._manifests = manifests
        self._secrets_ttl_s = secrets_ttl_s
        self._now_s = now_s
        self._max_bytes = max_bytes
        self._remembered: OrderedDict[str, _Kept] = OrderedDict()
        self._bytes = 0

    async def of(self, run_id: str) -> RunPlan:
        """The plan of a run.

        Raises:
            TemplateInvalid: it cannot be planned (any more), with every problem.
            RunNotFound: it is gone.
            StoreUnavailable: its manifest cannot be read.
            RunUnreadable: its manifest is none that this gateway knows.
            ClusterUnavailable: a secret of it cannot be read now.

        """
        kept = self._remembered.get(run_id)
        if kept is not None and self._now_s() < kept.until_s:
            self._remembered.move_to_end(run_id)
            return kept.plan
        manifest = await self._manifests.manifest(run_id)
        try:
            run = parse_run(manifest)
        except TemplateInvalid as error:
            raise RunUnreadable(run_id, str(error)) from None
        made = await plan_run(self._planner, _stored(run), identity(run_id, run))
        made = replace(made, origin=Origin.of(manifest))
        ttl_s = self._secrets_ttl_s if made.planned.may_change else float("inf")
        self.forget(run_id)
        size = len(orjson.dumps(manifest))
        self._remembered[run_id] = _Kept(self._now_s() + ttl_s, made, size)
        self._bytes += size
        while len(self._remembered) > MAX_REMEMBERED or self._bytes > self._max_bytes:
            self.forget(next(iter(self._remembered)))
        return made

    async def origin(self, run_id: str) -> Origin:
        """Where a run comes from that cannot be planned. Raises RunNotFound, StoreUnavailable."""
        return Origin.of(await self._manifests.manifest(run_id))

    def forget(self, run_id: str) -> None:
        """Drop the plan of a run that has ended."""
        kept = self._remembered.pop(run_id, None)
        if kept is not None:
            self._bytes -= kept.manifest_bytes


def wanted(order: Order) -> Chosen:
    """What an order measures."""
    label = order.annotations.get(LABEL_ANNOTATION, INLINE)
    return Chosen(
        namespace=order.namespace,
        label=label,
        flat=order.flat,
        arguments=order.arguments,
        is_brought=order.is_brought,
        connections=_connections(order.annotations),
    )


def _stored(run: AnalysisRun) -> Chosen:
    """What a stored manifest measures; its arguments are complete."""
    metadata = run.metadata
    return Chosen(
        namespace=metadata.namespace or "",
        label=metadata.annotations.get(LABEL_ANNOTATION, INLINE),
        flat=run.flat(),
        arguments=run.spec.args,
        is_brought=NAMED_ANNOTATION not in metadata.annotations,
        connections=_connections(metadata.annotations),
    )


def _connections(annotations: Mapping[str, str]) -> tuple[str, ...] | None:
    text = annotations.get(CONNECTIONS_ANNOTATION)
    return None if text is None else tuple(orjson.loads(text))


def identity(run_id: str, run: AnalysisRun) -> RunIdentity:
    """Which run a manifest is of."""
    return RunIdentity(run_id, run.metadata.name or "", run.metadata.namespace or "")


async def plan_run(planner: Planner, choice: Chosen, run: RunIdentity = NOBODY) -> RunPlan:
    """Plan what a run measures, and how it is scheduled, counted and kept.

    Raises:
        TemplateInvalid: with every problem of metrics, rules and secrets.
        ClusterUnavailable: a secret cannot be read from the cluster now.

    """
    planned = await planner.resolve(choice)
    retention = [rule.part for rule in choice.flat.measurement_retention]
    return RunPlan(
        planned=planned,
        rules=within_measure(
            [
                metric_rules(each.plan.metric, is_dry_run=each.plan.is_dry_run, retention=retention)
                for each in planned.metrics
            ]
        ),
        metrics={each.plan.name: each for each in planned.metrics},
        run=run,
    )
