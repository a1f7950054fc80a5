"""What it costs to keep up with 2,000 templates of a cluster.

The API server is the one of the tests: a kube-apiserver where ``KUBEBUILDER_ASSETS`` or
``KUBECONFIG`` says so, else kmock in this process, whose own work is not counted.
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import yaml
from harness import HERE, Server, gateway, rss_mb, table

sys.path.append(str(HERE.parent))
from kube.access import Access
from kube.api_server import ApiServer
from kube.backend import Backend
from kube.cluster import Cluster, cluster_on
from kube.emulated import Emulated
from kube.real import Foreign, Real

TEMPLATES = 2_000
CHANGES = 200
IDLE_S = 30
RESYNC_S = 3
KIND = "analysistemplates"
APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


@contextmanager
def api_server() -> Iterator[Backend]:
    """What the environment names, else kmock."""
    if config := os.environ.get("KUBECONFIG"):
        yield Foreign(Access.read(Path(config)))
    elif assets := os.environ.get("KUBEBUILDER_ASSETS"):
        server = ApiServer(Path(assets))
        try:
            yield Real(server)
        finally:
            server.close()
    else:
        yield Emulated()


def template(number: int, limit: str = "0.95") -> dict[str, object]:
    """A template as people write them: two metrics, two arguments, 1.5 kB in all."""
    query = (
        'sum(rate(http_requests_total{service="{{args.service}}",status!~"5.."}[5m]))'
        ' / sum(rate(http_requests_total{service="{{args.service}}"}[5m]))'
    )
    prometheus = {"prometheus": {"address": "http://prometheus.monitoring:9090", "query": query}}
    metrics = [
        {
            "name": name,
            "interval": "30s",
            "count": 10,
            "failureLimit": 3,
            "successCondition": f"result[0] >= {limit}",
            "provider": prometheus,
        }
        for name in ("success-rate", "success-rate-again")
    ]
    args = [{"name": "service"}, {"name": "limit", "value": "0.95"}]
    metadata = {"name": f"template-{number}", "annotations": {APPLIED: "x" * 500}}
    return {"metadata": metadata, "spec": {"args": args, "metrics": metrics}}


@asynccontextmanager
async def watching(cluster: Cluster, namespace: str, *, resync_s: int) -> AsyncIterator[Server]:
    """A gateway that has listed all templates of a namespace."""
    settings = {
        "kubernetes": {
            "connect": str(cluster.kubeconfig),
            "templates": [namespace],
            "clusterTemplates": False,
            "resync": f"{resync_s}s",
        }
    }
    with tempfile.TemporaryDirectory() as state:
        config = Path(state) / "settings.yaml"
        config.write_text(yaml.safe_dump(settings))
        process = gateway("http://127.0.0.1:1", Path(state), "--config", str(config))
        # The API server may live in this thread.
        served = await asyncio.to_thread(process.__enter__)
        try:
            yield served
        finally:
            await asyncio.to_thread(process.__exit__, None, None, None)


async def cpu_during_s(served: Server, wait_s: float) -> float:
    """Processor seconds that the gateway uses while nothing is done to it."""
    before_s = served.cpu_s()
    await asyncio.sleep(wait_s)
    return served.cpu_s() - before_s


async def measured(cluster: Cluster) -> list[tuple[object, ...]]:
    """All rows of the table."""
    empty, full = await cluster.namespace(), await cluster.namespace()
    for number in range(TEMPLATES):
        await cluster.create(KIND, full, template(number))
    async with watching(cluster, empty, resync_s=300) as served:
        start_s, start_mb = served.cpu_s(), rss_mb(served.pid)
        nothing_s = await cpu_during_s(served, IDLE_S)
    async with watching(cluster, full, resync_s=300) as served:
        list_s, list_mb = served.cpu_s(), rss_mb(served.pid)
        idle_s = await cpu_during_s(served, IDLE_S)
        before_s = served.cpu_s()
        for number in range(CHANGES):
            changed = template(number, limit="0.99")
            await cluster.patch(KIND, full, f"template-{number}", {"spec": changed["spec"]})
        await asyncio.sleep(1)
        changes_s, changes_mb = served.cpu_s() - before_s, rss_mb(served.pid)
    async with watching(cluster, full, resync_s=RESYNC_S) as served:
        resyncs_s = await cpu_during_s(served, 10 * RESYNC_S)
        resyncs_mb = rss_mb(served.pid)
    resync_s = resyncs_s / 10 - idle_s / IDLE_S * RESYNC_S
    changed_mb = f"{changes_mb:.0f}"
    return [
        ("start, no templates", f"{start_s * 1000:.0f}", f"{start_mb:.0f}"),
        ("first list, above the start", f"{(list_s - start_s) * 1000:.0f}", f"{list_mb:.0f}"),
        (f"idle {IDLE_S} s, no templates", f"{nothing_s * 1000:.0f}", f"{start_mb:.0f}"),
        (f"idle {IDLE_S} s", f"{idle_s * 1000:.0f}", f"{list_mb:.0f}"),
        ("one change", f"{changes_s / CHANGES * 1000:.2f}", f"{changed_mb} after {CHANGES}"),
        ("one resync, nothing changed", f"{resync_s * 1000:.0f}", f"{resyncs_mb:.0f} after 10"),
    ]


async def main() -> None:
    """Measure, and say at which API server."""
    with tempfile.TemporaryDirectory() as folder, api_server() as backend:
        async with cluster_on(backend, Path(folder)) as cluster:
            rows = await measured(cluster)
            title = f"{TEMPLATES:,} templates of a cluster ({cluster.kind})"
    table(title, ("what", "gateway's CPU ms", "resident MB"), rows)


if __name__ == "__main__":
    asyncio.run(main())
