"""Who may run Jobs: code of other people's, with the rights of a namespace.

Unlike Argo, where every analysis may.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.config.kubernetes import includes
from gateway.errors import JobsForbidden, Problem
from gateway.flatten import prefix
from gateway.plan import MetricPlan
from gateway.template import Located, Metric, Template

_JOB: Final = "job"


@dataclass(frozen=True, slots=True)
class JobRights:
    """What the deployer allows."""

    namespaces: tuple[str, ...] = ()
    """Whose analyses may run Jobs; ``*`` for all."""
    takes_brought: bool = False
    """Whether the caller may bring the Job, instead of naming a template that the gateway has."""

    def check(self, namespace: str, plans: Iterable[MetricPlan]) -> None:
        """Raises JobsForbidden if there is a Job among the metrics and there may be none."""
        if includes(self.namespaces, namespace):
            return
        message = (
            f"Jobs are not switched on for namespace '{namespace}' (kubernetes.jobs.namespaces; for"
            " the command run: --kubeconfig)"
        )
        _refuse((each.path for each in plans if each.provider_name == _JOB), message)

    def check_brought(self, metrics: Iterable[Located[Metric]]) -> None:
        """Raises JobsForbidden if there is a Job among metrics that came with a request."""
        if self.takes_brought:
            return
        message = (
            "a request may not bring a Job: name a template that the gateway has, which"
            " GET /v1/templates lists"
        )
        _refuse_jobs_among(metrics, message)

    def refuse_caller(self, namespace: str, metrics: Iterable[Located[Metric]]) -> None:
        """Raises JobsForbidden if there is a Job among metrics of whoever has no right to any."""
        message = (
            f"the caller may not run Jobs in namespace '{namespace}': no rule of the policy with"
            " the action jobs allows it"
        )
        _refuse_jobs_among(metrics, message)


def metrics_of(templates: Sequence[Template]) -> list[Located[Metric]]:
    """The metrics of templates that came with a request, each with its place."""
    return [
        Located(metric, f"{prefix(template) if len(templates) > 1 else ''}spec.metrics[{index}]")
        for template in templates
        for index, metric in enumerate(template.spec.metrics)
    ]


def _refuse_jobs_among(metrics: Iterable[Located[Metric]], message: str) -> None:
    _refuse((each.path for each in metrics if _JOB in each.part.provider), message)


def _refuse(paths: Iterable[str], message: str) -> None:
    problems = tuple(Problem(f"{path}.provider.{_JOB}", message) for path in paths)
    if problems:
        raise JobsForbidden(problems)
