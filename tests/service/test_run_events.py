"""Runs that are followed: Server-Sent Events."""

import asyncio
import contextlib
import json
import socket
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from backends import Play, backend
from redis_server import RedisServer
from running import Service, service, template, until, web_metric
from streams import Told, stream

from gateway.api import run_events

CONDITION = 'result == "green"'
GREEN = Play('"green"')


async def start(gateway: Service, url: str, **fields: object) -> str:
    """The path of a new run."""
    reply = await gateway.post("/v1/runs", template(web_metric(url, CONDITION, **fields)))
    assert reply.status == 202, reply.text
    return reply.headers["Location"]


async def followed(gateway: Service, path: str, **headers: str) -> list[Told]:
    """All events of a run."""
    async with stream(gateway.session, f"{gateway.url}{path}/events", headers) as opened:
        return await opened.all()


def kinds(events: list[Told]) -> str:
    """The types of events, a letter each."""
    return "".join(each.type[0] for each in events)


async def test_a_run_is_followed_to_its_end(tmp_path: Path) -> None:
    """Each measurement, each decision, each phase; then the server closes."""
    async with backend(GREEN, Play('"red"')) as upstream, service(tmp_path) as gateway:
        path = await start(gateway, upstream.url, count=3, interval="200ms", failureLimit=2)
        async with stream(gateway.session, f"{gateway.url}{path}/events") as opened:
            headers = opened.response.headers
            events = await opened.all()
        replay = await followed(gateway, path)
        run = (await gateway.get(path)).body
    assert headers["Content-Type"] == "text/event-stream"
    assert (headers["Cache-Control"], headers["X-Accel-Buffering"]) == ("no-store", "no")
    assert kinds(events) == "mpmmmpe"
    assert replay == events
    assert [each.id for each in events] == ["1-1", "1-2", "2-1", "3-1", "3-2", "3-3", "3-4"]
    (result,) = run["status"]["metricResults"]
    told = [each.data["measurement"] for each in events if each.type == "measurement"]
    assert told == result["measurements"]
    assert (events[2].data["failed"], events[2].data["count"]) == (1, 2)
    assert events[2].data["reason"] == '"red" does not satisfy result == "green"'
    assert events[2].data["explanation"]["successCondition"]["value"] is False
    assert events[4].data == {
        "metric": "m",
        "phase": "Successful",
        "message": "",
        "dryRun": False,
    }
    assert events[-1] == Told(
        "end",
        {
            "phase": "Successful",
            "message": "",
            "runSummary": run["status"]["runSummary"],
            "dryRunSummary": {},
        },
        "3-4",
    )


@pytest.mark.parametrize(
    ("how", "after", "expected"),
    [
        pytest.param("Last-Event-ID", "1-1", ["1-2", "2-1", "2-2", "2-3", "2-4"], id="goes-on"),
        pytest.param("Last-Event-ID", "2-3", ["2-4"], id="the-end-was-missed"),
        pytest.param("lastEventId", "2-2", ["2-3", "2-4"], id="by-query"),
    ],
)
async def test_who_comes_back_gets_the_rest(
    tmp_path: Path, how: str, after: str, expected: list[str]
) -> None:
    """Behind the event that it had last."""
    async with backend(GREEN) as upstream, service(tmp_path) as gateway:
        path = await start(gateway, upstream.url, count=2, interval="100ms")
        await gateway.get(f"{path}?wait=5s")
        query = f"?{how}={after}" if how == "lastEventId" else ""
        headers = {} if query else {how: after}
        async with stream(gateway.session, f"{gateway.url}{path}/events{query}", headers) as opened:
            events = await opened.all()
    assert [each.id for each in events] == expected


async def test_who_has_had_the_end_is_told_to_stay_away(tmp_path: Path) -> None:
    """A browser comes back after every stream, except after a 204."""
    async with backend(GREEN) as upstream, service(tmp_path) as gateway:
        path = await start(gateway, upstream.url)
        events = await followed(gateway, path)
        reply = await gateway.get(f"{path}/events", **{"Last-Event-ID": events[-1].id})
    assert (reply.status, reply.text) == (204, "")


@pytest.mark.parametrize("after", ["x", "1", "1-", "-1", "1-1-1", "9" * 40, "1-1\u0664"])
async def test_an_id_that_no_event_has_is_refused(tmp_path: Path, after: str) -> None:
    """400, before anything is streamed."""
    async with backend(GREEN) as upstream, service(tmp_path) as gateway:
        path = await start(gateway, upstream.url)
        reply = await gateway.get(f"{path}/events?lastEventId={after}")
    assert (reply.status, "Last-Event-ID" in reply.body["reason"]) == (400, True)


async def test_an_id_beyond_the_end_waits_for_no_event(tmp_path: Path) -> None:
    """It was another run's, or Redis has lost some of this one's."""
    async with backend(GREEN) as upstream, service(tmp_path) as gateway:
        path = await start(gateway, upstream.url, count=2, interval="500ms")
        async with asyncio.timeout(5):
            assert await followed(gateway, path, **{"Last-Event-ID": "9-9"}) == []
        reply = await gateway.get(f"{path}/events?lastEventId=9-9")
    assert reply.status == 204


async def test_who_missed_too_much_gets_the_whole_document_first(tmp_path: Path) -> None:
    """Then the events that are still kept."""
    async with (
        backend(GREEN) as upstream,
        service(tmp_path, runs={"keepEvents": 3}) as gateway,
    ):
        path = await start(gateway, upstream.url, count=5, interval="50ms")
        await gateway.get(f"{path}?wait=5s")
        back = await followed(gateway, path, **{"Last-Event-ID": "1-1"})
        new = await followed(gateway, path)
        document = (await gateway.get(path)).body
    assert back[0] == Told("run", document)
    assert back[1:] == new
    assert kinds(new) == "mpe"


