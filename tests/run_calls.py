"""Short words for calls about runs."""

from typing import Any, Final

from backends import Play
from running import Reply, Service, template, web_metric

GREEN: Final = Play('"green"')
RED: Final = Play('"red"')
AWAY: Final = Play("", status=503)
CONDITION: Final = 'result == "green"'
NOBODY: Final = "7e5f0c52-6a3f-4c85-9f0e-3c2f5d1f7b11"
FAR: Final = "http://127.0.0.1:1"


def both(url: str) -> dict[str, Any]:
    """A metric that is Inconclusive unless the answer is green or red."""
    return web_metric(url, CONDITION, failureCondition='result == "red"', consecutiveErrorLimit=0)


def endless(url: str) -> dict[str, object]:
    """A template whose runs end only when they are told to."""
    return template(web_metric(url, CONDITION, interval="1h"))


def run_manifest(*metrics: dict[str, Any], **spec: object) -> dict[str, Any]:
    """An AnalysisRun that somebody sends."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisRun",
        "metadata": {"name": "mine", "namespace": "shop", "labels": {"team": "a"}},
        "spec": {"metrics": list(metrics), **spec},
    }


async def started(gateway: Service, content: object, query: str = "", **headers: str) -> Reply:
    """A run that has been started."""
    reply = await gateway.post(f"/v1/runs?{query}", content, **headers)
    assert reply.status in {200, 202}, reply.text
    return reply
