"""The Job that is created for a measurement: its name, its marks and its limits.

Source: argo-rollouts metricproviders/job/job.go:82-150 @ 9f8d111d8. Unlike Argo's, a Job always has
a deadline and does not stay for ever after its end; it has no owner reference, as there is no
AnalysisRun in the cluster; and the names of two metrics that begin alike never become one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from gateway.provider import Attempt

OWNER_LABEL: Final = "analysisrun.argoproj.io/uid"
NAME_ANNOTATION: Final = "analysisrun.argoproj.io/name"
NAMESPACE_ANNOTATION: Final = "analysisrun.argoproj.io/namespace"
METRIC_ANNOTATION: Final = "analysisrun.argoproj.io/metric-name"
MAX_NAME_CHARS: Final = 63
"""Pods carry the Job's name as a label."""
_HASH_CHARS: Final = 6
_NOT_IN_NAMES: Final = re.compile(r"[^a-z0-9-]+")


@dataclass(frozen=True, slots=True)
class JobRules:
    """What the deployer says of all Jobs."""

    namespace: str = ""
    """Where they run; empty for the namespace of the analysis."""
    active_deadline_s: int = 600
    ttl_after_finished_s: int = 600
    allowed: frozenset[str] = frozenset()
    """Risks that are taken, see ``providers._job_risks``."""


def job_name(attempt: Attempt) -> str:
    """``OWNER.METRIC.NUMBER``; a metric that is too long, or no DNS name, gets a hash."""
    metric = attempt.metric
    room = MAX_NAME_CHARS - len(f"{attempt.owner}..{attempt.number}")
    plain = _NOT_IN_NAMES.sub("-", metric.lower()).strip("-")
    if not plain or plain != metric or len(plain) > room:
        mark = sha256(metric.encode()).hexdigest()[:_HASH_CHARS]
        plain = f"{plain[: room - len(mark) - 1].rstrip('-')}-{mark}".lstrip("-")
    return f"{attempt.owner}.{plain}.{attempt.number}"


def job_manifest(
    attempt: Attempt,
    *,
    namespace: str,
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    spec: Mapping[str, object],
    rules: JobRules,
) -> dict[str, object]:
    """The Job of a measurement, JSON-ready."""
    marks = {
        NAME_ANNOTATION: attempt.analysis,
        NAMESPACE_ANNOTATION: attempt.namespace,
        METRIC_ANNOTATION: attempt.metric,
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": job_name(attempt),
            "namespace": namespace,
            "labels": {**labels, OWNER_LABEL: attempt.owner},
            "annotations": {**annotations, **{key: text for key, text in marks.items() if text}},
        },
        "spec": {
            "activeDeadlineSeconds": rules.active_deadline_s,
            "ttlSecondsAfterFinished": rules.ttl_after_finished_s,
            **{key: value for key, value in spec.items() if value is not None},
            "template": _marked(spec["template"], attempt.owner),
        },
    }


def _marked(template: object, owner: str) -> object:
    """A pod's template with the label of whose it is."""
    if not isinstance(template, Mapping):
        return template
    metadata = template.get("metadata")
    described = dict(metadata) if isinstance(metadata, Mapping) else {}
    labels = described.get("labels")
    described["labels"] = {**(labels if isinstance(labels, Mapping) else {}), OWNER_LABEL: owner}
    return {**template, "metadata": described}
