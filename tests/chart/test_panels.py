"""The panels and alerts: they show something of a gateway at work, and fit where they are put."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from chart.busy import METRIC, NAMESPACE, TEMPLATE, watched
from chart.panels import (
    ALERTS,
    DASHBOARDS,
    Query,
    dashboard,
    filled,
    grouped_by,
    labels_of,
    metric_names,
    panels,
    queries,
    rules,
)
from prometheus_server import Prometheus

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
UNITS: Final = {"none", "ops", "percentunit", "reqps", "s", "short"}
CHOSEN: Final = {
    "job": ".*",
    "instance": ".*",
    "provider": ".*",
    "connection": ".*",
    "namespace": NAMESPACE,
    "template": TEMPLATE,
    "metric": ".*",
    "__rate_interval": "1m",
    "__range": "1m",
}
"""What Grafana would put into the queries."""
Watched = tuple[Prometheus, float]


@pytest.fixture(name="at_work", scope="module")
def _at_work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with watched(tmp_path_factory.mktemp("watched")) as known:
        yield known


def documented() -> dict[str, set[str]]:
    """Every metric of the page with its labels."""
    rows = re.findall(r"^\| `(analysis_gateway_\w+)` \| (\w+) \| (.*?) \|", PAGE, re.MULTILINE)
    found = dict[str, set[str]]()
    for name, kind, labels in rows:
        parts = ("_bucket", "_count", "_sum") if kind == "histogram" else ("",)
        for part in parts:
            found[name + part] = {*re.findall(r"`(\w+)`", labels), "job", "instance"}
            found[name + part] |= {"le"} if part == "_bucket" else set()
    return found


def expressions() -> Iterator[Any]:
    """Every expression of panels and alerts."""
    for query in queries():
        yield pytest.param(query.expression, id=f"{query.dashboard}: {query.panel}")
    for rule in rules():
        yield pytest.param(rule["expr"], id=rule["alert"])


def alone(query: Query) -> str:
    """A query; a panel that is repeated for each metric is for one of them."""
    metric = METRIC if query.panel == "$metric" else CHOSEN["metric"]
    return query.filled({**CHOSEN, "metric": metric})


@pytest.mark.parametrize(
    "query", [pytest.param(q, id=f"{q.dashboard}: {q.panel}") for q in queries()]
)
def test_a_panel_shows_something(at_work: Watched, query: Query) -> None:
    """Its query is good, and a gateway at work has data for it."""
    server, now_unix_s = at_work
    data = server.get("query", query=alone(query), time=str(now_unix_s))
    assert data["result"]
    values = [each["value"][1] for each in data["result"]]
    assert set(values) != {"NaN"}


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_variable_offers_something(at_work: Watched, path: Path) -> None:
    """The values among which the reader chooses are those that there are."""
    server, now_unix_s = at_work
    expected = {
        "job": {"serviceMonitor/analysis/gw"},
        "namespace": {NAMESPACE},
        "template": {TEMPLATE, "away", "later"},
        "metric": {METRIC},
        "provider": {"web"},
        "connection": {"good", "away"},
    }
    for variable in dashboard(path)["templating"]["list"]:
        if variable["type"] == "query":
            asked = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"])
            assert asked is not None
            times = {"start": str(now_unix_s - 60), "end": str(now_unix_s)}
            match = {"match[]": filled(asked[1], CHOSEN)}
            offered = server.get(f"label/{asked[2]}/values", **match, **times)
            wanted = expected.get(variable["name"])
            assert set(offered) == wanted if wanted else len(offered) == 2


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule["alert"]) for rule in rules()])
def test_an_alert_looks_at_what_there_is(at_work: Watched, rule: dict[str, Any]) -> None:
    """Prometheus takes it, and has every metric that it names."""
    server, now_unix_s = at_work
    server.get("query", query=rule["expr"], time=str(now_unix_s))
    for name in metric_names(rule["expr"]):
        assert server.get("query", query=name, time=str(now_unix_s))["result"]


def test_a_gateway_without_redis_is_told_of(at_work: Watched) -> None:
    """Of the two that were at work one had none."""
    server, now_unix_s = at_work
    (rule,) = (each for each in rules() if each["alert"] == "AnalysisGatewayStoreDown")
    assert len(server.get("query", query=rule["expr"], time=str(now_unix_s))["result"]) == 1


@pytest.mark.parametrize("expression", list(expressions()))
def test_an_expression_names_what_is_documented(expression: str) -> None:
    """Metrics that the page has, with labels that they have."""
    known = documented()
    names = metric_names(expression)
    assert names
    assert names <= known.keys()
    for name, labels in labels_of(expression).items():
        assert labels <= known[name]
    assert grouped_by(expression) <= set().union(*(known[name] for name in names))


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_belongs_to_nobody(path: Path) -> None:
    """Data source and job are the reader's choice, and nothing has to be asked at its import."""
    content = dashboard(path)
    assert not content.keys() & {"__inputs", "__requires", "id"}
    names = [each["name"] for each in content["templating"]["list"]]
    assert names[:2] == ["datasource", "job"]
    for panel in panels(path):
        places = [panel, *panel["targets"]]
        assert {each["datasource"]["uid"] for each in places} == {"${datasource}"}
        for target in panel["targets"]:
            assert set(re.findall(r"job\s*(=~?|!~?)\s*(\S+?)[,}]", target["expr"])) <= {
                ("=~", '"$job"')
            }
            assert "$job" in target["expr"]


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_panel_says_what_it_shows(path: Path) -> None:
    """With a title, a sentence and a unit; none covers another."""
    taken = set[tuple[int, int]]()
    titles = list[str]()
    for panel in panels(path):
        titles.append(panel["title"])
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
        grid = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(grid["x"], grid["x"] + grid["w"])
            for y in range(grid["y"], grid["y"] + grid["h"])
        }
        assert not cells & taken
        assert grid["x"] + grid["w"] <= 24
        taken |= cells
    assert len(titles) == len(set(titles))
    ids = [each["id"] for each in dashboard(path)["panels"]]
    assert len(ids) == len(set(ids))


def test_dashboards_are_told_apart() -> None:
    """By uid and by title; both say whose they are."""
    every = [dashboard(path) for path in DASHBOARDS]
    assert len({each["uid"] for each in every}) == len({each["title"] for each in every}) == 4
    assert all(each["uid"].startswith("analysis-gateway-") for each in every)
    assert all(each["title"].startswith("Analysis Gateway / ") for each in every)
    assert all(each["schemaVersion"] == 38 for each in every)


@pytest.mark.parametrize("command", ["check", "test"])
def test_promtool_is_content_with_the_alerts(command: str) -> None:
    """They are well formed, fire when they should, and are silent when they should be."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("Debian's package prometheus is not installed")
    file = ALERTS if command == "check" else Path(__file__).with_name("alerts_test.yaml")
    done = subprocess.run(
        [promtool, command, "rules", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule["alert"]) for rule in rules()])
def test_an_alert_says_what_is_the_matter(rule: dict[str, Any]) -> None:
    """How grave it is, since when, in short and at length; and it is tried."""
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert rule["for"]
    assert rule["annotations"].keys() == {"summary", "description"}
    trials = Path(__file__).with_name("alerts_test.yaml").read_text(encoding="utf-8")
    assert trials.count(f"alertname: {rule['alert']}") >= 2
    row = f"| `{rule['alert']}` | {rule['labels']['severity']} | "
    assert row in (ROOT / "docs/grafana.md").read_text(encoding="utf-8")
