"""From what a caller names to what is measured, remembered for as long as nothing changed.

choose
    source     the templates that the names mean                     I/O
    flatten    follow references, make one template of all           pure
    merge      the caller's arguments over the defaults              pure
resolve
    secrets    values of the arguments that are secret               I/O
    resolve    a value for every argument, and so for every metric   pure
    credentials  what the deployment has for the providers           I/O
    grants     what it has for named upstreams                       I/O
    build      one plan per metric, its provider parsed              pure
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from gateway import args, plan
from gateway.audit import shown_arguments
from gateway.connection_secrets import Granting
from gateway.credentials import Credentials, SecretSource
from gateway.egress import INLINE_POLICY, NAMED_POLICY
from gateway.errors import Problem, TemplateInvalid, TemplateNotFound
from gateway.flatten import FlatTemplate, flatten
from gateway.grants import Grants
from gateway.job_rights import JobRights, metrics_of
from gateway.names import is_namespace
from gateway.newest import remember
from gateway.plan import MetricPlan
from gateway.planned import INLINE, Chosen, Planned, PlannedMetric, Question
from gateway.provider import NamesItsQuery
from gateway.questions import question_key
from gateway.run_manifest import label_of
from gateway.secrets import Redaction
from gateway.template import Argument, Located, Metric, Template, TemplateRef

__all__ = ["Planned", "PlannedMetric", "Planner", "Question", "Secrets", "TemplateSource"]

_MAX_REMEMBERED: Final = 2_000


class TemplateSource(Protocol):
    """Where templates that have a name come from."""

    @property
    def revision(self) -> int:
        """Changes whenever any template does."""

    def find(self, ref: TemplateRef, namespace: str) -> Template | None:
        """The template of that name, None if there is none.

        Raises:
            TemplateInvalid: it is broken where it comes from.
            ClusterUnavailable: it is not known whether there is one.

        """


@dataclass(frozen=True, slots=True)
class Secrets:
    """Who gets secrets from where."""

    for_named: SecretSource
    """For templates that the gateway has."""
    for_brought: SecretSource
    """For what comes with a request: its author may be anybody."""


class Planner:
    """Plans questions."""

    def __init__(
        self,
        *,
        templates: TemplateSource,
        secrets: Secrets,
        credentials: Credentials,
        hash_key: Callable[[], Awaitable[bytes]],
        granting: Granting,
        job_rights: JobRights,
        ttl_s: float,
        now_s: Callable[[], float],
    ) -> None:
        self._templates = templates
        self._job_rights = job_rights
        self._secrets = secrets
        self._credentials = credentials
        self._granting = granting
        self._provider_types = credentials.provider_types
        self._hash_key = hash_key
        self._ttl_s = ttl_s
        self._now_s = now_s
        self._remembered: OrderedDict[object, tuple[float, Planned]] = OrderedDict()

    async def plan(self, question: Question) -> Planned:
        """What is to be measured.

        Raises:
            TemplateNotFound: a name that nobody has.
            TemplateInvalid: with every problem of templates and arguments.
            ClusterUnavailable: a template or a secret cannot be had from the cluster now.

        """
        key = (self._templates.revision, question.identity)
        kept = self._remembered.get(key)
        if kept is not None and self._now_s() < kept[0]:
            return kept[1]
        planned = await self.resolve(self.choose(question))
        if not question.is_worth_remembering:
            return planned
        until_s = self._now_s() + self._ttl_s
        remember(self._remembered, key, (until_s, planned), at_most=_MAX_REMEMBERED)
        return planned

    def choose(self, question: Question) -> Chosen:
        """The templates of a question as one, with its arguments.

        Raises:
            TemplateNotFound: a name that nobody has.
            TemplateInvalid: references, names or arguments are wrong.
            JobsForbidden: a template that came with the question has a Job; there is a Job, and
                the caller has no right to any.

        """
        namespace = question.namespace
        self.check_brought(metrics_of(question.inline))
        roots = (*question.inline, *(self._named(ref, namespace) for ref in question.refs))
        beside = {template.ref: template for template in question.inline}
        flat = flatten(roots, lambda ref: beside.get(ref) or self._templates.find(ref, namespace))
        if not question.may_run_jobs:
            self._job_rights.refuse_caller(namespace, flat.metrics)
        given = [Argument(name=name, value=value) for name, value in question.arguments]
        return Chosen(
            namespace=namespace,
            label=_label(question),
            flat=flat,
            arguments=args.merge(flat.args, given),
            is_brought=bool(question.inline),
            connections=question.connections,
        )

    async def resolve(self, chosen: Chosen) -> Planned:
        """What is to be measured, with the values that its secrets have now.

        Raises:
            TemplateInvalid: with every problem of metrics, rules and secrets.
            ClusterUnavailable: a secret cannot be had from the cluster now.
            JobsForbidden: the namespace may run none.

        """
        namespace = chosen.namespace
        if not is_namespace(namespace):
            # It becomes a part of paths: of files, and of the API server's.
            problem = Problem("namespace", f"{namespace[:260]!r} is no name of a namespace")
            raise TemplateInvalid((problem,))
        source = self._secrets.for_brought if chosen.is_brought else self._secrets.for_named
        secrets = await source.read(namespace, args.secret_refs(chosen.arguments))
        resolved = args.resolve(chosen.arguments, secrets)
        metrics = plan.resolve_metrics(chosen.flat, resolved, self._provider_types)
        surroundings = await self._credentials.surroundings(metrics, namespace, source)
        planned = plan.build(
            chosen.flat, resolved, metrics, surroundings, provider_types=self._provider_types
        )
        self._job_rights.check(namespace, planned.metrics)
        grants = await self._granting.grants(
            namespace, is_brought=chosen.is_brought, may_use=chosen.connections
        )
        hash_key = await self._hash_key()
        redaction = Redaction((*planned.secrets, *grants.secrets))
        return Planned(
            namespace=namespace,
            label=chosen.label,
            templates=_versioned_names(chosen.flat),
            metrics=tuple(self._keyed(each, chosen, grants, hash_key) for each in planned.metrics),
            redaction=redaction,
            arguments=shown_arguments(resolved.values, resolved.open_values, redaction),
            origins=_origins(chosen),
        )

    def check_brought(self, metrics: Iterable[Located[Metric]]) -> None:
        """Raises JobsForbidden if metrics that came with a request have a Job, and may not."""
        self._job_rights.check_brought(metrics)

    def _named(self, ref: TemplateRef, namespace: str) -> Template:
        found = self._templates.find(ref, namespace)
        if found is None:
            place = "" if ref.cluster_scope else f" in namespace '{namespace}'"
            raise TemplateNotFound(f"{ref} not found{place}; GET /v1/templates lists what there is")
        return found

    def _keyed(
        self, metric: MetricPlan, chosen: Chosen, grants: Grants, hash_key: bytes
    ) -> PlannedMetric:
        egress = INLINE_POLICY if chosen.is_brought else NAMED_POLICY
        key = question_key(
            hash_key,
            egress=egress,
            namespace=chosen.namespace,
            provider=metric.provider_name,
            block=metric.block,
            environ=metric.surroundings.environ,
            secret=metric.surroundings.secret_values(),
            connections=grants.identity,
        )
        provider = metric.provider
        query = "" if isinstance(provider, Exception) else provider.resolved_query()
        provider_type = self._provider_types[metric.provider_name]
        named = provider if isinstance(provider, NamesItsQuery) else provider_type
        return PlannedMetric(metric, key, query, named.query_metadata, egress, grants)


def _label(question: Question) -> str:
    return INLINE if question.inline else label_of(ref.template_name for ref in question.refs)


def _versioned_names(flat: FlatTemplate) -> tuple[str, ...]:
    return tuple(template.versioned_name for template in flat.templates)


def _origins(chosen: Chosen) -> tuple[str, ...]:
    # Whoever brings one chooses its name: it must not be taken for one that is stored.
    before = f"{INLINE}:" if chosen.is_brought else ""
    return tuple(f"{before}{each.kind}/{each.name}" for each in chosen.flat.templates)
