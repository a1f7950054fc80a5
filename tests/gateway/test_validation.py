"""The rules that metrics, and rules about metrics, must keep."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manifests import located, metric

from gateway.errors import Problem
from gateway.int_or_string import IntOrString
from gateway.template import DryRunRule, Located, Metric, RetentionRule
from gateway.validation import (
    MAX_PATTERN_CHARS,
    check_metrics,
    check_rules,
    effective_count,
    matching,
)


def complaints(*metrics: Metric) -> list[str]:
    """Each problem as path and message."""
    return [str(problem) for problem in check_metrics(located(metrics))]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({}, [], id="nothing-but-a-provider"),
        pytest.param(
            {"consecutiveSuccessLimit": -1},
            [
                "consecutiveSuccessLimit: consecutiveSuccessLimit must be >= 0",
            ],
            id="negative-success-limit",
        ),
        pytest.param(
            {"failureLimit": -2},
            ["failureLimit: failureLimit must be >= 0, or -1 to be disabled"],
            id="failure-limit-below-minus-one",
        ),
        pytest.param(
            {"failureLimit": "-1"},
            ["failureLimit: failureLimit and consecutiveSuccessLimit cannot both be disabled"],
            id="both-limits-disabled",
        ),
        pytest.param(
            {"failureLimit": -1, "consecutiveSuccessLimit": 1}, [], id="one-limit-disabled"
        ),
        pytest.param(
            {"inconclusiveLimit": -1},
            ["inconclusiveLimit: inconclusiveLimit must be >= 0"],
            id="negative-inconclusive-limit",
        ),
        pytest.param(
            {"consecutiveErrorLimit": -1},
            ["consecutiveErrorLimit: consecutiveErrorLimit must be >= 0"],
            id="negative-error-limit",
        ),
        pytest.param({"consecutiveErrorLimit": 0}, [], id="no-error-tolerated"),
        pytest.param(
            {"count": 1, "failureLimit": 2},
            [
                (
                    "count: count (1) must be >= failureLimit + consecutiveSuccessLimit (2 + 0) if "
                    "both >= 0"
                )
            ],
            id="more-failures-tolerated-than-there-are-measurements",
        ),
        pytest.param(
            {"count": 3, "failureLimit": 2, "consecutiveSuccessLimit": 2, "interval": "5s"},
            [
                (
                    "count: count (3) must be >= failureLimit + consecutiveSuccessLimit (2 + 2) if "
                    "both >= 0"
                )
            ],
            id="limits-together-exceed-the-count",
        ),
        pytest.param(
            {"count": 4, "failureLimit": 2, "consecutiveSuccessLimit": 2, "interval": "5s"},
            [],
            id="limits-together-fill-the-count",
        ),
        pytest.param(
            {"count": 3, "failureLimit": -1, "consecutiveSuccessLimit": 4, "interval": "5s"},
            ["count: count must be >= consecutiveSuccessLimit"],
            id="more-successes-wanted-than-there-are-measurements",
        ),
        pytest.param(
            {"count": 1, "inconclusiveLimit": 2},
            ["count: count must be >= inconclusiveLimit"],
            id="more-inconclusive-tolerated-than-there-are-measurements",
        ),
        pytest.param(
            {"count": 2},
            ["interval: interval must be specified when count > 1"],
            id="several-measurements-need-an-interval",
        ),
        pytest.param(
            {"count": "9" * 20},
            ["interval: interval must be specified when count > 1"],
            id="a-count-beyond-64-bits-is-large",
        ),
        pytest.param(
            {"interval": "1d"},
            ['interval: invalid interval string: time: unknown unit "d" in duration "1d"'],
            id="an-interval-that-go-cannot-read",
        ),
        pytest.param(
            {"interval": "temp-for-secret"},
            ['interval: invalid interval string: time: invalid duration "temp-for-secret"'],
            id="a-secret-is-no-interval",
        ),
        pytest.param(
            {"initialDelay": "60s-typo"},
            [
                (
                    "initialDelay: invalid startDelay string: time: unknown unit "
                    '"s-typo" in duration "60s-typo"'
                )
            ],
            id="a-delay-that-go-cannot-read",
        ),
        pytest.param({"provider": {}}, ["provider: no provider specified"], id="no-provider"),
        pytest.param(
            {"provider": {"plugin": {}}},
            ["provider: no provider specified"],
            id="an-empty-plugin-is-no-provider",
        ),
        pytest.param({"provider": {"plugin": {"a": {}}}}, [], id="one-plugin"),
        pytest.param(
            {"provider": {"plugin": {"a": {}, "b": {}}}},
            ["provider: multiple providers specified"],
            id="two-plugins",
        ),
        pytest.param(
            {"provider": {"web": {}, "prometheus": {}}},
            ["provider: multiple providers specified"],
            id="two-providers",
        ),
        pytest.param(
            {"name": "", "failureLimit": "x", "count": -1, "interval": "0s", "initialDelay": "-5s"},
            [],
            id="odd-but-valid-in-argo",
        ),
        pytest.param({"consecutiveSuccessLimit": 2}, [], id="valid-though-it-cannot-succeed"),
        pytest.param(
            {
                "count": 3,
                "failureLimit": 7,
                "inconclusiveLimit": 8,
                "consecutiveErrorLimit": -4,
                "initialDelay": "x",
                "provider": {},
            },
            [
                "consecutiveErrorLimit: consecutiveErrorLimit must be >= 0",
                (
                    "count: count (3) must be >= failureLimit + consecutiveSuccessLimit (7 + 0) if "
                    "both >= 0"
                ),
                "count: count must be >= inconclusiveLimit",
                "interval: interval must be specified when count > 1",
                'initialDelay: invalid startDelay string: time: invalid duration "x"',
                "provider: no provider specified",
            ],
            id="everything-at-once",
        ),
    ],
)
def test_metric(fields: dict[str, object], expected: list[str]) -> None:
    """Each rule in Argo's words, at the field that breaks it."""
    found = complaints(Metric.model_validate({"name": "m", "provider": {"web": {}}, **fields}))
    assert found == [f"spec.metrics[0].{each}" for each in expected]


