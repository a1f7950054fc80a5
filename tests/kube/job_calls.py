"""Templates that run Jobs, gateways that may, and what their runs have measured."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from kube.cluster import Cluster
from kube.gateways import TEMPLATES, gateway_on, template
from kube.polling import until
from run_calls import started
from running import Service

_TIMES = frozenset({"startedAt", "finishedAt", "resumeAt"})


def job_metric(
    name: str = "smoke",
    *,
    pod: Mapping[str, Any] | None = None,
    job: Mapping[str, Any] | None = None,
    **fields: object,
) -> dict[str, Any]:
    """A metric that runs a Job with one container; ``pod`` and ``job`` add to their specs."""
    container = {"name": "main", "image": "alpine:3", "command": ["sh", "-c", "exit 0"]}
    spec = {"restartPolicy": "Never", "containers": [container], **(pod or {})}
    block = {"spec": {"backoffLimit": 0, "template": {"spec": spec}, **(job or {})}}
    return {"name": name, "provider": {"job": block}, **fields}


async def put_template(
    cluster: Cluster, namespace: str, *metrics: Mapping[str, Any], **spec: object
) -> None:
    """The AnalysisTemplate ``t`` in the cluster."""
    await cluster.create(TEMPLATES, namespace, template("t", *metrics, **spec))


@asynccontextmanager
async def job_gateway(
    cluster: Cluster, state: Path, namespace: str, **kubernetes: object
) -> AsyncIterator[Service]:
    """A gateway that may run Jobs of one namespace."""
    chosen = {"jobs": {"namespaces": [namespace]}, **kubernetes}
    async with gateway_on(cluster, state, namespace, kubernetes=chosen) as running:
        yield running


def named(namespace: str) -> dict[str, Any]:
    """A body that names the template ``t``."""
    return {"namespace": namespace, "templates": [{"templateName": "t"}]}


async def ended_run(gateway: Service, namespace: str) -> dict[str, Any]:
    """The document of a run of the template ``t`` when it has ended."""
    reply = await started(gateway, named(namespace), "wait=60s")
    assert reply.status == 200, reply.text
    document: dict[str, Any] = reply.body
    return document


async def running_job(cluster: Cluster, gateway: Service, namespace: str) -> str:
    """The id of a new run whose Job has a pod by now."""
    run: str = (await started(gateway, named(namespace))).body["metadata"]["uid"]

    async def seen() -> bool:
        document = (await gateway.get(f"/v1/runs/{run}")).body
        has_pod = await cluster.pods_created(namespace)
        return bool(has_pod and document["status"].get("metricResults"))

    await until(seen)
    return run


def measurements(document: Mapping[str, Any], metric: str = "smoke") -> list[dict[str, Any]]:
    """What was measured of a metric, without times."""
    (result,) = [each for each in document["status"]["metricResults"] if each["name"] == metric]
    return [
        {key: value for key, value in each.items() if key not in _TIMES}
        for each in result["measurements"]
    ]
