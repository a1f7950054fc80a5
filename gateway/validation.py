"""What makes a well-formed metric, or a rule about metrics, invalid.

Source: argo-rollouts utils/analysis/factory.go:131-265 for metrics and helpers.go:104-145 beside it
for rules @ 9f8d111d8. Every rule that is broken is reported, not only the first one.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from gateway.bounds import at
from gateway.durations import parse_duration_ns
from gateway.errors import Problem
from gateway.expr import searching
from gateway.int_or_string import int_value
from gateway.template import DryRunRule, Located, Metric, RetentionRule

MAX_PATTERN_CHARS: Final = 1_000
"""Longer rules match nothing."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule about one metric on its own."""

    fields: tuple[str, ...]
    """Wire names of all that the rule looks at; the first one is where the problem stands."""
    complaint: Callable[[Metric], str | None]
    """Argo's text if the metric breaks the rule."""


def check_metrics(
    metrics: Sequence[Located[Metric]], unknown: Sequence[Collection[str]] = ()
) -> list[Problem]:
    """All broken rules of metrics whose texts are resolved.

    Args:
        metrics: in the order of the run.
        unknown: for each metric the wire names of fields whose values are not known yet; rules
            that look at them are left out. Empty if all are known.

    """
    if not metrics:
        return [Problem("spec.metrics", "no metrics specified")]
    problems: list[Problem] = []
    seen: set[str] = set()
    for index, metric in enumerate(metrics):
        open_fields = unknown[index] if unknown else ()
        name = metric.part.name
        if "name" not in open_fields:
            if name in seen:
                problems.append(Problem(f"{metric.path}.name", f"duplicate name '{name}'"))
            seen.add(name)
        problems += _check_metric(metric, open_fields)
    return problems


def effective_count(metric: Metric) -> int | None:
    """How many measurements the metric wants; None if it goes on without end.

    Source: argo-rollouts pkg/apis/rollouts/v1alpha1/analysis_types.go:159-169 @ 9f8d111d8.
    """
    count = int_value(metric.count)
    if count == 0:
        return None if metric.interval else 1
    return count


def matching(pattern: str, names: Sequence[str]) -> tuple[str, ...]:
    """The names in which an RE2 expression finds something; none if it does not compile."""
    is_found = compiled_pattern(pattern)
    return () if is_found is None else tuple(name for name in names if is_found(name))


def check_rules(
    rules: Sequence[Located[DryRunRule]] | Sequence[Located[RetentionRule]],
    names: Sequence[str],
) -> list[Problem]:
    """The dry-run or retention rules that find no metric among the resolved names."""
    return [
        Problem(rule.path, "Rule didn't match any metric name(s)")
        for rule in rules
        if not matching(rule.part.metric_name, names)
    ]


@lru_cache(maxsize=1_024)
def compiled_pattern(pattern: str) -> Callable[[str], bool] | None:
    """What finds the expression in a name, None if Go refuses it."""
    return None if len(pattern) > MAX_PATTERN_CHARS else searching(pattern)


def _check_metric(metric: Located[Metric], unknown: Collection[str]) -> Iterator[Problem]:
    for rule in _RULES:
        if not any(field in unknown for field in rule.fields):
            message = rule.complaint(metric.part)
            if message is not None:
                yield Problem(at(metric.path, rule.fields[0]), message)


def _check(
    *fields: str, unless: Callable[[Metric], bool], message: str | Callable[[Metric], str]
) -> Rule:
    def complaint(metric: Metric) -> str | None:
        if unless(metric):
            return None
        return message if isinstance(message, str) else message(metric)

    return Rule(fields, complaint)


def _count(metric: Metric) -> int:
    return int_value(metric.count)


def _failures(metric: Metric) -> int:
    return int_value(metric.failure_limit)


def _successes(metric: Metric) -> int:
    return int_value(metric.consecutive_success_limit)


def _inconclusives(metric: Metric) -> int:
    return int_value(metric.inconclusive_limit)


def _too_short(metric: Metric) -> str:
    return (
        f"count ({_count(metric)}) must be >= failureLimit + consecutiveSuccessLimit "
        f"({_failures(metric)} + {_successes(metric)}) if both >= 0"
    )


def _bad_interval(metric: Metric) -> str | None:
    return _bad_duration(metric.interval, "invalid interval string")


def _bad_delay(metric: Metric) -> str | None:
    # The word startDelay is Argo's.
    return _bad_duration(metric.initial_delay, "invalid startDelay string")


def _bad_duration(text: str, complaint: str) -> str | None:
    try:
        if text:
            parse_duration_ns(text)
    except ValueError as error:
        return f"{complaint}: {error}"
    return None


def _provider_count(metric: Metric) -> int:
    return sum(len(block) if name == "plugin" else 1 for name, block in metric.provider.items())


_RULES: Final = (
    _check(
        "consecutiveSuccessLimit",
        unless=lambda metric: _successes(metric) >= 0,
        message="consecutiveSuccessLimit must be >= 0",
    ),
    _check(
        "failureLimit",
        unless=lambda metric: _failures(metric) >= -1,
        message="failureLimit must be >= 0, or -1 to be disabled",
    ),
    _check(
        "failureLimit",
        "consecutiveSuccessLimit",
        unless=lambda metric: _successes(metric) != 0 or _failures(metric) != -1,
        message="failureLimit and consecutiveSuccessLimit cannot both be disabled",
    ),
    _check(
        "inconclusiveLimit",
        unless=lambda metric: _inconclusives(metric) >= 0,
        message="inconclusiveLimit must be >= 0",
    ),
    _check(
        "consecutiveErrorLimit",
        unless=lambda metric: int_value(metric.consecutive_error_limit) >= 0,
        message="consecutiveErrorLimit must be >= 0",
    ),
    _check(
        "count",
        "failureLimit",
        "consecutiveSuccessLimit",
        unless=lambda metric: (
            _count(metric) <= 0
            or _failures(metric) < 0
            or _count(metric) >= _failures(metric) + _successes(metric)
        ),
        message=_too_short,
    ),
    _check(
        "count",
        "failureLimit",
        "consecutiveSuccessLimit",
        unless=lambda metric: (
            _count(metric) <= 0 or _failures(metric) >= 0 or _count(metric) >= _successes(metric)
        ),
        message="count must be >= consecutiveSuccessLimit",
    ),
    _check(
        "count",
        "inconclusiveLimit",
        unless=lambda metric: _count(metric) <= 0 or _count(metric) >= _inconclusives(metric),
        message="count must be >= inconclusiveLimit",
    ),
    _check(
        "interval",
        "count",
        unless=lambda metric: _count(metric) <= 1 or bool(metric.interval),
        message="interval must be specified when count > 1",
    ),
    Rule(("interval",), _bad_interval),
    Rule(("initialDelay",), _bad_delay),
    _check(
        "provider",
        unless=lambda metric: _provider_count(metric) > 0,
        message="no provider specified",
    ),
    _check(
        "provider",
        unless=lambda metric: _provider_count(metric) <= 1,
        message="multiple providers specified",
    ),
)
