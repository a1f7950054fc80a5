"""A whole gateway on the cluster of a test, and templates to ask it about."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from kube.cluster import Cluster
from kube.kinds import Object
from running import Reply, Service, service, web_metric

TEMPLATES = "analysistemplates"
CLUSTER_TEMPLATES = "clusteranalysistemplates"


def see_can_be_hurt(cluster: Cluster) -> None:
    """Skip where the API server is somebody else's."""
    if not cluster.can_be_hurt:
        pytest.skip("the API server is not ours")


@asynccontextmanager
async def gateway_on(
    cluster: Cluster, state: Path, namespace: str, **settings: Any
) -> AsyncIterator[Service]:
    """A gateway that has the templates of one namespace; ``settings`` in wire names."""
    chosen = {
        "connect": str(cluster.kubeconfig),
        "templates": [namespace],
        "clusterTemplates": False,
        "timeout": "2s",
        **settings.pop("kubernetes", {}),
    }
    async with service(state, kubernetes=chosen, **settings) as gateway:
        yield gateway


def template(name: str, *metrics: object, **spec: object) -> Object:
    """An AnalysisTemplate, or a ClusterAnalysisTemplate."""
    return {"metadata": {"name": name}, "spec": {"metrics": list(metrics), **spec}}


def rate(url: str, at_least: float, **fields: object) -> Object:
    """A metric that asks for a number."""
    return cast("Object", web_metric(url, f"result >= {at_least}", name="rate", **fields))


async def verdict(gateway: Service, namespace: str, name: str, query: str = "maxAge=0") -> Reply:
    """The verdict of a template."""
    return await gateway.get(f"/v1/namespaces/{namespace}/{TEMPLATES}/{name}/verdict?{query}")


async def verdicts(gateway: Service, namespace: str, name: str, wanted: object) -> Reply:
    """The first verdict that is as it is wanted: a phase, or the status of a refusal."""

    async def answered() -> Reply | None:
        reply = await verdict(gateway, namespace, name)
        return reply if wanted in (reply.status, reply.body["phase"]) else None

    return await soon(answered)


async def ready(gateway: Service, status: int = 200) -> Any:
    """What ``/readyz`` says of the cluster as soon as it answers so."""

    async def answered() -> Reply | None:
        reply = await gateway.get("/readyz")
        return reply if reply.status == status else None

    return (await soon(answered)).body["kubernetes"]


async def soon(ask: Callable[[], Awaitable[Any]]) -> Any:
    """What is answered as soon as it is something."""
    async with asyncio.timeout(20):
        while not (answer := await ask()):  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.02)
    return answer
