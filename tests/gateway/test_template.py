"""Documents to templates: what is accepted, and every complaint about what is not."""

from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manifests import WEB, manifest, parsed

from gateway.errors import Problem, TemplateInvalid
from gateway.template import (
    Argument,
    DryRunRule,
    Kind,
    Metric,
    RetentionRule,
    TemplateRef,
    examine,
    is_of_others,
    parse,
)

PROVIDER = {"provider": WEB}


def complaints(content: object) -> list[str]:
    """Each problem of a document as path and message."""
    with pytest.raises(TemplateInvalid) as caught:
        parse(content)
    return [str(problem) for problem in caught.value.problems]


def test_every_field_is_read() -> None:
    """Wire names become ours in one place."""
    template = parse(
        {
            **manifest(
                "t",
                "ClusterAnalysisTemplate",
                metrics=[
                    {
                        "name": "m",
                        "interval": "5s",
                        "initialDelay": "1m",
                        "count": 3,
                        "successCondition": "result > 1",
                        "failureCondition": "result < 1",
                        "failureLimit": "2",
                        "inconclusiveLimit": 1,
                        "consecutiveErrorLimit": 4,
                        "consecutiveSuccessLimit": 0,
                        "provider": {"web": {"url": "http://x", "jsonBody": {"a": [1]}}},
                    }
                ],
                args=[
                    {"name": "a", "value": ""},
                    {"name": "b", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
                    {"name": "c", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                ],
                dryRun=[{"metricName": ".*"}],
                measurementRetention=[{"metricName": "m", "limit": 5}],
                templates=[
                    {"templateName": "n"},
                    {"templateName": "c", "clusterScope": True},
                ],
            ),
            "metadata": {
                "name": "t",
                "namespace": "shop",
                "labels": {"a": "b"},
                "annotations": {"c": "d"},
                "uid": "what else Kubernetes keeps there",
                "managedFields": [{}],
            },
        }
    )
    (metric,) = template.spec.metrics
    assert metric == Metric.model_validate(
        {
            "name": "m",
            "interval": "5s",
            "initialDelay": "1m",
            "count": 3,
            "successCondition": "result > 1",
            "failureCondition": "result < 1",
            "failureLimit": "2",
            "inconclusiveLimit": 1,
            "consecutiveErrorLimit": 4,
            "consecutiveSuccessLimit": 0,
            "provider": {"web": {"url": "http://x", "jsonBody": {"a": [1]}}},
        }
    )
    assert (metric.initial_delay, metric.count, metric.failure_limit) == ("1m", 3, "2")
    assert (metric.inconclusive_limit, metric.consecutive_error_limit) == (1, 4)
    assert (metric.success_condition, metric.failure_condition) == ("result > 1", "result < 1")
    a, b, c = template.spec.args
    assert a == Argument(name="a", value="")
    assert b.value_from is not None
    assert b.value_from.secret_key_ref is not None
    assert (b.value_from.secret_key_ref.name, b.value_from.secret_key_ref.key) == ("s", "k")
    assert c.value_from is not None
    assert c.value_from.field_ref is not None
    assert c.value_from.field_ref.field_path == "metadata.name"
    assert template.spec.dry_run == (DryRunRule(metricName=".*"),)
    assert template.spec.measurement_retention == (RetentionRule(metricName="m", limit=5),)
    assert [str(ref) for ref in template.spec.templates] == [
        "AnalysisTemplate 'n'",
        "ClusterAnalysisTemplate 'c'",
    ]
    assert (template.kind, template.name) == (Kind.CLUSTER, "t")
    assert (template.metadata.namespace, template.metadata.labels) == ("shop", {"a": "b"})
    assert template.ref == TemplateRef(templateName="t", clusterScope=True)


def test_absent_differs_from_empty() -> None:
    """Defaults that Argo applies later are not applied here."""
    (metric,) = parsed(metrics=[{"name": "", **PROVIDER}]).spec.metrics
    assert metric == Metric(name="", provider={"web": {"url": "http://x"}})
    assert (metric.count, metric.failure_limit, metric.interval) == (None, None, "")


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param(
            {"metrics": [{"name": "m", "succesCondition": "x", **PROVIDER}]},
            ["spec.metrics[0].succesCondition: unknown field; did you mean successCondition?"],
            id="a-typo-is-named-with-what-was-meant",
        ),
        pytest.param(
            {"metrics": [{"name": "m", "success_condition": "x", **PROVIDER}]},
            ["spec.metrics[0].success_condition: unknown field; did you mean successCondition?"],
            id="our-own-names-are-no-wire-names",
        ),
        pytest.param(
            {"ttlStrategy": {"secondsAfterSuccess": 1}},
            ["spec.ttlStrategy: unknown field"],
            id="what-only-runs-have",
        ),
        pytest.param(
            {"args": [{"name": "a", "valueFrom": {"secretKeyRef": {"nam": "s"}}}]},
            [
                "spec.args[0].valueFrom.secretKeyRef.name: is required",
                "spec.args[0].valueFrom.secretKeyRef.key: is required",
                "spec.args[0].valueFrom.secretKeyRef.nam: unknown field; did you mean name?",
            ],
            id="deep-inside",
        ),
        pytest.param(
            {"metrics": [{"provider": WEB}, {"name": "m"}, 5]},
            [
                "spec.metrics[0].name: is required",
                "spec.metrics[1].provider: is required",
                "spec.metrics[2]: must be an object",
            ],
            id="all-metrics-are-looked-at",
        ),
        pytest.param(
            {"args": [{"name": "a", "value": 5}, {"name": "b", "value": True}]},
            [
                "spec.args[0].value: must be a text, not the number 5; put it into quotes",
                "spec.args[1].value: must be a text, not the boolean true; put it into quotes",
            ],
            id="values-of-arguments-are-texts",
        ),
        pytest.param(
            {"args": [{"name": "a", "value": ["x"]}]},
            ["spec.args[0].value: must be a text"],
            id="a-list-is-no-text",
        ),
        pytest.param(
            {"metrics": [{"name": "m", "interval": None, **PROVIDER}]},
            ["spec.metrics[0].interval: must be a text, not null; leave it out"],
            id="null-is-not-absent",
        ),
        pytest.param(
            {"metrics": [{"name": "m", "count": 3.5, "failureLimit": True, **PROVIDER}]},
            [
                "spec.metrics[0].count: must be an integer or a text",
                "spec.metrics[0].failureLimit: must be an integer or a text",
            ],
            id="counts-are-integers-or-texts",
        ),
        pytest.param(
            {"metrics": [{"name": "m", "count": 2**31, "failureLimit": -(2**31), **PROVIDER}]},
            ["spec.metrics[0].count: must fit into 32 bits"],
            id="integers-have-32-bits",
        ),
        pytest.param(
            {"measurementRetention": [{"metricName": "m", "limit": "5"}]},
            ["spec.measurementRetention[0].limit: must be an integer"],
            id="a-retention-limit-is-no-text",
        ),
        pytest.param(
            {"measurementRetention": [{"metricName": "m"}, {"metricName": "m", "limit": 2**31}]},
            [
                "spec.measurementRetention[0].limit: is required",
                "spec.measurementRetention[1].limit: must fit into 32 bits",
            ],
            id="a-retention-limit-is-required",
        ),
        pytest.param(
            {"args": [{"name": str(number)} for number in range(201)]},
            ["spec.args: must have at most 200 items"],
            id="lists-have-an-end",
        ),
        pytest.param(
            {"metrics": {"name": "m"}, "dryRun": "x", "args": 5},
            [
                "spec.metrics: must be a list",
                "spec.args: must be a list",
                "spec.dryRun: must be a list",
            ],
            id="lists-are-lists",
        ),
        pytest.param(
            {"metrics": [{"name": "m", "provider": []}, {"name": "n", "provider": {"web": 1}}]},
            [
                "spec.metrics[0].provider: must be an object",
                "spec.metrics[1].provider.web: must be an object",
            ],
            id="providers-are-objects",
        ),
        pytest.param(
            {"templates": [{"templateName": "x", "clusterScope": "yes"}, {"name": "x"}]},
            [
                "spec.templates[0].clusterScope: must be true or false",
                "spec.templates[1].templateName: is required",
                "spec.templates[1].name: unknown field",
            ],
            id="references",
        ),
    ],
)
def test_complaints_about_the_spec(spec: dict[str, object], expected: list[str]) -> None:
    """All at once, each with its path."""
    assert complaints(manifest(**spec)) == expected


