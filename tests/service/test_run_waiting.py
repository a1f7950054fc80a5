"""Callers who wait for runs: long polls, a thousand at once, from any replica, over outages."""

import asyncio
import logging
import time
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest
from backends import Play, backend
from redis_server import RedisServer
from running import Reply, Service, service, template, until, web_metric
from streams import Told, stream

CONDITION = 'result == "green"'
GREEN = Play('"green"')
WATCHERS = 500
_log = logging.getLogger(__name__)


def lasting(url: str, **fields: object) -> dict[str, object]:
    """A template whose runs take a while."""
    return template(web_metric(url, CONDITION, **fields))


async def start(gateway: Service, content: object) -> str:
    """The path of a new run."""
    reply = await gateway.post("/v1/runs", content)
    assert reply.status == 202, reply.text
    return reply.headers["Location"]


async def test_a_wait_ends_with_the_run(tmp_path: Path) -> None:
    """On the POST and on the GET, by query and by header; soon after the end."""
    async with backend(GREEN) as upstream, service(tmp_path) as gateway:
        content = lasting(upstream.url, count=2, interval="500ms")
        began_s = time.monotonic()
        posted = await gateway.post("/v1/runs?wait=10s", content)
        preferred = await gateway.post("/v1/runs", content, Prefer="wait=10")
        path = await start(gateway, content)
        verdict = await gateway.get(f"{path}/verdict", Prefer="respond-async, wait=10")
        took_s = time.monotonic() - began_s
        again = await gateway.get(f"{path}?wait=10s", Prefer="wait=1")
    assert [each.status for each in (posted, preferred, verdict, again)] == [200] * 4
    assert posted.body["status"]["phase"] == verdict.body["phase"] == "Successful"
    applied = [each.headers.get("Preference-Applied") for each in (posted, preferred, verdict)]
    assert applied == [None, "wait=10", "wait=10"]
    assert "Preference-Applied" not in again.headers
    assert 1.5 < took_s < 6


async def test_nobody_waits_longer_than_is_allowed(tmp_path: Path) -> None:
    """``runs.maxWait`` is the longest wait; the answer says what was applied."""
    async with (
        backend(GREEN) as upstream,
        service(tmp_path, runs={"maxWait": "300ms"}) as gateway,
    ):
        path = await start(gateway, lasting(upstream.url, interval="1h"))
        began_s = time.monotonic()
        reply = await gateway.get(path, Prefer="wait=3600")
        took_s = time.monotonic() - began_s
    assert (reply.status, reply.body["status"]["phase"]) == (200, "Running")
    assert reply.headers["Preference-Applied"] == "wait=0.3"
    assert 0.3 <= took_s < 2


async def test_a_wait_over_an_outage_of_redis(tmp_path: Path, redis_server: RedisServer) -> None:
    """Whose time is over meanwhile is told why, and which run it was; the others wait on."""
    async with (
        backend(GREEN) as upstream,
        service(tmp_path, redis=redis_server.url.reveal()) as gateway,
    ):
        content = lasting(upstream.url, count=2, interval="2s")
        key = {"Idempotency-Key": "build-1"}
        hasty = asyncio.create_task(gateway.post("/v1/runs?wait=1s&gate=true", content, **key))
        await until(lambda: upstream.requests)
        patient = asyncio.create_task(gateway.post("/v1/runs?wait=30s", content, **key))
        await asyncio.sleep(0.3)
        redis_server.freeze()
        away = await hasty
        refused = await gateway.post("/v1/runs", content)
        judged = await gateway.post("/v1/verdict", content_without_count(upstream.url))
        redis_server.thaw()
        back = await patient
    for reply in (away, refused):
        assert (reply.status, reply.body["error"]) == (503, "store_unavailable")
        assert reply.headers["Retry-After"] == "1"
        assert "Redis did not answer within 2 s" in reply.body["reason"]
    path = away.headers["Location"]
    assert f"run {path.rpartition('/')[2]} goes on as soon as Redis does" in away.body["reason"]
    assert "Location" not in refused.headers
    assert refused.body["reason"].endswith(
        "; the run may have been started: repeat with the same Idempotency-Key, or look for it with"
        " GET /v1/runs"
    )
    assert (judged.status, judged.body["phase"]) == (200, "Successful")
    assert (back.status, back.headers["Location"]) == (200, path)
    assert back.body["status"]["phase"] == "Successful"


def content_without_count(url: str) -> dict[str, object]:
    """A template for a verdict."""
    return template(web_metric(url, CONDITION))


