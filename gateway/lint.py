"""Everything that can be known to be wrong with templates before anybody asks them anything."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from gateway.args import PLACEHOLDER
from gateway.bounds import at
from gateway.conditions import check_syntax
from gateway.documents import Document, manifests
from gateway.errors import ConditionError, Problem, ProviderInvalid
from gateway.flatten import FlatTemplate, Lookup, combine, prefix
from gateway.int_or_string import int_value, number_text
from gateway.plan import check_providers, fill_metrics
from gateway.provider import ProviderType
from gateway.substitution import OPEN, arguments_in
from gateway.template import (
    Argument,
    Located,
    Metric,
    Template,
    TemplateRef,
    examine,
    is_of_others,
)
from gateway.validation import (
    check_metrics,
    check_rules,
    compiled_pattern,
    effective_count,
    matching,
)

_WITHOUT_CONDITIONS: Final = frozenset({"job", "kayenta"})
"""Providers that judge on their own."""


class Severity(StrEnum):
    """Whether a template can be used in spite of a finding."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or likely not meant."""

    path: str
    """As in a Problem; with the template's name before it if there are several."""
    message: str
    severity: Severity
    line: int | None = None
    """Counted from 1; None if it is not known."""
    hint: str = ""
    """The condition with a caret under what is wrong with it; empty if nothing is."""


def lint(
    documents: Sequence[Document],
    *,
    provider_types: Mapping[str, ProviderType],
    environ: Mapping[str, str],
    lookup: Lookup,
) -> tuple[Finding, ...]:
    """All findings of all templates, in their order.

    Args:
        documents: manifests of other kinds among them are left alone.
        provider_types: by Argo's name, what this gateway can measure.
        environ: what providers may read of the environment.
        lookup: finds referenced templates that are not among ``documents``.

    """
    single = [each for document in documents for each in manifests(document)]
    ours = [each for each in single if not is_of_others(each.content)]
    if not ours:
        message = "there is no AnalysisTemplate or ClusterAnalysisTemplate to be checked"
        return (Finding("", message, Severity.ERROR),)
    examined = [(document, *examine(document.content)) for document in ours]
    beside = {template.ref: template for _, template, _ in examined if template is not None}
    findings: list[Finding] = []
    for number, (document, template, problems) in enumerate(examined, start=1):
        own = [_error(problem) for problem in problems]
        if template is not None:
            context = _Context(template, beside, provider_types, environ, lookup)
            own += _unless_known(_findings(context), problems)
        place = f"document {number}: " if template is None else prefix(template)
        own = [replace(each, line=document.line_of(each.path)) for each in own]
        findings += (
            replace(each, path=f"{place}{each.path}".removesuffix(": ")) if len(ours) > 1 else each
            for each in sorted(own, key=lambda each: each.line or 0)
        )
    return tuple(findings)


@dataclass(frozen=True, slots=True)
class _Context:
    template: Template
    beside: Mapping[TemplateRef, Template]
    provider_types: Mapping[str, ProviderType]
    environ: Mapping[str, str]
    lookup: Lookup

    def find(self, ref: TemplateRef) -> Template | None:
        """The templates that are looked at together count before all others."""
        return self.beside.get(ref) or self.lookup(ref)


def _unless_known(findings: Iterator[Finding], problems: Sequence[Problem]) -> Iterator[Finding]:
    # What follows from a field that is already known to be wrong helps nobody.
    wrong = tuple(problem.path for problem in problems)
    for each in findings:
        if not any(f"{each.path}.".startswith((f"{path}.", f"{path}[")) for path in wrong):
            yield each


def _error(problem: Problem) -> Finding:
    return Finding(problem.path, problem.message, Severity.ERROR)


def _warning(path: str, message: str) -> Finding:
    return Finding(path, message, Severity.WARNING)


def _findings(context: _Context) -> Iterator[Finding]:
    spec = context.template.spec
    for index, argument in enumerate(spec.args):
        yield from _of_argument(argument, at("spec.args", index))
    metrics = [
        Located(metric, at("spec.metrics", index)) for index, metric in enumerate(spec.metrics)
    ]
    # A text is judged with the defaults in it; one that waits for a caller's value is not judged.
    defaults = {
        each.name: each.value
        for each in spec.args
        if each.value is not None and each.value_from is None
    }
    stand_ins = {each.name: PLACEHOLDER for each in spec.args} | defaults
    filled = fill_metrics(metrics, stand_ins)
    unknown = [
        each.unresolved | _waiting(metric.part, defaults)
        for each, metric in zip(filled, metrics, strict=True)
    ]
    yield from (_error(problem) for each in filled for problem in each.problems)
    if metrics or not spec.templates:
        known = [each.metric for each in filled]
        yield from (_error(problem) for problem in check_metrics(known, unknown))
    for original, each, fields in zip(metrics, filled, unknown, strict=True):
        yield from _of_metric(each.metric, fields)
        yield from _of_provider(context, original, each.metric, fields)
    yield from _of_all(context)


def _waiting(metric: Metric, defaults: Mapping[str, str]) -> set[str]:
    return {
        str(info.alias)
        for name, info in Metric.model_fields.items()
        if not arguments_in(getattr(metric, name)) <= defaults.keys()
    }


