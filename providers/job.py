"""job: a Kubernetes Job whose end decides.

Source: argo-rollouts metricproviders/job/job.go @ 9f8d111d8. Successful if the Job is Complete,
Failed if it is Failed, Inconclusive if an image cannot be pulled; conditions are not asked. Unlike
Argo, a measurement carries what the pod said; an API server that is away for a while is waited for;
garbage is collected per metric; and pods that reach for their node are refused
(``providers._job_risks``).

No data: a Job that is gone before it was seen to end is an Error.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from pydantic import Field

from gateway.errors import (
    ProviderInvalid,
    ProviderUnreachable,
)
from gateway.provider import (
    AlreadyThere,
    Attempt,
    Block,
    Context,
    JobApi,
    LastingProvider,
    Progress,
    ProviderType,
    Surroundings,
)
from providers import _job_outcome as outcome
from providers import _shapes
from providers._job_look import JOB_NAME, JOB_NAMESPACE, begun, look, running
from providers._job_manifest import (
    METRIC_ANNOTATION,
    OWNER_LABEL,
    JobRules,
    job_manifest,
    job_name,
)
from providers._job_risks import risks, without_evidence
from providers._shapes import Shape

AWAY_FOR_S: Final = 600.0
"""How long after a Job's deadline an API server that is away is still waited for."""
LONGEST_S: Final = 86_400.0
"""No measurement is waited for longer, whatever deadline its template sets."""


class JobMetadata(Shape):
    """What may be said of a Job beside its spec; only labels and annotations are used."""

    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    # What tools write into every object.
    name: object = None
    generate_name: object = None
    namespace: object = None
    creation_timestamp: object = None


class JobSpec(Shape):
    """The block under ``provider.job``; what its ``spec`` means is Kubernetes' business."""

    metadata: JobMetadata = JobMetadata()
    spec: dict[str, object]


@dataclass(frozen=True, slots=True)
class JobProvider:
    """One kind of Job, run anew for each measurement."""

    block: JobSpec
    rules: JobRules

    def resolved_query(self) -> str:
        """Nothing: a Job is no query."""
        return ""

    def longest_s(self) -> float:
        """Until its deadline, and for as long after it as Kubernetes may be away."""
        deadline_s = self.block.spec.get("activeDeadlineSeconds")
        if not isinstance(deadline_s, int):
            deadline_s = self.rules.active_deadline_s
        return min(AWAY_FOR_S + deadline_s, LONGEST_S)

    async def advance(self, context: Context, attempt: Attempt) -> Progress:
        """Create the Job, or see how it stands.

        Source: argo-rollouts metricproviders/job/job.go:153-251 @ 9f8d111d8. Unlike Argo, a
        creation of which nothing was heard is repeated under the same name.
        """
        jobs = _jobs(context)
        now_unix_s = context.now_unix_s()
        try:
            if JOB_NAME in attempt.metadata:
                return await look(jobs, attempt, now_unix_s)
            return await self._begin(jobs, attempt, now_unix_s)
        except ProviderUnreachable as error:
            if now_unix_s - attempt.began_at_unix_s > self.longest_s():
                raise
            return running(attempt, attempt.metadata, now_unix_s, message=str(error))

    async def terminate(self, context: Context, attempt: Attempt) -> None:
        """Delete the Job, its pods first, whether or not its creation was heard of."""
        jobs, namespace = _jobs(context), self._namespace(attempt)
        name = attempt.metadata.get(JOB_NAME)
        if name is None:
            name = job_name(attempt)
            found = await jobs.read(namespace, name)
            if found is None or not _is_of(found, attempt):
                # Another one was in the way of ours.
                return
        await jobs.stop(namespace, name)

    async def collect(self, context: Context, attempt: Attempt, *, keep: int) -> None:
        """Delete the metric's oldest Jobs that have ended, until ``keep`` are left.

        Source: argo-rollouts metricproviders/job/job.go:334-357 @ 9f8d111d8. Unlike Argo, Jobs of
        other metrics, and those that have not ended, stay.
        """
        jobs = _jobs(context)
        namespace = self._namespace(attempt)
        ended = [
            job
            for job in await _of_metric(jobs, namespace, attempt)
            if outcome.ending(job) is not None
        ]
        ended.sort(key=outcome.created_at_unix_s)
        for job in ended[: max(0, len(ended) - keep)]:
            await jobs.drop(namespace, outcome.name(job))

    async def _begin(self, jobs: JobApi, attempt: Attempt, now_unix_s: float) -> Progress:
        namespace = self._namespace(attempt)
        if attempt.joins_since_unix_s < now_unix_s:
            found = await _under_way(jobs, namespace, attempt)
            if found is not None:
                progress = begun(namespace, outcome.name(found), now_unix_s)
                return replace(progress, began_at_unix_s=outcome.created_at_unix_s(found))
        manifest = job_manifest(
            attempt,
            namespace=namespace,
            labels=self.block.metadata.labels,
            annotations=self.block.metadata.annotations,
            spec=self.block.spec,
            rules=self.rules,
        )
        name = job_name(attempt)
        try:
            await jobs.create(namespace, manifest)
        except AlreadyThere:
            existing = await jobs.read(namespace, name)
            if existing is None or not _is_of(existing, attempt):
                raise
        return begun(namespace, name, now_unix_s)

    def _namespace(self, attempt: Attempt) -> str:
        known = attempt.metadata.get(JOB_NAMESPACE)
        return known or self.rules.namespace or attempt.namespace