def test_complaints_have_an_end() -> None:
    """What is not even close to a template is not answered with as many complaints."""
    found = complaints(manifest(**{f"x{number}": 1 for number in range(102)}))
    assert found[:2] == ["spec.x0: unknown field", "spec.x1: unknown field"]
    assert found[99:] == ["spec.x99: unknown field", "there are 2 more problems of this sort"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param([], ["the document must be an object"], id="a-list"),
        pytest.param(None, ["the document must be an object, not null; leave it out"], id="null"),
        pytest.param({}, ["apiVersion: is required", "kind: is required"], id="nothing"),
        pytest.param(
            {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "spec": {"replicas": 1}},
            ["kind: must be AnalysisTemplate or ClusterAnalysisTemplate, not 'Rollout'"],
            id="another-kind-hears-that-only",
        ),
        pytest.param(
            {"apiVersion": "argoproj.io/v1", "kind": ["x"]},
            [
                "apiVersion: must be argoproj.io/v1alpha1, not 'argoproj.io/v1'",
                "kind: must be AnalysisTemplate or ClusterAnalysisTemplate, not something else",
            ],
            id="another-version",
        ),
        pytest.param(
            {"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate"},
            ["metadata: is required", "spec: is required"],
            id="no-spec",
        ),
        pytest.param(
            {**manifest(), "metadata": {"name": "A b", "namespace": "a.b", "labels": {"a": 1}}},
            [
                "metadata.name: 'A b' must be a DNS name: lower case letters, digits, '-' and '.'",
                "metadata.namespace: 'a.b' must be a DNS label: lower case letters, digits and '-'",
                "metadata.labels.a: must be a text, not the number 1; put it into quotes",
            ],
            id="names",
        ),
        pytest.param(
            {**manifest(), "status": {}},
            ["status: unknown field"],
            id="fields-beside-spec",
        ),
    ],
)
def test_complaints_about_the_manifest(content: object, expected: list[str]) -> None:
    """What is no template at all hears just that."""
    assert complaints(content) == expected