async def test_a_stream_is_alive_while_nothing_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Comments come, so that nobody between takes the connection for dead."""
    monkeypatch.setattr(run_events, "HEARTBEAT_S", 0.1)
    async with backend(GREEN) as upstream, service(tmp_path) as gateway:
        path = await start(gateway, upstream.url, count=2, interval="1s")
        async with stream(gateway.session, f"{gateway.url}{path}/events") as opened:
            events = await opened.all()
    assert opened.comments >= 3
    assert kinds(events) == "mpmmpe"


async def test_a_stream_outlives_an_outage_of_redis(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    """What happened meanwhile comes after it; who asks anew is told that Redis is away."""
    async with (
        backend(GREEN) as upstream,
        service(tmp_path, redis=redis_server.url.reveal()) as gateway,
    ):
        path = await start(gateway, upstream.url, count=3, interval="1s")
        async with stream(gateway.session, f"{gateway.url}{path}/events") as opened:
            reading = asyncio.create_task(opened.all())
            await until(lambda: len(upstream.requests) == 1)
            redis_server.freeze()
            refused = await gateway.get(f"{path}/events")
            read = await gateway.get(path)
            redis_server.thaw()
            events = await reading
    for reply in (refused, read):
        assert (reply.status, reply.headers["Retry-After"]) == (503, "1")
        assert reply.body["reason"] == "Redis did not answer within 2 s"
    assert kinds(events) == "mpmmmpe"


async def test_a_run_that_is_deleted_closes_its_streams(tmp_path: Path) -> None:
    """However it was deleted: here behind the gateway's back."""
    async with backend(GREEN) as upstream, service(tmp_path) as gateway:
        path = await start(gateway, upstream.url, interval="1h")
        async with stream(gateway.session, f"{gateway.url}{path}/events") as opened:
            reading = asyncio.create_task(opened.all())
            await until(lambda: gateway.gateway.runs.watch._runs)
            run_id = path.rpartition("/")[2]
            redis = gateway.gateway.runs.store._calls.redis
            prefix = "analysis-gateway:{runs}:"
            await redis.delete(f"{prefix}run:{run_id}", f"{prefix}events:{run_id}")
            await redis.hdel(f"{prefix}versions", run_id)
            async with asyncio.timeout(5):
                assert "e" not in kinds(await reading)


async def test_the_end_of_the_process_closes_streams(tmp_path: Path) -> None:
    """Clients come back, to another replica, with the last event that they had."""
    async with backend(GREEN) as upstream, service(tmp_path) as gateway:
        path = await start(gateway, upstream.url, interval="1h")
        async with stream(gateway.session, f"{gateway.url}{path}/events") as opened:
            reading = asyncio.create_task(opened.all())
            await until(lambda: gateway.gateway.runs.watch._runs)
            await asyncio.sleep(0.5)
            await gateway.gateway.runs.watch.close()
            async with asyncio.timeout(2):
                assert kinds(await reading) == "mp"


async def test_who_hangs_up_is_forgotten(tmp_path: Path) -> None:
    """Within a moment, and not at the next event."""
    async with backend(GREEN) as upstream, service(tmp_path) as gateway:
        watched = gateway.gateway.runs.watch._runs
        path = await start(gateway, upstream.url, interval="1h")
        async with aiohttp.ClientSession() as leaving:
            for _ in range(10):
                await leaving.get(f"{gateway.url}{path}/events")
            polls = [
                asyncio.create_task(leaving.get(f"{gateway.url}{path}?wait=10m")) for _ in range(10)
            ]
            await until(lambda: sum(len(each.watchers) for each in watched.values()) == 20)
        await until(lambda: not watched, within_s=2)
        await asyncio.gather(*polls, return_exceptions=True)


async def test_who_reads_nothing_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it has not read does not pile up here, and nobody else waits for it."""
    monkeypatch.setattr(run_events, "SLOW_S", 0.3)
    big = Play(json.dumps("x" * 4_000))
    async with backend(big) as upstream, service(tmp_path, runs={"keepEvents": 5000}) as gateway:
        metrics = [
            web_metric(upstream.url, "true", count=15, interval="1ms", name=f"m{number}")
            for number in range(100)
        ]
        one = {"metricName": ".*", "limit": 1}
        reply = await gateway.post("/v1/runs", template(*metrics, measurementRetention=[one]))
        path = reply.headers["Location"]
        await gateway.get(f"{path}?wait=30s")
        host, port = gateway.url.removeprefix("http://").split(":")
        with socket.socket() as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            line.setblocking(False)  # noqa: FBT003 # the socket module's own
            loop = asyncio.get_running_loop()
            await loop.sock_connect(line, (host, int(port)))
            ask = f"GET {path}/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
            await loop.sock_sendall(line, ask.encode())
            assert await metrics_of(gateway, "/v1/runs/{id}/events") == 0
            for _ in range(100):
                await asyncio.sleep(0.05)
                if await metrics_of(gateway, "/v1/runs/{id}/events"):
                    break
            assert await metrics_of(gateway, "/v1/runs/{id}/events") == 1
            received = b""
            async with asyncio.timeout(5):
                with contextlib.suppress(ConnectionResetError):
                    while data := await loop.sock_recv(line, 1 << 20):
                        received = data
        assert not received.endswith(b"\r\n0\r\n\r\n"), "it looks as if the stream were complete"
        events = await followed(gateway, path)
    assert len(events) > 1_000


async def metrics_of(gateway: Service, route: str) -> float:
    """How many answers of a route are over."""
    lines: list[Any] = (await gateway.get("/metrics")).text.splitlines()
    name = f'analysis_gateway_http_request_duration_seconds_count{{route="{route}",'
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))
