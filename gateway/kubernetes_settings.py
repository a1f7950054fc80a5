"""The settings about Kubernetes: which cluster, what is read from it, and what Jobs may do."""

import math
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from gateway.names import is_namespace
from gateway.setting_types import Seconds, Section

IN_CLUSTER: Final = "in-cluster"
"""The cluster that the gateway's own pod runs in.

Source: argo-rollouts metricproviders/metricproviders.go:160-179 @ 9f8d111d8 has the same word.
"""
EVERY_NAMESPACE: Final = "*"
_LONGEST_SECONDS: Final = 2**31 - 1

Risk = Literal[
    "capabilities",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "hostPath",
    "hostPorts",
    "privileged",
    "procMount",
    "windowsHostProcess",
]
"""What lets a pod out of its container."""


def _namespace_or(other: str) -> AfterValidator:
    def checked(value: str) -> str:
        if value != other and not is_namespace(value):
            raise ValueError(f"{value!r} is no name of a namespace")
        return value

    return AfterValidator(checked)


Namespaces = tuple[Annotated[str, _namespace_or(EVERY_NAMESPACE)], ...]


class Jobs(Section):
    """Who may run Jobs, where they run, and what they may be."""

    namespaces: Namespaces = ()
    """The namespaces whose analyses may run Jobs; `["*"]` for all of them. Unset, none."""
    namespace: Annotated[str, _namespace_or("")] = ""
    """The namespace that all Jobs run in. Unset, each runs in the namespace of its analysis
    (`ARGO_ROLLOUTS_ANALYSIS_JOB_NAMESPACE`)."""
    connect: str | None = None
    """The cluster that Jobs run in if it is another one: `in-cluster` or a kubeconfig file
    (`ARGO_ROLLOUTS_ANALYSIS_JOB_KUBECONFIG`)."""
    active_deadline_s: Seconds = Field(600.0, alias="activeDeadline", le=_LONGEST_SECONDS, ge=1)
    """How long a Job may take whose template sets no `activeDeadlineSeconds`."""
    ttl_after_finished_s: Seconds = Field(600.0, alias="ttlAfterFinished", le=_LONGEST_SECONDS)
    """How long Kubernetes keeps a Job after its end whose template sets no
    `ttlSecondsAfterFinished`."""
    allow: tuple[Risk, ...] = ()
    """What Jobs may ask for although it lets them out of their containers: `capabilities`,
    `hostIPC`, `hostNetwork`, `hostPID`, `hostPath`, `hostPorts`, `privileged`, `procMount`,
    `windowsHostProcess`."""

    @property
    def active_deadline_whole_s(self) -> int:
        """The deadline as Kubernetes takes it."""
        return math.ceil(self.active_deadline_s)

    @property
    def ttl_after_finished_whole_s(self) -> int:
        """The time as Kubernetes takes it."""
        return math.ceil(self.ttl_after_finished_s)


class Kubernetes(Section):
    """Which cluster there is, and what is read from it."""

    connect: str | None = None
    """The cluster: `in-cluster`, or a kubeconfig file. Unset, there is none."""
    context: str = ""
    """The context of the kubeconfig file. Unset, its current one."""
    timeout_s: Seconds = Field(10.0, alias="timeout", ge=0.1)
    """How long a call to the API server may take."""
    templates: Namespaces = (EVERY_NAMESPACE,)
    """The namespaces whose AnalysisTemplates can be named; `["*"]` for all of them."""
    cluster_templates: bool = True
    """Whether ClusterAnalysisTemplates can be named."""
    resync_s: Seconds = Field(300.0, alias="resync", ge=1)
    """How often all templates are listed anew; in between, changes are watched."""
    secrets: Namespaces = ()
    """The namespaces whose Secrets may be read, for arguments and for providers; `["*"]` for all
    of them. Unset, none."""
    secrets_ttl_s: Seconds = Field(10.0, alias="secretsTtl")
    """How long a Secret that was read is used. With `verdicts.planTtl` at most 30 s in all."""
    jobs: Jobs = Jobs()
    """Who may run Jobs, where they run, and what they may be."""

    @property
    def runs_jobs(self) -> bool:
        """Whether any analysis may run Jobs."""
        return bool(self.jobs.namespaces)

    def may_read_secrets_of(self, namespace: str) -> bool:
        """Whether Secrets of this namespace may be read."""
        return includes(self.secrets, namespace)


def includes(namespaces: tuple[str, ...], namespace: str) -> bool:
    """Whether a list of namespaces, or ``*``, means this one."""
    return EVERY_NAMESPACE in namespaces or namespace in namespaces
