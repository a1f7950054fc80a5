"""Runs as people look at them: of some minutes or hours, made at once."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from backends import Backend
from running import Service

from gateway.app import Gateway
from gateway.model import Phase
from gateway.run_manifest import (
    LABEL_ANNOTATION,
    MADE_BY_ANNOTATION,
    NAMED_ANNOTATION,
    TEMPLATES_ANNOTATION,
)
from gateway.run_status import Measurement, MetricResult, RunStatus, Summary
from gateway.runs.store import NewRun
from gateway.verdict import timestamp


@dataclass
class Shown:
    """What there is to look at."""

    url: str
    gateway: Service
    upstream: Backend
    failed: str
    """The id of a run that has Failed."""


HOSTILE = "<script>document.title='broken'</script><img src=x onerror=alert(1)>\"'&{{7*7}}"
"""What tries to be more than a text."""
DIGEST = "sha256:9f2d3c4b5a60718293a4b5c6d7e8f90112233445566778899aabbccddeeff001"


def measured(
    values: Sequence[str],
    phases: Sequence[Phase],
    *,
    start_unix_s: float,
    interval_s: float = 30,
    **fields: Any,
) -> tuple[Measurement, ...]:
    """Measurements at an even pace."""
    return tuple(
        Measurement(
            phase=phase,
            value=value,
            started_at_unix_s=start_unix_s + interval_s * index,
            finished_at_unix_s=start_unix_s + interval_s * index + 0.041,
            **fields,
        )
        for index, (value, phase) in enumerate(zip(values, phases, strict=True))
    )


def result(name: str, phase: Phase, measurements: Sequence[Measurement], **fields: Any) -> Any:
    """What came of a metric, with counters that fit its measurements."""
    counts = {each: sum(one.phase is each for one in measurements) for each in Phase}
    return MetricResult(
        name=name,
        phase=phase,
        measurements=tuple(measurements),
        count=len(measurements) - counts[Phase.ERROR],
        successful=counts[Phase.SUCCESSFUL],
        failed=counts[Phase.FAILED],
        inconclusive=counts[Phase.INCONCLUSIVE],
        error=counts[Phase.ERROR],
        **fields,
    )


async def keep(
    gateway: Gateway,
    name: str,
    metrics: Sequence[dict[str, Any]],
    results: Sequence[MetricResult],
    *,
    phase: Phase,
    message: str = "",
    start_unix_s: float,
    took_s: float = 300,
    **spec: Any,
) -> str:
    """Put a run that has ended where runs are; its id."""
    run_id = str(uuid.uuid4())
    template = spec.pop("template", name)
    made_by = spec.pop("made_by", "token:argo-rollouts")
    manifest = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisRun",
        "metadata": {
            "name": f"{name}-{run_id[:6]}",
            "namespace": spec.pop("namespace", "shop"),
            "uid": run_id,
            "creationTimestamp": timestamp(start_unix_s),
            "labels": spec.pop("labels", {}),
            "annotations": {
                TEMPLATES_ANNOTATION: f"{template}@{DIGEST}",
                LABEL_ANNOTATION: template,
                NAMED_ANNOTATION: "true",
                MADE_BY_ANNOTATION: made_by,
            },
        },
        "spec": {"metrics": list(metrics), **spec},
    }
    status = RunStatus(
        phase=phase,
        message=message,
        metric_results=tuple(results),
        started_at_unix_s=start_unix_s,
        completed_at_unix_s=start_unix_s + took_s,
        run_summary=Summary(count=len(metrics)),
        dry_run_summary=Summary(),
    )
    store = gateway.runs.store
    await store.create(NewRun(id=run_id, manifest=manifest, created_at_unix_s=start_unix_s), None)
    await store.save(run_id, version=0, status=status, events=())
    return run_id
