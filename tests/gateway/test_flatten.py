"""References followed, and several templates made one."""

from collections.abc import Mapping

import pytest
from manifests import WEB, argument, parsed, secret_argument

from gateway.errors import Problem, TemplateInvalid
from gateway.flatten import MAX_NESTING, FlatTemplate, combine_arguments, flatten
from gateway.template import Argument, Kind, Located, Template, TemplateRef


def ref(name: str, kind: str = Kind.NAMESPACED) -> dict[str, object]:
    """A reference in wire names."""
    return {"templateName": name, "clusterScope": kind == Kind.CLUSTER}


def measuring(
    name: str, *nested: dict[str, object], kind: str = Kind.NAMESPACED, metric: str = ""
) -> Template:
    """A template with one metric of its own name, and references."""
    metrics = [{"name": metric or name, "provider": WEB}]
    return parsed(name, kind, metrics=metrics, templates=list(nested))


def among(*templates: Template) -> Mapping[TemplateRef, Template]:
    """What can be looked up."""
    return {template.ref: template for template in templates}


def complaints(*roots: Template, others: Mapping[TemplateRef, Template]) -> list[str]:
    """Each problem as path and message."""
    with pytest.raises(TemplateInvalid) as caught:
        flatten(roots, others.get)
    return [str(problem) for problem in caught.value.problems]


def names(flat: FlatTemplate) -> list[str]:
    """The names of the metrics in their order."""
    return [metric.part.name for metric in flat.metrics]


def test_one_template_keeps_its_paths() -> None:
    """Without references nothing is added to a path."""
    template = parsed(
        "t",
        metrics=[{"name": "a", "provider": WEB}, {"name": "b", "provider": WEB}],
        args=[{"name": "x"}],
        dryRun=[{"metricName": "a"}],
        measurementRetention=[{"metricName": "b", "limit": 1}],
    )
    spec = template.spec
    assert flatten([template], among().get) == FlatTemplate(
        templates=(template,),
        metrics=(
            Located(spec.metrics[0], "spec.metrics[0]"),
            Located(spec.metrics[1], "spec.metrics[1]"),
        ),
        args=spec.args,
        dry_run=(Located(spec.dry_run[0], "spec.dryRun[0]"),),
        measurement_retention=(
            Located(spec.measurement_retention[0], "spec.measurementRetention[0]"),
        ),
    )


A_B, A_C = ref("b"), ref("c")
CLUSTER_C = ref("c", Kind.CLUSTER)


@pytest.mark.parametrize(
    ("roots", "others", "expected"),
    [
        pytest.param(
            [measuring("a", ref("b"), ref("d"))],
            [measuring("b", ref("c")), measuring("c"), measuring("d")],
            ["a", "b", "c", "d"],
            id="depth-first-each-before-what-it-references",
        ),
        pytest.param(
            [measuring("a", CLUSTER_C, ref("b"))],
            [measuring("c", kind=Kind.CLUSTER), measuring("b")],
            ["a", "b", "c"],
            id="namespaced-before-cluster",
        ),
        pytest.param(
            [measuring("c", ref("a"), kind=Kind.CLUSTER)],
            [measuring("a")],
            ["a", "c"],
            id="a-cluster-template-may-reference-a-namespaced-one",
        ),
        pytest.param(
            [measuring("a", ref("b"), ref("c"))],
            [measuring("b", ref("d")), measuring("c", ref("d")), measuring("d")],
            ["a", "b", "d", "c"],
            id="what-two-reference-counts-once-at-its-first-place",
        ),
        pytest.param(
            [measuring("a", ref("a", Kind.CLUSTER))],
            [measuring("a", kind=Kind.CLUSTER, metric="a-too")],
            ["a", "a-too"],
            id="the-two-kinds-have-names-of-their-own",
        ),
        pytest.param(
            [measuring("a", ref("b")), measuring("b"), measuring("c")],
            [measuring("b")],
            ["a", "b", "c"],
            id="several-roots",
        ),
        pytest.param([measuring("a"), measuring("a")], [], ["a"], id="a-root-twice-counts-once"),
        pytest.param([], [], [], id="nothing"),
    ],
)
def test_order(roots: list[Template], others: list[Template], expected: list[str]) -> None:
    """The order in which Argo would measure."""
    assert names(flatten(roots, among(*others).get)) == expected


def test_paths_name_the_template_if_there_are_several() -> None:
    """An index alone would not say whose metric it is."""
    cluster = measuring("c", kind=Kind.CLUSTER)
    flat = flatten([measuring("a", CLUSTER_C)], among(cluster).get)
    assert [metric.path for metric in flat.metrics] == [
        "AnalysisTemplate a: spec.metrics[0]",
        "ClusterAnalysisTemplate c: spec.metrics[0]",
    ]


