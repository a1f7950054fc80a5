"""Durable runs on every kind of Redis that the gateway can be given."""

from pathlib import Path

from backends import Play, backend
from redis_server import RedisServer
from running import service, template, web_metric


async def test_a_cluster_drives_runs(cluster: list[RedisServer], tmp_path: Path) -> None:
    """All that belongs to runs lies in one slot."""
    nodes = ",".join(f"127.0.0.1:{server.port}" for server in cluster)
    async with (
        backend(Play("1")) as upstream,
        service(tmp_path, redis=f"redis+cluster://{nodes}") as gateway,
    ):
        metric = web_metric(upstream.url, "result == 1", interval="100ms", count=3)
        reply = await gateway.post("/v1/runs?wait=20s", template(metric))
        listed = await gateway.get("/v1/runs")
        events = await gateway.get(f"/v1/runs/{reply.body['metadata']['uid']}/events")
    assert reply.body["status"]["phase"] == "Successful", reply.text
    assert reply.body["status"]["metricResults"][0]["count"] == 3
    assert len(listed.body["items"]) == 1
    assert events.text.count("event: measurement") == 3
