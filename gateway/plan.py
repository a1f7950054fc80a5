"""A template and its arguments to one plan per metric, its provider ready to measure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from gateway.args import Arguments
from gateway.bounds import at, below
from gateway.errors import Problem, ProviderInvalid, TemplateInvalid
from gateway.flatten import FlatTemplate
from gateway.provider import (
    Block,
    HasCredential,
    LastingProvider,
    Provider,
    ProviderType,
    Surroundings,
)
from gateway.secrets import Secret
from gateway.shapes import did_you_mean
from gateway.substitution import Substitution
from gateway.template import Located, Metric
from gateway.validation import check_metrics, check_rules, matching

ARGO_PROVIDERS: Final = (
    "prometheus",
    "job",
    "kayenta",
    "web",
    "datadog",
    "wavefront",
    "newRelic",
    "cloudWatch",
    "graphite",
    "influxdb",
    "skywalking",
    "plugin",
)
"""What may stand under ``provider:``.

Source: argo-rollouts metricproviders/metricproviders.go:126-153 @ 9f8d111d8.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricPlan:
    """One metric, ready to be measured; what may hold a secret stays out of its repr."""

    metric: Metric
    """The metric as it is named, scheduled and counted: resolved, but without secrets."""
    path: str
    """Where the metric stands in its template."""
    provider_name: str
    """Argo's key under ``provider:``."""
    block: Block = field(repr=False)
    """What stands under that key, resolved."""
    provider: Provider | LastingProvider | ProviderInvalid = field(repr=False)
    """The source of the metric's value, or why there is none: then that is the measurement."""
    success_condition: str = field(repr=False)
    failure_condition: str = field(repr=False)
    is_dry_run: bool
    surroundings: Surroundings = field(default=Surroundings(), repr=False)
    """What the deployment has for the provider."""
    credential: str = ""
    """Whose credentials are used, as it may be shown; empty if they stand in the block."""

    @property
    def name(self) -> str:
        """The metric's name."""
        return self.metric.name


@dataclass(frozen=True, slots=True)
class AnalysisPlan:
    """All metrics of an analysis, in their order."""

    metrics: tuple[MetricPlan, ...]
    secrets: tuple[Secret, ...]
    """What must be masked in all that leaves."""


@dataclass(frozen=True, slots=True)
class FinalMetric:
    """A valid metric with a value in place of every tag."""

    shown: Located[Metric]
    """With a placeholder for each secret."""
    measured: Metric = field(repr=False)
    """With the secrets themselves."""

    @property
    def provider_name(self) -> str:
        """Argo's key under ``provider:``."""
        return next(iter(self.measured.provider))

    @property
    def block(self) -> Block:
        """What stands under that key."""
        return self.measured.provider[self.provider_name]


def resolve_metrics(
    flat: FlatTemplate, arguments: Arguments, provider_types: Mapping[str, ProviderType]
) -> tuple[FinalMetric, ...]:
    """Every metric of a template with the values of its arguments.

    As in Argo, everything but conditions and provider blocks is resolved with a placeholder for
    each secret, and that is what is validated.

    Args:
        flat: see ``gateway.flatten``.
        arguments: see ``gateway.args``.
        provider_types: by Argo's name, what this gateway can measure.

    Raises:
        TemplateInvalid: with every problem of all metrics and rules.

    """
    filled = fill_metrics(flat.metrics, arguments.open_values)
    problems = _problems(flat, filled, provider_types)
    if problems:
        raise TemplateInvalid(tuple(problems))
    shown = [each.metric for each in filled]
    measured = shown if not arguments.secrets else _with_secrets(flat, arguments)
    return tuple(
        FinalMetric(public, secret.part) for public, secret in zip(shown, measured, strict=True)
    )


def build(
    flat: FlatTemplate,
    arguments: Arguments,
    metrics: Sequence[FinalMetric],
    surroundings: Sequence[Surroundings | ProviderInvalid],
    *,
    provider_types: Mapping[str, ProviderType],
) -> AnalysisPlan:
    """Plan every metric of a template.

    A provider that cannot be made out of its block is no problem of the template but an Error
    measurement.

    Args:
        flat: the template.
        arguments: its arguments.
        metrics: what ``resolve_metrics`` makes of the two.
        surroundings: one for each metric, or why its provider cannot be made.
        provider_types: by Argo's name, what this gateway can measure.

    """
    plans = tuple(
        _planned(metric, around, flat, provider_types)
        for metric, around in zip(metrics, surroundings, strict=True)
    )
    secrets = dict.fromkeys(arguments.secrets)
    for plan in plans:
        if isinstance(plan.provider, HasCredential):
            secrets |= dict.fromkeys(plan.provider.credential.secrets)
    return AnalysisPlan(plans, tuple(secrets))