def test_no_metrics() -> None:
    """Nothing measured is nothing proven."""
    assert check_metrics([]) == [Problem("spec.metrics", "no metrics specified")]


def test_names_are_unique() -> None:
    """Each repetition is named, the empty name included; other rules are checked all the same."""
    assert complaints(
        metric("x"), metric(""), metric("x", count=2), metric(""), metric("y"), metric("x")
    ) == [
        "spec.metrics[2].name: duplicate name 'x'",
        "spec.metrics[2].interval: interval must be specified when count > 1",
        "spec.metrics[3].name: duplicate name ''",
        "spec.metrics[5].name: duplicate name 'x'",
    ]


def test_rules_about_unknown_fields_wait() -> None:
    """What a caller's value decides cannot be judged without it."""
    metrics = located(
        [
            metric("x", count=1, failureLimit=2, inconclusiveLimit=2),
            metric("x", interval="?"),
            metric("x", initialDelay="?"),
        ]
    )
    unknown = [{"failureLimit"}, {"name", "interval"}, {"provider"}]
    assert [str(problem) for problem in check_metrics(metrics, unknown)] == [
        "spec.metrics[0].count: count must be >= inconclusiveLimit",
        "spec.metrics[2].name: duplicate name 'x'",
        'spec.metrics[2].initialDelay: invalid startDelay string: time: invalid duration "?"',
    ]


@pytest.mark.parametrize(
    ("count", "interval", "effective"),
    [
        pytest.param(None, "", 1, id="once"),
        pytest.param(None, "5s", None, id="without-end"),
        pytest.param(0, "5s", None, id="zero-is-without-end"),
        pytest.param("x", "", 1, id="no-number-is-zero"),
        pytest.param(0, "", 1, id="zero-without-an-interval-is-once"),
        pytest.param(3, "5s", 3, id="three-times"),
        pytest.param(-3, "", -3, id="negative-as-given"),
    ],
)
def test_effective_count(count: IntOrString | None, interval: str, effective: int | None) -> None:
    """How often Argo would measure."""
    fields = {} if count is None else {"count": count}
    assert effective_count(metric("m", interval=interval, **fields)) == effective


NAMES = ("success-rate", "error-rate", "rate")


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        pytest.param(".*", NAMES, id="everything"),
        pytest.param("", NAMES, id="the-empty-pattern-is-everywhere"),
        pytest.param("rate", NAMES, id="not-anchored"),
        pytest.param("^rate$", ("rate",), id="anchored-by-hand"),
        pytest.param("success.rate", ("success-rate",), id="a-dot-is-any-character"),
        pytest.param("(?i)SUCCESS", ("success-rate",), id="flags"),
        pytest.param("SUCCESS", (), id="case-matters"),
        pytest.param("*", (), id="a-bare-star-does-not-compile"),
        pytest.param("+", (), id="a-bare-plus-does-not-compile"),
        pytest.param("(", (), id="an-open-group-does-not-compile"),
        pytest.param("(?=rate)", (), id="re2-has-no-look-ahead"),
        pytest.param(r"(.)\1", (), id="re2-has-no-back-references"),
        pytest.param(r"\C", (), id="go-knows-no-bytes"),
        pytest.param(r"rate|\C", (), id="nor-behind-anything"),
        pytest.param(r"\Qrate\C", (), id="but-takes-what-is-quoted-for-a-text"),
        pytest.param(r"(\Q\C\E)?rate", NAMES, id="as-any-text"),
        pytest.param(r"^(?P<n>rate)$", ("rate",), id="a-group-may-have-a-name"),
        pytest.param("(?P<\N{GREEK SMALL LETTER ALPHA}>rate)", (), id="of-ascii-letters"),
        pytest.param("(rate|x{9999999999})", (), id="ten-digits-are-no-number-of-times"),
        pytest.param("rate[{9999999999}]?", NAMES, id="but-characters-of-a-class"),
        pytest.param("\ud800|rate", NAMES, id="half-a-pair"),
        pytest.param("x" * (MAX_PATTERN_CHARS + 1), (), id="too-long"),
        pytest.param("{{args.n}}", (), id="rules-have-no-arguments"),
    ],
)
def test_matching(pattern: str, found: tuple[str, ...]) -> None:
    """RE2, searched, as in Go."""
    assert matching(pattern, NAMES) == found


def test_rules_that_find_nothing() -> None:
    """Each of them is named by its place."""
    dry_run = [
        Located(DryRunRule(metricName=name), f"spec.dryRun[{index}]")
        for index, name in enumerate(["rate", "*", "latency"])
    ]
    retention = [Located(RetentionRule(metricName="x", limit=1), "spec.measurementRetention[0]")]
    assert [str(problem) for problem in check_rules(dry_run, NAMES)] == [
        "spec.dryRun[1]: Rule didn't match any metric name(s)",
        "spec.dryRun[2]: Rule didn't match any metric name(s)",
    ]
    assert [str(problem) for problem in check_rules(retention, NAMES)] == [
        "spec.measurementRetention[0]: Rule didn't match any metric name(s)"
    ]


@given(st.text(max_size=30), st.lists(st.text(max_size=10), max_size=3))
def test_any_pattern_matches_or_does_not(pattern: str, names: list[str]) -> None:
    """Nothing is ever raised, and what is found was there."""
    assert set(matching(pattern, names)) <= set(names)
