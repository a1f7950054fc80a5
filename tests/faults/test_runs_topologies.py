"""Durable runs on the kinds of Redis that the gateway can be given."""

import asyncio
import re
from pathlib import Path
from typing import Final

from backends import Play, backend
from redis_server import RedisServer
from running import Service, service, template, until, web_metric

from gateway.secrets import Secret

PAGE: Final = Path(__file__).parents[2] / "docs/redis.md"


async def test_a_cluster_drives_runs(cluster: list[RedisServer], tmp_path: Path) -> None:
    """All that belongs to runs lies in one slot."""
    nodes = ",".join(f"127.0.0.1:{server.port}" for server in cluster)
    async with (
        backend(Play("1")) as upstream,
        service(tmp_path, redis=f"redis+cluster://{nodes}") as gateway,
    ):
        await _drive(gateway, upstream.url)


async def test_a_run_outlives_the_master_that_had_it(
    sentinels: tuple[Secret, RedisServer], tmp_path: Path
) -> None:
    """Its replica has what was acknowledged, and the gateway follows the sentinels to it."""
    url, master = sentinels
    async with backend(Play("1")) as upstream, service(tmp_path, redis=url.reveal()) as gateway:
        metric = web_metric(upstream.url, "result == 1", interval="300ms", count=8)
        started = await gateway.post("/v1/runs", template(metric))
        await until(lambda: len(upstream.requests) >= 3)
        assert master.cli("-a", "hunter2", "wait", "1", "5000").strip() == "1"
        master.kill()
        for _ in range(60):
            reply = await gateway.get(f"{started.headers['Location']}?wait=10s")
            if reply.status == 200 and reply.body["status"]["phase"] != "Running":
                break
            await asyncio.sleep(0.5)
    assert reply.status == 200, reply.text
    assert reply.body["status"]["phase"] == "Successful", reply.text
    assert reply.body["status"]["metricResults"][0]["count"] == 8


async def test_the_user_that_the_page_shows_may_do_all_that_is_needed(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    """Verdicts and runs, with no command and no key to spare."""
    shown = re.search(r"^user (gateway on) >password (.*)$", PAGE.read_text(), re.MULTILINE)
    assert shown is not None
    words = f"{shown.group(1)} >password {shown.group(2)}".split()
    redis_server.cli("ACL", "SETUSER", *words)
    url = f"unix://gateway:password@{redis_server.socket}"
    async with (
        backend(Play("1")) as upstream,
        service(tmp_path, redis=url, readings={"maxAge": "1s"}) as gateway,
    ):
        await gateway.post("/v1/verdict", template(web_metric(upstream.url, "result == 1")))
        await _drive(gateway, upstream.url)
    assert redis_server.cli("ACL", "LOG").strip() == ""


async def _drive(gateway: Service, url: str) -> None:
    """A run from its start to its deletion."""
    metric = web_metric(url, "result == 1", interval="100ms", count=3)
    reply = await gateway.post("/v1/runs?wait=20s", template(metric))
    assert reply.body["status"]["phase"] == "Successful", reply.text
    assert reply.body["status"]["metricResults"][0]["count"] == 3
    run = f"/v1/runs/{reply.body['metadata']['uid']}"
    listed = await gateway.get("/v1/runs")
    assert len(listed.body["items"]) == 1
    events = await gateway.get(f"{run}/events")
    assert events.text.count("event: measurement") == 3
    terminated = await gateway.send("POST", f"{run}/terminate")
    deleted = await gateway.send("DELETE", run)
    assert (terminated.status, deleted.status) == (200, 204)