@pytest.mark.parametrize(
    ("roots", "others", "expected"),
    [
        pytest.param(
            [measuring("a", ref("a"))],
            [],
            ["spec.templates[0].templateName: templates nest each other: a -> a"],
            id="a-template-references-itself",
        ),
        pytest.param(
            [measuring("a", ref("b"))],
            [measuring("b", ref("c")), measuring("c", ref("d"), ref("b")), measuring("d")],
            [
                (
                    "AnalysisTemplate c: spec.templates[1].templateName: templates nest each "
                    "other: a -> b -> c -> b"
                )
            ],
            id="the-whole-way-round-is-named",
        ),
        pytest.param(
            [measuring("a", ref("b"), ref("c", Kind.CLUSTER))],
            [],
            [
                "spec.templates[0].templateName: AnalysisTemplate 'b' not found: a -> b",
                "spec.templates[1].templateName: ClusterAnalysisTemplate 'c' not found: a -> c",
            ],
            id="every-missing-template-is-named-with-the-way-to-it",
        ),
        pytest.param(
            [
                parsed("a", metrics=[{"name": "x", "provider": WEB}] * 3),
            ],
            [],
            [
                "spec.metrics[1]: two metrics have the same name 'x'",
                "spec.metrics[2]: two metrics have the same name 'x'",
            ],
            id="one-name-in-one-template",
        ),
        pytest.param(
            [measuring("a", ref("b"))],
            [measuring("b", metric="a")],
            ["AnalysisTemplate b: spec.metrics[0]: two metrics have the same name 'a'"],
            id="one-name-in-two-templates",
        ),
        pytest.param(
            [
                parsed(
                    "a",
                    dryRun=[{"metricName": "b"}, {"metricName": "b"}],
                    measurementRetention=[
                        {"metricName": "b", "limit": 1},
                        {"metricName": "b", "limit": 2},
                    ],
                )
            ],
            [],
            [
                "spec.dryRun[1]: two Dry-Run metric rules have the same name 'b'",
                (
                    "spec.measurementRetention[1]: two Measurement Retention metric rules have the "
                    "same name 'b'"
                ),
            ],
            id="rules",
        ),
        pytest.param(
            [
                parsed("a", args=[{"name": "a", "value": "true"}]),
                parsed("b", args=[{"name": "a", "value": "false"}]),
            ],
            [],
            [
                (
                    "AnalysisTemplate b: spec.args[0]: Argument `a` specified multiple times with "
                    "different values: 'true', 'false'"
                )
            ],
            id="arguments",
        ),
    ],
)
def test_complaints(roots: list[Template], others: list[Template], expected: list[str]) -> None:
    """All that cannot be combined."""
    assert complaints(*roots, others=among(*others)) == expected


def test_nesting_has_an_end() -> None:
    """A chain of references must not exhaust the stack."""
    chain = among(*(measuring(f"t{n}", ref(f"t{n + 1}")) for n in range(MAX_NESTING + 10)))
    (complaint,) = complaints(chain[TemplateRef(templateName="t0")], others=chain)
    assert complaint.startswith(
        "AnalysisTemplate t50: spec.templates[0].templateName: "
        "templates are nested deeper than 50 levels: t0 ->"
    )


def test_diamonds_on_diamonds_cost_little() -> None:
    """Each template is visited once, not once for each of 2^40 ways to it."""
    layers = among(
        *(
            measuring(f"{side}{n}", ref(f"a{n + 1}"), ref(f"b{n + 1}"))
            for n in range(40)
            for side in "ab"
        ),
        measuring("a40"),
        measuring("b40"),
    )
    flat = flatten([layers[TemplateRef(templateName="a0")]], layers.get)
    assert len(flat.metrics) == 81


VALUE_1, VALUE_2 = argument("x", "1"), argument("x", "2")
NO_VALUE = argument("x")
SECRET = secret_argument("x")


@pytest.mark.parametrize(
    ("earlier", "later", "kept"),
    [
        pytest.param(VALUE_1, VALUE_1, VALUE_1, id="equal-values"),
        pytest.param(NO_VALUE, VALUE_2, VALUE_2, id="a-value-fills-a-gap"),
        pytest.param(VALUE_2, NO_VALUE, VALUE_2, id="a-value-stays"),
        pytest.param(VALUE_2, SECRET, VALUE_2, id="a-value-stays-over-a-secret"),
        pytest.param(SECRET, NO_VALUE, NO_VALUE, id="a-secret-is-lost-to-nothing"),
        pytest.param(SECRET, VALUE_2, VALUE_2, id="a-value-replaces-a-secret"),
        pytest.param(argument("x", ""), VALUE_1, None, id="an-empty-value-differs-from-another"),
        pytest.param(VALUE_1, VALUE_2, None, id="values-that-differ"),
    ],
)
def test_combine_arguments(earlier: Argument, later: Argument, kept: Argument | None) -> None:
    """The table of Argo's rules; None is a conflict."""
    other = argument("y", "0")
    combined, conflicts = combine_arguments(
        [Located(earlier, "first"), Located(other, "second"), Located(later, "third")]
    )
    if kept is None:
        message = (
            f"Argument `x` specified multiple times with different values: "
            f"'{earlier.value}', '{later.value}'"
        )
        assert conflicts == [Problem("third", message)]
    else:
        assert (combined, conflicts) == ((kept, other), [])