def _planned(
    metric: FinalMetric,
    surroundings: Surroundings | ProviderInvalid,
    flat: FlatTemplate,
    provider_types: Mapping[str, ProviderType],
) -> MetricPlan:
    provider = _made(provider_types[metric.provider_name], metric.block, surroundings)
    return MetricPlan(
        metric=metric.shown.part,
        path=metric.shown.path,
        provider_name=metric.provider_name,
        block=metric.block,
        provider=provider,
        success_condition=metric.measured.success_condition,
        failure_condition=metric.measured.failure_condition,
        is_dry_run=_is_dry_run(metric.shown.part.name, flat),
        surroundings=Surroundings() if isinstance(surroundings, ProviderInvalid) else surroundings,
        credential=provider.credential.name if isinstance(provider, HasCredential) else "",
    )


@dataclass(frozen=True, slots=True)
class FilledMetric:
    """A metric with values in place of its tags."""

    metric: Located[Metric]
    unresolved: frozenset[str]
    """Wire names of the fields in which something could not be replaced."""
    problems: tuple[Problem, ...]


def fill_metrics(
    metrics: Sequence[Located[Metric]], values: Mapping[str, str]
) -> list[FilledMetric]:
    """Replace ``{{args.x}}`` in every text of the metrics, keys inside providers included."""
    substitution = Substitution(values)
    return [_fill_metric(metric, substitution) for metric in metrics]


def _fill_metric(metric: Located[Metric], substitution: Substitution) -> FilledMetric:
    told = len(substitution.problems)
    changes: dict[str, object] = {}
    unresolved: set[str] = set()
    for name, info in Metric.model_fields.items():
        wire_name = str(info.alias)
        failures = substitution.failures
        value = getattr(metric.part, name)
        changes[name] = substitution.fill(value, at(metric.path, wire_name))
        if substitution.failures > failures:
            unresolved.add(wire_name)
    part = metric.part.model_copy(update=changes)
    return FilledMetric(
        Located(part, metric.path), frozenset(unresolved), tuple(substitution.problems[told:])
    )


def check_providers(
    metric: Located[Metric], provider_types: Mapping[str, ProviderType]
) -> Iterator[Problem]:
    """Providers that nobody knows or that the gateway lacks, and blocks of a wrong shape."""
    # More than one is a problem already; the first few say enough.
    for name, block in islice(metric.part.provider.items(), len(ARGO_PROVIDERS)):
        path = f"{metric.path}.provider.{name}"
        if name in provider_types:
            for rest, message in provider_types[name].check(block):
                yield Problem(below(path, rest), message)
        elif name in ARGO_PROVIDERS:
            available = ", ".join(provider_types)
            yield Problem(path, f"this gateway does not have it; available are {available}")
        else:
            yield Problem(path, f"unknown provider{did_you_mean(name, ARGO_PROVIDERS)}")


def _problems(
    flat: FlatTemplate, filled: Sequence[FilledMetric], provider_types: Mapping[str, ProviderType]
) -> list[Problem]:
    problems = [problem for each in filled for problem in each.problems]
    problems += check_metrics(
        [each.metric for each in filled], [each.unresolved for each in filled]
    )
    if not any("name" in each.unresolved for each in filled):
        names = [each.metric.part.name for each in filled]
        problems += check_rules(flat.dry_run, names)
        problems += check_rules(flat.measurement_retention, names)
    for each, original in zip(filled, flat.metrics, strict=True):
        is_known = "provider" not in each.unresolved
        problems += check_providers(each.metric if is_known else original, provider_types)
    return problems


def _with_secrets(flat: FlatTemplate, arguments: Arguments) -> list[Located[Metric]]:
    filled = fill_metrics(flat.metrics, arguments.values)
    problems = tuple(problem for each in filled for problem in each.problems)
    if problems:
        raise TemplateInvalid(problems)
    return [each.metric for each in filled]


def _made(
    provider_type: ProviderType, block: Block, surroundings: Surroundings | ProviderInvalid
) -> Provider | LastingProvider | ProviderInvalid:
    if isinstance(surroundings, ProviderInvalid):
        return surroundings
    try:
        return provider_type.parse(block, surroundings)
    except ProviderInvalid as error:
        return error


def _is_dry_run(name: str, flat: FlatTemplate) -> bool:
    return any(matching(rule.part.metric_name, [name]) for rule in flat.dry_run)
