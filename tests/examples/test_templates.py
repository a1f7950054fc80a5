"""The example templates: what they ask, and that they fit the demo unchanged."""

from pathlib import Path

import pytest
from demo.run import DEFAULT_PORTS

from gateway import template
from gateway.documents import Syntax, read_documents

TEMPLATES = Path(__file__).resolve().parents[2] / "examples/templates"
QUERY = (
    'sum(rate(nginx_ingress_controller_requests{ingress="{{args.ingress}}",'
    'status!~"[4-5].*"}[1m])) / '
    'sum(rate(nginx_ingress_controller_requests{ingress="{{args.ingress}}"}[1m]))'
)


@pytest.mark.parametrize(
    ("name", "args", "metric"),
    [
        pytest.param(
            "color",
            {"demo-url": f"http://127.0.0.1:{DEFAULT_PORTS['demo']}"},
            {
                "name": "color",
                "interval": "10s",
                "successCondition": 'result == "green"',
                "failureLimit": 3,
                "provider": {"web": {"url": "{{args.demo-url}}/color"}},
            },
            id="web-asks-the-demo-for-its-colour",
        ),
        pytest.param(
            "success-rate",
            {
                "ingress": "demo",
                "prometheus-address": f"http://127.0.0.1:{DEFAULT_PORTS['prometheus']}",
            },
            {
                "name": "success-rate",
                "interval": "10s",
                "successCondition": "isNaN(result[0]) || result[0] > 0.90",
                "failureLimit": 3,
                "provider": {
                    "prometheus": {"address": "{{args.prometheus-address}}", "query": QUERY}
                },
            },
            id="prometheus-is-asked-for-the-share-of-good-requests",
        ),
    ],
)
def test_example_is_the_one_we_tell_of(
    name: str, args: dict[str, str], metric: dict[str, object]
) -> None:
    """Each file holds the analysis that the README explains; its defaults reach the demo."""
    data = (TEMPLATES / f"{name}.yaml").read_bytes()
    (document,) = read_documents(data, name=name, syntax=Syntax.YAML)
    assert document.content == {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisTemplate",
        "metadata": {"name": name},
        "spec": {
            "args": [{"name": arg, "value": value} for arg, value in args.items()],
            "metrics": [metric],
        },
    }
    assert template.parse(document.content).name == name