async def test_a_run_is_watched_from_any_replica(tmp_path: Path, redis_server: RedisServer) -> None:
    """Started on one, driven by another, watched and ended from both."""
    url = redis_server.url.reveal()
    async with (
        backend(GREEN) as upstream,
        service(tmp_path / "1", redis=url) as idle,
        service(tmp_path / "2", redis=url) as driving,
    ):
        await idle.gateway.runs.worker.stop(0)
        path = await start(idle, lasting(upstream.url, count=3, interval="300ms"))
        waiting = [asyncio.create_task(each.get(f"{path}?wait=10s")) for each in (idle, driving)]
        streams = [asyncio.create_task(followed(each, path)) for each in (idle, driving)]
        runs = await asyncio.gather(*waiting)
        events = await asyncio.gather(*streams)
        other = await start(driving, lasting(upstream.url, interval="1h"))
        told = await idle.send("POST", f"{other}/terminate")
        over = await idle.get(f"{other}?wait=5s")
    assert runs[0].body == runs[1].body
    assert runs[0].body["status"]["phase"] == "Successful"
    assert events[0] == events[1]
    assert events[0][-1].type == "end"
    assert (told.status, over.body["status"]["message"]) == (202, "Run Terminated")


async def followed(gateway: Service, path: str) -> list[Told]:
    """All events of a run."""
    async with stream(gateway.session, f"{gateway.url}{path}/events") as opened:
        return await opened.all()


async def test_the_end_of_the_process_ends_all_waits(tmp_path: Path) -> None:
    """Callers hear how the run stands, and ask another replica."""
    async with backend(GREEN) as upstream, service(tmp_path) as gateway:
        watch = gateway.gateway.runs.watch
        path = await start(gateway, lasting(upstream.url, interval="1h"))
        waits = [
            asyncio.create_task(gateway.get(f"{path}{below}wait=10m"))
            for below in ("?", "/verdict?", "/verdict?gate=true&")
        ]
        await until(lambda: sum(len(each.watchers) for each in watch._runs.values()) == 3)
        await watch.close()
        async with asyncio.timeout(2):
            replies = await asyncio.gather(*waits)
    assert [each.status for each in replies] == [200, 200, 503]


@pytest.mark.alone
@pytest.mark.parametrize("number_of_runs", [1, 100])
async def test_a_thousand_watchers_see_the_end(tmp_path: Path, number_of_runs: int) -> None:
    """Half of them with long polls, half with streams; for few questions to Redis."""
    async with AsyncExitStack() as opened:
        upstream = await opened.enter_async_context(backend(GREEN))
        gateway = await opened.enter_async_context(service(tmp_path))
        session = await opened.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        )
        crowd = Service(gateway.url, gateway.gateway, session)
        content = lasting(upstream.url, interval="1h")
        paths = [await start(gateway, content) for _ in range(number_of_runs)]
        watch = gateway.gateway.runs.watch
        polls, streams = [], []
        for number in range(WATCHERS):
            path = paths[number % number_of_runs]
            polls.append(asyncio.create_task(crowd.get(f"{path}?wait=1m")))
            streams.append(asyncio.create_task(ends(crowd, path)))
        await until(
            lambda: sum(len(each.watchers) for each in watch._runs.values()) == 2 * WATCHERS,
            within_s=30,
        )
        asked = await questions(gateway)
        cpu_s = time.process_time()
        await asyncio.sleep(2)
        idle_cpu = (time.process_time() - cpu_s) / 2
        asked_idle = (await questions(gateway) - asked) / 2
        began_s = time.monotonic()
        cpu_s = time.process_time()
        for path in paths:
            await gateway.send("POST", f"{path}/terminate")
        told_s = time.monotonic() - began_s
        runs: list[Reply] = await asyncio.gather(*polls)
        ended: list[Told] = await asyncio.gather(*streams)
        last_s = time.monotonic() - began_s
    assert {run.body["status"]["message"] for run in runs} == {"Run Terminated"}
    assert {(each.type, each.data["phase"]) for each in ended} == {("end", "Successful")}
    assert asked_idle < 200
    figures = {
        "runs": number_of_runs,
        "idle_commands_per_s": round(asked_idle, 1),
        "idle_processor": round(idle_cpu, 3),
        "told_after_s": round(told_s, 3),
        "last_knew_after_s": round(last_s, 3),
        "processor_s_with_clients": round(time.process_time() - cpu_s, 3),
    }
    _log.info("%s", figures)
    assert last_s < 20


async def ends(gateway: Service, path: str) -> Told:
    """The last event of a run."""
    return (await followed(gateway, path))[-1]


async def questions(gateway: Service) -> int:
    """How many commands Redis has carried out."""
    info = await gateway.gateway.runs.store._calls.redis.info("stats")
    return int(info["total_commands_processed"])
