"""The manifests of runs: what is read, and what is made of templates."""

from dataclasses import replace
from typing import Any

import pytest
from manifests import argument, located, metric, secret_argument

from gateway.errors import Problem, TemplateInvalid
from gateway.flatten import FlatTemplate
from gateway.run_manifest import (
    LABEL_ANNOTATION,
    NAMED_ANNOTATION,
    TEMPLATES_ANNOTATION,
    Order,
    manifest,
    order_of,
    parse_run,
)
from gateway.template import Argument, DryRunRule, Located, RetentionRule

METRIC = {"name": "m", "provider": {"web": {"url": "http://x"}}}


def document(metadata: object = None, **spec: object) -> dict[str, Any]:
    """An AnalysisRun; ``spec`` in wire names."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisRun",
        "metadata": {"name": "r"} if metadata is None else metadata,
        "spec": {"metrics": [METRIC], **spec},
    }


def flat(**parts: Any) -> FlatTemplate:
    """One metric, and nothing else unless it is given."""
    empty = FlatTemplate((), tuple(located([metric()])), (), (), ())
    return replace(empty, **parts)


def order(**fields: Any) -> Order:
    """A run of template ``t``."""
    told = {"name": "t-", "is_name_open": True, "namespace": "shop", "flat": flat()}
    told["is_brought"] = True
    return Order(**{**told, "arguments": (), **fields})


def made(wanted: Order) -> dict[str, Any]:
    """Its manifest, with a fixed identity."""
    return manifest(wanted, run_id="u", suffix="abc", created_at_unix_s=1.5)


def test_the_smallest_manifest_says_nothing_that_nobody_asked_for() -> None:
    """No empty lists, no labels, no status."""
    assert made(order()) == {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisRun",
        "metadata": {
            "name": "t-abc",
            "namespace": "shop",
            "uid": "u",
            "creationTimestamp": "1970-01-01T00:00:01.500Z",
        },
        "spec": {"metrics": [METRIC]},
    }


def test_who_brings_a_run_cannot_say_that_templates_made_it() -> None:
    """A list by template, a verdict and own metrics would tell of a template that was not used."""
    claims = {
        TEMPLATES_ANNOTATION: "success-rate@sha256:1f",
        LABEL_ANNOTATION: "success-rate",
        "analysis-gateway/context": "{}",
        "analysis-gateway/note": "all is well",
    }
    asked = parse_run(document({"annotations": {**claims, "x": "y"}}))
    assert order_of(asked, namespace="shop", given=()).annotations == {"x": "y"}


@pytest.mark.parametrize("claim", [{}, {NAMED_ANNOTATION: ""}, {NAMED_ANNOTATION: "true"}])
def test_who_brings_a_run_cannot_hide_that(claim: dict[str, str]) -> None:
    """Only the gateway says that it had all of it."""
    wanted = order_of(parse_run(document({"annotations": claim})), namespace="shop", given=())
    assert (wanted.is_brought, wanted.annotations) == (True, {})
    assert "annotations" not in made(wanted)["metadata"]


def test_a_run_of_templates_that_the_gateway_has_says_so() -> None:
    """Whoever plans it again may give it more than what a request brings."""
    wanted = order(annotations={LABEL_ANNOTATION: "t"}, is_brought=False)
    assert made(wanted)["metadata"]["annotations"] == {
        LABEL_ANNOTATION: "t",
        NAMED_ANNOTATION: "true",
    }


def test_everything_that_was_asked_for_is_in_the_manifest() -> None:
    """Arguments, rules, labels, annotations, ttlStrategy, in wire names."""
    asked = parse_run(
        document(
            {"generateName": "r-", "labels": {"team": "a"}, "annotations": {"x": "y"}},
            args=[{"name": "a", "value": "1"}],
            dryRun=[{"metricName": "m"}],
            measurementRetention=[{"metricName": "m", "limit": 3}],
            ttlStrategy={"secondsAfterSuccess": 7},
        )
    )
    kept = made(order_of(asked, namespace="shop", given=()))
    assert kept["metadata"]["name"] == "r-abc"
    assert kept["metadata"]["labels"] == {"team": "a"}
    assert kept["metadata"]["annotations"] == {"x": "y"}
    assert kept["spec"] == {
        "metrics": [METRIC],
        "args": [{"name": "a", "value": "1"}],
        "dryRun": [{"metricName": "m"}],
        "measurementRetention": [{"metricName": "m", "limit": 3}],
        "ttlStrategy": {"secondsAfterSuccess": 7},
    }


def test_a_kept_manifest_means_the_same_when_it_is_read_again() -> None:
    """Tags, secrets and places survive."""
    wanted = order(
        flat=flat(
            dry_run=(Located(DryRunRule(metricName="^m$"), "CAT t: spec.dryRun[0]"),),
            measurement_retention=(
                Located(RetentionRule(metricName="m", limit=2), "spec.measurementRetention[0]"),
            ),
        ),
        arguments=(argument("a", "{{args.b}}"), secret_argument("s")),
    )
    again = parse_run(made(wanted))
    assert again.spec.args == wanted.arguments
    assert again.flat() == flat(
        args=wanted.arguments,
        dry_run=(Located(DryRunRule(metricName="^m$"), "spec.dryRun[0]"),),
        measurement_retention=wanted.flat.measurement_retention,
    )


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        pytest.param({"name": "a-run", "is_name_open": False}, "a-run", id="a-given-name-stays"),
        pytest.param({"name": "t-"}, "t-abc", id="an-open-name-is-completed"),
        pytest.param({"name": "n" * 80}, "n" * 60 + "abc", id="a-long-name-keeps-its-suffix"),
    ],
)
def test_the_name(fields: dict[str, Any], name: str) -> None:
    """As Kubernetes makes names of generateName."""
    assert made(order(**fields))["metadata"]["name"] == name


def test_a_dry_run_adds_a_rule_for_every_metric() -> None:
    """Beside the rules that are there."""
    rule = Located(DryRunRule(metricName="m"), "spec.dryRun[0]")
    kept = made(order(flat=flat(dry_run=(rule,)), is_dry_run=True))
    assert kept["spec"]["dryRun"] == [{"metricName": "m"}, {"metricName": ".*"}]


def test_given_arguments_win_over_those_of_the_manifest() -> None:
    """One that the manifest does not have is a problem."""
    run = parse_run(document(args=[{"name": "a", "value": "1"}]))
    assert order_of(run, namespace="n", given=(argument("a", "2"),)).arguments == (
        Argument(name="a", value="2"),
    )
    with pytest.raises(TemplateInvalid, match="no template declares this argument"):
        order_of(run, namespace="n", given=(argument("b", "2"),))


def test_a_run_that_is_told_to_end_before_it_begins() -> None:
    """As Argo accepts it; its name may be left to the gateway."""
    wanted = order_of(parse_run(document({}, terminate=True)), namespace="n", given=())
    assert (wanted.is_terminated, wanted.is_name_open, wanted.name) == (True, True, "run-")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(
            document(metrcs=[]),
            Problem("spec.metrcs", "unknown field; did you mean metrics?"),
            id="a-misspelt-field",
        ),
        pytest.param(
            document({"generateName": "No"}),
            Problem(
                "metadata.generateName",
                "'Nox' must be a DNS name: lower case letters, digits, '-' and '.'",
            ),
            id="a-prefix-that-makes-no-name",
        ),
        pytest.param(
            document(ttlStrategy={"secondsAfterSuccess": 1 << 40}),
            Problem("spec.ttlStrategy.secondsAfterSuccess", "must fit into 32 bits"),
            id="a-number-beyond-32-bits",
        ),
        pytest.param("x", Problem("", "the document must be an object"), id="no-object"),
    ],
)
def test_what_is_no_manifest_is_told_with_its_place(content: object, problem: Problem) -> None:
    """One problem each."""
    with pytest.raises(TemplateInvalid) as caught:
        parse_run(content)
    assert caught.value.problems == (problem,)


def test_a_status_that_comes_along_is_ignored() -> None:
    """A run that was copied out of a cluster starts anew."""
    assert (
        parse_run({**document(), "status": {"phase": "Failed"}}).spec == parse_run(document()).spec
    )