def test_examine_goes_on_without_wrong_fields() -> None:
    """So that lint can say what else is wrong."""
    content = manifest(
        metrics=[{"name": "m", "count": True, "failurLimit": 1, "interval": "x", **PROVIDER}]
    )
    template, problems = examine(content)
    assert template == parsed(metrics=[{"name": "m", "interval": "x", **PROVIDER}])
    assert problems == (
        Problem("spec.metrics[0].count", "must be an integer or a text"),
        Problem("spec.metrics[0].failurLimit", "unknown field; did you mean failureLimit?"),
    )
    assert content["spec"]["metrics"][0]["count"] is True, "the document itself stays"


def test_examine_puts_something_in_place_of_what_is_required() -> None:
    """What a required field should have been is not known, but the rest is."""
    content = {
        **manifest(
            metrics=[{"nam": "m", "interval": "x"}],
            args=[{"name": 5, "value": "1"}],
            measurementRetention=[{"metricName": "m"}],
        ),
        "metadata": {"name": "A"},
    }
    template, problems = examine(content)
    assert template == parsed(
        "unnamed",
        metrics=[{"name": "unnamed", "interval": "x", "provider": {}}],
        args=[{"name": "unnamed", "value": "1"}],
        measurementRetention=[{"metricName": "m", "limit": 0}],
    )
    assert [problem.path for problem in problems] == [
        "metadata.name",
        "spec.metrics[0].name",
        "spec.metrics[0].provider",
        "spec.metrics[0].nam",
        "spec.args[0].name",
        "spec.measurementRetention[0].limit",
    ]


@pytest.mark.parametrize(
    ("content", "path"),
    [
        pytest.param(manifest(metrics=[5]), "spec.metrics[0]", id="a-whole-metric-is-wrong"),
        pytest.param([], "", id="no-document-at-all"),
    ],
)
def test_examine_gives_up(content: object, path: str) -> None:
    """What is left would not be what was meant."""
    template, problems = examine(content)
    assert (template, [problem.path for problem in problems]) == (None, [path])


def test_digest_is_of_the_spec() -> None:
    """The same text under another name, or with its fields in another order, is the same."""
    metrics = [{"name": "m", "interval": "5s", **PROVIDER}]
    template = parsed("a", metrics=metrics, args=[])
    same = parsed("b", args=[], metrics=[{**PROVIDER, "interval": "5s", "name": "m"}])
    other = parsed("a", metrics=[{"name": "m", "interval": "6s", **PROVIDER}], args=[])
    assert template.digest == same.digest != other.digest
    canonical = b'{"args":[],"metrics":[{"interval":"5s","name":"m","provider":{"web":{"url":"http://x"}}}]}'
    assert template.digest == f"sha256:{sha256(canonical).hexdigest()}"
    assert template.versioned_name == f"a@{template.digest}"


@pytest.mark.parametrize(
    ("content", "is_other"),
    [
        pytest.param({"apiVersion": "v1", "kind": "ConfigMap"}, True, id="core-kubernetes"),
        pytest.param({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout"}, True, id="rollout"),
        pytest.param(manifest(), False, id="a-template"),
        pytest.param(
            {"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplat"}, False, id="a-typo"
        ),
        pytest.param({"kind": "ConfigMap"}, False, id="without-a-version"),
        pytest.param([], False, id="no-manifest-at-all"),
    ],
)
def test_is_of_others(content: object, *, is_other: bool) -> None:
    """Only what is surely meant for somebody else is left alone."""
    assert is_of_others(content) is is_other


JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-1e9, 1e9) | st.text(max_size=9),
    lambda children: (
        st.lists(children, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["name", "metrics", "args", "provider", "web", "value", "valueFrom", "count", "x"]
            ),
            children,
            max_size=5,
        )
    ),
    max_leaves=15,
)


@given(JSON_VALUES)
def test_any_spec_is_parsed_or_refused(spec: object) -> None:
    """Nothing but TemplateInvalid ever leaves, and it always says something."""
    content = {**manifest(), "spec": spec}
    try:
        template = parse(content)
    except TemplateInvalid as error:
        assert error.problems
        assert all(problem.path and problem.message for problem in error.problems)
    else:
        assert template.digest.startswith("sha256:")
