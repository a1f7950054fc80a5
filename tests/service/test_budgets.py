"""Many askers, few questions, a vendor that refuses more than a few a second, and the service."""

import asyncio
import time
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from backends import Play, backend
from guarded import ALICE, BOB, access, bearer, put, rule
from redis_server import RedisServer
from running import Service, service, web_metric

GREEN = 'result == "green"'
VERDICT = "/v1/namespaces/shop/analysistemplates/t/verdict"
LIMIT = 20


class Limited:
    """A vendor that answers 429 to more than ``LIMIT`` requests in any second."""

    def __init__(self) -> None:
        self.arrivals_s: list[float] = []
        self.refused = 0

    @property
    def most_in_a_second(self) -> int:
        """How many arrivals any second has."""
        times_s = self.arrivals_s
        return max(sum(0 <= each - first < 1 for each in times_s) for first in times_s)

    async def answer(self, _: web.Request) -> web.Response:
        """Green, unless there were too many."""
        now_s = time.monotonic()
        self.arrivals_s.append(now_s)
        if sum(now_s - each < 1 for each in self.arrivals_s) > LIMIT:
            self.refused += 1
            return web.Response(status=429, text="slow down", headers={"Retry-After": "1"})
        return web.Response(text='"green"')


def connection(url: str, **budget: object) -> dict[str, Any]:
    """One that all may use."""
    return {"name": "vendor", "url": url, "namespaces": ["*"], **budget}


async def test_a_vendor_with_a_limit_refuses_nobody(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    """400 askers of ten questions, of two replicas, who all want a reading of their own time."""
    vendor = Limited()
    app = web.Application()
    app.router.add_get("/{question}", vendor.answer)
    async with TestServer(app) as running, AsyncExitStack() as stack:
        url = str(running.make_url("/"))
        put(
            tmp_path / "templates",
            "shop",
            "t",
            web_metric(f"{url}{{{{args.question}}}}", GREEN),
            args=[{"name": "question"}],
        )
        replicas = [
            await stack.enter_async_context(
                service(
                    tmp_path / str(number),
                    redis=redis_server.url.reveal(),
                    templates=tmp_path / "templates",
                    connections=[connection(url, rate={"perSecond": 0.7 * LIMIT})],
                    verdicts={"wait": "20s"},
                )
            )
            for number in range(2)
        ]

        async def ask(number: int) -> str:
            await asyncio.sleep(3 * (number % 97) / 97)
            path = f"{VERDICT}?args.question=q{number % 10}&maxAge=200ms"
            reply = await replicas[number % 2].get(path)
            return str(reply.body["phase"])

        # Clocks of a busy machine are not even: the rate leaves room for that.
        told = Counter(await asyncio.gather(*(ask(number) for number in range(400))))
    assert told == {"Successful": 400}
    assert (vendor.refused, vendor.most_in_a_second <= LIMIT) == (0, True)


async def asked(gateway: Service) -> tuple[str, str]:
    """What a new measurement comes to."""
    reply = await gateway.get(f"{VERDICT}?maxAge=0")
    found = reply.body["metrics"]["m"]
    return found["phase"], found["message"]


@pytest.mark.parametrize(
    ("plays", "outcome", "sent"),
    [
        pytest.param(
            [Play("busy", 503), Play("busy", 502), Play('"green"')],
            ("Successful", ""),
            3,
            id="a-vendor-that-is-away-for-a-moment",
        ),
        pytest.param(
            [Play("busy", 503)],
            ("Error", "received non 2xx response code: 503"),
            3,
            id="one-that-stays-away",
        ),
        pytest.param(
            [Play("bad", 500)], ("Error", "received non 2xx response code: 500"), 1, id="its-fault"
        ),
    ],
)
async def test_a_request_is_repeated(
    tmp_path: Path, plays: list[Play], outcome: tuple[str, str], sent: int
) -> None:
    """Within its measurement."""
    async with backend(*plays) as upstream:
        put(tmp_path / "templates", "shop", "t", web_metric(upstream.url, GREEN))
        async with service(
            tmp_path / "s",
            templates=tmp_path / "templates",
            connections=[connection(upstream.url)],
        ) as gateway:
            assert await asked(gateway) == outcome
            metrics = await gateway.get("/metrics")
    assert len(upstream.requests) == sent
    line = f'analysis_gateway_upstream_retries_total{{connection="vendor"}} {sent - 1}.0'
    assert line in metrics.text.splitlines()


async def test_how_connections_stand(tmp_path: Path) -> None:
    """For who may use them: here one of which is at rest after two failures."""
    async with backend(Play("no", 503)) as upstream:
        put(tmp_path / "templates", "shop", "t", web_metric(upstream.url, GREEN))
        known = access(
            tmp_path / "access",
            rule("verdict", connections=["vendor"]),
            rule("verdict", callers=["token:bob"], connections=["other"]),
        )
        async with service(
            tmp_path / "s",
            access=known,
            templates=tmp_path / "templates",
            connections=[
                connection(
                    upstream.url,
                    retries=0,
                    breaker={"failures": 2},
                    rate={"perSecond": 100, "burst": 5},
                ),
                {**connection("http://127.0.0.1:1"), "name": "other"},
            ],
        ) as gateway:
            told = []
            for _ in range(3):
                reply = await gateway.get(f"{VERDICT}?maxAge=0", **bearer(ALICE))
                told.append(reply.body["reason"])
            mine = await gateway.get("/v1/connections", **bearer(ALICE))
            theirs = await gateway.get("/v1/connections", **bearer(BOB))
    assert "connection vendor: not asked, as its last 2 requests failed; it is tried" in told[2]
    assert len(upstream.requests) == 2
    (vendor,) = mine.body["connections"]
    latency, retry = vendor.pop("latencySeconds"), vendor.pop("retryInSeconds")
    assert 0 < latency["p50"] <= latency["p99"] < 5
    assert 0 < retry <= 5
    assert vendor == {
        "name": "vendor",
        "breaker": "open",
        "concurrency": 32,
        "underWay": 0,
        "waiting": 0,
        "rate": {"perSecond": 100, "burst": 5},
        "requests": 2,
        "failures": 2,
        "retries": 0,
        "unasked": 1,
    }
    assert [each["name"] for each in theirs.body["connections"]] == ["other"]


async def test_a_frozen_redis_delays_no_verdict_for_long(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    """Its bucket is one more user of it, and pays nothing by itself."""
    async with backend(Play('"green"')) as upstream:
        put(tmp_path / "templates", "shop", "t", web_metric(upstream.url, GREEN))
        async with service(
            tmp_path / "s",
            redis=redis_server.url.reveal(),
            templates=tmp_path / "templates",
            connections=[connection(upstream.url, rate={"perSecond": 100})],
        ) as gateway:
            assert await asked(gateway) == ("Successful", "")
            redis_server.freeze()
            try:
                began_s = time.monotonic()
                outcomes = {await asked(gateway) for _ in range(5)}
                took_s = time.monotonic() - began_s
            finally:
                redis_server.thaw()
    assert outcomes == {("Successful", "")}
    assert took_s < 1.0