async def _under_way(jobs: JobApi, namespace: str, attempt: Attempt) -> outcome.Object | None:
    """The newest of the metric's Jobs that is this measurement, too; None if there is none."""
    found = [
        job
        for job in await _of_metric(jobs, namespace, attempt)
        if not outcome.is_going(job) and outcome.created_at_unix_s(job) >= _since(job, attempt)
    ]
    return max(found, key=outcome.created_at_unix_s, default=None)


def _since(job: outcome.Object, attempt: Attempt) -> float:
    has_ended = outcome.ending(job) is not None
    return attempt.takes_since_unix_s if has_ended else attempt.joins_since_unix_s


async def _of_metric(jobs: JobApi, namespace: str, attempt: Attempt) -> list[outcome.Object]:
    found = await jobs.list(namespace, labels=f"{OWNER_LABEL}={attempt.owner}")
    return [job for job in found if _is_of(job, attempt)]


def _is_of(job: outcome.Object, attempt: Attempt) -> bool:
    """Whether a Job belongs to the owner and to the metric."""
    metric = outcome.annotations_of(job).get(METRIC_ANNOTATION, "")
    return outcome.labels_of(job).get(OWNER_LABEL) == attempt.owner and metric == attempt.metric


def _jobs(context: Context) -> JobApi:
    if context.jobs is None:
        raise ProviderInvalid("there is no cluster to run Jobs in (kubernetes.connect)")
    return context.jobs


def provider_type(rules: JobRules) -> ProviderType:
    """The provider under the rules of one deployment."""
    return ProviderType(check=_checker(rules), parse=_parser(rules))


def _checker(rules: JobRules) -> Callable[[Block], list[tuple[str, str]]]:
    def check(block: Block) -> list[tuple[str, str]]:
        return _shapes.check(JobSpec, block) or _problems(block, rules)

    return check


def _parser(rules: JobRules) -> Callable[[Block, Surroundings], LastingProvider]:
    def parse(block: Block, surroundings: Surroundings) -> LastingProvider:  # noqa: ARG001 - the port's shape
        problems = _problems(block, rules)
        if problems:
            # A value that is secret may have become a key only now.
            raise ProviderInvalid("; ".join(f"{path}: {message}" for path, message in problems))
        return JobProvider(_shapes.parse(JobSpec, block), rules)

    return parse


def _problems(block: Block, rules: JobRules) -> list[tuple[str, str]]:
    """What is wrong with a block whose shape may be right."""
    spec = block.get("spec")
    spec = spec if isinstance(spec, Mapping) else {}
    template = spec.get("template")
    pod = template.get("spec") if isinstance(template, Mapping) else None
    if not isinstance(pod, Mapping):
        return [("spec.template.spec", "is required: the spec of the Job's pod")]
    path = "spec.template.spec"
    return [
        *((f"spec.{field}", message) for field, message in without_evidence(spec)),
        *((f"{path}.{below}", message) for below, message in risks(pod, rules.allowed)),
    ]
