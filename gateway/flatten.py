"""Follow the references between templates and make one template of all that they lead to.

Source: argo-rollouts rollout/analysis.go:509-553 for the order, utils/analysis/helpers.go:330-494,
590-608 for what is combined how @ 9f8d111d8. Unlike Argo, templates that nest each other are a
problem instead of an endless recursion, and all problems are reported.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.errors import Problem, TemplateInvalid
from gateway.template import (
    Argument,
    DryRunRule,
    Kind,
    Located,
    Metric,
    Part,
    RetentionRule,
    Spec,
    Template,
    TemplateRef,
)

MAX_NESTING: Final = 50
"""References inside each other."""

Lookup = Callable[[TemplateRef], Template | None]
"""The template that a reference means in the caller's namespace, None if there is none."""


@dataclass(frozen=True, slots=True)
class FlatTemplate:
    """All templates of an analysis as one."""

    templates: tuple[Template, ...]
    """Namespaced ones before cluster ones, each kind in the order of the references."""
    metrics: tuple[Located[Metric], ...]
    args: tuple[Argument, ...]
    dry_run: tuple[Located[DryRunRule], ...]
    measurement_retention: tuple[Located[RetentionRule], ...]


def flatten(roots: Sequence[Template], lookup: Lookup) -> FlatTemplate:
    """Combine templates and all that they reference, directly or not.

    Raises:
        TemplateInvalid: a reference leads nowhere or back to where it came from, names collide, or
            one argument has two values.

    """
    flat, problems = combine(roots, lookup)
    if problems:
        raise TemplateInvalid(problems)
    return flat


def combine(roots: Sequence[Template], lookup: Lookup) -> tuple[FlatTemplate, tuple[Problem, ...]]:
    """As ``flatten``, but hands out what can be combined together with all problems."""
    walk = _Walk(lookup)
    for root in roots:
        walk.visit(root, ())
    found = sorted(walk.found.values(), key=lambda template: template.kind is Kind.CLUSTER)
    prefixes = _prefixes(found)
    problems = [Problem(prefixes[ref] + path, message) for ref, path, message in walk.complaints]
    metrics = tuple(_located(found, "metrics", lambda spec: spec.metrics))
    dry_run = tuple(_located(found, "dryRun", lambda spec: spec.dry_run))
    retention = tuple(
        _located(found, "measurementRetention", lambda spec: spec.measurement_retention)
    )
    arguments = tuple(_located(found, "args", lambda spec: spec.args))
    problems += _repeated(((each.part.name, each.path) for each in metrics), "metrics have")
    problems += _repeated(
        ((each.part.metric_name, each.path) for each in dry_run), "Dry-Run metric rules have"
    )
    problems += _repeated(
        ((each.part.metric_name, each.path) for each in retention),
        "Measurement Retention metric rules have",
    )
    args, conflicts = combine_arguments(arguments)
    problems += conflicts
    return FlatTemplate(tuple(found), metrics, args, dry_run, retention), tuple(problems)


def combine_arguments(
    located: Iterable[Located[Argument]],
) -> tuple[tuple[Argument, ...], list[Problem]]:
    """Arguments by name, in the order of their first appearance, and the conflicts between them.

    An earlier value stays; without one the later argument replaces the earlier one wholesale,
    even if that loses a secret.

    Source: argo-rollouts utils/analysis/helpers.go:357-394 @ 9f8d111d8.
    """
    by_name: dict[str, Argument] = {}
    conflicts: list[Problem] = []
    for each in located:
        later = each.part
        earlier = by_name.get(later.name)
        if earlier is None or earlier.value is None:
            by_name[later.name] = later
        elif later.value is not None and later.value != earlier.value:
            message = (
                f"Argument `{later.name}` specified multiple times with different values: "
                f"'{earlier.value}', '{later.value}'"
            )
            conflicts.append(Problem(each.path, message))
    return tuple(by_name.values()), conflicts


class _Walk:
    """Visits templates depth first, each before those that it references, and each once."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self.found: dict[TemplateRef, Template] = {}
        self.complaints: list[tuple[TemplateRef, str, str]] = []

    def visit(self, template: Template, trail: tuple[TemplateRef, ...]) -> None:
        # Of two templates with one name the first counts, so the second and all that it leads
        # to could add nothing.
        if template.ref in self.found:
            return
        self.found[template.ref] = template
        trail = (*trail, template.ref)
        for index, ref in enumerate(template.spec.templates):
            self._follow(ref, trail, f"spec.templates[{index}].templateName")

    def _follow(self, ref: TemplateRef, trail: tuple[TemplateRef, ...], path: str) -> None:
        way = " -> ".join(each.template_name for each in (*trail, ref))
        if ref in trail:
            self.complaints.append((trail[-1], path, f"templates nest each other: {way}"))
        elif len(trail) > MAX_NESTING:
            message = f"templates are nested deeper than {MAX_NESTING} levels: {way}"
            self.complaints.append((trail[-1], path, message))
        elif ref not in self.found:
            nested = self._lookup(ref)
            if nested is None:
                self.complaints.append((trail[-1], path, f"{ref} not found: {way}"))
            else:
                self.visit(nested, trail)


def prefix(template: Template) -> str:
    """What stands before a path if there are several templates."""
    return f"{template.kind} {template.name}: "


def _prefixes(templates: Sequence[Template]) -> Mapping[TemplateRef, str]:
    if len(templates) == 1:
        return {templates[0].ref: ""}
    return {each.ref: prefix(each) for each in templates}


def _located(
    templates: Sequence[Template], field: str, parts: Callable[[Spec], tuple[Part, ...]]
) -> Iterator[Located[Part]]:
    prefixes = _prefixes(templates)
    for template in templates:
        for index, part in enumerate(parts(template.spec)):
            path = f"{prefixes[template.ref]}spec.{field}[{index}]"
            yield Located(part, path)


def _repeated(names: Iterable[tuple[str, str]], what: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for name, path in names:
        if name in seen:
            yield Problem(path, f"two {what} the same name '{name}'")
        seen.add(name)
