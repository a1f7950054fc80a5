"""Jobs for tests, and what to ask about them."""

from collections.abc import Awaitable

import pytest
from kube.client import ApiError
from kube.cluster import Cluster
from kube.kinds import Object
from kube.polling import until


def job(name: str, **pod_spec: object) -> Object:
    """A Job with one container."""
    containers = [{"name": "measure", "image": "measure"}]
    spec = {"restartPolicy": "Never", "containers": containers, **pod_spec}
    template = {"metadata": {"labels": {"app": "shop"}}, "spec": spec}
    return {"metadata": {"name": name}, "spec": {"template": template}}


async def settled(cluster: Cluster, namespace: str, name: str) -> Object:
    """A Job that has ended."""

    async def ended() -> Object | None:
        found = await cluster.get("jobs", namespace, name)
        kinds = {item["type"] for item in found["status"].get("conditions", [])}
        return found if kinds & {"Complete", "Failed"} else None

    return await until(ended)


async def pod_of(cluster: Cluster, namespace: str, name: str) -> Object:
    """The Pod of a Job, once something has become of it."""

    async def started() -> Object | None:
        for pod in await cluster.list("pods", namespace, f"job-name={name}"):
            if "containerStatuses" in pod["status"]:
                return pod
        return None

    return await until(started)


async def refusal(work: Awaitable[object]) -> str:
    """How the API server refuses."""
    with pytest.raises(ApiError) as caught:
        await work
    return str(caught.value)


def conditions(found: Object) -> list[tuple[str, str]]:
    """The types and reasons of a Job's conditions."""
    return [(item["type"], item["reason"]) for item in found["status"]["conditions"]]
