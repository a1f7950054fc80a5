"""A source of a cluster's templates that keeps up, and short words for what it knows."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from manifests import WEB
from pretended_cluster import PretendedCluster
from virtual_time import now_s

from gateway.config.kubernetes import Kubernetes
from gateway.kube.templates import ClusterTemplates
from gateway.template import Template, TemplateRef


def spec(metric: str = "m", **fields: Any) -> dict[str, Any]:
    """A template's spec with one metric."""
    return {"metrics": [{"name": metric, "provider": WEB}], **fields}


def templates_of(cluster: PretendedCluster, **settings: Any) -> ClusterTemplates:
    """A source that nobody serves yet; ``settings`` in wire names."""
    chosen = Kubernetes.model_validate({"clusterTemplates": False, **settings})
    return ClusterTemplates(cluster, chosen, now_s=now_s)


@asynccontextmanager
async def followed(source: ClusterTemplates) -> AsyncIterator[ClusterTemplates]:
    """A source that keeps up with its cluster."""
    serving = asyncio.create_task(source.serve())
    await asyncio.sleep(0.01)
    try:
        yield source
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
    assert serving.cancelled()


def found(source: ClusterTemplates, name: str, namespace: str = "shop") -> Template | None:
    """The AnalysisTemplate of that name."""
    return source.find(TemplateRef(templateName=name), namespace)


def listed(source: ClusterTemplates) -> dict[str, str]:
    """The name of the first metric by namespace and name."""
    return {
        f"{namespace}/{template.name}": template.spec.metrics[0].name
        for namespace, template in source.entries()
    }


def broken(source: ClusterTemplates) -> dict[str, list[str]]:
    """What is wrong by object."""
    return {name: [str(problem) for problem in problems] for name, problems in source.broken()}


async def moments() -> None:
    """As long as it takes to hear of a change."""
    await asyncio.sleep(0.01)


def details_of(source: ClusterTemplates) -> Any:
    """What is told of the first place."""
    scopes: Any = source.details()["scopes"]
    return scopes[0]
