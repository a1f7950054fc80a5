"""The values of the chart: each has a text, a place in the schema, and a row of the README."""

import json
import re
import runpy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from chart.matrix import Values
from chart.rendering import CHART, FULLNAME, needs_helm, rendered

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


@needs_helm
def test_the_values_of_the_readme_can_be_used() -> None:
    """They are a whole release."""
    page = TOOL["page"]()
    first, policy = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    release = rendered(yaml.safe_load(first))
    assert release.one("Role")["metadata"]["namespace"] == "shop"
    pushed = re.findall(r"docker push (\S+)$", page, re.MULTILINE)
    assert pushed == [release.container["image"]]
    assert f"-t {pushed[0]} ." in HELMFILE.read_text(encoding="utf-8")
    values = yaml.safe_load(first) | yaml.safe_load(policy)
    values["networkPolicy"]["enabled"] = True
    rules = rendered(values).one("NetworkPolicy", FULLNAME)["spec"]["egress"]
    assert rules[-3:] == values["networkPolicy"]["extraEgress"]


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
