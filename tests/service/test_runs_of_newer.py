"""Runs with fields that only a newer version knows, asked for at an older replica."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import orjson
import pytest
from backends import Play, backend
from redis_server import RedisServer
from running import Reply, Service, service, template, web_metric
from streams import stream

from gateway.runs.schema import SCHEMA

CONDITION = 'result == "green"'
NEWER: Final = f"{SCHEMA + 1} {SCHEMA}"
OURS: Final = f"{SCHEMA} {SCHEMA}"


@pytest.fixture
async def gateway(tmp_path: Path, redis_server: RedisServer) -> AsyncIterator[Service]:
    """An older replica."""
    async with service(tmp_path, redis=redis_server.url.reveal()) as running:
        yield running


async def ended(gateway: Service, redis_server: RedisServer, schema: str) -> str:
    """The path of a run that has ended, with a field that nobody here knows."""
    async with backend(Play('"green"')) as upstream:
        asked = template(web_metric(upstream.url, CONDITION))
        reply = await gateway.post("/v1/runs?wait=10s", asked)
    assert reply.body["status"]["phase"] == "Successful", reply.text
    path = reply.headers["Location"]
    key = f"analysis-gateway:{{runs}}:run:{path.rpartition('/')[2]}"
    manifest = orjson.loads(redis_server.cli("hget", key, "manifest"))
    manifest["spec"]["metrics"][0]["newField"] = 1
    redis_server.cli("hset", key, "manifest", orjson.dumps(manifest).decode(), "schema", schema)
    return path


@pytest.mark.parametrize("path", ["{}/verdict", "{}/events", "/runs/{id}"])
async def test_who_asks_is_told_to_ask_again(
    gateway: Service, redis_server: RedisServer, path: str
) -> None:
    """A newer replica knows; no stream begins that would break off."""
    run = await ended(gateway, redis_server, NEWER)
    place = path.format(run, id=run.rpartition("/")[2])
    reply: Reply = await gateway.get(place)
    assert reply.status == 503, reply.text
    assert "Retry-After" in reply.headers
    assert "newField: unknown field" in reply.text
    assert "it is left to newer replicas" in reply.text


async def test_the_run_itself_is_told(gateway: Service, redis_server: RedisServer) -> None:
    """As it is kept."""
    run = await ended(gateway, redis_server, NEWER)
    reply = await gateway.get(run)
    assert (reply.status, reply.body["spec"]["metrics"][0]["newField"]) == (200, 1)


async def test_what_nobody_knows_takes_no_events_away(
    gateway: Service, redis_server: RedisServer
) -> None:
    """No replica could say more: they come without their reasons."""
    run = await ended(gateway, redis_server, OURS)
    async with stream(gateway.session, f"{gateway.url}{run}/events", {}) as opened:
        events: list[Any] = await opened.all()
    assert events[-1].type == "end"
    assert events[0].data["measurement"]["phase"] == "Successful"
    assert "reason" not in events[0].data
    reply = await gateway.get(f"{run}/verdict")
    assert reply.status == 503
    assert "delete it, or use the version" in reply.text
