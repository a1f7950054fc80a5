"""The dashboards and alerts of the chart, taken apart."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from chart.rendering import CHART

DASHBOARDS: Final = sorted((CHART / "dashboards").glob("*.json"))
ALERTS: Final = CHART / "rules/alerts.yaml"
_NAME: Final = re.compile(r"\banalysis_gateway_\w+")
_SELECTOR: Final = re.compile(r"(analysis_gateway_\w+)(?:\{([^}]*)\})?")
_MATCHER: Final = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
_GROUPING: Final = re.compile(r"\b(?:by|on) \(([^)]*)\)")


@dataclass(frozen=True)
class Query:
    """A query of a panel."""

    dashboard: str
    panel: str
    expression: str

    def filled(self, variables: Mapping[str, str]) -> str:
        """The query that Grafana would send."""
        return filled(self.expression, variables)


def filled(text: str, variables: Mapping[str, str]) -> str:
    """A text with the values of its variables."""
    for name in sorted(variables, key=len, reverse=True):
        text = text.replace(f"${name}", variables[name])
    return text


def dashboard(path: Path) -> dict[str, Any]:
    """A dashboard."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def panels(path: Path) -> list[dict[str, Any]]:
    """The panels of a dashboard that show something."""
    return [each for each in dashboard(path)["panels"] if each["type"] != "row"]


def queries() -> Iterator[Query]:
    """Every query of every panel."""
    for path in DASHBOARDS:
        for panel in panels(path):
            for target in panel["targets"]:
                yield Query(path.stem, panel["title"], target["expr"])


def rules() -> list[dict[str, Any]]:
    """Every alert."""
    groups = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def metric_names(expression: str) -> set[str]:
    """The metrics of ours that an expression names."""
    return set(_NAME.findall(expression))


def labels_of(expression: str) -> dict[str, set[str]]:
    """By metric, the labels that an expression selects by."""
    found = dict[str, set[str]]()
    for name, matchers in _SELECTOR.findall(expression):
        found.setdefault(name, set()).update(_MATCHER.findall(matchers))
    return found


def grouped_by(expression: str) -> set[str]:
    """The labels that an expression groups by."""
    lists = _GROUPING.findall(expression)
    return {label.strip() for each in lists for label in each.split(",") if label.strip()}
