"""The values of the chart: each has a text, a place in the schema, and a row of the README."""

import json
import re
import runpy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from chart.matrix import Values
from chart.rendering import CHART, FULLNAME, needs_helm, rendered
from guarded import digest

ROOT: Final = Path(__file__).resolve().parents[2]
TOOL: Final = runpy.run_path(str(ROOT / "tools/describe_chart.py"))
VALUES: Final = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
SCHEMA: Final = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
HELMFILE: Final = ROOT / "charts/helmfile.yaml"


def paths(values: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every value, but for what is inside of those that are described as a whole."""
    described = {path for path, _ in TOOL["described"]()}
    for name, value in values.items():
        path = (*above, name)
        if isinstance(value, dict) and value and path not in described:
            yield from paths(value, path)
        else:
            yield path


def schema_paths(schema: Mapping[str, Any], above: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """Every value that the schema knows of."""
    found = set[tuple[str, ...]]()
    for name, below in schema["properties"].items():
        path = (*above, name)
        found |= schema_paths(below, path) if "properties" in below else {path}
    return found


def test_the_readme_is_what_the_values_say() -> None:
    """It is what ``tools/describe_chart.py`` prints."""
    assert (CHART / "README.md").read_text(encoding="utf-8") == TOOL["page"]()


def test_every_value_has_a_text() -> None:
    """And every text is of a value."""
    rows = dict(TOOL["described"]())
    missing = set(paths(VALUES)) - {("config", "logFormat")} - rows.keys()
    assert missing == set()
    assert all(text.endswith(".") for text in rows.values())


def test_the_schema_knows_the_values_and_no_others() -> None:
    """A value that is misspelt is refused, at every level."""
    known = {path for path in schema_paths(SCHEMA) if path != ("global",)}
    given = set(paths(VALUES)) - {("config", "logFormat")} | {("config",)}
    assert known == given
    closed = [SCHEMA]
    while closed:
        level = closed.pop()
        assert level["additionalProperties"] is False
        closed += [each for each in level["properties"].values() if "properties" in each]


def shown(title: str) -> Values:
    """The first YAML of the README with these words."""
    blocks = re.findall(r"^```yaml\n(.*?)^```$", TOOL["page"](), re.MULTILINE | re.DOTALL)
    values: Values = yaml.safe_load(next(each for each in blocks if title in each))
    return values


def test_what_has_a_default_cannot_be_taken_away() -> None:
    """A null is refused by name, and no template meets it; but what a container takes is free."""
    levels = [(SCHEMA, VALUES, ())]
    free = set[tuple[str, ...]]()
    while levels:
        schema, values, above = levels.pop()
        for name, below in schema["properties"].items():
            is_section = "properties" in below
            if is_section:
                levels.append((below, values[name], (*above, name)))
            if (is_section or values.get(name)) and name not in schema["required"]:
                free.add((*above, name))
    assert free == {("resources",), ("valkey", "resources")}


@needs_helm
def test_the_values_of_the_readme_can_be_used() -> None:
    """They are a whole release, and its token is the one that is made."""
    first = shown("# values.yaml")
    release = rendered(first)
    (role,) = release.of("Role")
    assert role["metadata"]["namespace"] == "shop"
    page = TOOL["page"]()
    pushed = re.findall(r"docker push (\S+)$", page, re.MULTILINE)
    assert pushed == [release.container["image"]]
    assert f"-t {pushed[0]} ." in HELMFILE.read_text(encoding="utf-8")
    (token,) = shown("# tokens.yaml")["tokens"]
    made = re.findall(r"secrets.token_urlsafe.*\n(\S+)\n(\S+)\n", page)
    assert made == [(made[0][0], digest(made[0][0]))]
    assert token["sha256"] == made[0][1]
    assert first["access"]["policy"]["rules"][0]["callers"] == [f"token:{token['name']}"]


@needs_helm
@pytest.mark.parametrize("words", ["extraEgress", "redis-ca", "SSL_CERT_FILE", "runAsUser: null"])
def test_values_that_the_readme_shows_fit(words: str) -> None:
    """To what is shown first."""
    values = shown("# values.yaml") | shown(words)
    values["networkPolicy"] = {"enabled": True, **values.get("networkPolicy", {})}
    rules = rendered(values).one("NetworkPolicy", FULLNAME)["spec"]["egress"]
    extra = values["networkPolicy"].get("extraEgress", [])
    assert rules[len(rules) - len(extra) :] == extra


@needs_helm
def test_the_readme_says_what_settings_of_ones_own_must_say() -> None:
    """Each path and port that the chart would have written."""
    page = TOOL["page"]().partition("## Settings of your own")[2].partition("\n## ")[0]
    values = {
        "access": {"tokens": {"existingSecret": "a"}},
        "templates": {"a.yaml": ""},
        "secrets": [{"namespace": "a", "name": "b", "existingSecret": "c"}],
        "tls": {"existingSecret": "a", "clientCa": True},
        "kubernetes": {"enabled": True},
    }
    settings = rendered(values).settings
    settings.pop("logFormat")
    for section, value in settings.items():
        below = value.values() if isinstance(value, dict) else [value]
        assert f"`{section}" in page
        for each in below:
            assert not str(each).startswith("/") or Path(each).name in page
            assert not str(each).startswith("/") or str(Path(each).parent) in page


def releases() -> list[dict[str, Any]]:
    """Those of the helmfile."""
    found: list[dict[str, Any]] = yaml.safe_load(HELMFILE.read_text(encoding="utf-8"))["releases"]
    return found


@needs_helm
def test_the_release_of_the_helmfile_can_be_rendered() -> None:
    """Beside Argo Rollouts and a Prometheus that finds its monitor, rules and dashboards."""
    charts = {each["name"]: each for each in releases()}
    assert charts.keys() == {"argo-rollouts", "kube-prometheus-stack", "analysis-gateway"}
    values: Values = {}
    for each in charts["analysis-gateway"]["values"]:
        values |= each
    release = rendered(values)
    kinds = {each["kind"] for each in release.manifests}
    assert kinds >= {"ServiceMonitor", "PrometheusRule", "AnalysisTemplate"}
    stack = charts["kube-prometheus-stack"]["values"][0]
    for kind in ("ServiceMonitor", "PrometheusRule"):
        assert release.one(kind, "analysis-gateway")["metadata"]["labels"]["release"] == (
            "kube-prometheus-stack"
        )
    assert stack["grafana"]["sidecar"]["dashboards"]["folderAnnotation"] == "grafana_folder"


def test_the_helmfile_can_be_applied_to_a_cluster_that_has_nothing() -> None:
    """Kinds that come along are not looked for, the stack stays within a major, and tokens fit."""
    charts = {each["name"]: each for each in releases()}
    gateway = charts["analysis-gateway"]
    assert gateway["disableValidationOnInstall"] is True
    assert charts["kube-prometheus-stack"]["version"].startswith("^")
    values: Values = gateway["values"][0]
    steps = HELMFILE.read_text(encoding="utf-8").partition("repositories:")[0]
    for each in ("gateway-tokens", values["redis"]["existingSecret"], "analysis-gateway-token"):
        assert f"create secret generic {each} " in steps
    (rule,) = values["access"]["policy"]["rules"]
    assert rule["callers"] == ["token:argo-rollouts"]
    assert "under the name argo-rollouts" in steps
