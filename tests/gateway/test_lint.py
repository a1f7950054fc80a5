"""Findings: a corpus of templates, each broken one with all that is to be said about it."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manifests import PROVIDER_TYPES, WEB, manifest, parsed

from gateway.documents import Document, Syntax, read_documents
from gateway.lint import Finding, Severity, lint
from gateway.template import Template, TemplateRef
from providers import PROVIDERS

CORPUS = Path(__file__).resolve().parents[1] / "corpus"
NOWHERE: Mapping[TemplateRef, Template] = {}


def found(*contents: object, others: Mapping[TemplateRef, Template] = NOWHERE) -> list[str]:
    """Each finding about documents, as severity, path and message."""
    findings = lint(
        [Document(content) for content in contents],
        provider_types=PROVIDER_TYPES,
        environ={},
        lookup=others.get,
    )
    return [f"{each.severity}: {each.path}: {each.message}" for each in findings]


@pytest.mark.parametrize("file", sorted(CORPUS.glob("*.yaml")), ids=lambda file: file.stem)
def test_corpus(file: Path) -> None:
    """A good template gives no findings; a broken one those in the file beside it."""
    documents = read_documents(file.read_bytes(), name=file.name, syntax=Syntax.YAML)
    findings = lint(documents, provider_types=PROVIDERS, environ={}, lookup=NOWHERE.get)
    told = file.with_suffix(".findings")
    expected = told.read_text().splitlines() if told.exists() else []
    assert [
        f"{each.line}: {each.severity}: {each.path}: {each.message}" for each in findings
    ] == expected
    assert bool(expected) == file.name.startswith("broken-")


def metric(name: str = "m", **fields: object) -> dict[str, object]:
    """A metric that nothing is wrong with."""
    return {"name": name, "successCondition": "result > 1", "provider": WEB, **fields}


def test_json_findings_have_no_lines() -> None:
    """They have everything else, and their own order."""
    text = json.dumps(manifest(metrics=[metric(count=2, successCondition="result >")]))
    documents = read_documents(text.encode(), name="body", syntax=Syntax.JSON)
    assert lint(documents, provider_types=PROVIDER_TYPES, environ={}, lookup=NOWHERE.get) == (
        Finding(
            "spec.metrics[0].interval",
            "interval must be specified when count > 1",
            Severity.ERROR,
        ),
        Finding(
            "spec.metrics[0].successCondition",
            "unexpected token EOF",
            Severity.ERROR,
            hint="unexpected token EOF\n | result >\n |        ^",
        ),
    )


def test_lines_of_a_list_are_those_of_its_items() -> None:
    """What kubectl printed can be pointed into as well."""
    text = (
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: argoproj.io/v1alpha1\n"
        "  kind: AnalysisTemplate\n  metadata: {name: t}\n  spec:\n    metrics: []\n"
    )
    documents = read_documents(text.encode(), name="body", syntax=Syntax.YAML)
    assert lint(documents, provider_types=PROVIDER_TYPES, environ={}, lookup=NOWHERE.get) == (
        Finding("spec.metrics", "no metrics specified", Severity.ERROR, line=8),
    )


@pytest.mark.parametrize(
    "contents",
    [
        pytest.param([], id="no-documents"),
        pytest.param([{"apiVersion": "v1", "kind": "ConfigMap"}], id="other-kinds-only"),
    ],
)
def test_nothing_to_check_is_an_error(contents: list[object]) -> None:
    """A pipeline that checks nothing must not be green."""
    assert found(*contents) == [
        "error: : there is no AnalysisTemplate or ClusterAnalysisTemplate to be checked"
    ]


def test_templates_beside_and_elsewhere_are_found() -> None:
    """Those that are looked at together count before the others."""
    parent = manifest(
        "parent",
        templates=[{"templateName": "beside"}, {"templateName": "elsewhere"}],
        args=[{"name": "used", "value": ""}, {"name": "unused", "value": ""}],
        dryRun=[{"metricName": "^a$"}, {"metricName": "^c$"}],
    )
    beside = manifest(
        "beside", args=[{"name": "used"}], metrics=[metric("a", interval="{{args.used}}")]
    )
    elsewhere = parsed("elsewhere", metrics=[metric("b")])
    wrong = parsed("beside", metrics=[metric("c")])
    others = {each.ref: each for each in (elsewhere, wrong)}
    assert found(parent, beside, others=others) == [
        (
            "warning: AnalysisTemplate parent: spec.args[1].name: argument 'unused' is declared, "
            "but no metric uses it"
        ),
        ("error: AnalysisTemplate parent: spec.dryRun[1]: Rule didn't match any metric name(s)"),
    ]


def test_rules_wait_for_names() -> None:
    """Which metrics there are may be the caller's choice."""
    content = manifest(
        args=[{"name": "n"}],
        metrics=[metric("{{args.n}}")],
        dryRun=[{"metricName": "^shop$"}],
    )
    assert found(content) == []


def test_blocks_that_wait_are_checked_by_shape_only() -> None:
    """Whether a provider can be made out of them is not known yet."""
    content = manifest(
        args=[{"name": "url"}],
        metrics=[
            metric("a", provider={"web": {"url": "{{args.url}}"}}),
            metric("b", provider={"web": {"ulr": "{{args.url}}"}}),
            metric("c", provider={"web": {"url": ""}}),
        ],
    )
    assert found(content) == [
        "error: spec.metrics[1].provider.web.ulr: unknown field",
        "error: spec.metrics[2].provider.web: web address is not configured",
    ]


def test_defaults_are_judged() -> None:
    """An argument with a default must work with it; a secret is waited for."""
    secret = {"secretKeyRef": {"name": "s", "key": "k"}}
    content = manifest(
        args=[
            {"name": "op", "value": ">>"},
            {"name": "empty", "value": ""},
            {"name": "secret", "valueFrom": secret},
        ],
        metrics=[
            metric("a", successCondition="result {{args.op}} 1", interval="{{args.empty}}"),
            metric("b", successCondition="result {{args.secret}} 1"),
        ],
    )
    assert found(content) == [
        'error: spec.metrics[0].successCondition: unexpected token Operator(">")'
    ]


def test_what_follows_from_a_wrong_field_is_left_out() -> None:
    """Without its interval the metric lacks one, but that is not what is wrong."""
    assert found(manifest(metrics=[metric(count=2, interval=5)])) == [
        "error: spec.metrics[0].interval: must be a text, not the number 5; put it into quotes"
    ]


def test_providers_that_judge_need_no_conditions() -> None:
    """A Job succeeds or fails by itself."""
    content = manifest(metrics=[{"name": "j", "provider": {"job": {}}}])
    assert found(content) == []


SPECS = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(alphabet="{}args.x*(>1", max_size=12),
    lambda children: st.lists(children, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["name", "metrics", "args", "provider", "web", "value", "count", "interval", "url",
             "templates", "templateName", "dryRun", "metricName", "successCondition"]
        ),
        children,
        max_size=5,
    ),
    max_leaves=20,
)  # fmt: skip


@given(SPECS)
def test_any_document_gets_findings(spec: object) -> None:
    """Lint never fails, whatever it is given."""
    for line in found(manifest(**spec) if isinstance(spec, dict) else spec):
        assert line.startswith(("error: ", "warning: "))