def _of_argument(argument: Argument, path: str) -> Iterator[Finding]:
    if argument.value is not None and argument.value_from is not None:
        message = f"arg '{argument.name}' has both Value and ValueFrom fields"
        yield Finding(path, message, Severity.ERROR)
    elif argument.value_from is not None and argument.value_from.secret_key_ref is None:
        yield _warning(
            f"{path}.valueFrom",
            "only secretKeyRef is resolved: without a caller's value the argument has none",
        )


def _of_metric(metric: Located[Metric], unknown: frozenset[str]) -> Iterator[Finding]:
    part = metric.part
    if not unknown.intersection({"count", "interval"}) and effective_count(part) is None:
        count = "no count" if part.count is None else f"its count is {number_text(part.count)}"
        successes = int_value(part.consecutive_success_limit)
        unless = f", unless {successes} successes in a row end it before" if successes > 0 else ""
        yield _warning(
            at(metric.path, "count"),
            f"metric {part.name} runs indefinitely: it has an interval, and {count};"
            " a Rollout accepts that in a background analysis only, and the gateway ends such a run"
            f" as Inconclusive after 24h (runs.maxDuration){unless}",
        )
    if not unknown.intersection({"count", "interval", "failureLimit"}):
        yield from _of_tolerance(metric)
    conditions = {
        "successCondition": part.success_condition,
        "failureCondition": part.failure_condition,
    }
    judges = _WITHOUT_CONDITIONS.intersection(part.provider)
    if not any(conditions.values()) and not judges:
        unless = ", unless the plugin judges by itself" if "plugin" in part.provider else ""
        yield _warning(metric.path, f"without a condition every answer is Successful{unless}")
    if judges:
        names = ", ".join(judges)
        for field in (field for field, text in conditions.items() if text):
            yield _warning(at(metric.path, field), f"is not asked: {names} judges by itself")
    for field, text in conditions.items():
        if text and field not in unknown:
            try:
                check_syntax(text)
            except ConditionError as error:
                path = at(metric.path, field)
                yield Finding(path, str(error), Severity.ERROR, hint=error.pointed())


def _of_tolerance(metric: Located[Metric]) -> Iterator[Finding]:
    count, tolerated = effective_count(metric.part), int_value(metric.part.failure_limit)
    if count is not None and tolerated == count > 0:
        yield _warning(
            at(metric.path, "failureLimit"),
            f"metric {metric.part.name} can never be Failed: it tolerates as many failures as it"
            f" takes measurements ({count})",
        )


def _of_provider(
    context: _Context, original: Located[Metric], filled: Located[Metric], unknown: frozenset[str]
) -> Iterator[Finding]:
    is_known = "provider" not in unknown
    problems = list(check_providers(filled if is_known else original, context.provider_types))
    yield from map(_error, problems)
    if not is_known or problems:
        return
    for name, block in filled.part.provider.items():
        try:
            context.provider_types[name].check_rules(block, context.environ)
        except ProviderInvalid as error:
            yield Finding(f"{filled.path}.provider.{name}", str(error), Severity.ERROR)


def _of_all(context: _Context) -> Iterator[Finding]:
    missing: list[TemplateRef] = []

    def lookup(ref: TemplateRef) -> Template | None:
        found = context.find(ref)
        if found is None:
            missing.append(ref)
        return found

    template = context.template
    flat, problems = combine([template], lookup)
    others = tuple(prefix(each) for ref, each in context.beside.items() if ref != template.ref)
    for problem in problems:
        path = problem.path.removeprefix(prefix(template))
        is_own_name = path.startswith("spec.metrics") and not template.spec.templates
        is_missing = any(problem.message.startswith(f"{ref} not found") for ref in missing)
        # Own names are compared already, with values in them; the others speak for themselves.
        if not is_own_name and not (is_missing and path.startswith(others)):
            # A template that is not here may well be where this one is going to live.
            severity = Severity.WARNING if is_missing else Severity.ERROR
            yield Finding(path, problem.message, severity)
    if not any("spec.templates" in problem.path for problem in problems):
        yield from _of_unused(template, flat)
        if not any(OPEN in metric.part.name for metric in flat.metrics):
            yield from _of_rules(template, flat)


def _of_unused(template: Template, flat: FlatTemplate) -> Iterator[Finding]:
    used = set().union(*(arguments_in(each.part.model_dump()) for each in flat.metrics))
    for index, argument in enumerate(template.spec.args):
        if argument.name not in used:
            message = f"argument '{argument.name}' is declared, but no metric uses it"
            yield _warning(f"spec.args[{index}].name", message)


def _of_rules(template: Template, flat: FlatTemplate) -> Iterator[Finding]:
    names = [metric.part.name for metric in flat.metrics]
    spec = template.spec
    dry_run = [Located(rule, f"spec.dryRun[{index}]") for index, rule in enumerate(spec.dry_run)]
    retention = [
        Located(rule, f"spec.measurementRetention[{index}]")
        for index, rule in enumerate(spec.measurement_retention)
    ]
    yield from map(_error, check_rules(dry_run, names))
    yield from map(_error, check_rules(retention, names))
    texts = [(rule.part.metric_name, rule.path) for rule in dry_run]
    texts += ((rule.part.metric_name, rule.path) for rule in retention)
    for text, path in texts:
        found = matching(text, names)
        others = ", ".join(name for name in found if name != text)
        if compiled_pattern(text) is None:
            yield _warning(path, f"'{text}' is no RE2 expression; .* matches every metric")
        elif text in found and others:
            yield _warning(
                path, f"'{text}' is searched in names, so it finds {others}, too; use ^{text}$"
            )
